"""The guarded way out: resolves, checks and only then connects, to the very address that it checked.

A name is resolved once per connection and the socket is opened to the checked number, so a name that answers
differently the second time (rebinding) gains nothing. Every read and write ends at one deadline, so a server that
drips bytes can't hold a worker.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Final, TypeAlias

import httpcore2

from workers.addresses import is_public
from workers.errors import FetchFailedError, FetchRefusedError

Resolver: TypeAlias = Callable[[str, int], Sequence[str]]
"""Numeric addresses of a host name; raises OSError where there are none."""

PORTS = (80, 443)

REMEDY: Final = "Check that the address opens in your browser, or register the file itself."
"""What a rightsholder can do about an address that does not deliver."""


def system_resolver(host: str, port: int) -> list[str]:
    """What the operating system makes of a host, odd spellings of addresses (`0x7f000001`) included."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True)
class Guard:
    """Where connections may go.

    Attributes:
        allowed: `(numeric address, port)` pairs that are open although private, for tests and the demo.
        resolve: the seam through which a test plays a name server.
        domains: if given, only these names and those below them; for a client that has one service to talk to.
    """

    allowed: frozenset[tuple[str, int]] = field(default_factory=frozenset)
    resolve: Resolver = system_resolver
    domains: tuple[str, ...] = ()

    def check_port(self, port: int) -> None:
        """Refuse a port that no web server for the public uses.

        Raises:
            FetchRefusedError: the port is neither 80 nor 443, nor opened by a pair in `allowed`.
        """
        if port not in PORTS and port not in {allowed_port for _, allowed_port in self.allowed}:
            raise FetchRefusedError(
                f"The address uses port {port}, and only ports 80 and 443 are fetched. Register the file itself.",
                field="url",
                port=port,
            )

    def addresses(self, host: str, port: int, *, timeout: float) -> list[str]:
        """The addresses of a host that may be connected to, in the resolver's order; never empty.

        Raises:
            FetchRefusedError: all of its addresses are private, local or reserved, or `domains` lacks it.
            FetchFailedError: the name could not be resolved in time.
        """
        self.check_port(port)
        name = host.lower().rstrip(".")
        if self.domains and not any(name == domain or name.endswith(f".{domain}") for domain in self.domains):
            raise FetchRefusedError(f"{host} does not belong to {' or '.join(self.domains)}.", field="url", host=host)
        found = self._resolved(host, port, timeout)
        public = [address for address in found if (address, port) in self.allowed or self._is_open(address, port)]
        if not public:
            raise FetchRefusedError(
                f"{host} is not on the public internet (a private, local or reserved address), so it is not fetched."
                " Register the file itself.",
                field="url",
                host=host,
            )
        return public

    @staticmethod
    def _is_open(address: str, port: int) -> bool:
        return port in PORTS and is_public(address)

    def _resolved(self, host: str, port: int, timeout: float) -> Sequence[str]:
        # getaddrinfo knows no time-out, and whoever owns the name owns its name servers: wait in a thread.
        answer: list[Sequence[str] | OSError | ValueError] = []

        def look_up() -> None:
            try:
                answer.append(self.resolve(host, port))
            except (OSError, ValueError) as error:  # the latter: no name at all, as one with a NUL in it
                answer.append(error)

        thread = threading.Thread(target=look_up, name="resolve", daemon=True)
        thread.start()
        thread.join(timeout)
        if not answer:
            raise FetchFailedError(f"The name {host} could not be looked up in time. {REMEDY}", host=host)
        if isinstance(answer[0], OSError | ValueError):
            raise FetchFailedError(
                f"The name {host} was not found. Check its spelling, or register the file itself.", host=host
            ) from answer[0]
        return answer[0]


def guard_for(allowed_networks: Iterable[str]) -> Guard:
    """A guard that opens `address:port` pairs as the settings spell them (`127.0.0.1:8080`, `[::1]:8080`).

    Raises:
        ValueError: a pair is misspelt; the message names it.
    """
    pairs = set()
    for pair in allowed_networks:
        host, colon, port = pair.rpartition(":")
        address = host.removeprefix("[").removesuffix("]")
        if not colon or not port.isdigit():
            raise ValueError(f"fetch_allowed_networks holds {pair!r}; write address:port, for instance 127.0.0.1:8080")
        pairs.add((str(ip_address(address)), int(port)))
    return Guard(allowed=frozenset(pairs))


class GuardedBackend(httpcore2.NetworkBackend):
    """Opens sockets for an httpcore pool, to guarded addresses only, and not beyond a deadline."""

    def __init__(self, guard: Guard, deadline: float) -> None:
        """`deadline` is a moment of `time.monotonic()`."""
        self._guard = guard
        self._deadline = deadline
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first guarded address of the host that answers."""
        failure: httpcore2.NetworkError | httpcore2.TimeoutException | None = None
        for address in self._guard.addresses(host, port, timeout=remaining(self._deadline, timeout)):
            try:
                stream = self._sockets.connect_tcp(
                    address, port, remaining(self._deadline, timeout), local_address, socket_options
                )
            except (httpcore2.NetworkError, httpcore2.TimeoutException) as error:
                failure = error
            else:
                return _DeadlineStream(stream, self._deadline)
        raise failure or httpcore2.ConnectError(f"no address of {host} answered")


class _DeadlineStream(httpcore2.NetworkStream):
    """A socket whose every operation ends at one deadline."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, remaining(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, remaining(self._deadline, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        inner = self._stream.start_tls(ssl_context, server_hostname, remaining(self._deadline, timeout))
        return _DeadlineStream(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def remaining(deadline: float, timeout: float | None) -> float:
    """Seconds that one step may take: its own time-out, cut at the deadline.

    Raises:
        httpcore2.ReadTimeout: the deadline has passed.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout("the deadline has passed")
    return left if timeout is None else min(left, timeout)
