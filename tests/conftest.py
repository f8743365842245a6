"""What every test may ask for: settings of its own, a migrated database, units of work that are undone, and rows."""

import os
from collections.abc import Iterator

import factories
import hypothesis
import pytest
import pytest_socket
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from optout.store import db, migrate
from optout.store.models import Account, Claim, Work
from optout.store.settings import Settings

# Other processes may keep the machine busy: how long an example takes says nothing.
hypothesis.settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("unhurried")

TEST_DATABASE = "MEDIAMANAGER_TEST_DATABASE_URL"

# Whoever runs the tests may have a registry of their own configured: no test may ever touch it.
for _name in [name for name in os.environ if name.startswith("MEDIAMANAGER_") and name != TEST_DATABASE]:
    del os.environ[_name]


def pytest_runtest_setup() -> None:
    """No test reaches beyond this machine."""
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings with a data folder of the test's own."""
    return Settings(data_folder=tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the shared database of this run is: an empty one that TEST_DATABASE names, else SQLite."""
    return os.environ.get(TEST_DATABASE) or Settings(data_folder=tmp_path_factory.mktemp("shared")).database_url


@pytest.fixture(scope="session")
def engine(database_url: str) -> Iterator[Engine]:
    """The database that tests share, built by the migrations. Use it through `sessions`, which undoes everything."""
    made = db.engine(Settings(database_url=database_url))
    migrate.upgrade(made)
    yield made
    made.dispose()


@pytest.fixture
def sessions(engine: Engine) -> Iterator[sessionmaker[Session]]:
    """Units of work whose commits are real to the test, and undone after it. For one thread."""
    with engine.connect() as connection, connection.begin() as outer:
        yield sessionmaker(
            connection, join_transaction_mode="create_savepoint", expire_on_commit=False, close_resets_only=False
        )
        outer.rollback()


@pytest.fixture
def session(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """One session on the shared database, undone after the test."""
    with sessions() as made:
        yield made


@pytest.fixture
def live_engine(settings: Settings) -> Iterator[Engine]:
    """A migrated database of the test's own, in the data folder of `settings`: for threads and processes."""
    made = db.engine(settings)
    migrate.upgrade(made)
    yield made
    made.dispose()


@pytest.fixture
def live_sessions(live_engine: Engine) -> sessionmaker[Session]:
    """Units of work that really commit, on a database of the test's own."""
    return db.sessions(live_engine)


@pytest.fixture
def account(session: Session) -> Account:
    """A creator."""
    return factories.make_account(session)


@pytest.fixture
def work(session: Session, account: Account) -> Work:
    """A work of `account` that is ready."""
    return factories.make_work(session, account)


@pytest.fixture
def claim(session: Session, work: Work) -> Claim:
    """A claim on `work` that disallows AI training."""
    return factories.make_claim(session, work)
