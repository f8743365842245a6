"""Headers on every answer, limits on every body, and no help for pages of other sites."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import factories
import pytest
from fastapi import FastAPI, Request
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker
from starlette.testclient import TestClient

from mediamanager import policy
from mediamanager.app import create_app
from mediamanager.policy import Rule
from mediamanager.security import session_cookie
from optout.registry import sessions as sign_ins
from optout.registry.accounts import Principal
from optout.store.db import transaction
from optout.store.models.accounts import Role
from optout.store.settings import Settings

COOKIE = "mediamanager"
WORKS = "/v1/works"
BODY = {"url": "https://example.org/fox.png"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        data_folder=tmp_path, public_url="http://opt.example", max_request_bytes=2000, max_upload_bytes=5000
    )


@pytest.fixture
def app(settings: Settings, live_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    more = {("POST", "/form"): Rule(None), ("GET", "/fail"): Rule(None)}
    monkeypatch.setattr(policy, "POLICY", {**policy.POLICY, **more})
    made = create_app(settings)

    @made.post("/form")
    async def take(request: Request) -> dict[str, int]:
        """A page's form, which no key protects."""
        return {"bytes": len(await request.body())}

    return made


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, base_url="http://registry.local") as made:
        yield made


@pytest.fixture
def secret(live_sessions: sessionmaker[Session]) -> str:
    with transaction(live_sessions) as session:
        return factories.make_key(session, factories.make_account(session), Role.CREATOR)[1]


@pytest.fixture
def token(live_sessions: sessionmaker[Session]) -> str:
    """Somebody who is signed in."""
    with transaction(live_sessions) as session:
        account = factories.make_account(session)
        return sign_ins.open(session, Principal(account.id, None, frozenset({Role.CREATOR})))


@pytest.mark.parametrize("path", ["/healthz", "/v1/log/key", "/v1/works", "/nowhere", "/v1/works/fox"])
def test_every_answer_carries_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers

    policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert (policy["script-src"], policy["style-src"]) == ("'self'", "'self'")
    assert (policy["default-src"], policy["frame-ancestors"], policy["object-src"]) == ("'none'", "'none'", "'none'")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "strict-transport-security" not in headers


def test_an_error_that_nobody_foresaw_carries_them_as_well(app: FastAPI, client: TestClient) -> None:
    @app.get("/fail")
    def fail() -> None:
        raise ZeroDivisionError

    answer = client.get("/fail")

    assert (answer.status_code, answer.headers["x-content-type-options"]) == (500, "nosniff")


def test_answers_about_an_account_stay_out_of_caches_and_the_log_may_enter_them(client: TestClient) -> None:
    assert client.get(WORKS).headers["cache-control"] == "no-store"
    assert "public" in client.get("/v1/log/key").headers["cache-control"]


def test_over_https_the_browser_is_told_to_stay_there_and_to_bind_the_cookie(tmp_path: Path) -> None:
    settings = Settings(data_folder=tmp_path, public_url="https://opt.example")

    # Not started: the refusal comes before anything is opened.
    answer = TestClient(create_app(settings)).get("/nowhere")

    assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
    assert session_cookie(settings).startswith("__Host-")


def test_a_sign_in_opens_what_its_roles_open(client: TestClient, token: str) -> None:
    client.cookies.set(COOKIE, token)

    assert client.get(WORKS).status_code == 200
    assert client.get("/metrics").status_code == 403


def test_a_sign_in_that_ran_out_makes_a_visitor(client: TestClient) -> None:
    client.cookies.set(COOKIE, "old")

    assert client.get("/v1/log/key").status_code == 200
    assert client.get(WORKS).status_code == 401
    assert client.post(WORKS, json=BODY, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 401


OWN_PAGES = [
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://registry.local"},
    {"Origin": "http://opt.example"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://opt.example"},
]
OTHER_PAGES: list[dict[str, str]] = [
    {},  # a cookie and no word of where from: no browser of today
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "nonsense"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://registry.local.evil.example"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"},
]


@pytest.mark.parametrize("where", OWN_PAGES)
def test_our_own_pages_may_change_things(client: TestClient, token: str, where: dict[str, str]) -> None:
    client.cookies.set(COOKIE, token)

    assert client.post(WORKS, json=BODY, headers=where).status_code == 202


@pytest.mark.parametrize("where", OTHER_PAGES)
def test_pages_of_other_sites_may_not(client: TestClient, token: str, where: dict[str, str]) -> None:
    client.cookies.set(COOKIE, token)

    answer = client.post(WORKS, json=BODY, headers=where)

    assert (answer.status_code, answer.json()["code"]) == (403, "not-permitted")
    assert client.get(WORKS).json()["total"] == 0


def test_a_form_without_a_sign_in_is_guarded_too(client: TestClient) -> None:
    assert client.post("/form", content=b"x").status_code == 200
    assert client.post("/form", content=b"x", headers={"Origin": "http://evil.example"}).status_code == 403


def test_a_key_needs_no_origin_because_no_browser_sends_it_by_itself(client: TestClient, secret: str) -> None:
    headers = {"Authorization": f"Bearer {secret}", "Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}

    assert client.post(WORKS, json=BODY, headers=headers).status_code == 202


def test_a_key_goes_before_a_cookie(client: TestClient, secret: str) -> None:
    client.cookies.set(COOKIE, "old")

    assert client.get(WORKS, headers={"Authorization": f"Bearer {secret}"}).status_code == 200


def pieces(count: int) -> Iterator[bytes]:
    yield from [b"x" * 1000] * count


@pytest.mark.parametrize(("count", "status"), [(2, 200), (3, 413)])
@pytest.mark.parametrize("kind", ["says its length", "comes in pieces"])
def test_a_body_is_read_up_to_the_limit_whether_it_says_its_length_or_not(
    client: TestClient, count: int, status: int, kind: str
) -> None:
    content: Any = b"".join(pieces(count)) if kind == "says its length" else pieces(count)

    answer = client.post("/form", content=content)

    assert answer.status_code == status
    if status == 413:
        assert answer.json()["code"] == "content-too-large"
        assert "0.0 MB" in answer.json()["detail"]


def test_a_json_route_that_gets_too_much_says_so_as_a_problem(client: TestClient, secret: str) -> None:
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}

    answer = client.post(WORKS, content=pieces(5), headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (413, "content-too-large")


def test_a_form_may_be_as_large_as_a_file_and_no_larger(client: TestClient, secret: str) -> None:
    headers = {"Authorization": f"Bearer {secret}"}

    statuses = [
        client.post(WORKS, files={"file": ("a.txt", b"word " * count)}, headers=headers).status_code
        for count in (900, 1100, 300_000)
    ]

    assert statuses == [202, 413, 413]
