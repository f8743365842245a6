"""Two API processes on one database: the same request at both of them is done once. (Two applications, as good as.)"""

import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import api_bodies
import factories
import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, sessionmaker
from starlette.testclient import TestClient

from mediamanager.api.once import HEADER, REPLAYED
from mediamanager.app import create_app
from optout.ledger.keys import load_or_create
from optout.store import db
from optout.store.models import Claim, IdempotencyKey, Work
from optout.store.models.accounts import Role
from optout.store.models.log import LogEntry
from optout.store.settings import Settings

pytestmark = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True, scope="session")

AT_ONCE = 12


@pytest.fixture
def both(settings: Settings, live_engine: Engine) -> Iterator[tuple[TestClient, TestClient]]:
    load_or_create(settings.data_folder, settings.log_origin)
    # Both are made before one runs: making one plays with the warnings of the whole process.
    first, second = create_app(settings), create_app(settings)
    with TestClient(first) as one, TestClient(second) as other:
        yield one, other


@pytest.fixture
def headers(live_sessions: sessionmaker[Session]) -> dict[str, str]:
    with db.transaction(live_sessions) as session:
        secret = factories.make_key(session, factories.make_account(session), Role.CREATOR)[1]
    return {"Authorization": f"Bearer {secret}", HEADER: "once"}


@pytest.fixture
def count(live_sessions: sessionmaker[Session]) -> Callable[[], list[int]]:
    """Works, claims, log entries, kept answers."""

    def rows() -> list[int]:
        with db.reading(live_sessions) as session:
            tables = (Work, Claim, LogEntry, IdempotencyKey)
            return [session.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]

    return rows


def at_both(both: tuple[TestClient, TestClient], path: str, headers: dict[str, str], **body: Any) -> list[Any]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda n: both[n % 2].post(path, headers=headers, **body), range(AT_ONCE)))


def test_all_routes_are_made_before_a_request_comes(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(settings)

    def made_late(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(warnings, "catch_warnings", made_late)
    for path in ("/", "/works", "/v1/works", "/v1/works/x/claims", "/nothing"):
        for route in app.routes:
            route.matches({"type": "http", "method": "POST", "path": path, "root_path": "", "headers": []})


def settle(answers: list[Any]) -> Any:
    """What all that were answered were answered; the others were told that it is under way."""
    done = [one for one in answers if one.status_code < 300]
    assert {one.json()["code"] for one in answers if one.status_code >= 300} <= {"request-in-flight"}
    assert len({one.content for one in done}) == 1
    assert sum(REPLAYED not in one.headers for one in done) == 1
    return done[0]


@pytest.mark.parametrize(
    "body",
    [{"json": api_bodies.by_fingerprints(5)}, {"files": {"file": ("fox.png", api_bodies.png())}}],
    ids=["fingerprints", "file"],
)
def test_registering_at_both_registers_once(
    both: tuple[TestClient, TestClient], headers: dict[str, str], count: Callable[[], list[int]], body: dict[str, Any]
) -> None:
    settle(at_both(both, "/v1/works", headers, **body))

    assert count() == [1, 0, 0, 1]
    assert both[1].post("/v1/works", headers=headers, **body).headers[REPLAYED] == "true"


def test_claiming_at_both_claims_once(
    both: tuple[TestClient, TestClient], headers: dict[str, str], count: Callable[[], list[int]]
) -> None:
    place = both[0].post("/v1/works", headers=headers, json=api_bodies.by_fingerprints(6)).headers["location"]

    settle(at_both(both, f"{place}/claims", headers, json=api_bodies.NO_TRAINING))

    assert count() == [1, 1, 1, 2]
