"""Fetching what somebody typed: nothing private is touched, everything is bounded, and the reason is told."""

import gzip
import io
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from local_servers import LocalServer, Script, answer, certificate, serving

from workers.errors import FetchFailedError, FetchRefusedError, FetchTooLargeError
from workers.fetch import Fetched, FetchLimits, fetch
from workers.network import Guard

QUICK = FetchLimits(max_bytes=100_000, max_seconds=2.0, connect_seconds=1.0, read_seconds=0.4)


def get(url: str, guard: Guard, limits: FetchLimits = QUICK) -> tuple[Fetched, bytes]:
    into = io.BytesIO()
    return fetch(url, into, guard=guard, limits=limits), into.getvalue()


def open_to(*servers: LocalServer) -> Guard:
    return Guard(allowed=frozenset(server.pair for server in servers))


@pytest.fixture
def trap() -> Iterator[LocalServer]:
    """A server that must never be reached."""
    with serving({"/": answer(b"secret")}) as server:
        yield server
        assert server.seen == []


def test_a_file_is_fetched_with_its_name_and_type() -> None:
    with serving({"/a/cat.png?x=1": answer(b"picture", content_type="Image/PNG; q=1")}) as server:
        fetched, body = get(server.url("/a/cat.png?x=1"), open_to(server))

    assert body == b"picture"
    assert fetched == Fetched(server.url("/a/cat.png?x=1"), "image/png", "cat.png", 7)


def test_a_private_address_is_refused_before_a_packet_leaves(trap: LocalServer) -> None:
    with pytest.raises(FetchRefusedError, match="only ports 80 and 443"):
        get(trap.url(), Guard())
    # The port is opened for another address: this one stays shut.
    with pytest.raises(FetchRefusedError, match="not on the public internet"):
        get(trap.url(), Guard(allowed=frozenset({("127.0.0.2", trap.port)})))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "169.254.169.254", "[::1]",
     "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[fe80::1]", "224.0.0.1", "0.0.0.0", "%31%32%37.0.0.1", "①②⑦.⓪.⓪.①"],
)  # fmt: skip
def test_every_spelling_of_a_private_address_is_refused(host: str) -> None:
    with pytest.raises((FetchRefusedError, FetchFailedError)) as caught:
        get(f"http://{host}/", Guard())

    assert isinstance(caught.value, FetchRefusedError) or "not found" in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["ftp://example.org/a", "file:///etc/passwd", "gopher://example.org/", "data:,x", "http:///a", "//example.org/",
     "http://user:pw@example.org/", "http://example.org:22/", "http://example.org:8080/", "http://[::1", "x", ""],
)  # fmt: skip
def test_an_address_of_another_kind_is_refused_without_looking_up_its_name(url: str) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise AssertionError(host)

    with pytest.raises(FetchRefusedError):
        get(url, Guard(resolve=resolve))


def test_a_name_that_rebinds_gains_nothing(trap: LocalServer) -> None:
    """The name answers with the good address first and then with a private one; what was checked is connected to."""
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    with serving({"/": answer(b"checked"), "/again": answer(b"", status=302, location="/")}) as server:
        guard = Guard(allowed=frozenset({server.pair}), resolve=resolve)
        _, body = get(f"http://rebind.test:{server.port}/", guard)
        assert (body, len(asked)) == (b"checked", 1)
        # The next hop is checked anew, and by now the name points inside.
        with pytest.raises(FetchRefusedError, match="not on the public internet"):
            get(f"http://rebind.test:{server.port}/again", guard)


def test_only_the_public_one_of_several_addresses_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def connect(address: tuple[str, int], *rest: object, **named: object) -> socket.socket:
        tried.append(address[0])
        raise OSError("no network in tests")

    monkeypatch.setattr(socket, "create_connection", connect)
    guard = Guard(resolve=lambda host, port: ["10.0.0.1", "8.8.8.8", "169.254.169.254", "9.9.9.9"])
    with pytest.raises(FetchFailedError, match="failed or broke off"):
        get("http://two-faced.test/", guard)

    assert tried == ["8.8.8.8", "9.9.9.9"]


@pytest.mark.parametrize(
    "target",
    ["http://169.254.169.254/latest/meta-data/", "http://localhost/", "file:///etc/passwd", "//127.0.0.1/",
     "http://[::ffff:169.254.169.254]/", "http://user@127.0.0.1/", "ftp://example.org/"],
)  # fmt: skip
def test_a_redirect_to_a_forbidden_place_is_refused(target: str) -> None:
    with serving({"/": answer(b"", status=302, location=target)}) as server, pytest.raises(FetchRefusedError):
        get(server.url(), open_to(server))


def test_three_redirects_are_followed_and_a_fourth_is_not() -> None:
    routes: dict[str, Script] = {f"/{n}": answer(b"", status=307, location=f"{n - 1}") for n in range(1, 5)}
    with serving(routes | {"/0": answer(b"end")}) as server:
        fetched, body = get(server.url("/3"), open_to(server))
        with pytest.raises(FetchRefusedError, match="redirects more than 3 times"):
            get(server.url("/4"), open_to(server))

    assert (fetched.url, body) == (server.url("/0"), b"end")


