"""A store that fails at every call, in every way: the log never shows a root without its tiles, nothing is lost."""

import dataclasses
import itertools
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import crash_flows
import factories
import pytest
import registry_oracle
from crash_flows import Person
from faulty_storage import Fault, FaultyStorage
from memory_storage import MemoryStorage
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker
from starlette.testclient import TestClient

from fingerprinting.extract import extract
from mediamanager.app import create_app
from mediamanager.audit import reports
from mediamanager.audit.reports import Outcome
from optout.errors import LogIntegrityError, StorageUnavailableError
from optout.ledger import keys, publish, receipts
from optout.ledger.keys import LogKeys
from optout.proof import checkpoints
from optout.proof.receipts import ClaimReceipt
from optout.store import db, encryption, migrate
from optout.store.models import LogEntry, Role, Work
from optout.store.settings import Settings
from workers import sandbox
from workers.resources import open_resources

pytestmark = pytest.mark.faults

Faults = Mapping[int, Fault]


class ShownLog(MemoryStorage):
    """A store that looks, at each checkpoint that is put, whether all that it promises is there already."""

    def __init__(self, files: Mapping[str, bytes], vkey: str) -> None:
        super().__init__()
        self.files = dict(files)
        self._vkey = vkey

    def put(self, key: str, stream: BinaryIO) -> int:
        size = super().put(key, stream)
        if key == "log/checkpoint":
            self.check()
        return size

    def check(self, receipt: str | None = None) -> None:
        report = reports.audit_log("log", lambda: registry_oracle.StoredLog(self), vkey=self._vkey, receipt=receipt)
        assert report.outcome is Outcome.HOLDS, report.checks


@dataclasses.dataclass
class Before:
    """A log of 254 entries that is out, three more that are not, and the receipt of an old one; copied for each run."""

    folder: Path
    settings: Settings
    keys: LogKeys
    files: Mapping[str, bytes]
    receipt: str

    def sessions(self, number: int) -> sessionmaker[Session]:
        copied = self.folder / f"{number}.sqlite3"
        shutil.copyfile(self.folder / "registry.sqlite3", copied)
        return db.sessions(db.engine(self.settings.model_copy(update={"database_url": f"sqlite:///{copied}"})))


@pytest.fixture(scope="module")
def before(quick_folder: Path) -> Before:
    settings = Settings(data_folder=quick_folder / "failing")
    engine = db.engine(settings)
    migrate.upgrade(engine)
    sessions = db.sessions(engine)
    with db.transaction(sessions) as session:
        encryption.prepare(session)
        log_keys = keys.prepare(session, settings)
        account = factories.make_account(session)
        factories.make_claim(session, factories.make_work(session, account))
        crash_flows.append_entries(session, 253)
    storage = ShownLog({}, log_keys.log.verifier.vkey)
    publish.publish(sessions, storage, log_keys.log)
    with db.transaction(sessions) as session:
        entry = session.scalars(select(LogEntry).where(LogEntry.person.is_not(None))).one()
        receipt = _json(receipts.receipt(session, storage, entry, log_keys))
        crash_flows.append_entries(session, 3)
    engine.dispose()
    return Before(settings.data_folder, settings, log_keys, storage.files, receipt)


def _json(receipt: ClaimReceipt) -> str:
    return json.dumps(dataclasses.asdict(receipt))


def _all(calls: int, length: str) -> list[Faults]:
    """Each fault at each call; at night each two faults at each two calls, too."""
    single: list[Faults] = [{number: fault} for number in range(1, calls + 1) for fault in Fault]
    both = itertools.combinations(range(1, calls + 1), 2) if length == "long" else ()
    return single + [{one: fault, other: second} for one, other in both for fault in Fault for second in Fault]


def test_a_store_that_fails_while_the_log_is_published_never_shows_what_is_not_there(
    before: Before, length: str, figures: list[str]
) -> None:
    vkey = before.keys.log.verifier.vkey
    whole = FaultyStorage(ShownLog(before.files, vkey))
    publish.publish(before.sessions(0), whole, before.keys.log)
    combinations = _all(len(whole.calls), length)

    for number, faults in enumerate(combinations, 1):
        shown, sessions = ShownLog(before.files, vkey), before.sessions(number)
        storage = FaultyStorage(shown, faults)
        failures = 0
        while failures <= len(faults):
            try:
                publish.publish(sessions, storage, before.keys.log)
                break
            except StorageUnavailableError:
                failures += 1
            except LogIntegrityError:
                # Half of a tile looks like a tampered one. It stops this attempt, and is no lasting verdict.
                assert Fault.PARTIAL in faults.values()
                failures += 1

        assert failures <= len(faults), faults
        shown.check(before.receipt)
        note = checkpoints.open_checkpoint(shown.get("log/checkpoint").decode(), [before.keys.log.verifier])
        assert note.size == 257, faults
        with db.reading(sessions) as session:
            for entry in session.scalars(select(LogEntry).where(LogEntry.index.in_((0, 253, 256)))):
                receipts.receipt(session, shown, entry, before.keys)
        sessions.kw["bind"].dispose()
        (before.folder / f"{number}.sqlite3").unlink()
    figures.append(f"published through {len(combinations)} failures of the store, {len(whole.calls)} calls a time")


