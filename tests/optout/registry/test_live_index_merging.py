"""Small segments in memory are made one beside lookups: what goes meanwhile is gone, and nothing is lost."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import pytest
from live_indexes import Open, found, refreshed, register, remove
from sqlalchemy.orm import Session, sessionmaker

from optout.registry import fingerprints, live_index
from optout.registry.index_segments import Segment, in_memory_together
from optout.registry.live_index import LiveIndex
from optout.store import changes, db
from optout.store.models import Account
from optout.store.models.changes import ChangeKind

pytestmark = pytest.mark.usefixtures("folding_here")


@pytest.mark.database("sqlite")
def test_what_goes_while_segments_are_merged_beside_lookups_is_gone(
    live_sessions: sessionmaker[Session], owner: Account, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Works go, come and change between the moment that merging begins and the one when its segment is taken over."""
    index = LiveIndex(live_sessions, place, seal_works=100)
    index._follower = threading.current_thread()  # one that is at something else
    ids: list[UUID] = []
    for start in range(0, 12, 3):
        ids += register(live_sessions, owner, *range(start, start + 3))
        refreshed(index, live_sessions)
    with db.transaction(live_sessions) as session:
        changes.record(session, ChangeKind.WORK, ids[0])  # struck out of the first one before it begins
    old = refreshed(index, live_sessions)
    assert [one.size for one in old.segments] == [2, 3, 3, 3, 1]

    def slowly(segments: Sequence[Segment]) -> Segment:
        made = in_memory_together(segments)
        remove(live_sessions, ids[4])
        ids.extend(register(live_sessions, owner, 12))
        with db.transaction(live_sessions) as session:
            changes.record(session, ChangeKind.WORK, ids[7])
        assert found(refreshed(index, live_sessions), 4, 7, 12) == [[], [ids[7]], [ids[12]]]
        return made

    monkeypatch.setattr(live_index, "in_memory_together", slowly)
    index._merge()

    expected = [[] if seed == 4 else [ids[seed]] for seed in range(13)]
    assert index._works is not None
    assert [one.size for one in index._works.segments] == [10, 2]
    assert found(index._works, *range(13)) == found(refreshed(index, live_sessions), *range(13)) == expected
    assert found(old, 0, 4, 7, 12) == [[ids[0]], [ids[4]], [ids[7]], []]  # a search that began keeps what it began with


@pytest.mark.database("sqlite")
def test_merging_after_a_refresh_that_failed_loses_nothing_of_the_version_before(
    live_sessions: sessionmaker[Session], owner: Account, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = LiveIndex(live_sessions, place, seal_works=100)
    index._follower = threading.current_thread()
    ids: list[UUID] = []
    for start in (0, 2):
        ids += register(live_sessions, owner, start, start + 1)
        refreshed(index, live_sessions)
    with db.transaction(live_sessions) as session:
        changes.record(session, ChangeKind.WORK, ids[1])
    with monkeypatch.context() as broken:
        broken.setattr(fingerprints, "of_works", lambda _session, _works: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            refreshed(index, live_sessions)

    index._merge()

    assert index._works is not None
    assert len(index._works.segments) == 1
    assert found(index._works, *range(4)) == [[work] for work in ids]  # for a lookup that began before the change
    assert found(refreshed(index, live_sessions), *range(4)) == [[work] for work in ids]


@pytest.mark.database("sqlite")
def test_what_was_merged_is_left_where_the_disk_has_it_meanwhile(
    live_sessions: sessionmaker[Session], owner: Account, open_index: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = register(live_sessions, owner, *range(10))
    index = open_index()
    refreshed(index, live_sessions)
    index._follower = threading.current_thread()
    for seed in (10, 11):
        ids += register(live_sessions, owner, seed)
        refreshed(index, live_sessions)

    def slowly(segments: Sequence[Segment]) -> Segment:
        made = in_memory_together(segments)
        remove(live_sessions, ids[10])
        index.fold()
        return made

    monkeypatch.setattr(live_index, "in_memory_together", slowly)
    index._merge()
    index._follower = None

    works = refreshed(index, live_sessions)
    assert (works.size, works.tail) == (11, 0)
    assert found(works, *range(12)) == [[] if seed == 10 else [ids[seed]] for seed in range(12)]


def test_many_changes_are_merged_by_the_follower(
    live_sessions: sessionmaker[Session], owner: Account, place: Path
) -> None:
    index = LiveIndex(live_sessions, place, seal_works=100)
    refreshed(index, live_sessions)
    index.follow()
    ids: list[UUID] = []
    for seed in range(30):
        ids += register(live_sessions, owner, seed)
        works = refreshed(index, live_sessions)
        assert found(works, seed) == [[ids[seed]]]
        assert len(works.segments) <= live_index._MOST_IN_MEMORY
        if seed % 3 == 1:
            remove(live_sessions, ids[seed - 1])
    end = time.monotonic() + 60
    while len(refreshed(index, live_sessions).segments) > 2 and time.monotonic() < end:
        time.sleep(0.05)
    index.close()

    works = refreshed(index, live_sessions)
    assert len(works.segments) <= 2
    assert found(works, *range(30)) == [[] if seed % 3 == 0 else [ids[seed]] for seed in range(30)]
