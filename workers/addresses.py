"""Which addresses the registry may connect to: the public internet, and nothing else.

`ipaddress.is_global` is not used: on Python 3.11 it calls multicast, NAT64 (which wraps 127.0.0.1), 6to4 and others
global. The table is the IANA special-purpose registries, everything that they list, reachable or not, and for IPv6
only 2000::/3 counts at all, so that a block that IANA has not given out yet is refused too.

Source: https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry, with multicast
(RFC 5771, RFC 4291) and site-local (RFC 3879) added; read 2026-11.
"""

from functools import cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

_FORBIDDEN_V4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private use
        "100.64.0.0/10",  # shared address space (carrier NAT; some clouds serve metadata here)
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link local: cloud metadata
        "172.16.0.0/12",  # private use
        "192.0.0.0/24",  # IETF protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relay, deprecated
        "192.168.0.0/16",  # private use
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and limited broadcast
    )
)

_PUBLIC_V6 = IPv6Network("2000::/3")

_FORBIDDEN_V6 = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # IETF protocol assignments: Teredo, ORCHID, benchmarking, AMT ...
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: wraps any IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)


@cache
def is_public(address: str) -> bool:
    """Whether a numeric IPv4 or IPv6 address belongs to the public internet. What is no address is not public."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address):
        return (
            parsed.scope_id is None and parsed in _PUBLIC_V6 and not any(parsed in network for network in _FORBIDDEN_V6)
        )
    return not any(parsed in network for network in _FORBIDDEN_V4)