def test_a_receipt_that_is_asked_for_while_the_store_fails_is_right_or_refused(before: Before) -> None:
    sessions = before.sessions(0)
    inner = ShownLog(before.files, before.keys.log.verifier.vkey)
    publish.publish(sessions, inner, before.keys.log)
    with db.reading(sessions) as session:
        entry = session.scalars(select(LogEntry).where(LogEntry.index == 100)).one()
        whole = FaultyStorage(inner)
        right = receipts.receipt(session, whole, entry, before.keys)

        for faults in _all(len(whole.calls), "long"):
            try:
                assert receipts.receipt(session, FaultyStorage(inner, faults), entry, before.keys) == right
            except (StorageUnavailableError, LogIntegrityError):
                assert set(faults.values()) != {Fault.SLOW}
    sessions.kw["bind"].dispose()


@dataclasses.dataclass
class Registering:
    """A registry whose store fails, and a client."""

    http: TestClient
    person: Person
    storage: FaultyStorage

    def register(self, name: str, data: bytes, *, keep: str) -> int:
        """Upload until there is an answer; how often there was none."""
        files, form = {"file": (f"{name}.txt", data)}, {"title": name, "keep_media": keep}
        failures = 0
        while True:
            answered = self.http.post("/v1/works", files=files, data=form)
            if answered.status_code != 503:
                assert answered.status_code in {200, 202}, answered.text
                self.person.known[name] = answered.json()["id"]
                return failures
            assert "urn:mediamanager:problem:storage-unavailable" in answered.text
            failures += 1


@pytest.fixture
def registering(quick_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registering]:
    settings = Settings(data_folder=quick_folder / "registering", job_backoff_seconds=0.001)
    engine = db.engine(settings)
    migrate.upgrade(engine)
    with db.transaction(db.sessions(engine)) as session:
        encryption.prepare(session)
        keys.prepare(session, settings)
        account = factories.make_account(session)
        _key, secret = factories.make_key(session, account, Role.CREATOR)
    engine.dispose()
    monkeypatch.setattr(sandbox, "extract", lambda path, *, name=None, limits: extract(path, name=name, limits=limits))
    app = create_app(settings)
    with TestClient(app, headers={"Authorization": f"Bearer {secret}"}) as http:
        opened = open_resources(settings)
        storage = FaultyStorage(opened.storage)
        app.state.resources = dataclasses.replace(app.state.resources, storage=storage)
        worker = dataclasses.replace(opened, storage=storage)
        yield Registering(http, Person(http, worker, {}, lambda _name, _id: None, ""), storage)
        opened.engine.dispose()
    shutil.rmtree(settings.data_folder)


@pytest.mark.parametrize("keep", ["false", "true"])
def test_a_store_that_fails_while_files_are_registered_and_read_loses_and_doubles_none(
    registering: Registering, length: str, figures: list[str], keep: str
) -> None:
    def through(name: str, faults: Faults) -> Sequence[str]:
        registering.storage.calls, registering.storage.faults = [], faults
        registering.register(name, crash_flows.prose(name), keep=keep)
        registering.person.work()
        return registering.storage.calls

    calls = len(through("without a fault", {}))
    combinations = _all(calls, length)
    for faults in combinations:
        through(str(faults), faults)

    registering.storage.faults = {}
    crash_flows.recover(registering.person)
    registry_oracle.at_rest(registering.person.resources)
    listed = registering.http.get("/v1/works?limit=500").json()
    assert listed["total"] == len(combinations) + 1
    with db.reading(registering.person.resources.sessions) as session:
        rows = {row.title: (str(row.id), row.state) for row in session.scalars(select(Work))}
    assert rows == {name: (work, "ready") for name, work in registering.person.known.items()}
    figures.append(f"registered through {len(combinations)} failures of the store, {calls} calls a time")
