"""Every route with every role and without a key: who is let in is written here once more, and compared."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import uuid4

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from optout.registry import accounts
from optout.store import db
from optout.store.models.accounts import Role

EVERYBODY: Final = None

ALLOWED: Mapping[tuple[str, str], set[Role] | None] = {
    ("post", "/v1/works"): {Role.CREATOR},
    ("get", "/v1/works"): {Role.CREATOR},
    ("get", "/v1/works/{work_id}"): {Role.CREATOR},
    ("post", "/v1/works/{work_id}/claims"): {Role.CREATOR},
    ("get", "/v1/claims/{claim_id}"): {Role.CREATOR},
    ("patch", "/v1/claims/{claim_id}"): {Role.CREATOR},
    ("delete", "/v1/claims/{claim_id}"): {Role.CREATOR},
    ("get", "/v1/claims/{claim_id}/receipt"): {Role.CREATOR},
    ("post", "/v1/lookups"): {Role.PIPELINE},
    ("post", "/v1/lookups/media"): {Role.PIPELINE, Role.CREATOR},
    ("get", "/v1/log/key"): EVERYBODY,
    ("get", "/v1/log/checkpoint"): EVERYBODY,
    ("get", "/v1/log/tile/{path}"): EVERYBODY,
    ("get", "/healthz"): EVERYBODY,
    ("get", "/readyz"): EVERYBODY,
    ("get", "/metrics"): {Role.ADMIN},
}

REFUSED = {401, 403}


def request(client: TestClient, method: str, path: str, headers: Mapping[str, str]) -> Any:
    """A request that is wrong in every way but for who sends it."""
    filled = path.format(work_id=uuid4(), claim_id=uuid4(), path="0/000")
    body: dict[str, Any] = {}
    if method in {"post", "patch"}:
        form = path == "/v1/lookups/media"
        body = {"files": {"file": ("empty.png", b"")}} if form else {"json": {"nothing": "known"}}
    return client.request(method, filled, headers=dict(headers), **body)


def test_every_route_is_in_the_table(app: FastAPI) -> None:
    operations = {(method, path) for path, methods in app.openapi()["paths"].items() for method in methods}

    assert operations == set(ALLOWED)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_opens_its_routes_and_no_other(client: TestClient, call_as: Callable[..., Any], role: Role) -> None:
    headers = call_as(role).headers

    wrong = []
    for (method, path), roles in ALLOWED.items():
        answer = request(client, method, path, headers)
        is_open = roles is EVERYBODY or role in roles
        if is_open and answer.status_code in REFUSED:
            wrong.append((method, path, answer.status_code))
        if not is_open and (answer.status_code, answer.json()["code"]) != (403, "not-permitted"):
            wrong.append((method, path, answer.status_code))

    assert wrong == []


def test_without_a_key_only_public_routes_answer(client: TestClient) -> None:
    for (method, path), roles in ALLOWED.items():
        answer = request(client, method, path, {})

        assert (answer.status_code == 401) == (roles is not EVERYBODY), (method, path)
        if roles is not EVERYBODY:
            assert answer.json()["code"] == "not-authenticated"
            assert answer.headers["www-authenticate"].startswith("Bearer")


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
