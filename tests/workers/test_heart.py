"""The heart of a worker: others see that it lives, what is weak about it, and what went wrong in it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy.orm import Session, sessionmaker

from fingerprinting.errors import UnreadableMediaError
from optout.errors import StorageUnavailableError
from optout.store import db, heartbeats
from optout.store.models import Heartbeat
from optout.store.models.base import utc_now
from workers import heart, sandbox, tally
from workers.errors import SandboxUnavailableError
from workers.heart import Heart
from workers.isolation import Isolation
from workers.resources import Resources


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    tally.take()
    yield
    tally.take()


def test_a_weak_sandbox_is_a_note_and_a_tight_one_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    tight = Isolation(is_wrapped=True, walls=("landlock",), can_read=False, can_connect=False, can_run=False)

    def fail() -> None:
        raise SandboxUnavailableError("no decoder starts")

    notes = []
    for found in (lambda: tight, lambda: replace(tight, can_connect=True), fail):
        monkeypatch.setattr(sandbox, "isolation", found)
        notes.append(heart.weakness())

    assert notes[0] is None
    assert "the network" in str(notes[1])
    assert notes[2] == "no decoder starts"


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def alive(sessions: sessionmaker[Session]) -> list[Heartbeat]:
    with db.reading(sessions) as session:
        return list(heartbeats.alive(session, heartbeats.WORKER, since=utc_now() - heartbeats.SLACK))


def counted(sessions: sessionmaker[Session]) -> dict[str, int]:
    with db.reading(sessions) as session:
        return dict(heartbeats.tallies(session, tally.SANDBOX_FAILURES))


def test_a_worker_is_seen_while_it_lives_and_not_missed_when_it_ends(resources: Resources) -> None:
    beating = Heart(resources, note=lambda: "no sandbox here")
    beating.start()
    until(lambda: alive(resources.sessions))

    assert [one.note for one in alive(resources.sessions)] == ["no sandbox here"]
    beating.stop()
    assert alive(resources.sessions) == []


def test_a_heart_that_never_beat_can_be_stopped(resources: Resources) -> None:
    Heart(resources, note=lambda: None).stop()


def test_failures_are_counted_by_their_codes_and_written_down_once(resources: Resources) -> None:
    for error in (UnreadableMediaError("x"), UnreadableMediaError("y"), StorageUnavailableError("z")):
        with pytest.raises(type(error)), tally.failures(tally.SANDBOX_FAILURES):
            raise error
    assert tally.read(tally.SANDBOX_FAILURES) == {"unreadable-media": 2, "storage-unavailable": 1}

    for _life in range(2):
        beating = Heart(resources, note=lambda: None)
        beating.start()
        until(lambda: alive(resources.sessions))
        beating.stop()

    assert counted(resources.sessions) == {"unreadable-media": 2, "storage-unavailable": 1}
    assert tally.read(tally.SANDBOX_FAILURES) == {}


def test_what_could_not_be_written_is_written_later(
    resources: Resources, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tally.count(tally.SANDBOX_FAILURES, "limit-exceeded")

    def away(*_given: object, **_named: object) -> None:
        raise StorageUnavailableError("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(heart, "transaction", away)
        broken = Heart(resources, note=lambda: None)
        broken.start()
        until(lambda: "not written" in caplog.text)
        broken.stop()

    assert tally.read(tally.SANDBOX_FAILURES) == {"limit-exceeded": 1}
