"""How far the log is behind: every acknowledged entry counts until it is public, also one that is signed only."""

from datetime import timedelta

import factories
from sqlalchemy.orm import Session

from optout.ledger.lag import Lag, lag
from optout.ledger.publish import lock_head, sequence
from optout.store.models import LogEntry, Work
from optout.store.models.base import utc_now


def test_an_empty_log_is_not_behind(session: Session) -> None:
    assert lag(session) == Lag(0, 0, 0, 0.0)


def test_an_entry_waits_until_a_checkpoint_that_is_out_covers_it(session: Session, work: Work) -> None:
    now = utc_now()
    factories.make_claim(session, work)
    entry = session.query(LogEntry).one()
    entry.recorded_at = now - timedelta(seconds=90)
    session.flush()

    recorded = lag(session, now=now)
    sequence(session)
    numbered = lag(session, now=now)
    head = lock_head(session)
    head.signed_size = 1
    session.flush()
    signed = lag(session, now=now)
    head.published_size = 1
    session.flush()

    assert recorded == Lag(0, 0, 1, 90.0)
    assert numbered == signed == Lag(1, 0, 1, 90.0)
    assert lag(session, now=now) == Lag(1, 1, 0, 0.0)
