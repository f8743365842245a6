"""Keys over HTTP: read whole, refused with the reason, ended at once; nothing is read before their holder is known."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import factories
import pytest
from starlette.testclient import TestClient

from mediamanager.dependencies import Resources
from optout.registry import accounts, key_format
from optout.store import db
from optout.store.models import ApiKey
from optout.store.models.base import utc_now
from optout.store.settings import Environment


def test_a_refusal_says_which_role_is_needed_and_which_there_is(client: TestClient, pipeline: Any) -> None:
    answer = client.get("/v1/works", headers=pipeline.headers)

    assert "role creator" in answer.json()["detail"]
    assert "your key has: pipeline" in answer.json()["detail"]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer crk_live_1", "Bearer é"])
@pytest.mark.parametrize("path", ["/v1/works", "/v1/log/key", "/healthz"])
def test_a_key_that_is_presented_has_to_be_good_everywhere(client: TestClient, header: str, path: str) -> None:
    answer = client.get(path, headers={"Authorization": header.encode()})

    assert (answer.status_code, answer.json()["code"]) == (401, "not-authenticated")


def test_a_key_is_read_whole_and_its_scheme_in_any_case(client: TestClient, creator: Any) -> None:
    statuses = [
        client.get("/v1/works", headers={"Authorization": header}).status_code
        for header in (f"bearer {creator.secret}", f"Bearer {creator.secret[:-1]}", f"Bearer {creator.secret}0")
    ]

    assert statuses == [200, 401, 401]


def test_a_revoked_key_is_refused_at_once(client: TestClient, creator: Any, resources: Any) -> None:
    before = client.get("/v1/works", headers=creator.headers).status_code
    with db.transaction(resources.sessions) as session:
        accounts.revoke_key(session, creator.key_id)

    after = client.get("/v1/works", headers=creator.headers)

    assert (before, after.status_code) == (200, 401)


def test_nothing_of_a_body_is_read_before_its_sender_is_known(client: TestClient) -> None:
    for body in (b"{", b"[" * 100_000):
        answer = client.post("/v1/lookups", content=body, headers={"Content-Type": "application/json"})

        assert answer.status_code == 401


def test_nothing_of_a_body_is_read_of_somebody_without_the_role(client: TestClient, creator: Any) -> None:
    """Neither its kind nor what is in it: both are wrong here."""
    answer = client.post("/v1/lookups", content=b"{", headers={**creator.headers, "Content-Type": "text/plain"})

    assert (answer.status_code, answer.json()["code"]) == (403, "not-permitted")


@pytest.mark.parametrize(
    ("made", "reason", "says"),
    [
        ({"expires_at": utc_now() - timedelta(days=1)}, "expired", "ask the operator for a new one"),
        ({"environment": Environment.TEST}, "environment", "crk_live_"),
    ],
)
def test_a_key_that_opens_nothing_here_is_told_why(
    client: TestClient, resources: Resources, made: Any, reason: str, says: str
) -> None:
    with db.transaction(resources.sessions) as session:
        account = factories.make_account(session)
        _key, secret = accounts.create_key(session, account_id=account.id, roles=["creator"], label="x", **made)

    answer = client.get("/v1/works", headers={"Authorization": f"Bearer {secret}"})

    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["parameters"]["reason"]) == (401, "not-authenticated", reason)
    assert says in problem["detail"]
    assert secret not in answer.text


def test_a_key_of_another_registry_is_told_so(client: TestClient) -> None:
    elsewhere = key_format.make(Environment.LIVE)

    answer = client.get("/v1/works", headers={"Authorization": f"Bearer {elsewhere.text}"})

    assert (answer.status_code, answer.json()["parameters"]) == (401, {"reason": "unknown"})
    assert "made for this one" in answer.json()["detail"]


def test_after_a_rotation_both_keys_open_the_same(client: TestClient, resources: Resources, creator: Any) -> None:
    with db.transaction(resources.sessions) as session:
        _old, _new, fresh = accounts.rotate_key(session, creator.key_id, overlap=timedelta(hours=1))

    statuses = [
        client.get("/v1/works", headers={"Authorization": f"Bearer {secret}"}).status_code
        for secret in (creator.secret, fresh)
    ]

    assert statuses == [200, 200]


def test_using_a_key_is_noted_without_a_write_in_its_requests(
    client: TestClient, resources: Resources, creator: Any
) -> None:
    # Somebody holds the write lock: a request that needed it would wait for half a minute.
    with db.transaction(resources.sessions) as session:
        factories.make_account(session)
        started = time.monotonic()
        status = client.get("/v1/works", headers=creator.headers).status_code
        took = time.monotonic() - started

    def last_used() -> Any:
        with db.reading(resources.sessions) as session:
            return session.get_one(ApiKey, creator.key_id).last_used_at

    until = time.monotonic() + 10
    while last_used() is None and time.monotonic() < until:
        time.sleep(0.02)
    assert (status, took < 5) == (200, True)
    assert last_used() > utc_now() - timedelta(minutes=1)


def test_who_does_not_hold_a_key_can_not_tell_whether_there_is_one(
    client: TestClient, call_as: Callable[..., Any], resources: Resources
) -> None:
    live, revoked = call_as("creator"), call_as("creator")
    with db.transaction(resources.sessions) as session:
        accounts.revoke_key(session, revoked.key_id)

    answers = []
    for key_id in (live.key_id, revoked.key_id, "0" * 16):
        body = f"crk_live_{key_id}_{'0' * 64}"
        bearer = f"Bearer {body}_{key_format.checksum(body)}"
        answers.append(client.get("/v1/works", headers={"Authorization": bearer}))

    assert {(one.status_code, one.text) for one in answers} == {(401, answers[0].text)}
