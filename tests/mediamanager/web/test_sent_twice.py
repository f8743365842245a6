"""A form that is sent twice, one after the other or at once, does what it would have done once."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import api_bodies
import factories
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from starlette.testclient import TestClient

from mediamanager.app import create_app
from mediamanager.dependencies import Resources
from optout.store import db
from optout.store.models import LIVE, Claim, Job, Role, Work
from optout.store.models.log import LogEntry
from optout.store.settings import Settings

NO_AI = {"preset": "no-ai"}
TOGETHER = 6


@pytest.fixture
def app(built: Settings) -> FastAPI:
    return create_app(built)


@pytest.fixture
def resources(app: FastAPI) -> Iterator[Resources]:
    with TestClient(app):
        yield app.state.resources


@pytest.fixture
def send(app: FastAPI, resources: Resources) -> Callable[..., Any]:
    """Sends a creator's form."""
    with db.transaction(resources.sessions) as session:
        secret = factories.make_key(session, factories.make_account(session), Role.CREATOR)[1]
    headers = {"Authorization": f"Bearer {secret}"}

    def post(path: str, **form: Any) -> Any:
        return TestClient(app, follow_redirects=False, headers=headers).post(path, **form)

    return post


@pytest.fixture
def count(resources: Resources) -> Callable[[], Mapping[str, int]]:
    def rows() -> Mapping[str, int]:
        with db.reading(resources.sessions) as session:
            found = {
                table.__tablename__: session.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (Work, Claim, Job, LogEntry)
            }
        return {**found, "media": len(list(resources.storage.list("")))}

    return rows


def both() -> dict[str, Any]:
    """A form with a file and a link."""
    return {
        "files": [("files", ("fox.png", api_bodies.png()))],
        "data": {**NO_AI, "links": "https://example.org/fox.png"},
    }


def test_a_double_click_registers_and_claims_once(send: Any, count: Any) -> None:
    with ThreadPoolExecutor(TOGETHER) as pool:
        answers = list(pool.map(lambda _: send("/works/new", **both()), range(TOGETHER)))

    assert {one.status_code for one in answers} == {303}
    assert len({one.headers["location"] for one in answers}) == 1
    # One job for each work, and one that publishes both claims.
    assert count() == {"works": 2, "claims": 2, "jobs": 3, "log_entries": 2, "media": 1}


def test_registering_the_same_again_later_changes_nothing(send: Any, count: Any) -> None:
    first = send("/works/new", **both())
    before = count()

    second = send("/works/new", **both())

    assert second.headers["location"] == first.headers["location"]
    assert count() == before


def test_a_double_click_on_a_change_changes_once(send: Any, count: Any, resources: Resources) -> None:
    send("/works/new", data={**NO_AI, "links": "https://example.org/fox.png"})
    with db.reading(resources.sessions) as session:
        work = session.scalars(select(Work.id)).one()

    with ThreadPoolExecutor(TOGETHER) as pool:
        answers = list(pool.map(lambda _: send(f"/works/{work}/change", data={"preset": "ask-first"}), range(TOGETHER)))

    assert {one.status_code for one in answers} == {303}
    assert count()["claims"] == 2
    assert count()["log_entries"] == 2


def test_a_double_click_on_withdrawing_withdraws_once(send: Any, count: Any, resources: Resources) -> None:
    send("/works/new", data={**NO_AI, "links": "https://example.org/fox.png"})
    with db.reading(resources.sessions) as session:
        claim = session.scalars(select(Claim.id)).one()

    with ThreadPoolExecutor(TOGETHER) as pool:
        answers = list(pool.map(lambda _: send(f"/claims/{claim}/withdraw"), range(TOGETHER)))

    assert {one.status_code for one in answers} == {303}
    assert count()["log_entries"] == 2


def test_an_old_form_that_is_sent_again_counts_because_somebody_meant_it(send: Any, resources: Resources) -> None:
    """A stored answer would say "saved" here, and nothing would be."""
    send("/works/new", data={**NO_AI, "links": "https://example.org/fox.png"})
    with db.reading(resources.sessions) as session:
        work = session.scalars(select(Work.id)).one()
    said = []

    for preset in ("no-ai", "all-welcome", "no-ai"):
        send(f"/works/{work}/change", data={"preset": preset})
        with db.reading(resources.sessions) as session:
            live = session.scalars(select(Claim).where(Claim.state.in_(LIVE))).one()
            said.append(dict(live.preferences))

    assert said[0] == said[2] != said[1]
