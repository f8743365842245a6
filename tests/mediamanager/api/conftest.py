"""A running application for each module of tests, and for each test new accounts with keys: they see only their own."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import built_database
import factories
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from mediamanager.app import create_app
from mediamanager.dependencies import Resources
from optout.ledger.publish import publish
from optout.store import db
from optout.store.models.accounts import Role
from optout.store.settings import Settings

_seeds = itertools.count(1000)


@dataclass(frozen=True, slots=True)
class Caller:
    """An account with a key."""

    account_id: UUID
    key_id: str
    secret: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> FastAPI:
    settings = Settings(data_folder=tmp_path_factory.mktemp("api"))
    return create_app(built_database.copy(sqlite_template, settings))


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app) as made:
        yield made


@pytest.fixture(scope="module")
def resources(client: TestClient, app: FastAPI) -> Resources:
    opened: Resources = app.state.resources
    return opened


@pytest.fixture
def seed() -> int:
    """Names a picture that no other test knows: see `factories.picture`."""
    return next(_seeds)


@pytest.fixture(scope="module")
def call_as(resources: Resources) -> Callable[..., Caller]:
    """A new account with a key of some roles."""

    def make(*roles: Role) -> Caller:
        with db.transaction(resources.sessions) as session:
            account = factories.make_account(session)
            key, secret = factories.make_key(session, account, *roles)
            return Caller(account.id, key.id, secret)

    return make


@pytest.fixture
def creator(call_as: Callable[..., Caller]) -> Caller:
    return call_as(Role.CREATOR)


@pytest.fixture
def stranger(call_as: Callable[..., Caller]) -> Caller:
    """Another creator, to whom nothing of `creator` shows."""
    return call_as(Role.CREATOR)


@pytest.fixture
def pipeline(call_as: Callable[..., Caller]) -> Caller:
    return call_as(Role.PIPELINE)


@pytest.fixture
def publish_log(resources: Resources) -> Callable[[], None]:
    """What a worker does soon after a claim."""

    def run() -> None:
        publish(resources.sessions, resources.storage, resources.keys.log)

    return run
