"""Addresses, redirects and answers of name servers that are made to lead inside: a sentence each, and no packet."""

import io
import socket
from collections.abc import Sequence

import pytest
from local_servers import answer, serving

from workers.addresses import is_public
from workers.errors import FetchFailedError, FetchRefusedError, FetchTooLargeError
from workers.fetch import FetchLimits, fetch
from workers.network import Guard

QUICK = FetchLimits(max_bytes=10_000, max_seconds=3.0, connect_seconds=1.0, read_seconds=0.5)

INSIDE = [
    # IPv6 that wraps IPv4, has a zone, or is no address.
    "[::ffff:7f00:1]",
    "[::ffff:0:127.0.0.1]",
    "[0:0:0:0:0:ffff:a9fe:a9fe]",
    "[::7f00:1]",
    "[fe80::1%25lo]",
    "[::1%25lo]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[fd00:ec2::254]",
    "[fec0::1]",
    "[ff02::1]",
    "[::]",
    "[0]",
    "[v1.x]",
    "[1::2::3]",
    "[12345::]",
    "[",
    # IPv4 in other bases, in parts, beyond 32 bits, and with dots behind it.
    "017700000001",
    "0177.0.0.0x1",
    "0x7f.1",
    "127.0.1",
    "0",
    "00000000.0",
    "127.0.0.1.",
    "127.0.0.1..",
    "127.000.000.001",
    "4294967295",
    "4294967296",
    "0x100000001",
    "-1",
    "2130706433.",
    "169.254.169.254.",
    "0251.0376.0251.0376",
    "2852039166",
    # The same in letters of other scripts, and names of this machine.
    "①②⑦。⓪。⓪。①",
    "127。0。0。1",
    "127\uff0e0\uff0e0\uff0e1",
    "\uff11\uff12\uff17.0.0.1",
    "ⓛocalhost",
    "loc\u00adalhost",
    "local\u200dhost",
    "localhost.",
    "LOCALHOST",
    "%6c%6f%63%61%6c%68%6f%73%74",
    "%31%32%37.0.0.1",
    "%31" * 3_000,
    # Whose user, port or path is the host in truth.
    "user@127.0.0.1",
    "@127.0.0.1",
    ":@127.0.0.1",
    "example.org@127.0.0.1",
    "127.0.0.1\\@[::1]",
    "127.0.0.1%2f@[::1]",
    "127.0.0.1%00.invalid",
    "127.0.0.1%0d%0aHost:%20x",
    "127.0.0.1\t",
    "127.0.0.1 ",
    "127.0.0.1:",
    "127.0.0.1:00080",
    "127.0.0.1:0",
    "127.0.0.1:65536",
    "127.0.0.1:80:80",
    "127.0.0.1:-1",
    "127.0.0.1:\uff18\uff10",
    "127.0.0.1:443",
    # What is no name.
    "xn--",
    "xn--a",
    "xn--" + "a" * 70,
    "a." * 200 + "invalid",
    "a" * 64 + ".invalid",
    "ß" * 100,
    "\ud800.invalid",
    "...",
    ".",
    "*",
    "a..invalid",
    "]",
    "%",
    "%zz",
    "\u202e",
    "x\0y.invalid",
    "x\r\nY: z",
]

OTHER_KINDS = [
    "http:///127.0.0.1/",
    "http:127.0.0.1/",
    "http:/127.0.0.1/",
    "//127.0.0.1/",
    "\\\\127.0.0.1\\x",
    "jar:http://127.0.0.1!/",
    "dict://127.0.0.1:80/",
    "ldap://127.0.0.1/",
    "http+unix://%2ftmp%2fx/",
    "view-source:http://127.0.0.1/",
    "javascript:x",
    "blob:http://127.0.0.1/",
    "file://127.0.0.1/etc/passwd",
    " ",
    "http",
    "http:",
    "http://",
    "?",
    "#",
    "http://x/" + "a" * 99_999,
]


@pytest.fixture(autouse=True)
def connected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where was connected to, beside servers of the test's own; all of it fails."""
    seen: list[str] = []
    real = socket.create_connection

    def connect(address: tuple[str, int], *rest: object, **named: object) -> socket.socket:
        if address[1] > 1024:
            return real(address, *rest, **named)  # type: ignore[arg-type]
        seen.append(address[0])
        raise OSError("no network in tests")

    monkeypatch.setattr(socket, "create_connection", connect)
    return seen


