"""Which addresses count as public: the tables of IANA and every trap of `ipaddress.is_global`."""

import socket

import pytest

from workers.addresses import is_public
from workers.network import Guard, system_resolver

FORBIDDEN = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.0.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254",
    "172.16.255.255", "172.31.255.255", "192.0.0.8", "192.0.0.9", "192.0.0.170", "192.0.2.1", "192.88.99.1",
    "192.168.254.254", "192.175.48.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::2", "::ffff:8.8.8.8", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::1",
    "100::1", "100:0:0:1::1", "2001::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:30::1", "2001:db8::1",
    "2002:7f00:1::", "2620:4f:8000::1", "3fff::1", "3fff:fff::1", "5f00::1", "4000::1", "fc00::1", "fd12::1", "fe80::1",
    "fe80::1%eth0", "febf::1", "fec0::1", "ff02::1", "ff0e::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "", "localhost", "8.8.8", "0x08080808", "8.8.8.8/32", "2606:4700::1111%eth0",
]  # fmt: skip

PUBLIC = ["8.8.8.8", "9.255.0.255", "128.0.0.1", "172.32.255.255", "192.169.255.255", "223.255.255.255",
          "2606:4700:4700::1111", "2a00:1450:4001::1", "2001:200::1", "2000::1"]  # fmt: skip


@pytest.mark.parametrize("address", FORBIDDEN)
def test_a_special_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_ordinary_address_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "spelling", ["127.1", "0x7f000001", "2130706433", "0177.0.0.1", "①②⑦.⓪.⓪.①", "localhost", "::1", "::ffff:127.0.0.1"]
)
def test_an_odd_spelling_of_this_machine_resolves_to_nothing_public(spelling: str) -> None:
    try:
        found = system_resolver(spelling, 80)
    except (OSError, UnicodeError):
        return  # this system does not know the spelling: nothing to connect to

    assert found
    assert not [address for address in found if is_public(address)]


def test_an_opened_pair_opens_one_port_of_one_address_only() -> None:
    guard = Guard(allowed=frozenset({("127.0.0.1", 8123)}), resolve=lambda host, port: ["127.0.0.1", "10.0.0.1"])

    assert guard.addresses("media.test", 8123, timeout=1) == ["127.0.0.1"]


def test_a_slow_name_server_is_not_waited_for() -> None:
    release = socket.socketpair()

    def resolve(host: str, port: int) -> list[str]:
        release[0].recv(1)
        return ["8.8.8.8"]

    with pytest.raises(Exception, match="could not be looked up in time"):
        Guard(resolve=resolve).addresses("slow.test", 80, timeout=0.05)
    for end in release:
        end.shutdown(socket.SHUT_RDWR)
        end.close()
