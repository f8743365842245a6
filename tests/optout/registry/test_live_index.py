"""The index on the disk: shared, followed from memory, folded beside lookups, and never trusted blindly."""

import logging
import time
from pathlib import Path

import pytest
from factories import pdq
from live_indexes import SEAL, Open, found, names, refreshed, register, remove, settle
from sqlalchemy.orm import Session, sessionmaker

from optout.registry import index_folding
from optout.registry.index_folder import SEGMENTS, IndexFolder
from optout.registry.index_segments import Works
from optout.store import changes, db
from optout.store.models import Account, Work
from optout.store.models.changes import ChangeKind

pytestmark = pytest.mark.usefixtures("folding_here")


@pytest.mark.flow
def test_a_new_process_maps_what_another_one_wrote(
    live_sessions: sessionmaker[Session], owner: Account, open_index: Open, place: Path
) -> None:
    ids = register(live_sessions, owner, *range(10))
    first = refreshed(open_index(), live_sessions)

    second = refreshed(open_index(), live_sessions)

    for works in (first, second):
        assert (works.size, works.tail, [one.name for one in works.segments]) == (10, 0, list(names(place)))
        assert found(works, *range(10)) == [[work] for work in ids]


def test_a_few_works_need_no_disk(
    live_sessions: sessionmaker[Session], owner: Account, open_index: Open, place: Path
) -> None:
    ids = register(live_sessions, owner, *range(SEAL))

    works = refreshed(open_index(), live_sessions)

    assert found(works, *range(SEAL)) == [[work] for work in ids]
    assert not place.exists()


