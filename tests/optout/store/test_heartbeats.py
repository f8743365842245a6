"""Who lives and what went wrong, as other processes can ask."""

from datetime import timedelta

from sqlalchemy.orm import Session

from optout.store import heartbeats
from optout.store.models import Heartbeat
from optout.store.models.base import utc_now
from optout.store.settings import Settings


def test_a_worker_that_beats_is_alive_and_one_that_stopped_is_not(session: Session) -> None:
    for name in ("busy", "silent", "ended"):
        heartbeats.beat(session, name, heartbeats.WORKER, note="no sandbox" if name == "busy" else None)
    session.get_one(Heartbeat, "silent").seen_at = utc_now() - timedelta(hours=1)
    heartbeats.end(session, "ended")
    session.flush()

    alive = heartbeats.alive(session, heartbeats.WORKER, since=utc_now() - timedelta(minutes=1))

    assert [(one.name, one.note) for one in alive] == [("busy", "no sandbox")]


def test_a_second_beat_moves_the_moment_and_keeps_the_start(session: Session) -> None:
    started = utc_now() - timedelta(hours=2)
    heartbeats.beat(session, "one", heartbeats.WORKER, started_at=started)
    first = heartbeats.last_seen(session, heartbeats.WORKER)
    heartbeats.beat(session, "one", heartbeats.WORKER, started_at=utc_now())
    session.expire_all()

    row = session.get_one(Heartbeat, "one")
    assert first is not None
    assert row.seen_at > first
    assert row.started_at == started
    assert heartbeats.last_seen(session, heartbeats.SWEEP) is None


def test_the_long_dead_are_forgotten(session: Session) -> None:
    heartbeats.beat(session, "one", heartbeats.WORKER)

    heartbeats.remove_old(session, before=utc_now() - timedelta(days=1))
    assert heartbeats.last_seen(session, heartbeats.WORKER) is not None
    heartbeats.remove_old(session, before=utc_now() + timedelta(seconds=1))
    assert heartbeats.last_seen(session, heartbeats.WORKER) is None


def test_a_tally_only_grows(session: Session) -> None:
    heartbeats.add(session, "failures", "unreadable-media", 2)
    heartbeats.add(session, "failures", "unreadable-media", 3)
    heartbeats.add(session, "failures", "limit-exceeded", 1)
    heartbeats.add(session, "others", "unreadable-media", 9)

    assert heartbeats.tallies(session, "failures") == {"unreadable-media": 5, "limit-exceeded": 1}


def test_patience_outlasts_a_few_missed_turns(settings: Settings) -> None:
    assert heartbeats.patience(settings) > timedelta(seconds=2 * settings.sweep_seconds)
