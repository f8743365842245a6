"""The index on the disk: shared, followed from memory, folded beside lookups, and never trusted blindly."""

import json
import logging
import resource
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from factories import make_account, make_work, pdq
from sqlalchemy import delete
from sqlalchemy.orm import Session, sessionmaker

from fingerprinting.types import Depth
from optout.registry import index_folding
from optout.registry.index_child import Folder
from optout.registry.index_folder import CURRENT, SEGMENTS, IndexFolder
from optout.registry.index_segments import Works
from optout.registry.live_index import LiveIndex
from optout.store import changes, db
from optout.store.models import Account, Work, WorkFingerprint
from optout.store.models.changes import ChangeKind

SEAL = 4
Open = Callable[..., LiveIndex]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture(autouse=True)
def folding_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each process fold by itself, as its child would: to start one takes seconds. Marked tests start one."""
    if request.node.get_closest_marker("flow"):
        return

    def run(self: Folder, _lock: int, *, everything: bool) -> str | None:
        index_folding.fold(self._sessions, self._folder, everything=everything)
        return None

    monkeypatch.setattr(Folder, "_run", run)


@pytest.fixture
def open_index(live_sessions: sessionmaker[Session], place: Path) -> Iterator[Open]:
    """Opens the index as another process would."""
    opened: list[LiveIndex] = []

    def make(sessions: sessionmaker[Session] = live_sessions) -> LiveIndex:
        opened.append(LiveIndex(sessions, place, seal_works=SEAL))
        return opened[-1]

    yield make
    for one in opened:
        settle()
        one.close()


@pytest.fixture
def owner(live_sessions: sessionmaker[Session]) -> Account:
    with db.transaction(live_sessions) as session:
        return make_account(session)


def settle() -> None:
    """Wait until nothing is done in the background."""
    for thread in threading.enumerate():
        if thread.name == "fold-index":
            thread.join()


def register(sessions: sessionmaker[Session], owner: Account, *seeds: int) -> list[UUID]:
    with db.transaction(sessions) as session:
        return [make_work(session, owner, seed=seed).id for seed in seeds]


def remove(sessions: sessionmaker[Session], work: UUID) -> None:
    with db.transaction(sessions) as session:
        session.execute(delete(WorkFingerprint).where(WorkFingerprint.work_id == work))
        changes.record(session, ChangeKind.WORK, work)


def refreshed(index: LiveIndex, sessions: sessionmaker[Session]) -> Works:
    with db.reading(sessions) as session:
        return index.refresh(session)


def found(works: Works, *seeds: int) -> list[list[UUID]]:
    """The works that are found by a copy of each."""
    by_asset: list[list[UUID]] = [[] for _ in seeds]
    for work, match in works.search([[pdq(seed, flipped_bits=5)] for seed in seeds], Depth.STANDARD):
        by_asset[match.asset].append(work)
    return by_asset


def names(place: Path) -> set[str]:
    return {path.name for path in (place / SEGMENTS).iterdir()} if (place / SEGMENTS).is_dir() else set()


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


# --- what is on the disk and can't be trusted ----------------------------------------------------------------------


def of_another_format(place: Path) -> None:
    said = json.loads((place / CURRENT).read_text())
    (place / CURRENT).write_text(json.dumps(said | {"version": 99}))


def with_an_altered_word(place: Path) -> None:
    said = json.loads((place / CURRENT).read_text())
    said["change"]["number"] += 1
    (place / CURRENT).write_text(json.dumps(said))


def of_other_algorithms(place: Path) -> None:
    said = json.loads((place / CURRENT).read_text())
    del said["sha256"]
    said["algorithms"] = ["pdq-256.v7"]
    from optout.registry.index_folder import _digest  # noqa: PLC0415 - the alteration has to be a good forgery

    (place / CURRENT).write_text(json.dumps({**said, "sha256": _digest(said)}))


def cut_short(place: Path) -> None:
    file = next((place / SEGMENTS).glob("*/works.npy"))
    file.write_bytes(file.read_bytes()[:-1])


def without_a_segment(place: Path) -> None:
    shutil.rmtree(next((place / SEGMENTS).iterdir()))


def no_json(place: Path) -> None:
    (place / CURRENT).write_text("{")


@pytest.mark.parametrize(
    "harm", [of_another_format, with_an_altered_word, of_other_algorithms, cut_short, without_a_segment, no_json]
)
@pytest.mark.database("sqlite")
def test_what_can_not_be_used_is_named_and_made_anew(
    live_sessions: sessionmaker[Session],
    owner: Account,
    open_index: Open,
    place: Path,
    harm: Callable[[Path], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    ids = register(live_sessions, owner, *range(10))
    refreshed(open_index(), live_sessions)
    settle()  # its check of every byte would find it, too
    before = names(place)
    harm(place)

    works = refreshed(open_index(), live_sessions)

    assert found(works, *range(10)) == [[work] for work in ids]
    assert works.tail == 0
    assert not names(place) & before
    assert f"the index in {place} is not used, and made anew" in caplog.text
    caplog.clear()
    assert refreshed(open_index(), live_sessions).size == 10
    assert caplog.text == ""


def test_an_index_that_is_newer_than_the_database_is_refused(
    live_sessions: sessionmaker[Session],
    owner: Account,
    open_index: Open,
    copy_database: Callable[[], object],
    caplog: pytest.LogCaptureFixture,
) -> None:
    ids = register(live_sessions, owner, *range(8))
    restored = db.sessions(copy_database())  # type: ignore[arg-type] # the backup
    register(live_sessions, owner, *range(8, 16))
    refreshed(open_index(), live_sessions)

    works = refreshed(open_index(restored), restored)

    assert found(works, *range(16)) == [[work] for work in ids] + [[]] * 8
    assert "a backup of it was brought back" in caplog.text


def test_a_backup_that_has_gone_on_since_is_told_by_what_its_changes_were(
    live_sessions: sessionmaker[Session],
    owner: Account,
    open_index: Open,
    copy_database: Callable[[], object],
    caplog: pytest.LogCaptureFixture,
) -> None:
    register(live_sessions, owner, *range(8))
    restored = db.sessions(copy_database())  # type: ignore[arg-type] # the backup
    register(live_sessions, owner, 8)
    refreshed(open_index(), live_sessions)
    others = register(restored, owner, *range(20, 24))

    works = refreshed(open_index(restored), restored)

    assert found(works, 8, 20, 23) == [[], [others[0]], [others[3]]]
    assert "is another one than it was made of" in caplog.text


@pytest.mark.database("sqlite")
def test_a_flipped_byte_is_found_after_the_start_and_all_is_made_anew(
    live_sessions: sessionmaker[Session],
    owner: Account,
    open_index: Open,
    place: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ids = register(live_sessions, owner, *range(10))
    refreshed(open_index(), live_sessions)
    file = next(path for path in place.rglob("digests.npy"))
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    file.unlink()
    file.write_bytes(raw)
    index = open_index()

    refreshed(index, live_sessions)
    settle()

    assert "is damaged, and made anew" in caplog.text
    assert found(refreshed(index, live_sessions), *range(10)) == [[work] for work in ids]
    IndexFolder(place).verify()


# --- a disk that does not take it ----------------------------------------------------------------------------------


@pytest.mark.database("sqlite")
def test_where_nothing_can_be_written_lookups_go_on_from_memory_and_that_is_said(
    live_sessions: sessionmaker[Session],
    owner: Account,
    open_index: Open,
    place: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    place.write_text("in the way")
    ids = register(live_sessions, owner, *range(10))
    index = open_index()

    works = refreshed(index, live_sessions)

    assert found(works, *range(10)) == [[work] for work in ids]
    assert works.tail == 10
    assert "could not be made" in caplog.text
    assert "can't be written to" in str(index.status().problem)


@pytest.mark.flow
@pytest.mark.database("sqlite")
def test_a_full_disk_costs_memory_and_a_warning_and_is_over_when_there_is_room(
    live_sessions: sessionmaker[Session],
    owner: Account,
    open_index: Open,
    place: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ids = register(live_sessions, owner, *range(10))
    index = open_index()
    refreshed(index, live_sessions)
    settle()
    before = set(place.rglob("*"))
    ids += register(live_sessions, owner, *range(10, 16))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, limits[1]))
    try:
        refreshed(index, live_sessions)
        settle()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert found(refreshed(index, live_sessions), *range(16)) == [[work] for work in ids]
    assert "too large" in caplog.text
    assert "too large" in str(index.status().problem)
    assert set(place.rglob("*")) == before
    index._not_before = 0.0  # a minute later
    refreshed(index, live_sessions)
    settle()
    status = index.status()
    assert (status.in_memory, status.problem) == (0, None)
    assert found(refreshed(index, live_sessions), *range(16)) == [[work] for work in ids]


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
