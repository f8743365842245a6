"""Bad input: a clear problem that names the field and the remedy, and nothing written."""

import io
import struct
import wave
import zlib
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import api_bodies
import packed_documents
import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from fingerprinting.extract import extract
from mediamanager.dependencies import Resources
from optout.store import db
from optout.store.models import Claim, Job, Work
from optout.store.models.accounts import Role
from optout.store.models.log import LogEntry

JSON = {"Content-Type": "application/json"}


def png_of_size(width: int, height: int) -> bytes:
    """A picture of a few bytes that says it is this large."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def silent_wav(frames: int) -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2 * frames))
    return stream.getvalue()


@pytest.fixture
def written(resources: Resources) -> Callable[[], Mapping[str, int]]:
    """What is in the database and in storage."""

    def count() -> Mapping[str, int]:
        with db.reading(resources.sessions) as session:
            rows = {
                table.__tablename__: session.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (Work, Claim, Job, LogEntry)
            }
        return {**rows, "files": len(list(resources.storage.list("")))}

    return count


ASSET = {"sha256": "ab" * 32}

LOOKUPS: list[tuple[str, Any, str, str]] = [
    ("10,001 assets", {"assets": [ASSET] * 10_001}, "assets", "10000"),
    ("no assets", {"assets": []}, "assets", "At least 1"),
    ("assets missing", {}, "assets", "add it"),
    ("an unknown use", {"assets": [ASSET], "use": "training"}, "use", "train-genai"),
    ("an unknown depth", {"assets": [ASSET], "depth": "deep"}, "depth", "thorough"),
    ("an unknown field", {"assets": [ASSET], "uses": "search"}, "uses", "spelling"),
    ("an asset with nothing", {"assets": [ASSET, {}]}, "assets.1", "at least one of"),
    ("half a digest", {"assets": [{"sha256": "ab"}]}, "assets.0.sha256", "match"),
    ("a URL that is none", {"assets": [ASSET, {"url": "fox"}]}, "assets.1.url", "https://"),
    ("a video id that is none", {"assets": [{"youtube": "fox"}]}, "assets.0.youtube", "match"),
    ("a time without zone", {"assets": [ASSET], "at": "2026-01-31T12:00:00"}, "at", "Z for UTC"),
    ("a number for a time", {"assets": [ASSET], "at": 1_800_000_000}, "at", "2026-01-31T12:00:00Z"),
    ("digits for a time", {"assets": [ASSET], "known_at": "1800000000"}, "known_at", "2026-01-31T12:00:00Z"),
    ("a list instead of an object", [ASSET], "body", "object"),
    (
        "an unknown algorithm",
        {"assets": [{"fingerprints": [{"algorithm": "md5", "value": "ab"}]}]},
        "assets.0.fingerprints.0.algorithm",
        "pdq-256",
    ),
    (
        "an unknown version",
        {"assets": [{"fingerprints": [{"algorithm": "pdq-256", "version": 9, "value": "ab" * 32}]}]},
        "assets.0.fingerprints.0.version",
        "version 1",
    ),
    (
        "a fingerprint of the wrong length",
        {"assets": [ASSET, {"fingerprints": [{"algorithm": "pdq-256", "value": "ab" * 31}]}]},
        "assets.1.fingerprints.0.value",
        "pdq-256",
    ),
    (
        "a fingerprint that is not hex",
        {"assets": [{"fingerprints": [{"algorithm": "pdq-256", "value": "zz" * 32}]}]},
        "assets.0.fingerprints.0.value",
        "hex",
    ),
    (
        "quality beyond its range",
        {"assets": [{"fingerprints": [{"algorithm": "pdq-256", "value": "ab" * 32, "quality": 101}]}]},
        "assets.0.fingerprints.0.quality",
        "100",
    ),
]


@pytest.mark.parametrize(("body", "field", "remedy"), [case[1:] for case in LOOKUPS], ids=[case[0] for case in LOOKUPS])
def test_a_lookup_that_can_not_be_used_names_its_field(
    client: TestClient, pipeline: Any, body: Any, field: str, remedy: str
) -> None:
    answer = client.post("/v1/lookups", headers=pipeline.headers, json=body)

    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert (problem["status"], problem["code"] in {"invalid-input", "invalid-fingerprint"}) == (422, True)
    assert [one["field"] for one in problem["errors"]] == [field]
    assert remedy in problem["errors"][0]["message"]


def test_a_parameter_that_the_operation_does_not_have_is_refused_by_name(client: TestClient, creator: Any) -> None:
    assert client.get("/v1/works", params={"limit": 5}, headers=creator.headers).status_code == 200

    answer = client.get("/v1/works", params={"limit": 5, "aftr": "x"}, headers=creator.headers)

    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == ["aftr"]
    assert "spelling" in answer.json()["errors"][0]["message"]


MALFORMED: list[tuple[str, bytes, str]] = [
    ("cut off", b'{"assets": [', "line 1, column 13"),
    ("on another line", b'{\n  "assets": x}', "line 2, column 13"),
    ("empty", b"", ""),
    ("doubled key", b'{"use": "search", "use": "train-ai"}', "twice"),
    ("doubled key inside", b'{"assets": [{"url": "a", "url": "b"}]}', '"url"'),
    ("NaN", b'{"assets": NaN}', "NaN"),
    ("infinite", b'{"assets": 1e999}', "too large"),
    ("too deep", b"[" * 100_000, "deep"),
    ("too many digits", b"[" + b"9" * 5000 + b"]", "digits"),
    ("not UTF-8", b'{"assets": "\xff"}', "column 13"),
]


@pytest.mark.parametrize(("body", "says"), [case[1:] for case in MALFORMED], ids=[case[0] for case in MALFORMED])
@pytest.mark.parametrize("path", ["/v1/lookups", "/v1/works"])
def test_malformed_json_is_a_400_that_says_where(
    client: TestClient, call_as: Callable[..., Any], path: str, body: bytes, says: str
) -> None:
    caller = call_as(Role.CREATOR, Role.PIPELINE)

    answer = client.post(path, headers={**caller.headers, **JSON}, content=body)

    if path == "/v1/lookups" and not body:
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body")
    else:
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed-json")
        assert says in answer.json()["detail"]


REGISTRATIONS: list[tuple[str, Any, str, str]] = [
    ("neither address nor fingerprints", {"title": "Fox"}, "url", "add it"),
    ("nothing at all: fingerprints are a way, too", {}, "url", "or give fingerprints made on your own device"),
    ("nothing at all: a file is a way, too", {}, "url", "with a file"),
    ("an address that is none", {"url": "fox"}, "url", "address"),
    ("an address of a file", {"url": "file:///etc/passwd"}, "url", "https"),
    ("a title that is too long", {"url": "https://example.org", "title": "x" * 301}, "title", "300"),
    ("no fingerprint", {**api_bodies.by_fingerprints(), "fingerprints": []}, "fingerprints", "At least 1"),
    ("an unknown modality", {**api_bodies.by_fingerprints(), "modality": "smell"}, "modality", "image"),
    (
        "a fingerprint of the wrong length",
        {**api_bodies.by_fingerprints(), "fingerprints": [{"algorithm": "sha256", "value": "abcd"}]},
        "fingerprints.0.value",
        "sha256",
    ),
]


@pytest.mark.parametrize(
    ("body", "field", "remedy"), [case[1:] for case in REGISTRATIONS], ids=[case[0] for case in REGISTRATIONS]
)
def test_a_registration_that_can_not_be_used_names_its_field_and_writes_nothing(
    client: TestClient, creator: Any, written: Any, body: Any, field: str, remedy: str
) -> None:
    before = written()

    answer = client.post("/v1/works", headers=creator.headers, json=body)

    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]
    assert remedy in answer.json()["errors"][0]["message"]
    assert written() == before


FILES: list[tuple[str, str, bytes, int, str]] = [
    ("an empty file", "fox.png", b"", 422, "unreadable-media"),
    ("a program", "fox.png", b"\x7fELF\x02\x01\x01" + bytes(200), 415, "unsupported-media"),
    ("an archive", "fox.png", b"PK\x03\x04" + bytes(200), 415, "unsupported-media"),
    ("binary called .vtt", "fox.vtt", bytes(range(256)) * 4, 422, "unreadable-media"),
]


@pytest.mark.parametrize("path", ["/v1/works", "/v1/lookups/media"])
@pytest.mark.parametrize(
    ("name", "data", "status", "code"), [case[1:] for case in FILES], ids=[case[0] for case in FILES]
)
def test_a_file_of_a_wrong_kind_is_refused_at_once_and_nothing_is_kept(
    client: TestClient, creator: Any, written: Any, path: str, name: str, data: bytes, status: int, code: str
) -> None:
    before = written()

    answer = client.post(path, headers=creator.headers, files={"file": (name, data, "image/png")})

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert len(answer.json()["detail"].split()) > 5
    assert [(one["field"], one["code"]) for one in answer.json()["errors"]] == [("file", code)]
    assert written() == before


@pytest.mark.parametrize("path", ["/v1/works", "/v1/lookups/media"])
def test_a_file_that_is_too_large_is_a_problem_of_its_field(
    client: TestClient, resources: Resources, creator: Any, written: Any, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setitem(resources.settings.__dict__, "max_upload_bytes", 100)
    before = written()

    answer = client.post(path, headers=creator.headers, files={"file": ("fox.png", api_bodies.png())})

    assert (answer.status_code, answer.json()["code"]) == (413, "limit-exceeded")
    assert [one["field"] for one in answer.json()["errors"]] == ["file"]
    assert written() == before


BROKEN: list[tuple[str, str, bytes, int, str]] = [
    ("a truncated picture", "fox.png", api_bodies.png()[:300], 422, "unreadable-media"),
    ("100,000 x 100,000 pixels", "fox.png", png_of_size(100_000, 100_000), 413, "limit-exceeded"),
    ("a recording of no length", "fox.wav", silent_wav(0), 422, "unreadable-media"),
    ("a book cut in half", "fox.epub", packed_documents.epub("Words.")[:900], 422, "unreadable-media"),
    ("a scanned paper", "fox.pdf", packed_documents.pdf_of([b""]), 422, "wordless-document"),
    ("a locked paper", "fox.pdf", packed_documents.locked_pdf(), 422, "locked-document"),
]


@pytest.mark.parametrize(
    ("name", "data", "status", "code"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN]
)
def test_a_broken_file_is_a_problem_for_a_lookup(
    client: TestClient,
    pipeline: Any,
    written: Any,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    data: bytes,
    status: int,
    code: str,
) -> None:
    # In process: that the sandbox hands the same errors through is tested with the sandbox.
    monkeypatch.setattr("workers.sandbox.extract", extract)
    before = written()

    answer = client.post("/v1/lookups/media", headers=pipeline.headers, files={"file": (name, data)})

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert [(one["field"], one["code"]) for one in answer.json()["errors"]] == [("file", code)]
    assert written() == before


@pytest.mark.parametrize(
    ("form", "status", "field"),
    [
        ({"data": {"title": "Fox"}}, 415, None),
        ({"files": {"picture": ("fox.png", b"x")}}, 422, "file"),
        ({"files": {"file": ("fox.png", api_bodies.png())}, "data": {"keep": "yes"}}, 422, "keep"),
        ({"files": {"file": ("fox.png", api_bodies.png())}, "data": {"keep_media": "perhaps"}}, 422, "keep_media"),
        ({"files": {"file": ("fox.png", api_bodies.png())}, "data": {"title": ["a", "b"]}}, 422, "title"),
        ({"files": [("file", ("a.png", api_bodies.png())), ("file", ("b.png", api_bodies.png()))]}, 400, None),
        ({"content": b"--x", "headers": {"Content-Type": "multipart/form-data; boundary=y"}}, 400, None),
        ({"content": b"--x", "headers": {"Content-Type": "multipart/form-data"}}, 400, None),
        ({"content": b"hello", "headers": {"Content-Type": "text/plain"}}, 415, None),
        ({}, 415, None),
    ],
)
def test_a_form_that_can_not_be_used_is_refused_and_writes_nothing(
    client: TestClient, creator: Any, written: Any, form: dict[str, Any], status: int, field: str | None
) -> None:
    before = written()
    headers = {**creator.headers, **form.pop("headers", {})}

    answer = client.post("/v1/works", headers=headers, **form)

    assert answer.status_code == status
    assert [one["field"] for one in answer.json()["errors"]] == ([] if field is None else [field])
    assert written() == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"preferences": {}}, "preferences"),
        ({"preferences": {"train-everything": "disallowed"}}, "preferences.train-everything"),
        ({"preferences": {"train-ai": "forbidden"}}, "preferences.train-ai"),
        ({"preferences": {"train-ai": "unknown"}}, "preferences"),
        ({"preferences": {"train-ai": "disallowed"}, "terms_url": "javascript:alert(1)"}, "terms_url"),
        ({"preferences": {"train-ai": "disallowed"}, "valid_from": "tomorrow"}, "valid_from"),
        ({"preferences": {"train-ai": "disallowed"}, "valid_from": 17}, "valid_from"),
        ({"preference": {"train-ai": "disallowed"}}, "preferences"),
    ],
)
def test_a_claim_that_can_not_be_used_names_its_field_and_writes_nothing(
    client: TestClient, creator: Any, written: Any, body: Any, field: str
) -> None:
    work = client.post("/v1/works", headers=creator.headers, json=api_bodies.by_fingerprints()).json()
    before = written()

    answer = client.post(f"{work['status_url']}/claims", headers=creator.headers, json=body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert written() == before


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/v1/works/{id}"),
        ("post", "/v1/works/{id}/claims"),
        ("get", "/v1/claims/{id}"),
        ("patch", "/v1/claims/{id}"),
        ("delete", "/v1/claims/{id}"),
        ("get", "/v1/claims/{id}/receipt"),
    ],
)
def test_an_id_that_nobody_has_is_a_404_and_one_that_is_none_a_422(
    client: TestClient, creator: Any, method: str, path: str
) -> None:
    body = {"json": api_bodies.NO_TRAINING} if method in {"post", "patch"} else {}

    unknown, malformed = (
        client.request(method, path.format(id=id_), headers=creator.headers, **body) for id_ in (uuid4(), "fox")
    )

    assert (unknown.status_code, unknown.json()["code"]) == (404, "not-found")
    assert (malformed.status_code, malformed.json()["code"]) == (422, "invalid-input")
    assert malformed.json()["errors"][0]["field"] in {"work_id", "claim_id"}


def test_a_json_body_sent_as_something_else_is_a_415(client: TestClient, pipeline: Any) -> None:
    answer = client.post("/v1/lookups", headers=pipeline.headers, data={"use": "search"})

    assert (answer.status_code, "application/json" in answer.json()["detail"]) == (415, True)


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "after=fox"])
def test_a_page_that_can_not_be_shown_names_its_parameter(client: TestClient, creator: Any, query: str) -> None:
    answer = client.get(f"/v1/works?{query}", headers=creator.headers)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, query.partition("=")[0])
