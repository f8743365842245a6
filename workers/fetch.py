"""The only HTTP client that follows what a creator typed: guarded addresses, own redirects, every quantity capped."""

import ssl
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import BinaryIO, Protocol

import httpcore2
import httpx2

from workers.errors import FetchFailedError, FetchRefusedError, FetchTooLargeError
from workers.network import PORTS, REMEDY, Guard, GuardedBackend

USER_AGENT = "mediamanager/0.1 (opt-out registry; fetches only what a rightsholder registers)"

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_RETRYABLE = frozenset({408, 425, 429})  # and every 5xx
_STEP = 64 * 1024
_MAX_SHOWN = 100


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """How much one fetch may take. A response is refused, not cut, when it is larger."""

    max_bytes: int = 512 * 1024 * 1024
    max_seconds: float = 120.0
    connect_seconds: float = 10.0
    read_seconds: float = 20.0
    max_redirects: int = 3


@dataclass(frozen=True, slots=True)
class Ask:
    """What is sent: a plain GET by default. A redirect repeats it as it is.

    Attributes:
        part: the first byte and the last one, if not all of them are wanted; a server may give all the same.
    """

    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    part: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came back; the body went to the caller's file.

    Attributes:
        url: the last hop's address.
        media_type: as the server declared it, lower case, without parameters; None if it did not.
        name: the last part of the path, a hint and no more; None where the path ends in a slash.
        size_bytes: of the decoded body.
        is_part: it begins where the part begins that was asked for.
    """

    url: str
    media_type: str | None
    name: str | None
    size_bytes: int
    is_part: bool = False


def fetch(
    url: str,
    into: BinaryIO,
    *,
    guard: Guard,
    limits: FetchLimits = FetchLimits(),
    tls: ssl.SSLContext | None = None,
    ask: Ask = Ask(),
) -> Fetched:
    """Get what lies at an address and write its decoded body to a file.

    Args:
        url: http or https, port 80 or 443, without user and password.
        into: open for writing; what it holds after an error is not to be used.
        guard: where connections may go.
        limits: bytes count twice, once as sent and once unpacked.
        tls: another trust store, for tests; by default the bundled public one, whatever the environment says.
        ask: another method, further headers or a body.

    Raises:
        FetchRefusedError: it will never be fetched (private address, scheme, port, 404, bad certificate ...).
        FetchFailedError: it was not delivered this time.
        FetchTooLargeError: more bytes than `limits.max_bytes`.
    """
    deadline = time.monotonic() + limits.max_seconds
    current = _parsed(url, guard)
    for _ in range(limits.max_redirects + 1):
        # One pool a hop: no connection, and so no checked address, is carried over to another host.
        with httpcore2.ConnectionPool(
            ssl_context=tls, max_keepalive_connections=0, network_backend=GuardedBackend(guard, deadline)
        ) as pool:
            hop = _hop(pool, current, ask, into, limits)
        if isinstance(hop, Fetched):
            return hop
        current = _redirected(current, hop, guard)
    raise FetchRefusedError(
        f"The address redirects more than {limits.max_redirects} times. Give the one that it ends at.", field="url"
    )


def _parsed(url: str, guard: Guard) -> httpx2.URL:
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError) as error:
        raise FetchRefusedError(
            f"This is not a web address ({_brief(error)}). Copy it from your browser.", field="url"
        ) from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise FetchRefusedError(
            "Only addresses that begin with https:// or http:// are fetched. Give one of those.", field="url"
        )
    if parsed.userinfo:
        raise FetchRefusedError("The address holds a user name or password. Leave it out.", field="url")
    guard.check_port(parsed.port or PORTS[parsed.scheme == "https"])
    return parsed


def _brief(error: Exception) -> str:
    """What is wrong with an address; the error repeats all of it, however long it is."""
    return str(error)[:_MAX_SHOWN]


def _redirected(current: httpx2.URL, location: str, guard: Guard) -> httpx2.URL:
    try:
        following = str(current.join(location))
    except (httpx2.InvalidURL, ValueError) as error:
        raise FetchRefusedError(
            f"{current.host} redirects to what is no web address ({_brief(error)}). Register the file itself.",
            field="url",
        ) from error
    return _parsed(following, guard)


def _hop(
    pool: httpcore2.ConnectionPool, url: httpx2.URL, ask: Ask, into: BinaryIO, limits: FetchLimits
) -> Fetched | str:
    """One request: what was fetched, or where it redirects to."""
    timeouts = {"connect": limits.connect_seconds, "read": limits.read_seconds, "write": limits.read_seconds}
    headers: dict[bytes | str, bytes | str] = {
        "Host": url.netloc.decode("ascii"),
        "User-Agent": USER_AGENT,
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    headers.update({name.title(): value for name, value in ask.headers.items()})
    if ask.body is not None:
        headers["Content-Length"] = str(len(ask.body))
    if ask.part is not None:
        headers["Range"] = f"bytes={ask.part[0]}-{ask.part[1]}"
    try:
        request = pool.stream(
            ask.method, _target(url), headers=headers, content=ask.body, extensions={"timeout": timeouts}
        )
        with request as response:
            fields = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            if response.status in _REDIRECTS and "location" in fields:
                return fields["location"]
            is_part = _is_part(ask, response.status, fields)
            size = _copy(response.iter_stream(), into, fields, limits)
    except httpcore2.TimeoutException as error:
        raise FetchFailedError(f"{url.host} took too long to answer. {REMEDY}", host=url.host) from error
    except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        raise _unreachable(url, error) from error
    media_type = fields.get("content-type", "").partition(";")[0].strip().lower()
    return Fetched(str(url), media_type or None, url.path.rpartition("/")[2] or None, size, is_part)


def _target(url: httpx2.URL) -> httpcore2.URL:
    return httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def _is_part(ask: Ask, status: int, fields: Mapping[str, str]) -> bool:
    """Whether a part is answered, as was asked for; anything but that or the whole is an error."""
    if ask.part is None or status != HTTPStatus.PARTIAL_CONTENT:
        _check_status(status)
        return False
    if not fields.get("content-range", "").startswith(f"bytes {ask.part[0]}-"):
        raise FetchFailedError(f"The server sent another part than the one asked for. {REMEDY}")
    return True


def _check_status(status: int) -> None:
    if status == HTTPStatus.OK:  # 206 and friends are no whole file
        return
    if status in _RETRYABLE or status >= 500:  # noqa: PLR2004
        raise FetchFailedError(f"The server answered with status {status}. {REMEDY}", status=status)
    raise FetchRefusedError(
        f"The server answered with status {status}. Check that the address opens in a private browser window, or"
        " register the file itself.",
        field="url",
        status=status,
    )


def _unreachable(url: httpx2.URL, error: Exception) -> FetchFailedError | FetchRefusedError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return FetchRefusedError(
                f"The certificate of {url.host} is not valid ({cause.verify_message}). Register the file itself.",
                field="url",
                host=url.host,
            )
        cause = cause.__cause__ or cause.__context__
    return FetchFailedError(f"The connection to {url.host} failed or broke off. {REMEDY}", host=url.host)


class _Unpacker(Protocol):
    """What zlib's decompression objects have in common."""

    @property
    def unconsumed_tail(self) -> bytes: ...
    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _copy(chunks: Iterator[bytes], into: BinaryIO, fields: dict[str, str], limits: FetchLimits) -> int:
    """Write a body, unpacked, counting both what is sent and what it becomes."""
    declared = fields.get("content-length", "")
    if declared.isdigit() and int(declared) > limits.max_bytes:
        raise _too_large(limits)
    unpacker = _unpacker(fields.get("content-encoding", "identity").strip().lower())
    sent = written = 0
    for chunk in chunks:
        sent += len(chunk)
        if sent > limits.max_bytes:
            raise _too_large(limits)
        for piece in _unpacked(unpacker, chunk):
            written += len(piece)
            if written > limits.max_bytes:
                raise _too_large(limits)
            into.write(piece)
    if unpacker is not None and not unpacker.eof:
        raise FetchFailedError(f"What the server sent broke off before its end. {REMEDY}")
    return written


def _unpacker(encoding: str) -> _Unpacker | None:
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(zlib.MAX_WBITS | 32)  # 32: gzip or zlib, by its header
    raise FetchRefusedError(
        f"The server packs the file in a way that we did not ask for ({encoding}). Register the file itself.",
        field="url",
    )


def _unpacked(unpacker: _Unpacker | None, chunk: bytes) -> Iterator[bytes]:
    """The unpacked pieces of a chunk, at most `_STEP` bytes each, so that a bomb is counted before it grows."""
    if unpacker is None:
        yield chunk
        return
    while chunk and not unpacker.eof:
        try:
            piece = unpacker.decompress(chunk, _STEP)
        except zlib.error as error:
            raise FetchFailedError(f"What the server sent is damaged. {REMEDY}") from error
        chunk = unpacker.unconsumed_tail
        if piece:
            yield piece


def _too_large(limits: FetchLimits) -> FetchTooLargeError:
    size = limits.max_bytes / (1024 * 1024)
    return FetchTooLargeError(
        f"What lies at this address is larger than {size:g} MiB, the most that is fetched. Give a smaller version.",
        field="url",
        max_bytes=limits.max_bytes,
    )
