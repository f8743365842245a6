"""Log lines: one a record, with the request they belong to, and without secrets."""

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest

from optout.store import tracing
from optout.store.settings import LogFormat
from workers import logs

KEY = "crk_live_0123456789abcdef_" + "ab" * 32 + "_deadbeef"
LEAKS = (KEY, KEY.replace("live", "test"), "s3cr3t", "T0KEN-of_a_link")


@pytest.fixture
def log_as() -> Iterator[Callable[[LogFormat], io.StringIO]]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def configure(log_format: LogFormat) -> io.StringIO:
        stream = io.StringIO()
        root.handlers = []  # those of pytest would be closed
        logs.configure("INFO", log_format, process="worker", stream=stream)
        return stream

    yield configure
    root.handlers, root.level = handlers, level


def say(message: str, *values: object, **extra: object) -> None:
    logging.getLogger("workers.runner").info(message, *values, extra=extra)


def test_a_json_line_holds_what_a_machine_asks_for(log_as: Callable[[LogFormat], io.StringIO]) -> None:
    stream = log_as(LogFormat.JSON)
    with tracing.working_for("request-12"):
        say("a job is done after %d attempts", 2, job="7f0f", attempt=2)
    say("alone")

    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "level": "info", "process": "worker", "logger": "workers.runner", "request_id": "request-12",
        "message": "a job is done after 2 attempts", "job": "7f0f", "attempt": 2,
    }  # fmt: skip
    assert "request_id" not in second


def test_a_human_line_holds_the_same(log_as: Callable[[LogFormat], io.StringIO]) -> None:
    stream = log_as(LogFormat.HUMAN)
    with tracing.working_for("request-12"):
        say("a job is done", job="7f0f")

    assert stream.getvalue().endswith(" INFO worker workers.runner: a job is done request_id=request-12 job=7f0f\n")


@pytest.mark.parametrize("log_format", LogFormat)
def test_a_record_is_one_line_whatever_it_says(
    log_as: Callable[[LogFormat], io.StringIO], log_format: LogFormat
) -> None:
    stream = log_as(log_format)
    say("a title\r\n2026-01-01 INFO forged: line", title="two\nlines")

    assert len(stream.getvalue().splitlines()) == 1


@pytest.mark.parametrize("log_format", LogFormat)
def test_no_secret_gets_out(log_as: Callable[[LogFormat], io.StringIO], log_format: LogFormat) -> None:
    stream = log_as(log_format)
    text = f"{LEAKS[0]} and {LEAKS[1]} at postgresql://me:s3cr3t@db/x, /sign-in/link/{LEAKS[3]}?a=b"
    say(text, where=f"redis://:s3cr3t@host/0 {KEY}")
    say("%s", text)
    try:
        int(text)
    except ValueError:
        logging.getLogger("x").exception("it failed")

    said = stream.getvalue()
    assert [leak for leak in LEAKS if leak in said] == []
    assert "Traceback" in said
    assert "postgresql://***@db/x" in said


def test_an_address_without_a_secret_stays_as_it_is() -> None:
    assert logs.without_secrets("GET https://example.org/a?b=c@d") == "GET https://example.org/a?b=c@d"


@pytest.mark.parametrize("name", logs.TALKATIVE)
def test_libraries_that_print_addresses_and_headers_are_quiet(
    log_as: Callable[[LogFormat], io.StringIO], name: str
) -> None:
    stream = log_as(LogFormat.HUMAN)

    logging.getLogger(f"{name}.deeper").info("GET https://x.example/?token=canary")
    logging.getLogger(f"{name}.deeper").warning("it does not answer")

    assert "canary" not in stream.getvalue()
    assert "it does not answer" in stream.getvalue()
