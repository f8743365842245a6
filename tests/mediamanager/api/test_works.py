"""Registering by file, by address and by fingerprints; whose works are whose."""

import hashlib
import tracemalloc
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import api_bodies
import built_database
import factories
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import SessionTransaction
from starlette.testclient import TestClient
from starlette.types import Message

from fingerprinting.errors import UnreadableMediaError
from mediamanager.app import create_app
from mediamanager.dependencies import Resources
from optout.errors import StorageUnavailableError
from optout.registry import video_facts, works
from optout.store import db, jobs
from optout.store.models.accounts import Role
from optout.store.models.jobs import Job
from optout.store.models.works import Work
from optout.store.settings import Settings
from optout.store.storage import FolderStore


def upload(client: TestClient, caller: Any, data: bytes, **fields: str) -> Any:
    return client.post("/v1/works", headers=caller.headers, files={"file": ("fox.png", data, "image/png")}, data=fields)


@pytest.fixture(autouse=True)
def no_media(resources: Resources) -> None:
    """Each test begins with an empty store."""
    for one in list(resources.storage.list("")):
        resources.storage.delete(one.key)


def media_files(resources: Resources) -> dict[str, bytes]:
    return {one.key: resources.storage.get(one.key) for one in resources.storage.list("")}


def rows(resources: Resources, caller: Any) -> Sequence[Work]:
    with db.reading(resources.sessions) as session:
        return session.scalars(select(Work).where(Work.account_id == caller.account_id)).all()


def test_a_file_is_accepted_at_once_and_its_bytes_wait_for_a_worker(
    client: TestClient, creator: Any, resources: Resources
) -> None:
    data = api_bodies.png()

    answer = upload(client, creator, data, title="Blue Fox", keep_media="true")

    work = answer.json()
    assert (answer.status_code, work["state"], work["title"]) == (202, "pending", "Blue Fox")
    assert answer.headers["location"] == work["status_url"] == f"/v1/works/{work['id']}"
    assert media_files(resources) == {f"media/{work['id']}": data}
    [row] = rows(resources, creator)
    assert (row.identity, row.size_bytes, row.file_name) == (hashlib.sha256(data).digest(), len(data), "fox.png")
    assert row.keep_media


def test_the_same_bytes_again_are_the_same_work_and_are_not_stored_twice(
    client: TestClient, creator: Any, resources: Resources
) -> None:
    data = api_bodies.png()
    first = upload(client, creator, data)
    before = media_files(resources)

    again = upload(client, creator, data, title="Another name")

    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json()["id"] == first.json()["id"]
    assert media_files(resources) == before


def test_two_accounts_that_register_the_same_get_a_work_each(client: TestClient, creator: Any, stranger: Any) -> None:
    mine, theirs = (upload(client, caller, api_bodies.png()).json()["id"] for caller in (creator, stranger))

    assert mine != theirs
    assert client.get(f"/v1/works/{mine}", headers=stranger.headers).status_code == 404


def test_a_failed_work_is_tried_again_when_its_file_comes_again(
    client: TestClient, creator: Any, resources: Resources
) -> None:
    data = api_bodies.png()
    work_id = upload(client, creator, data).json()["id"]
    with db.transaction(resources.sessions) as session:
        works.record_failure(session, UUID(work_id), UnreadableMediaError("It ends in the middle."))
    resources.storage.delete(f"media/{work_id}")
    failed = client.get(f"/v1/works/{work_id}", headers=creator.headers).json()

    again = upload(client, creator, data)

    assert failed["failure"] == {"code": "unreadable-media", "sentence": "It ends in the middle."}
    assert (again.status_code, again.json()["state"], again.json()["failure"]) == (200, "pending", None)
    assert media_files(resources) == {f"media/{work_id}": data}


