"""Changes are numbered in commit order."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

from sqlalchemy.orm import Session, sessionmaker

from optout.store import changes, db
from optout.store.models import ChangeKind


def test_numbers_begin_at_one_and_have_no_gaps(session: Session) -> None:
    works = [uuid4() for _ in range(3)]
    assert changes.latest(session) == 0

    numbers = [changes.record(session, ChangeKind.WORK, work) for work in works]

    assert numbers == [1, 2, 3]
    assert changes.latest(session) == 3
    assert [one.subject for one in changes.newer_than(session, 1)] == works[1:]


def test_changes_of_one_kind_can_be_asked_for(session: Session) -> None:
    changes.record(session, ChangeKind.CLAIM, uuid4())
    changes.record(session, ChangeKind.WORK, uuid4())

    assert [one.number for one in changes.newer_than(session, 0, kind=ChangeKind.WORK)] == [2]


def test_a_rolled_back_change_leaves_no_gap(sessions: sessionmaker[Session]) -> None:
    with sessions() as session:
        changes.record(session, ChangeKind.WORK, uuid4())
        session.rollback()

    with db.transaction(sessions) as session:
        assert changes.record(session, ChangeKind.WORK, uuid4()) == 1


def test_a_reader_that_follows_the_numbers_misses_nothing(live_sessions: sessionmaker[Session]) -> None:
    written = [uuid4() for _ in range(60)]
    followed: list[UUID] = []

    def write(work: UUID) -> None:
        with db.transaction(live_sessions) as session:
            changes.record(session, ChangeKind.WORK, work)

    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(write, work) for work in written]
        last = 0
        while len(followed) < len(written):
            done = all(future.done() for future in futures)
            with db.reading(live_sessions) as session:
                for change in changes.newer_than(session, last):
                    assert change.number == last + 1
                    last = change.number
                    followed.append(change.subject)
            if done:
                break

    assert sorted(followed) == sorted(written)
