"""The creator's commands against scripted registries: what is sent, what is printed, how each failure is told."""

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import fake_youtube
import pytest
import synthetic_media
from local_servers import LocalServer, answer, serving

from mediamanager.cli.invoke import invoke
from mediamanager.cli.register import register
from mediamanager.cli.works import app as works_app
from mediamanager.client import sending
from mediamanager.client.creator import Creator, RegistryConflictError
from mediamanager.client.errors import (
    ClientError,
    KeyRefusedError,
    RegistryRefusedError,
    RegistryUnavailableError,
)
from mediamanager.schemas.works import WorkResponse
from optout.consent import explain
from optout.consent.preferences import PRESETS, Preset
from workers import youtube

WORK = uuid4()


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits before something is sent again."""
    monkeypatch.setattr(sending, "FIRST_PAUSE_SECONDS", 0.0)


def work(**more: object) -> bytes:
    told: dict[str, object] = {
        "id": str(WORK), "state": "ready", "title": None, "modality": "text", "media_type": "text/plain",
        "source_url": None, "identifiable": True, "notes": [], "fingerprints": [], "failure": None,
        "media_kept": False, "registered_at": "2026-11-24T20:00:00Z", "ready_at": None,
        "status_url": f"/v1/works/{WORK}", "claims": [],
    }  # fmt: skip
    return json.dumps({**told, **more}).encode()


def problem(status: int, detail: str) -> bytes:
    body = {"type": "urn:x", "title": "T", "status": status, "detail": detail, "code": "c"}
    return answer(json.dumps(body).encode(), status=status, content_type="application/problem+json")


@pytest.fixture
def broken() -> Iterator[LocalServer]:
    answers = {
        "refused": problem(403, "this needs a key with the role creator"),
        "unknown": problem(401, "this is not an API key"),
        "conflict": problem(409, "amend that one instead"),
        "down": problem(503, "try again"),
        "error": answer(b"<html>oops</html>", status=500),
        "odd": answer(b"{}", status=418),
        "garbage": answer(b"not json"),
        "empty": answer(b""),
        "word": answer(work(state="allowed")),
        "cut": answer(work(), content_length="9999"),
        "nothing": b"",
    }
    with serving({f"/{name}/v1/works/{WORK}": script for name, script in answers.items()}) as server:
        yield server


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("refused", KeyRefusedError, "role creator"),
        ("unknown", KeyRefusedError, "--key or MEDIAMANAGER_KEY"),
        ("conflict", RegistryConflictError, "amend that one"),
        ("down", RegistryUnavailableError, "try again"),
        ("error", RegistryUnavailableError, "500"),
        ("odd", RegistryRefusedError, "418"),
        ("garbage", RegistryUnavailableError, "no answer"),
        ("empty", RegistryUnavailableError, "no answer"),
        ("word", RegistryUnavailableError, "no answer"),
        ("cut", RegistryUnavailableError, "does not answer"),
        ("nothing", RegistryUnavailableError, "does not answer"),
        ("absent", RegistryRefusedError, "404"),
    ],
)
def test_every_way_in_which_a_registry_fails_is_told(
    broken: LocalServer, name: str, kind: type[ClientError], says: str
) -> None:
    with Creator(broken.url(f"/{name}"), key="crk_live_x") as there, pytest.raises(kind, match=says):
        there.work(WORK)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nonsense", "http://[::1", "ftp://127.0.0.1/"])
def test_an_address_without_a_registry_is_told(url: str) -> None:
    with pytest.raises(RegistryUnavailableError), Creator(url, key=None) as there:
        there.work(WORK)


def test_a_file_is_uploaded_with_its_name_title_and_key(tmp_path: Path) -> None:
    path = tmp_path / "song ü.txt"
    path.write_bytes(b"la la la")
    with serving({"/v1/works": answer(work(), status=201)}) as server, Creator(server.url(), key="crk_live_k") as there:
        there.register_file(path, title="Song", keep_media=True)

    (request,) = server.requests
    assert b"authorization: Bearer crk_live_k" in request or b"Authorization: Bearer crk_live_k" in request
    assert b"multipart/form-data" in request


def test_waiting_ends_when_the_work_is_read_or_the_time_is_over() -> None:
    answers = iter(
        [work(state="pending"), work(state="pending"), work(state="failed", failure={"code": "c", "sentence": "s"})]
    )

    def script(connection: object) -> None:
        connection.sendall(answer(next(answers)))  # type: ignore[attr-defined]

    with serving({f"/v1/works/{WORK}": script}) as server, Creator(server.url(), key=None) as there:
        assert there.wait(WORK, seconds=0.0).state == "pending"
        assert there.wait(WORK, seconds=5.0).state == "failed"


def test_nobody_waits_for_a_work_that_is_looked_at_again_in_hours(
    song: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = (datetime.now(UTC) + timedelta(hours=6)).isoformat()
    delay = {"code": "youtube-live", "sentence": "This video is live.", "next_attempt_at": at}
    put_off = work(state="pending", delay=delay)
    began = time.monotonic()

    with serving({f"/v1/works/{WORK}": answer(put_off), "/v1/works": answer(put_off, status=201)}) as server:
        with Creator(server.url(), key=None) as there:
            assert there.wait(WORK, seconds=30.0).delay is not None
        assert run(server, song) == 0

    assert time.monotonic() - began < 20
    shown = capsys.readouterr().out
    assert "This video is live." in shown
    assert "still being read" not in shown


def test_all_pages_of_works_are_read() -> None:
    second = UUID(int=2)
    pages = {
        "/v1/works": {"works": [json.loads(work())], "total": 2, "next_after": str(WORK)},
        f"/v1/works?after={WORK}": {"works": [json.loads(work(id=str(second)))], "total": 2, "next_after": None},
    }
    routes = {path: answer(json.dumps(page).encode()) for path, page in pages.items()}
    with serving(routes) as server, Creator(server.url(), key=None) as there:
        assert [one.id for one in there.works()] == [WORK, second]


def test_a_wire_work_of_ours_is_what_the_schema_says() -> None:
    assert WorkResponse.model_validate_json(work()).id == WORK


def run(server: LocalServer, *words: object, key: str = "crk_live_k") -> int:
    return invoke(
        register, "mediamanager register", [*map(str, words), "--registry", server.url(), "--key", key, "--no-wait"]
    )


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "song.txt"
    path.write_bytes(b"la la la")
    return path


def test_an_uploaded_work_is_called_as_its_file(song: Path) -> None:
    with serving({"/v1/works": answer(work(), status=201)}) as server:
        assert run(server, song) == 0

    assert b'name="title"\r\n\r\nsong.txt' in server.requests[0]


@pytest.mark.parametrize("local", [[], ["--local"]])
def test_a_file_name_that_is_no_text_is_sent_as_far_as_it_can_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], local: list[str]
) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.txt")
    path.write_bytes(b"la la la")
    with serving({"/v1/works": answer(work(), status=201)}) as server:
        assert run(server, path, *local) == 0

    assert "caf\N{REPLACEMENT CHARACTER}.txt" in server.requests[0].decode()
    assert "ready" in capsys.readouterr().out


def test_a_key_that_is_none_is_told_once_and_ends_the_run(song: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving({"/v1/works": problem(401, "this is not an API key")}) as server:
        assert run(server, song, song) == 2
        assert run(server, song, key="clé") == 2

    assert len(server.requests) == 1
    assert [line[:7] for line in capsys.readouterr().err.splitlines()] == ["error: ", "error: "]


def test_an_address_where_no_registry_is_ends_the_run(song: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving({"/v1/works": problem(404, "nothing here")}) as server:
        assert run(server, song, song) == 2

    assert len(server.requests) == 1
    assert "there is no registry at" in capsys.readouterr().err


def test_an_empty_folder_is_not_registered_in_silence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving({}) as server:
        assert run(server, tmp_path) == 64

    assert "nothing to register" in capsys.readouterr().err


def test_an_address_that_is_none_is_named_and_the_others_are_registered(
    song: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving({"/v1/works": answer(work(), status=201)}) as server:
        assert run(server, "https://exa mple.com/", "ftp://example.com/x", song) == 2

    shown = capsys.readouterr().out
    assert shown.count("not registered") == 2
    assert "https://exa mple.com/" in shown
    assert "ready" in shown


def test_a_work_that_takes_long_to_read_holds_up_no_registration(
    song: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mediamanager.cli.register._WAIT_SECONDS", 0.2)
    routes = {
        "/v1/works": answer(work(state="pending"), status=202),
        f"/v1/works/{WORK}": answer(work(state="pending")),
    }
    with serving(routes) as server:
        words = [str(song), str(song), "--registry", server.url(), "--json"]
        assert invoke(register, "mediamanager register", words) == 0

    first_three = [request.split(b" ")[0] for request in server.requests[:3]]
    assert first_three == [b"POST", b"GET", b"POST"]
    assert [json.loads(line)["state"] for line in capsys.readouterr().out.splitlines()] == ["pending", "pending"]


def test_what_was_registered_is_told_when_the_registry_goes_away(
    song: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving({"/v1/works": answer(work(state="pending"), status=202)}) as server:
        words = [str(song), "--registry", server.url(), "--key", "crk_live_k"]
        assert invoke(register, "mediamanager register", words) == 2

    assert str(WORK) in capsys.readouterr().out


def test_a_preference_that_is_refused_is_not_told_as_a_work_that_is_not_registered(
    song: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    routes = {
        "/v1/works": answer(work(), status=201),
        f"/v1/works/{WORK}": answer(work()),
        f"/v1/works/{WORK}/claims": problem(409, "contested"),
    }
    with serving(routes) as server:
        assert run(server, song, "--prefer", "no-ai") == 2

    shown = capsys.readouterr().out
    assert "it is registered, but no preference is stated: contested" in shown
    assert "not registered" not in shown


@pytest.mark.parametrize(
    ("at", "says"),
    [
        ("2026-11-28T14:02:00Z", "trying again at 2026-11-28 14:02:00 UTC"),
        (None, "it is being tried again"),
    ],
)
def test_a_work_that_could_not_be_read_yet_says_why_and_when_it_is_tried_again(
    at: str | None, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    delay = {"code": "fetch-failed", "sentence": "The name fox.invalid was not found.", "next_attempt_at": at}
    with serving({f"/v1/works/{WORK}": answer(work(state="pending", delay=delay))}) as server:
        assert invoke(works_app, "mediamanager works", ["status", str(WORK), "--registry", server.url("")]) == 0

    shown = capsys.readouterr().out
    assert "The name fox.invalid was not found." in shown
    assert says in shown


def test_without_a_preference_it_is_said_what_counts_then(song: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving({"/v1/works": answer(work(), status=201)}) as server:
        assert run(server, song) == 0

    assert len(server.requests) == 1
    assert "what you say about its collections and all your works counts" in capsys.readouterr().out
    with serving({"/v1/works": answer(work(claims=[str(WORK)]), status=200)}) as server:
        assert run(server, song) == 0
    assert "what you say about its collections" not in capsys.readouterr().out


def test_a_preset_is_said_back_in_its_own_sentence(song: Path, capsys: pytest.CaptureFixture[str]) -> None:
    claim = {
        "id": str(WORK), "scope": "work", "work_id": str(WORK), "collection_id": None, "state": "active",
        "preferences": dict(PRESETS[Preset.NO_AI]), "says": "", "evidence": "self-declared",
        "valid_from": "2026-11-24T20:00:00Z", "valid_until": None, "ends_soon": False, "has_ended": False,
        "terms_url": None, "contact": None, "languages": [], "filed_at": "2026-11-24T20:00:00Z", "settled_at": None,
        "supersedes": None, "superseded_by": None, "promise": "", "receipt_url": "",
        "log": {"entry_id": "e", "leaf_hash": "f", "index": None, "published": False},
    }  # fmt: skip
    routes = {
        "/v1/works": answer(work(), status=201),
        f"/v1/works/{WORK}": answer(work()),
        f"/v1/works/{WORK}/claims": answer(json.dumps(claim).encode(), status=201),
    }
    with serving(routes) as server:
        assert run(server, song, "--prefer", "no-ai") == 0

    assert explain.choice(PRESETS[Preset.NO_AI]) in capsys.readouterr().out


def test_sound_is_asked_for_of_links_and_of_nothing_else(song: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving({"/v1/works": answer(work(), status=201)}) as server:
        words = ["--registry", server.url(), "--sound", str(song)]
        assert invoke(register, "mediamanager register", words) == 64
        assert "there is none" in capsys.readouterr().err
        assert (
            invoke(
                register, "mediamanager register", [*words, "https://example.org/fox", "https://youtu.be/dQw4w9WgXcQ"]
            )
            == 0
        )

    bodies = [request.partition(b"\r\n\r\n")[2] for request in server.requests]
    assert [b'"sound"' in body for body in bodies] == [False, True, True]


def test_sound_is_asked_for_of_a_channel(capsys: pytest.CaptureFixture[str]) -> None:
    with serving({"/v1/listings": answer(b"{}", status=422)}) as server:
        words = ["--registry", server.url(), "--sound", "https://www.youtube.com/@ada"]
        assert invoke(register, "mediamanager register", words) == 2
        assert invoke(register, "mediamanager register", [*words, "--local"]) == 64

    (request,) = server.requests
    assert json.loads(request.partition(b"\r\n\r\n")[2])["sound"] is True


@pytest.mark.heavy
def test_a_video_is_registered_by_captions_that_were_fetched_here(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    youtube_of = fake_youtube.of(fake_youtube.HEARD_EN, lines=synthetic_media.prose(5, 400).split(". "))
    monkeypatch.setattr(youtube, "guarded_client", lambda guard: youtube_of.client)
    links = [f"https://youtu.be/{fake_youtube.VIDEO}", "https://www.youtube.com/@ada", "https://example.org/fox.png"]
    with serving({"/v1/works": answer(work(), status=201)}) as server:
        assert invoke(register, "mediamanager register", ["--registry", server.url(), "--local", "--json", *links]) == 2

    (request,) = server.requests
    sent = json.loads(request.partition(b"\r\n\r\n")[2])
    assert [one["algorithm"] for one in sent["fingerprints"]] == ["key-youtube", "key-url", "shingle-3"]
    errors = [json.loads(line)["error"] for line in capsys.readouterr().out.splitlines()]
    assert errors[0] is None
    assert "videos of a list" in errors[1]
    assert "what lies at an address" in errors[2]


def test_everything_that_is_known_of_a_work_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    video = {
        "channel": "UC1", "channel_title": "Ada", "duration_seconds": 3725.0, "licence": "CC \x1b[31m",
        "trainability": ["none"], "sound": True,
    }  # fmt: skip
    prints = [{"algorithm": "shingle-3", "version": 1, "quality": 90.0}]
    with serving({f"/v1/works/{WORK}": answer(work(video=video, fingerprints=prints))}) as server:
        words = ["show", str(WORK), "--registry", server.url("")]
        assert invoke(works_app, "mediamanager works", words) == 0
        assert invoke(works_app, "mediamanager works", [*words, "--json"]) == 0

    *shown, told = capsys.readouterr().out.splitlines()
    facts = [line.split(maxsplit=1) for line in shown[1:]]
    assert ["channel", "Ada UC1"] in facts
    assert ["length", "1:02:05"] in facts
    assert ["sound", "asked for"] in facts
    assert any("may train      nobody, by YouTube's setting" in line for line in shown)
    assert "\x1b" not in "".join(shown)
    assert json.loads(told)["video"] == video
