"""Over a real socket: requests that never end, are too long, lie about their length, or break off."""

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import api_bodies
import built_database
import factories
import pytest
import uvicorn
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from mediamanager import http_server
from mediamanager.app import create_app
from mediamanager.http_server import PatientProtocol
from mediamanager.security import BodyLimit
from optout.store import db
from optout.store.models import Work
from optout.store.models.accounts import Role
from optout.store.settings import Settings

pytestmark = pytest.mark.heavy

THREE_GB = 3_000_000_000


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("served")
    return Settings(data_folder=folder, max_request_bytes=20_000, max_upload_bytes=50_000, max_connections=20)


@pytest.fixture(scope="module")
def sessions(settings: Settings, sqlite_template: Path) -> Iterator[sessionmaker[Session]]:
    engine = db.engine(built_database.copy(sqlite_template, settings))
    yield db.sessions(engine)
    engine.dispose()


@pytest.fixture(scope="module")
def port(settings: Settings, sessions: sessionmaker[Session]) -> Iterator[int]:
    """A served registry that loses its patience soon."""
    server = uvicorn.Server(http_server.config(create_app(settings), settings, log_level="error"))
    with pytest.MonkeyPatch.context() as hasty, socket.create_server(("127.0.0.1", 0)) as listener:
        hasty.setattr(PatientProtocol, "head_seconds", 0.6)
        hasty.setattr(PatientProtocol, "linger_seconds", 0.6)
        hasty.setattr(BodyLimit, "first_seconds", 0.6)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def token(sessions: sessionmaker[Session]) -> str:
    with db.transaction(sessions) as session:
        return factories.make_key(session, factories.make_account(session), Role.CREATOR)[1]


@pytest.fixture
def nothing_written(sessions: sessionmaker[Session], settings: Settings) -> Callable[[], bool]:
    """Whether there is nothing in the database and in storage that was not there before the test."""

    def look() -> tuple[int, int]:
        with db.reading(sessions) as session:
            rows = session.execute(select(func.count()).select_from(Work)).scalar_one()
        return rows, len(list((settings.data_folder / "storage").rglob("*")))

    before = look()
    return lambda: look() == before


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def head(path: str, *lines: str, method: str = "POST") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode()