@pytest.mark.parametrize(
    "url", [*(f"http://{host}/" for host in INSIDE), *OTHER_KINDS], ids=lambda url: ascii(url)[:40]
)
def test_an_address_that_leads_inside_or_nowhere_is_a_sentence(url: str, connected: list[str]) -> None:
    with pytest.raises((FetchRefusedError, FetchFailedError)) as told:
        fetch(url, io.BytesIO(), guard=Guard(), limits=QUICK)

    assert str(told.value).endswith(".")
    assert [address for address in connected if not is_public(address)] == []


REDIRECTS = [
    *(f"http://{host}/" for host in INSIDE),
    *OTHER_KINDS,
    "//[",
    "http://x:99999/",
    "//" + "a" * 300 + "/",
    "http://ex\xe4mple.invalid/",
    "http://\xb2/",
]


def test_a_redirect_to_any_of_them_is_a_sentence(connected: list[str]) -> None:
    for target in REDIRECTS:
        location = target.encode("utf-8", "surrogatepass")
        if set(location) & set(b"\r\n\0") or target in {"?", "#", "http", " "}:
            continue  # not a header, or the same address again
        head = b"HTTP/1.1 302 F\r\nConnection: close\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n"
        with serving({"/": head}) as server, pytest.raises((FetchRefusedError, FetchFailedError)) as told:
            fetch(server.url(), io.BytesIO(), guard=Guard(allowed=frozenset({server.pair})), limits=QUICK)
        assert len(str(told.value)) < 500 + len(target)

    assert [address for address in connected if not is_public(address)] == []


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"],
        ["::ffff:127.0.0.1"],
        ["fe80::1%lo"],
        ["0.0.0.0"],
        ["100.64.0.1"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
        ["1.1.1.1%lo"],
        ["127.0.0.1\0"],
        ["0x7f.1"],
        ["::127.0.0.1"],
        [""],
        ["x"],
        [],
        ["169.254.169.254", "10.0.0.1"],
    ],
)
def test_a_name_server_that_answers_with_the_inside_is_not_believed(found: Sequence[str], connected: list[str]) -> None:
    with pytest.raises(FetchRefusedError, match="not on the public internet"):
        fetch("http://fox.invalid/", io.BytesIO(), guard=Guard(resolve=lambda host, port: found), limits=QUICK)

    assert connected == []


@pytest.mark.parametrize(
    "error", [OSError("x"), socket.gaierror(-2, "x"), UnicodeError("x"), ValueError("embedded null")]
)
def test_a_resolver_that_fails_in_any_way_is_a_name_that_was_not_found(error: Exception) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise error

    with pytest.raises(FetchFailedError, match="was not found"):
        fetch("http://fox.invalid/", io.BytesIO(), guard=Guard(resolve=resolve), limits=QUICK)


HEADS = [
    b"Content-Length: \xb2",
    b"Content-Length: 1\r\nContent-Length: 2",
    b"Content-Length: -1",
    b"Content-Length: " + b"9" * 5000,
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: chunked\r\n\r\nzz",
    b"Content-Encoding: gzip, gzip",
    b"Content-Encoding: \xff",
    b"Set-Cookie: a=b\r\n" * 900,
    b"X: y\r\n" * 20_000,
    b"\0: x",
]


@pytest.mark.parametrize("status", [b"200 OK", b"302 F", b"100 C", b"101 S", b"204 N", b"999 X", b"000 X", b"2000 X"])
def test_a_head_that_is_none_is_a_sentence(status: bytes) -> None:
    for head in HEADS:
        said = b"HTTP/1.1 " + status + b"\r\nConnection: close\r\n" + head + b"\r\n\r\nx"
        with serving({"/": said}) as server:
            try:
                fetch(server.url(), io.BytesIO(), guard=Guard(allowed=frozenset({server.pair})), limits=QUICK)
            except (FetchRefusedError, FetchFailedError, FetchTooLargeError):
                continue
        assert status == b"200 OK"


def test_what_an_honest_server_sends_is_still_fetched() -> None:
    with serving({"/": answer(b"", status=302, location="/fox"), "/fox": answer(b"fox")}) as server:
        into = io.BytesIO()
        fetch(server.url(), into, guard=Guard(allowed=frozenset({server.pair})), limits=QUICK)

    assert into.getvalue() == b"fox"
