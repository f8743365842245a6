"""Brings the index on the disk up to the database: new works into a new segment, small segments into larger ones.

It runs as a process of its own beside those that answer (`python -m optout.registry.index_folding`, started by
`live_index`), so that none of them is slowed down; it reads the database in blocks, and holds one algorithm's
fingerprints of one segment in memory at most.
"""

import itertools
import json
import logging
import os
import secrets
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session, sessionmaker

from fingerprinting.errors import CorruptIndexError
from fingerprinting.index.algorithm import Entry
from fingerprinting.index.registry import is_known
from fingerprinting.types import Fingerprint
from optout.registry import fingerprints
from optout.registry.index_folder import ChangeMark, IndexFolder, Opened
from optout.registry.index_segments import ID_BYTES, Ids, Segment, first_to_merge, ids_of, merged
from optout.store import changes, db
from optout.store.settings import Settings

SEGMENT_WORKS: Final = 4_000_000
"""A segment of the disk has no more: what bounds the memory that making one takes."""
RATIO: Final = 2
"""Segments fall in size by this factor at least, so there are few and a work is written anew a few times."""
STRUCK_PART: Final = 0.25
"""A segment of which more is struck out is written anew, and so is one ..."""
STRUCK_SECONDS: Final = 86_400.0
"""... in which something has been for so long: what was withdrawn does not lie on the disk for ever."""
_BLOCK_WORKS: Final = 2_000
_NICE: Final = 5

_log = logging.getLogger(__name__)


def fold(
    sessions: sessionmaker[Session],
    folder: IndexFolder,
    *,
    everything: bool = False,
    segment_works: int = SEGMENT_WORKS,
) -> None:
    """Make a new version of what is on the disk, as of now. For who holds the folder's lock.

    Args:
        sessions: of the database.
        folder: what is there is gone on with, unless it can't be used.
        everything: make it anew from the database, so that nothing of what was struck out remains on the disk.
        segment_works: works in a segment at most.

    Raises:
        OSError: the disk is full, or can't be written to; the version that was there stays.
    """
    folder.sweep()
    found = None if everything else usable(sessions, folder)
    with db.reading(sessions) as session:
        # The number first: what commits between the reads is then indexed twice rather than never.
        change = newest_change(session)
    if found is None:
        segments = list(_written(folder, _all_works(sessions), segment_works))
        folder.publish(change, sorted(segments, key=lambda segment: -segment.size))
        return
    changed = _changed_since(sessions, found.version)
    for segment in found.segments:
        segment.strike(changed, 0)
    later = _written(folder, _some_works(sessions, changed), segment_works)
    folder.publish(change, _tidied(folder, [*found.segments, *later], segment_works))


def usable(sessions: sessionmaker[Session], folder: IndexFolder, known: Iterable[Segment] = ()) -> Opened | None:
    """What is on the disk, if it can be gone on with; else a line in the log says why not."""
    try:
        found = folder.open(known)
    except (CorruptIndexError, OSError) as error:
        _log.warning("the index in %s is not used, and made anew: %s", folder.path, error)
        return None
    if found is None:
        return None
    with db.reading(sessions) as session:  # begun after it was opened: nothing in it is newer than what this sees
        problem = contradiction(session, found)
    if problem is not None:
        _log.warning("the index in %s is not used, and made anew: %s", folder.path, problem)
        return None
    return found


def contradiction(session: Session, found: Opened) -> str | None:
    """Why an index is not one of this database, or of a time that this database has not seen; None if it is."""
    if found.change is None:
        return None
    if found.version > changes.latest(session):
        return (
            f"it is of change {found.version} and the database of change {changes.latest(session)}: a backup of it was"
            " brought back, or it is another one"
        )
    if _mark(session, found.version) != found.change:
        return f"change {found.version} of the database is another one than it was made of"
    return None


