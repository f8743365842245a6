"""What every test may ask for: settings of its own, a migrated database, units of work that are undone, and rows."""

import logging
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import built_database
import factories
import hypothesis
import pytest
import pytest_socket
import services
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

# Whoever runs the tests may have a registry of their own configured: no test may ever touch it.
for _name in [name for name in os.environ if name.startswith(("MEDIAMANAGER_", "AWS_"))]:
    if not _name.startswith("MEDIAMANAGER_TEST_"):
        del os.environ[_name]

DATABASES = ("sqlite", "postgresql")
_DATABASE_FIXTURES = {"engine", "live_engine", "unbuilt"}
_ON_BOTH = tuple(Path(__file__).parent / "optout" / room for room in ("store", "registry", "ledger"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What the rooms with tables promise, they promise on both databases, but for tests marked with one of them."""
    uses_rows = _DATABASE_FIXTURES & set(metafunc.fixturenames)
    if uses_rows and any(metafunc.definition.path.is_relative_to(room) for room in _ON_BOTH):
        marked = metafunc.definition.get_closest_marker("database")
        metafunc.parametrize("database", marked.args if marked else DATABASES, indirect=True, scope="session")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes don't name a test: files made while tests are collected may differ from one process to the next."""
    return argname if isinstance(val, bytes) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a database, or a server beside us, so that the unit tier can leave it out."""
    for item in items:
        parameters = getattr(item, "callspec", None)
        values = set() if parameters is None else {str(one) for one in parameters.params.values()}
        on_server = bool({"postgresql", "s3", "bucket"} & values)
        fixtures = set(getattr(item, "fixturenames", ()))
        if on_server or {"postgresql_server", "object_store"} & fixtures:
            item.add_marker("services")
        if (_DATABASE_FIXTURES | {"sqlite_template"}) & fixtures:
            item.add_marker("rows")


def pytest_runtest_setup() -> None:
    """No test reaches beyond this machine."""
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """Take away the handlers that a command set up in this process: their stream is closed with the test."""
    root = logging.getLogger()
    before, level = set(root.handlers), root.level
    yield
    for handler in root.handlers[:]:
        if handler not in before and type(handler) is logging.StreamHandler:
            root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture(scope="session")
def database(request: pytest.FixtureRequest) -> str:
    """The kind of database that a test runs on; see `pytest_generate_tests`."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory, database: str, request: pytest.FixtureRequest) -> Settings:
    """Settings with a data folder of the test's own, and a database that `live_engine` makes."""
    folder = tmp_path_factory.mktemp("data")
    if database == "sqlite":
        return Settings(data_folder=folder)
    server: services.PostgreSql = request.getfixturevalue("postgresql_server")
    return Settings(data_folder=folder, database_url=server.url_of(_name_of_a_database()))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that the migrations have built: a copy of it is quicker than to build another one."""
    path = tmp_path_factory.mktemp("template") / "built.sqlite3"
    made = db.engine(Settings(database_url=f"sqlite:///{path}"))
    migrate.upgrade(made)
    made.dispose()  # the last connection folds what was written ahead into the file
    assert not path.with_name(path.name + "-wal").exists()
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[services.PostgreSql]:
    """PostgreSQL: of this test run's own, or a running one; see `services`."""
    # Not in pytest's folder: every other run that starts shuts that to all users but its own, also to this server's.
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder, services.postgresql(Path(folder)) as server:
        yield server


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[services.ObjectStore]:
    """An S3-compatible server of this test run's own."""
    with services.object_store(tmp_path_factory.mktemp("objects")) as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: services.PostgreSql) -> Iterator[str]:
    """The name of a database that the migrations have built: a copy of it is quicker than to build another one."""
    name = _name_of_a_database()
    made = db.engine(Settings(database_url=postgresql_server.create(name)))
    migrate.upgrade(made)
    made.dispose()
    yield name
    postgresql_server.drop(name)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory, database: str, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """The database that tests share, built by the migrations. Use it through `sessions`, which undoes everything."""
    settings = Settings(data_folder=tmp_path_factory.mktemp("shared"))
    if database == "postgresql":
        server = request.getfixturevalue("postgresql_server")
        settings = settings.model_copy(update={"database_url": server.url_of(_name_of_a_database())})
    with _live(settings, request) as made:
        yield made


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
def built(settings: Settings, sqlite_template: Path) -> Settings:
    """The settings, with a migrated SQLite of the test's own: for an application that opens it itself."""
    return built_database.copy(sqlite_template, settings)


@pytest.fixture
def live_engine(settings: Settings, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A migrated database of the test's own, the one of `settings`: for threads and processes."""
    with _live(settings, request) as made:
        yield made


@pytest.fixture
def unbuilt(settings: Settings, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Settings whose database has no tables yet."""
    if settings.database_url.startswith("sqlite"):
        yield settings
        return
    server: services.PostgreSql = request.getfixturevalue("postgresql_server")
    name = settings.database_url.rpartition("/")[2]
    server.create(name)
    yield settings
    server.drop(name)


@pytest.fixture
def copy_database(
    settings: Settings, live_engine: Engine, request: pytest.FixtureRequest
) -> Iterator[Callable[[], Engine]]:
    """Makes a copy of the test's own database, as it is now, and the engine of it."""
    made: list[Engine] = []

    def copy() -> Engine:
        if live_engine.dialect.name == "sqlite":
            url = f"{settings.database_url}.{len(made)}"
            with live_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("COMMIT")
                connection.exec_driver_sql("VACUUM INTO ?", (url.removeprefix("sqlite:///"),))
        else:
            live_engine.dispose()  # nobody may be connected to a database that is copied
            server: services.PostgreSql = request.getfixturevalue("postgresql_server")
            url = server.create(_name_of_a_database(), template=settings.database_url.rpartition("/")[2])
        made.append(db.engine(settings.model_copy(update={"database_url": url})))
        return made[-1]

    yield copy
    for each in made:
        each.dispose()
        if each.dialect.name == "postgresql":
            request.getfixturevalue("postgresql_server").drop(each.url.database)


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


@contextmanager
def _live(settings: Settings, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """The migrated database that the settings name."""
    if settings.database_url.startswith("sqlite"):
        made = db.engine(built_database.copy(request.getfixturevalue("sqlite_template"), settings))
        yield made
        made.dispose()
        return
    server: services.PostgreSql = request.getfixturevalue("postgresql_server")
    name = settings.database_url.rpartition("/")[2]
    server.create(name, template=request.getfixturevalue("postgresql_template"))
    made = db.engine(settings)
    yield made
    made.dispose()
    server.drop(name)


def _name_of_a_database() -> str:
    return f"mediamanager_test_{secrets.token_hex(6)}"
