"""Signing in: a new token each time, two limits, gone with the key; and what a cookie is allowed."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import factories
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update
from starlette.testclient import TestClient

from mediamanager.app import create_app
from mediamanager.dependencies import Resources
from optout.registry import accounts, sessions
from optout.store import db
from optout.store.models import ApiKey, Role, WebSession
from optout.store.models.base import utc_now
from optout.store.settings import Settings

COOKIE = "mediamanager"
OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_folder=tmp_path, session_hours=48, session_idle_hours=2)


@pytest.fixture
def app(built: Settings) -> FastAPI:
    return create_app(built)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, follow_redirects=False, headers=OURS) as made:
        yield made


@pytest.fixture
def resources(client: TestClient, app: FastAPI) -> Resources:
    opened: Resources = app.state.resources
    return opened


@pytest.fixture
def made(resources: Resources) -> tuple[ApiKey, str]:
    """A creator's key and its secret."""
    with db.transaction(resources.sessions) as session:
        return factories.make_key(session, factories.make_account(session), Role.CREATOR)


def sign_in(client: TestClient, secret: str) -> str:
    answer = client.post("/sign-in", data={"key": secret})
    assert answer.status_code == 303
    return str(client.cookies[COOKIE])


def is_signed_in(client: TestClient, token: str) -> bool:
    client.cookies.set(COOKIE, token)
    status = client.get("/works").status_code
    assert status in {200, 303}
    return status == 200


def test_each_sign_in_has_a_new_token_and_the_browsers_old_one_is_dead(
    client: TestClient, made: tuple[ApiKey, str]
) -> None:
    first = sign_in(client, made[1])
    second = sign_in(client, made[1])

    assert first != second
    client.cookies.clear()
    assert is_signed_in(client, second)
    client.cookies.clear()
    assert not is_signed_in(client, first)


def test_a_token_that_somebody_planted_is_not_taken_over(client: TestClient, made: tuple[ApiKey, str]) -> None:
    client.cookies.set(COOKIE, "planted")

    answer = client.post("/sign-in", data={"key": made[1]})

    assert COOKIE in answer.headers["set-cookie"]
    client.cookies.clear()
    assert not is_signed_in(client, "planted")


def test_a_signed_out_token_opens_nothing(client: TestClient, made: tuple[ApiKey, str]) -> None:
    token = sign_in(client, made[1])

    client.post("/sign-out")

    client.cookies.clear()
    assert not is_signed_in(client, token)


def test_revoking_the_key_signs_every_browser_out(
    client: TestClient, resources: Resources, made: tuple[ApiKey, str]
) -> None:
    tokens = []
    for _ in range(2):
        tokens.append(sign_in(client, made[1]))
        client.cookies.clear()

    with db.transaction(resources.sessions) as session:
        accounts.revoke_key(session, made[0].id)

    for token in tokens:
        client.cookies.clear()
        assert not is_signed_in(client, token)
    with db.reading(resources.sessions) as session:
        assert session.execute(select(func.count()).select_from(WebSession)).scalar_one() == 0


@pytest.mark.parametrize(
    ("aged", "holds"),
    [
        ({"last_used_at": timedelta(hours=1)}, True),
        ({"last_used_at": timedelta(hours=2)}, False),
        ({"last_used_at": timedelta(0), "expires_at": timedelta(0)}, False),
    ],
)
def test_a_sign_in_ends_when_it_is_idle_and_in_any_case(
    client: TestClient, resources: Resources, made: tuple[ApiKey, str], aged: dict[str, timedelta], *, holds: bool
) -> None:
    token = sign_in(client, made[1])
    with db.transaction(resources.sessions) as session:
        session.execute(update(WebSession).values({name: utc_now() - age for name, age in aged.items()}))

    assert is_signed_in(client, token) == holds


def test_using_a_sign_in_keeps_it_from_being_idle(client: TestClient, resources: Resources, made: Any) -> None:
    token = sign_in(client, made[1])
    an_hour_ago = utc_now() - timedelta(hours=1)
    with db.transaction(resources.sessions) as session:
        session.execute(update(WebSession).values(last_used_at=an_hour_ago))
        end = session.scalars(select(WebSession.expires_at)).one()

    client.get("/works")
    resources.uses.close()

    with db.reading(resources.sessions) as session:
        found = session.get_one(WebSession, sessions.digest(token))
        assert found.last_used_at > an_hour_ago + timedelta(minutes=59)
        assert found.expires_at == end


def test_the_cookie_is_for_this_host_and_no_script(tmp_path: Path, app: FastAPI, made: tuple[ApiKey, str]) -> None:
    with TestClient(app, follow_redirects=False, headers=OURS) as plain:
        cookie = plain.post("/sign-in", data={"key": made[1]}).headers["set-cookie"].lower()
    safe = create_app(Settings(data_folder=tmp_path, public_url="https://opt.example", session_hours=48))
    with TestClient(safe, follow_redirects=False, headers=OURS) as client:
        secure = client.post("/sign-in", data={"key": made[1]}).headers["set-cookie"].lower()

    for one in (cookie, secure):
        assert {"httponly", "samesite=lax", "path=/", "max-age=172800"} <= {part.strip() for part in one.split(";")}
        assert "domain" not in one
    assert "secure" not in cookie
    assert secure.startswith("__host-mediamanager=")
    assert "secure" in {part.strip() for part in secure.split(";")}


def test_a_form_of_another_site_signs_nobody_in(client: TestClient, made: tuple[ApiKey, str]) -> None:
    """Else somebody could sign you in as themselves, and see what you register."""
    answer = client.post("/sign-in", data={"key": made[1]}, headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(("expired", "says"), [(True, "expired. Ask the operator"), (False, "copy it again, complete")])
def test_a_key_that_opens_nothing_is_told_why(
    client: TestClient, resources: Resources, made: tuple[ApiKey, str], says: str, *, expired: bool
) -> None:
    if expired:
        with db.transaction(resources.sessions) as session:
            session.execute(update(ApiKey).values(expires_at=utc_now()))

    answer = client.post("/sign-in", data={"key": made[1] if expired else "crk_live_x"})

    assert answer.status_code == 422
    assert says in answer.text
    assert made[1] not in answer.text


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example"])
def test_signing_in_leads_to_no_other_site(client: TestClient, made: tuple[ApiKey, str], elsewhere: str) -> None:
    answer = client.post("/sign-in", data={"key": made[1], "next": elsewhere})

    assert answer.headers["location"] == "/" or answer.headers["location"].startswith("/%")