def newest_change(session: Session) -> ChangeMark | None:
    """The last change of the database; None before the first."""
    return _mark(session, changes.latest(session))


def _mark(session: Session, number: int) -> ChangeMark | None:
    change = changes.get(session, number)
    return None if change is None else ChangeMark(number, change.subject.hex, change.recorded_at.isoformat())


def _tidied(folder: IndexFolder, segments: Sequence[Segment], limit: int) -> list[Segment]:
    """The same works in fewer segments where some are small, and without what was struck out where that is much."""
    kept: list[Segment] = []
    for segment in sorted((segment for segment in segments if segment.size), key=lambda segment: -segment.size):
        much = len(segment.ids) - segment.size > STRUCK_PART * len(segment.ids)
        kept.append(_merged(folder, [segment]) if much or is_old(segment.gone_since) else segment)
    first = first_to_merge([segment.size for segment in kept], RATIO, limit)
    return kept if first >= len(kept) - 1 else [*kept[:first], _merged(folder, kept[first:])]


def is_old(since: float | None) -> bool:
    """Whether something has been struck out for so long that it has to go."""
    return since is not None and time.time() - since > STRUCK_SECONDS


def _merged(folder: IndexFolder, segments: Sequence[Segment]) -> Segment:
    ids, entries = merged(segments)
    return folder.write_segment(_new_name(), entries, lambda: ids)


def _written(folder: IndexFolder, found: Iterator[tuple[UUID, Fingerprint]], segment_works: int) -> Iterator[Segment]:
    """Write segments of what was read, work by work in ascending order."""
    # Fingerprints of a retired version stay in the database, but can't be compared with what is asked today.
    known = itertools.groupby((each for each in found if is_known(each[1])), key=lambda each: each[0])
    for first in known:
        part = _Part(itertools.chain([first], itertools.islice(known, segment_works - 1)))
        yield folder.write_segment(_new_name(), part.entries(), part.ids)


class _Part:
    """Works as they go into a segment."""

    def __init__(self, works: Iterable[tuple[UUID, Iterable[tuple[UUID, Fingerprint]]]]) -> None:
        self._works = works
        self._ids = bytearray()

    def entries(self) -> Iterator[Entry]:
        for row, (work, found) in enumerate(self._works):
            self._ids += work.bytes
            for _, one in found:
                yield row, one

    def ids(self) -> Ids:
        return np.frombuffer(self._ids, dtype=np.uint8).reshape(-1, ID_BYTES)


def _all_works(sessions: sessionmaker[Session]) -> Iterator[tuple[UUID, Fingerprint]]:
    """Everything that the database has, a transaction a block: none of them is long."""
    last: UUID | None = None
    while True:
        with db.reading(sessions) as session:
            block = fingerprints.next_works(session, last, _BLOCK_WORKS)
        if not block:
            return
        yield from block
        last = block[-1][0]


def _some_works(sessions: sessionmaker[Session], works: Ids) -> Iterator[tuple[UUID, Fingerprint]]:
    for start in range(0, len(works), _BLOCK_WORKS):
        wanted = [UUID(bytes=each.tobytes()) for each in works[start : start + _BLOCK_WORKS]]
        with db.reading(sessions) as session:
            block = list(fingerprints.of_works(session, wanted))
        yield from block


def _changed_since(sessions: sessionmaker[Session], number: int) -> Ids:
    with db.reading(sessions) as session:
        return ids_of(changes.works_newer_than(session, number))


def _new_name() -> str:
    return secrets.token_hex(8)


def main() -> int:
    """Do what the JSON object on standard input says; its parent holds the folder's lock, and passes it on to us."""
    order = json.loads(sys.stdin.readline())
    os.nice(_NICE)
    engine = db.engine(Settings(database_url=order["database_url"]))
    try:
        fold(db.sessions(engine), IndexFolder(Path(order["folder"])), everything=bool(order["everything"]))
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent says it in its log
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    finally:
        engine.dispose()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
