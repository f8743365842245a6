"""An index on a disk that can't be trusted, or that does not take it: named, made anew, answered without."""

import json
import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from live_indexes import Open, found, names, refreshed, register, settle
from sqlalchemy.orm import Session, sessionmaker

from optout.registry.index_folder import CURRENT, SEGMENTS, IndexFolder
from optout.store import db
from optout.store.models import Account

pytestmark = pytest.mark.usefixtures("folding_here")


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