def read_all(connection: socket.socket) -> bytes:
    """What comes until the other end hangs up."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(65536):
            found += piece
    return found


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ")[1])


def problem_of(answer: bytes) -> str:
    return str(json.loads(answer.partition(b"\r\n\r\n")[2])["code"])


@pytest.mark.parametrize("sent", [b"", b"G", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_a_head_that_never_ends_is_given_up(port: int, sent: bytes) -> None:
    started = time.monotonic()
    with connect(port) as connection:
        connection.sendall(sent)
        answer = read_all(connection)

    assert answer == b""
    assert time.monotonic() - started < 5


def test_a_head_that_comes_byte_by_byte_is_given_up_all_the_same(port: int) -> None:
    started = time.monotonic()
    with connect(port) as connection, contextlib.suppress(ConnectionError):
        while time.monotonic() - started < 8:
            connection.sendall(b"X")
            time.sleep(0.1)

    assert time.monotonic() - started < 5


def test_a_second_request_on_a_connection_has_its_own_time(port: int) -> None:
    with connect(port) as connection:
        for _ in range(3):
            connection.sendall(head("/healthz", method="GET"))
            answer = b""
            while b'"ok"}' not in answer:
                answer += connection.recv(65536)
            assert status_of(answer) == 200
            time.sleep(0.4)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHo")
        assert read_all(connection) == b""


def test_slow_heads_keep_nobody_else_waiting(port: int) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(15):
            stack.enter_context(connect(port)).sendall(b"POST / HTTP/1.1\r\n")
        with connect(port) as connection:
            connection.sendall(head("/healthz", "Connection: close", method="GET"))
            answer = read_all(connection)

    assert status_of(answer) == 200


def test_too_many_connections_are_told_to_come_back_and_the_registry_goes_on(port: int) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(25):
            stack.enter_context(connect(port))
        time.sleep(0.1)
        with connect(port) as connection:
            connection.sendall(head("/healthz", "Connection: close", method="GET"))
            full = read_all(connection)
    time.sleep(0.2)
    with connect(port) as connection:
        connection.sendall(head("/healthz", "Connection: close", method="GET"))
        after = read_all(connection)

    assert (status_of(full), status_of(after)) == (503, 200)


@pytest.mark.parametrize("pieces", [0, 100])
def test_a_body_that_comes_too_slowly_is_a_408(
    port: int, token: str, nothing_written: Callable[[], bool], pieces: int
) -> None:
    started = time.monotonic()
    lines = (f"Authorization: Bearer {token}", "Content-Type: application/json", "Content-Length: 1000")
    with connect(port) as connection:
        connection.sendall(head("/v1/works", *lines))
        with contextlib.suppress(ConnectionError):
            for _ in range(pieces):
                connection.sendall(b"{")
                time.sleep(0.1)
                if time.monotonic() - started > 3:
                    break
        answer = read_all(connection)

    if answer:  # a client that goes on sending may be cut off before it reads
        assert (status_of(answer), problem_of(answer)) == (408, "too-slow")
    assert answer or pieces
    assert time.monotonic() - started < 6
    assert nothing_written()


def test_3_gb_are_refused_before_they_are_sent(port: int, token: str, nothing_written: Callable[[], bool]) -> None:
    lines = (
        f"Authorization: Bearer {token}",
        "Content-Type: multipart/form-data; boundary=x",
        f"Content-Length: {THREE_GB}",
        "Expect: 100-continue",
    )
    with connect(port) as connection:
        connection.sendall(head("/v1/works", *lines))
        answer = read_all(connection)

    assert (status_of(answer), problem_of(answer)) == (413, "content-too-large")
    assert nothing_written()


@pytest.mark.parametrize(
    ("length", "before", "after"),
    [(f"Content-Length: {THREE_GB}", b"", b""), ("Transfer-Encoding: chunked", b"%x\r\n", b"\r\n")],
    ids=["says its length", "comes in pieces"],
)
def test_who_sends_them_all_the_same_is_cut_off(
    port: int, token: str, nothing_written: Callable[[], bool], length: str, before: bytes, after: bytes
) -> None:
    def part(data: bytes) -> bytes:
        return (before % len(data) if before else b"") + data + after

    lines = (f"Authorization: Bearer {token}", "Content-Type: multipart/form-data; boundary=x", length)
    start = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    started, sent, answer = time.monotonic(), 0, b""
    with connect(port) as connection:
        connection.sendall(head("/v1/works", *lines) + part(start))
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - started < 8:
                connection.sendall(part(bytes(65_536)))
                sent += 65_536
                if not answer and sent > 3_000_000:
                    answer = connection.recv(65536)

    assert status_of(answer) == 413
    assert time.monotonic() - started < 6
    assert nothing_written()


def test_what_is_sent_beyond_the_length_is_no_part_of_the_request(port: int, token: str) -> None:
    body = json.dumps({"url": "https://example.org/fox.png"}).encode()
    lines = (f"Authorization: Bearer {token}", "Content-Type: application/json", f"Content-Length: {len(body)}")
    with connect(port) as connection:
        connection.sendall(head("/v1/works", *lines) + body + b'{"more": "of it"}\r\n\r\n')
        answers = read_all(connection)

    first, _, second = answers.partition(b"HTTP/1.1 400")
    assert status_of(first) == 202
    assert b"fox.png" in first
    assert second != b""


def test_a_body_that_breaks_off_leaves_nothing(port: int, token: str, nothing_written: Callable[[], bool]) -> None:
    start = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + api_bodies.png()
    lines = (
        f"Authorization: Bearer {token}",
        "Content-Type: multipart/form-data; boundary=x",
        f"Content-Length: {len(start) + 1000}",
    )
    with connect(port) as connection:
        connection.sendall(head("/v1/works", *lines) + start)
    time.sleep(0.3)

    assert nothing_written()


def test_two_ways_of_saying_the_length_are_refused(port: int, token: str, nothing_written: Callable[[], bool]) -> None:
    lines = (
        f"Authorization: Bearer {token}",
        "Content-Type: application/json",
        "Content-Length: 5",
        "Transfer-Encoding: chunked",
    )
    with connect(port) as connection:
        connection.sendall(head("/v1/works", *lines) + b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = read_all(connection)

    assert status_of(answer) == 400
    assert answer.count(b"HTTP/1.1 ") == 1
    assert nothing_written()


@pytest.mark.parametrize("value", ["5, 6", "-1", "5 5", "0x5", "1" * 30])
def test_a_length_that_is_none_is_refused(port: int, value: str) -> None:
    with connect(port) as connection:
        connection.sendall(head("/v1/works", f"Content-Length: {value}") + b"hello")
        answer = read_all(connection)

    assert status_of(answer) in {400, 401}
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("sent", [b"\0\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"])
def test_what_is_no_http_is_answered_with_a_problem(port: int, sent: bytes) -> None:
    with connect(port) as connection:
        connection.sendall(sent)
        answer = read_all(connection)

    assert status_of(answer) == 400
    assert problem_of(answer) == "bad-request"
    assert b"content-type: application/problem+json" in answer.lower()


@pytest.mark.parametrize(
    "parts", ['form-data; name="file"; filename="' + "n" * 10_000 + '"', 'form-data; name="x' + "y" * 11_000 + '"']
)
def test_a_form_that_can_not_be_read_says_what_it_should_be(port: int, token: str, parts: str) -> None:
    body = f"--x\r\nContent-Disposition: {parts}\r\n\r\nx\r\n--x--\r\n".encode()
    lines = (f"Authorization: Bearer {token}", "Content-Type: multipart/form-data; boundary=x", "Connection: close")
    with connect(port) as connection:
        connection.sendall(head("/v1/works", *lines, f"Content-Length: {len(body)}") + body)
        answer = read_all(connection)

    assert status_of(answer) == 400
    assert b"one part named `file`" in answer


PAGE_FORM = (
    b'--x\r\nContent-Disposition: form-data; name="preset"\r\n\r\nno-ai\r\n'
    b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    + api_bodies.png()
    + b"\r\n--x--\r\n"
)


@pytest.mark.parametrize(
    ("length", "sent", "status"),
    [
        (len(PAGE_FORM) - 20, PAGE_FORM, 400),
        (len(PAGE_FORM) + 20, PAGE_FORM, 408),
        (len(PAGE_FORM), PAGE_FORM[:100], 408),
        (THREE_GB, PAGE_FORM, 413),
    ],
    ids=["longer than it says", "shorter than it says", "slow", "of 3 GB"],
)
def test_a_browser_that_sends_something_else_than_it_says_gets_a_page(
    port: int, token: str, nothing_written: Callable[[], bool], length: int, sent: bytes, status: int
) -> None:
    lines = (f"Authorization: Bearer {token}", "Content-Type: multipart/form-data; boundary=x", "Accept: text/html")
    with connect(port) as connection:
        connection.sendall(head("/works/new", *lines, "Connection: close", f"Content-Length: {length}") + sent)
        answer = read_all(connection)

    assert status_of(answer) == status
    assert b'<header class="top">' in answer
    assert b"Nothing" in answer
    assert nothing_written()


@pytest.mark.parametrize(
    ("address", "kind"), [("/works/new", "multipart/form-data; boundary=x"), ("/v1/works", "application/json")]
)
def test_a_client_that_goes_away_is_no_error_of_ours(
    port: int,
    token: str,
    nothing_written: Callable[[], bool],
    caplog: pytest.LogCaptureFixture,
    address: str,
    kind: str,
) -> None:
    lines = (f"Authorization: Bearer {token}", f"Content-Type: {kind}", f"Content-Length: {len(PAGE_FORM)}")
    with connect(port) as connection:
        connection.sendall(head(address, *lines) + PAGE_FORM[:200])
    time.sleep(0.3)

    assert [one for one in caplog.records if one.levelname == "ERROR"] == []
    assert nothing_written()


@pytest.mark.skipif(sys.platform != "linux", reason="counts pages as Linux does")
def test_what_many_threads_held_for_a_moment_is_given_back() -> None:
    """In a process of its own: what was set can't be unset."""
    program = """
import sys, threading
from mediamanager.http_server import give_back_large_blocks
if sys.argv[1] == "yes":
    give_back_large_blocks()
together = threading.Barrier(12)
def work():
    together.wait()
    for size in (5_000_000, 9_000_000, 17_000_000, 17_000_000):
        held = bytearray(b"x") * size
        together.wait()
        kept.append(bytearray(b"y") * 1000)  # behind it, so that it can't be cut off
        del held
kept = []
threads = [threading.Thread(target=work) for _ in range(12)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1])
"""
    kept = [
        int(subprocess.run([sys.executable, "-c", program, one], check=True, capture_output=True, timeout=60).stdout)
        for one in ("no", "yes")
    ]

    assert kept[0] - kept[1] > 50_000  # kilobytes


def test_what_is_loaded_is_taken_out_of_the_collectors_sight() -> None:
    """In a process of its own: what is frozen stays so."""
    program = """
import gc
from mediamanager.http_server import keep_what_is_loaded
before = gc.get_freeze_count()
keep_what_is_loaded()
first = gc.get_freeze_count()
garbage = [{} for _ in range(1000)]
keep_what_is_loaded()
print(before, first > 10_000, gc.get_freeze_count() <= first)
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)

    assert done.stdout.split() == ["0", "True", "True"]