def test_a_file_that_is_larger_than_allowed_leaves_nothing_behind(
    client: TestClient, creator: Any, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(resources.settings.__dict__, "max_upload_bytes", 1000)

    answer = upload(client, creator, api_bodies.png() + bytes(2000))

    assert (answer.status_code, answer.json()["code"]) == (413, "limit-exceeded")
    assert answer.json()["errors"][0]["field"] == "file"
    assert media_files(resources) == {}
    assert client.get("/v1/works", headers=creator.headers).json()["total"] == 0


def test_a_commit_that_fails_is_no_success_and_leaves_no_row(
    client: TestClient, creator: Any, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: SessionTransaction) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(SessionTransaction, "commit", fail)
        answer = upload(client, creator, api_bodies.png())

    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    assert "disk" not in answer.text
    assert client.get("/v1/works", headers=creator.headers).json()["total"] == 0


def test_storage_that_does_not_answer_is_a_503_and_leaves_no_row(
    client: TestClient, creator: Any, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: FolderStore, key: str, stream: Any) -> int:
        raise StorageUnavailableError("/secret/path can't be written")

    monkeypatch.setattr(FolderStore, "put", fail)

    answer = upload(client, creator, api_bodies.png())

    assert (answer.status_code, answer.json()["code"]) == (503, "storage-unavailable")
    assert "retry-after" in answer.headers
    assert "secret" not in answer.text
    assert client.get("/v1/works", headers=creator.headers).json()["total"] == 0


def test_an_address_waits_for_a_worker_and_its_spellings_are_one_work(client: TestClient, creator: Any) -> None:
    bodies = [{"url": "https://example.org/a/../fox.png#top", "title": "Fox"}, {"url": "HTTPS://EXAMPLE.org/fox.png"}]

    first, again = (client.post("/v1/works", headers=creator.headers, json=body) for body in bodies)

    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["id"] == again.json()["id"]
    assert first.json()["state"] == "pending"


def test_fingerprints_made_elsewhere_are_ready_at_once(client: TestClient, creator: Any) -> None:
    answer = client.post("/v1/works", headers=creator.headers, json=api_bodies.by_fingerprints(title="Fox"))

    work = answer.json()
    assert (answer.status_code, work["state"], work["modality"], work["media_kept"]) == (201, "ready", "image", False)
    assert {one["algorithm"] for one in work["fingerprints"]} == {"sha256", "pdq-256"}


def test_works_are_listed_page_by_page_newest_first_and_only_ones_own(
    client: TestClient, creator: Any, stranger: Any
) -> None:
    made = [
        client.post("/v1/works", headers=creator.headers, json=api_bodies.by_fingerprints(seed)).json()["id"]
        for seed in range(3)
    ]
    client.post("/v1/works", headers=stranger.headers, json=api_bodies.by_fingerprints(9))

    first = client.get("/v1/works?limit=2", headers=creator.headers).json()
    second = client.get(f"/v1/works?limit=2&after={first['next_after']}", headers=creator.headers).json()

    assert [work["id"] for work in first["works"] + second["works"]] == made[::-1]
    assert (first["total"], second["next_after"]) == (3, None)


@pytest.mark.parametrize(
    ("name", "kept"),
    [("C:\\Users\\ada\\fox.png", "fox.png"), ("../../etc/passwd.png", "passwd.png"), ("日本.png", "日本.png")],
)
def test_a_file_keeps_only_its_own_name(
    client: TestClient, creator: Any, resources: Resources, name: str, kept: str
) -> None:
    client.post("/v1/works", headers=creator.headers, files={"file": (name, api_bodies.png())})

    assert [row.file_name for row in rows(resources, creator)] == [kept]


def test_a_large_file_is_never_whole_in_memory(
    app: FastAPI, client: TestClient, creator: Any, resources: Resources
) -> None:
    # The test client itself would hold the body, so the application is called as a server calls it.
    head = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="big.wav"\r\n\r\nRIFF____WAVEfmt '
    pieces = iter([head, *[bytes(100_000)] * 400, b"\r\n--cut--\r\n", b""])
    headers = {"content-type": "multipart/form-data; boundary=cut", **creator.headers}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/works",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    sent: list[Message] = []

    async def receive() -> Message:
        piece = next(pieces)
        return {"type": "http.request", "body": piece, "more_body": bool(piece)}

    async def send(message: Message) -> None:
        sent.append(message)

    tracemalloc.start()
    assert client.portal is not None
    client.portal.call(app, scope, receive, send)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert sent[0]["status"] == 202, sent
    assert [len(data) for data in media_files(resources).values()] == [40_000_016]
    assert peak < 10_000_000


def test_more_requests_than_threads_wait_for_their_turn_and_are_all_answered(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = built_database.copy(sqlite_template, Settings(data_folder=tmp_path, request_threads=2))
    engine = db.engine(settings)
    with db.transaction(db.sessions(engine)) as session:
        _, secret = factories.make_key(session, factories.make_account(session), Role.CREATOR)
    engine.dispose()

    with TestClient(create_app(settings)) as client, ThreadPoolExecutor(16) as pool:

        def register(number: int) -> int:
            data = f"A text that is number {number}.".encode()
            answer = client.post(
                "/v1/works", headers={"Authorization": f"Bearer {secret}"}, files={"file": ("a.txt", data)}
            )
            return answer.status_code

        statuses = Counter(pool.map(register, [number // 2 for number in range(48)]))
        total = client.get("/v1/works", headers={"Authorization": f"Bearer {secret}"}).json()["total"]

    assert (statuses, total) == (Counter({202: 24, 200: 24}), 24)


def test_a_work_whose_address_does_not_deliver_says_why_and_when_it_is_tried_again(
    client: TestClient, resources: Resources, creator: Any
) -> None:
    made = client.post("/v1/works", headers=creator.headers, json={"url": "https://fox.invalid/late.png"}).json()
    with db.transaction(resources.sessions) as session:
        job = session.scalars(select(Job).where(Job.subject == made["id"])).one()
        lease = jobs.claim_due(session, job.id)
        assert lease is not None
        jobs.fail(session, lease, code="fetch-failed", sentence="The name fox.invalid was not found.")
        due_at = job.due_at

    told = client.get(made["status_url"], headers=creator.headers).json()

    assert (made["delay"], told["state"]) == (None, "pending")
    assert (told["delay"]["code"], told["delay"]["sentence"]) == ("fetch-failed", "The name fox.invalid was not found.")
    assert datetime.fromisoformat(told["delay"]["next_attempt_at"]) == due_at


def test_what_youtube_says_of_a_video_stands_with_the_work(
    client: TestClient, creator: Any, resources: Resources
) -> None:
    body = {"url": "https://youtu.be/dQw4w9WgXcQ"}
    work = client.post("/v1/works", headers=creator.headers, json=body).json()
    with db.transaction(resources.sessions) as session:
        work_id = UUID(work["id"])
        video_facts.note(session, work_id, channel="UC" + "x" * 22, channel_title="Ada", duration_seconds=61.5)
        video_facts.note(session, work_id, trainability=["none"])

    found = client.get(work["status_url"], headers=creator.headers).json()

    assert work["video"] is None
    assert found["video"] == {
        "channel": "UC" + "x" * 22, "channel_title": "Ada", "duration_seconds": 61.5, "licence": None,
        "trainability": ["none"], "sound": False,
    }  # fmt: skip


def test_the_sound_of_a_video_can_be_asked_for_at_once_or_later(client: TestClient, creator: Any) -> None:
    def register(**more: object) -> Any:
        body = {"url": "https://youtu.be/aaaaaaaaaaa", **more}
        return client.post("/v1/works", headers=creator.headers, json=body).json()

    first, second, third = register(), register(sound=True), register()

    assert first["id"] == second["id"] == third["id"]
    assert first["video"] is None
    assert second["video"]["sound"] is third["video"]["sound"] is True


def test_a_channel_is_no_work_whose_sound_could_be_asked_for(client: TestClient, creator: Any) -> None:
    body = {"url": "https://www.youtube.com/@ada", "sound": True}
    answer = client.post("/v1/works", headers=creator.headers, json=body)

    assert answer.status_code == 422