def test_a_body_larger_than_declared_allowed_is_refused_by_its_header_and_by_count() -> None:
    endless = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 200_000
    routes: dict[str, Script] = {"/header": answer(b"x", content_length="200000"), "/count": endless}
    with serving(routes) as server:
        for path in routes:
            with pytest.raises(FetchTooLargeError, match="larger than"):
                get(server.url(path), open_to(server))


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_a_compressed_body_is_unpacked_and_a_bomb_is_refused(pack: Callable[[bytes], bytes]) -> None:
    routes: dict[str, Script] = {
        "/small": answer(pack(b"words " * 100), content_encoding="gzip"),
        "/bomb": answer(pack(bytes(50_000_000)), content_encoding="gzip"),
        "/cut": answer(pack(b"words " * 100)[:-9], content_encoding="deflate"),
        "/not": answer(b"not packed at all", content_encoding="gzip"),
        "/br": answer(b"x", content_encoding="br"),
    }
    with serving(routes) as server:
        assert get(server.url("/small"), open_to(server))[1] == b"words " * 100
        for path, error in {"/bomb": FetchTooLargeError, "/cut": FetchFailedError, "/not": FetchFailedError}.items():
            with pytest.raises(error):
                get(server.url(path), open_to(server))
        with pytest.raises(FetchRefusedError, match="br"):
            get(server.url("/br"), open_to(server))


def drip(head: bytes) -> Callable[[socket.socket], None]:
    def script(connection: socket.socket) -> None:
        connection.sendall(head)
        for _ in range(200):
            connection.sendall(b"x")
            time.sleep(0.05)

    return script


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
def test_a_server_that_drips_is_cut_at_the_deadline(head: bytes) -> None:
    started = time.monotonic()
    with serving({"/": drip(head)}) as server:
        with pytest.raises(FetchFailedError, match="too long"):
            get(server.url(), open_to(server), FetchLimits(max_seconds=0.6, read_seconds=0.4))
        took = time.monotonic() - started

    assert took < 2.0


def test_a_server_that_says_nothing_is_left_after_the_read_limit() -> None:
    limits = FetchLimits(read_seconds=0.2)
    silence = {"/": lambda connection: time.sleep(0.6)}
    with serving(silence) as server, pytest.raises(FetchFailedError, match="too long"):
        get(server.url(), open_to(server), limits)


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (answer(b"", status=404), FetchRefusedError),
        (answer(b"", status=403), FetchRefusedError),
        (answer(b"part", status=206), FetchRefusedError),
        (answer(b"", status=302), FetchRefusedError),
        (answer(b"", status=429), FetchFailedError),
        (answer(b"", status=503), FetchFailedError),
        (answer(b"short", content_length="50"), FetchFailedError),
        (b"SMTP ready\r\n\r\n", FetchFailedError),
        (b"", FetchFailedError),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 500_000 + b"\r\n\r\n", FetchFailedError),
    ],
)
def test_what_may_mend_itself_is_told_from_what_will_not(script: bytes, error: type[Exception]) -> None:
    with serving({"/": script}) as server, pytest.raises(error):
        get(server.url(), open_to(server))


def test_a_bad_certificate_is_refused_and_a_trusted_one_served(tmp_path: Path) -> None:
    server_side, client_side = certificate(tmp_path, "media.test")
    with serving({"/": answer(b"over tls")}, tls=server_side) as server:
        guard = Guard(allowed=frozenset({server.pair}), resolve=lambda host, port: ["127.0.0.1"])
        url, into = f"https://media.test:{server.port}/", io.BytesIO()
        with pytest.raises(FetchRefusedError, match=r"certificate of media\.test is not valid"):
            fetch(url, into, guard=guard, limits=QUICK)
        with pytest.raises(FetchRefusedError, match=r"certificate of other\.test is not valid"):
            fetch(url.replace("media", "other"), into, guard=guard, limits=QUICK, tls=client_side)
        fetch(url, into, guard=guard, limits=QUICK, tls=client_side)

    assert into.getvalue() == b"over tls"


def test_every_failure_is_a_sentence_with_a_remedy() -> None:
    scripts = [answer(b"", status=status) for status in (404, 503)] + [answer(b"x", content_encoding="br")]
    told = []
    for script in scripts:
        with serving({"/": script}) as server, pytest.raises((FetchFailedError, FetchRefusedError)) as caught:
            get(server.url("/"), open_to(server))
        told.append(str(caught.value))
    for url in ("http://10.0.0.1/", "http://nowhere.invalid/", "http://example.org:8080/", "https://a:b@example.org/"):
        with pytest.raises((FetchFailedError, FetchRefusedError)) as caught:
            fetch(url, io.BytesIO(), guard=Guard())
        told.append(str(caught.value))

    remedies = ("register the file itself.", "Register the file itself.", "Leave it out.")
    assert [one for one in told if not one.endswith(remedies)] == []


def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch, trap: LocalServer) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{trap.port}")
    with serving({"/": answer(b"direct")}) as server:
        assert get(server.url(), open_to(server))[1] == b"direct"


def test_the_host_header_names_the_host_and_no_secret_travels() -> None:
    with serving({"/": answer(b"ok")}) as server:
        get(server.url(), open_to(server))

    head = server.requests[0].lower()
    assert f"host: 127.0.0.1:{server.port}".encode() in head
    assert b"cookie" not in head
    assert b"authorization" not in head
