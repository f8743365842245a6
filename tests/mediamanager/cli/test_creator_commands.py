"""The creator's commands against scripted registries: what is sent, what is printed, how each failure is told."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from local_servers import LocalServer, answer, serving

from mediamanager.cli.connection import preferences_of
from mediamanager.client.creator import Creator, RegistryConflictError
from mediamanager.client.errors import ClientError, RegistryRefusedError, RegistryUnavailableError
from mediamanager.schemas.works import WorkResponse
from optout.consent.vocabulary import Preference, Use
from optout.errors import InvalidInputError

WORK = uuid4()


def work(**more: object) -> bytes:
    told = {
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
        ("refused", RegistryRefusedError, "role creator"),
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


def test_a_preset_is_spelt_out_and_what_is_said_beside_it_wins() -> None:
    assert preferences_of(["train-ai=disallowed"]) == {Use.TRAIN_AI: Preference.DISALLOWED}
    spelt = preferences_of(["no-ai", "train-genai=conditional"])
    assert spelt[Use.TRAIN_GENAI] is Preference.CONDITIONAL
    assert spelt[Use.TRAIN_OTHER] is Preference.DISALLOWED
    assert Preference.UNKNOWN not in spelt.values()


@pytest.mark.parametrize("word", ["no-AI", "train-ai", "train-ai=", "=disallowed", "train-ai=unknown", "x=allowed"])
def test_a_word_that_is_no_preference_is_named(word: str) -> None:
    with pytest.raises(InvalidInputError, match="`"):
        preferences_of([word])