def test_few_works_of_many_bytes_go_to_the_disk_too(
    live_sessions: sessionmaker[Session],
    owner: Account,
    open_index: Open,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    index = open_index()
    [old] = register(live_sessions, owner, 0)
    assert refreshed(index, live_sessions).tail == 1
    monkeypatch.setattr("optout.registry.live_index.SEAL_BYTES", 100)  # a work has 64
    [new] = register(live_sessions, owner, 1)

    assert refreshed(index, live_sessions).tail_bytes == 128
    settle()

    for one in (index, open_index()):
        works = refreshed(one, live_sessions)
        assert (works.tail, works.tail_bytes, len(names(place))) == (0, 0, 1)
        assert found(works, 0, 1) == [[old], [new]]


def test_what_commits_is_found_and_what_goes_is_gone_in_every_process_at_once(
    live_sessions: sessionmaker[Session], owner: Account, open_index: Open
) -> None:
    ids = register(live_sessions, owner, *range(10))
    processes = [open_index() for _ in range(3)]
    before = [refreshed(each, live_sessions) for each in processes]

    [new] = register(live_sessions, owner, 10)
    remove(live_sessions, ids[3])

    for each, old in zip(processes, before, strict=True):
        works = refreshed(each, live_sessions)
        assert found(works, 3, 10, 5) == [[], [new], [ids[5]]]
        assert works.size == 10
        assert found(old, 3, 10) == [[ids[3]], []]  # a search that began keeps what it began with


@pytest.mark.flow
def test_what_grows_is_folded_by_one_and_taken_over_by_the_others(
    live_sessions: sessionmaker[Session], owner: Account, open_index: Open, place: Path
) -> None:
    ids = register(live_sessions, owner, *range(10))
    writer, reader = open_index(), open_index()
    for each in (writer, reader):
        refreshed(each, live_sessions)
    remove(live_sessions, ids[0])
    ids += register(live_sessions, owner, *range(10, 16))

    refreshed(writer, live_sessions)
    settle()
    assert refreshed(writer, live_sessions).tail == 0
    ids += register(live_sessions, owner, 16)
    remove(live_sessions, ids[11])
    refreshed(reader, live_sessions)
    settle()

    works = refreshed(reader, live_sessions)
    assert {one.name for one in works.segments if one.name} == names(place)
    assert works.tail == 1
    expected = [[] if seed in {0, 11} else [ids[seed]] for seed in range(17)]
    assert found(works, *range(17)) == found(refreshed(writer, live_sessions), *range(17)) == expected
    assert found(refreshed(open_index(), live_sessions), *range(17)) == expected


def test_a_work_that_changes_while_the_index_is_folded_is_found_once(
    live_sessions: sessionmaker[Session], owner: Account, open_index: Open
) -> None:
    index = open_index()
    ids = register(live_sessions, owner, *range(10))
    refreshed(index, live_sessions)
    ids += register(live_sessions, owner, *range(10, 16))
    with db.transaction(live_sessions) as session:
        changes.record(session, ChangeKind.WORK, ids[12])

    refreshed(index, live_sessions)
    for again in (12, 3, 12):
        with db.transaction(live_sessions) as session:
            changes.record(session, ChangeKind.WORK, ids[again])
        refreshed(index, live_sessions)
    settle()

    assert found(refreshed(index, live_sessions), *range(16)) == [[work] for work in ids]


def test_folding_everything_leaves_nothing_of_what_was_removed_on_the_disk(
    live_sessions: sessionmaker[Session], owner: Account, open_index: Open, place: Path
) -> None:
    ids = register(live_sessions, owner, *range(10))
    index = open_index()
    refreshed(index, live_sessions)
    remove(live_sessions, ids[3])
    gone = pdq(3).value
    assert any(gone in path.read_bytes() for path in place.rglob("*") if path.is_file())

    index.fold()

    works = refreshed(index, live_sessions)
    assert (works.size, len(works.segments), works.tail) == (9, 1, 0)
    assert found(works, *range(10)) == [[] if seed == 3 else [ids[seed]] for seed in range(10)]
    assert not any(gone in path.read_bytes() for path in place.rglob("*") if path.is_file())


def test_what_was_removed_does_not_lie_on_the_disk_for_ever(
    live_sessions: sessionmaker[Session],
    owner: Account,
    open_index: Open,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = register(live_sessions, owner, *range(10))
    index = open_index()
    refreshed(index, live_sessions)
    remove(live_sessions, ids[3])
    gone = pdq(3).value
    now = time.time()
    for hours in (0, 25, 50):
        monkeypatch.setattr(time, "time", lambda hours=hours: now + hours * 3600)
        refreshed(index, live_sessions)
        settle()
        refreshed(index, live_sessions)
        settle()

    assert not any(gone in path.read_bytes() for path in place.rglob("*") if path.is_file())
    assert found(refreshed(index, live_sessions), 2, 3, 4) == [[ids[2]], [], [ids[4]]]


def test_a_process_keeps_up_without_being_asked(
    live_sessions: sessionmaker[Session], owner: Account, open_index: Open
) -> None:
    register(live_sessions, owner, *range(10))
    index = open_index()
    refreshed(index, live_sessions)
    index.follow()

    register(live_sessions, owner, 10)

    end = time.monotonic() + 60
    while index.status().works < 11 and time.monotonic() < end:
        time.sleep(0.05)
    assert index.status().works == 11


def test_many_changes_since_the_last_look_are_folded_before_they_are_answered_from(
    live_sessions: sessionmaker[Session], owner: Account, open_index: Open
) -> None:
    ids = register(live_sessions, owner, *range(10))
    index = open_index()
    refreshed(index, live_sessions)
    ids += register(live_sessions, owner, *range(10, 40))

    works = refreshed(index, live_sessions)

    assert works.tail == 0
    assert found(works, *range(40)) == [[work] for work in ids]


def test_segments_stay_few(live_sessions: sessionmaker[Session], owner: Account, open_index: Open) -> None:
    index = open_index()
    for start in range(0, 60, 6):
        register(live_sessions, owner, *range(start, start + 6))
        refreshed(index, live_sessions)
        settle()

    works = refreshed(index, live_sessions)

    assert works.size == 60
    assert len(works.segments) <= 5


@pytest.mark.database("sqlite")
def test_only_one_process_folds_at_a_time(
    live_sessions: sessionmaker[Session], owner: Account, open_index: Open, place: Path
) -> None:
    register(live_sessions, owner, *range(10))
    index = open_index()
    refreshed(index, live_sessions)
    before = names(place)
    with IndexFolder(place).locked(wait=True):
        ids = register(live_sessions, owner, *range(10, 16))
        refreshed(index, live_sessions)
        settle()
        works = refreshed(index, live_sessions)
        settle()
        assert found(works, *range(10, 16)) == [[work] for work in ids]
        assert names(place) == before

    index._not_before = 0.0  # a second later
    refreshed(index, live_sessions)
    settle()
    assert refreshed(index, live_sessions).tail == 0


@pytest.mark.database("sqlite")
def test_what_somebody_else_keeps_in_the_folder_stays(
    live_sessions: sessionmaker[Session], owner: Account, open_index: Open, place: Path
) -> None:
    theirs = [place / "diary.txt", place / ".hidden", place / "struck-by-lightning", place / SEGMENTS / "of an orange"]
    left = [place / SEGMENTS / "0123456789abcdef", place / "struck-0123456789abcdef-7-01234567"]
    left += [place / ".current.json.building-x_1", place / SEGMENTS / ".0123456789abcdef.building-y"]
    (place / SEGMENTS).mkdir(parents=True)
    for path in theirs + left:
        path.write_text("here")
    register(live_sessions, owner, *range(10))

    refreshed(open_index(), live_sessions)

    assert [path for path in theirs if not path.exists()] == []
    assert [path for path in left if path.exists()] == []


def test_a_segment_takes_no_more_works_than_it_is_told(
    live_sessions: sessionmaker[Session], owner: Account, place: Path, open_index: Open
) -> None:
    ids = register(live_sessions, owner, *range(10))
    folder = IndexFolder(place)

    with folder.locked(wait=True):
        index_folding.fold(live_sessions, folder, segment_works=4)

    opened = folder.open()
    assert opened is not None
    assert [len(one.ids) for one in opened.segments] == [4, 4, 2]
    assert found(refreshed(open_index(), live_sessions), *range(10)) == [[work] for work in ids]


def test_works_are_in_order_of_their_ids(live_sessions: sessionmaker[Session], owner: Account, place: Path) -> None:
    register(live_sessions, owner, *range(10))
    folder = IndexFolder(place)
    with folder.locked(wait=True):
        index_folding.fold(live_sessions, folder)

    opened = folder.open()

    assert opened is not None
    with db.reading(live_sessions) as session:
        expected = sorted(work.id for work in session.query(Work))
    assert list(Works.of(0, opened.segments).ids()) == expected


def test_logging_is_quiet_where_all_is_well(
    live_sessions: sessionmaker[Session], owner: Account, open_index: Open, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    register(live_sessions, owner, *range(10))
    refreshed(open_index(), live_sessions)
    settle()

    assert caplog.text == ""
