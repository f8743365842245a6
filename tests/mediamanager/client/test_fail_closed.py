"""The drill: break what answers in every way, and nothing is ever kept or called allowed for it."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from local_servers import Script, answer, serving

from fingerprinting.types import Depth
from mediamanager.cli.check import check as check_command
from mediamanager.cli.filter import filter_input
from mediamanager.cli.invoke import invoke
from mediamanager.client.registry import Registry
from mediamanager.client.verdicts import Verdict
from optout.consent.vocabulary import Use

ALLOWING: dict[str, Any] = {
    "verdict": "allowed",
    "use": "train-genai",
    "matches": [
        {
            "work": "w",
            "strength": "exact",
            "modality": None,
            "algorithm": "sha256",
            "version": 1,
            "distance": 0,
            "score": None,
            "threshold": 0,
            "query_span": None,
            "work_span": None,
            "verdict": "allowed",
            "evidence": {},
        }
    ],
    "reasons": [],
    "identifiable": True,
}


def body(*verdicts: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"verdicts": list(verdicts), "catalogue_version": 1, "log_size": 1, **more}).encode()


def changed(**fields: Any) -> bytes:
    return body({**ALLOWING, **fields})


def hang(connection: socket.socket) -> None:
    connection.recv(1)


GOOD = body(ALLOWING)
LIKELY = [{**ALLOWING["matches"][0], "strength": "likely"}]
RESERVED = [{**ALLOWING["matches"][0], "verdict": "disallowed"}]

BROKEN: dict[str, Script] = {
    "no answer in time": hang,
    "closed at once": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9.9\r\n",
    "half a header": b"HTTP/1.1 200 OK\r\nContent-Le",
    "cut off in the middle": answer(GOOD, content_type="application/json")[:-20],
    "500": answer(b"oops", status=500),
    "500 with a good body": answer(GOOD, status=500),
    "502": answer(b"", status=502),
    "204 without a body": answer(b"", status=204),
    "202 with a good body": answer(GOOD, status=202),
    "a redirect": answer(GOOD, status=302, location="https://example.org/"),
    "a page": answer(b"<html>Welcome to the hotel's network</html>"),
    "empty": answer(b""),
    "null": answer(b"null"),
    "truncated JSON": answer(GOOD[:-1]),
    "a word that nobody knows": answer(changed(verdict="permitted")),
    "a verdict that is no text": answer(changed(verdict=True)),
    "no verdict": answer(body({name: value for name, value in ALLOWING.items() if name != "verdict"})),
    "another field beside them": answer(changed(exception="but only on Sundays")),
    "an unknown strength": answer(changed(matches=[{**ALLOWING["matches"][0], "strength": "certain"}])),
    "about another use": answer(changed(use="search")),
    "too few verdicts": answer(body()),
    "too many verdicts": answer(body(ALLOWING, ALLOWING)),
    "allowed without a work": answer(changed(matches=[])),
    "allowed by a likely match": answer(changed(matches=LIKELY)),
    "allowed beside a work that disallows": answer(changed(matches=RESERVED)),
    "compressed nonsense": answer(b"xxx", content_encoding="gzip"),
}


@pytest.fixture(params=list(BROKEN), ids=str)
def broken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with serving({"/v1/lookups": BROKEN[request.param]}) as server:
        yield server.url("").rstrip("/")


@pytest.fixture
def refused_url() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def one_file(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("These words are only here to be looked up.")
    return tmp_path / "in" / "a.txt"


def test_the_drill_can_be_passed_at_all(inline: None, one_file: Path) -> None:
    with serving({"/v1/lookups": answer(GOOD)}) as server:
        [checked] = Registry(server.url("").rstrip("/"), timeout_seconds=5).check([one_file])

    assert checked.verdict is Verdict.ALLOWED


def test_a_broken_registry_never_allows(broken: str, inline: None, one_file: Path) -> None:
    registry = Registry(broken, timeout_seconds=0.3, retries=1)

    [checked] = registry.check([one_file], use=Use.TRAIN_GENAI, depth=Depth.STANDARD)

    assert checked.verdict is Verdict.UNCHECKED
    assert checked.error
    assert broken in checked.error


def test_a_registry_that_is_not_there_never_allows(refused_url: str, inline: None, one_file: Path) -> None:
    [checked] = Registry(refused_url, retries=0).check([one_file])

    assert checked.verdict is Verdict.UNCHECKED


@pytest.mark.parametrize("broken", ["500", "truncated JSON", "a word that nobody knows"], indirect=True)
def test_check_says_unchecked_and_ends_with_2(
    broken: str, inline: None, one_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = invoke(check_command, "check", ["--json", "--registry", broken, str(one_file)])

    assert status == 2
    line = json.loads(capsys.readouterr().out)
    assert (line["path"], line["verdict"]) == (str(one_file), "unchecked")


@pytest.mark.parametrize("broken", ["500", "cut off in the middle", "too few verdicts"], indirect=True)
def test_filter_keeps_nothing_and_ends_with_2(broken: str, inline: None, one_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"

    status = invoke(filter_input, "filter", [str(one_file.parent), "--output", str(output), "--registry", broken])

    assert status == 2
    assert list((output / "kept").iterdir()) == []
    assert json.loads((output / "receipt.json").read_text())["counts"]["unchecked"] == 1


def test_a_catalogue_that_is_damaged_while_it_is_open_never_allows(
    catalogue: Path, one_file: Path, make_text: Any
) -> None:
    from mediamanager.client.offline import Catalogue  # noqa: PLC0415 - beside its only use

    one_file.write_text(make_text("fox"))
    opened = Catalogue.open(catalogue)
    (catalogue / "works.jsonl").write_bytes(b"x" * (catalogue / "works.jsonl").stat().st_size)

    [checked] = opened.check([one_file])

    assert checked.verdict is Verdict.UNCHECKED
