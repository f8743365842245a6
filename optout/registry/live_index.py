"""The works of the database made searchable, kept up to date by reading what changed.

Most of them lie in segments on the disk, mapped by all processes of a host (`index_folder`); what came since is in
memory: a few small segments of each process's own. A work that gets further fingerprints is indexed anew in a new
segment and struck out in the old one. When the part in memory has grown, one process of the host folds it into those on
the disk, beside those that answer (`index_folding`), and each goes on with what it wrote. Without a folder all of it is
in memory.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from fingerprinting.errors import CorruptIndexError
from optout.errors import StorageUnavailableError
from optout.registry import fingerprints, index_folding
from optout.registry.index_child import Folder
from optout.registry.index_folder import IndexFolder, Mark, Opened
from optout.registry.index_segments import (
    Segment,
    Works,
    first_to_merge,
    in_memory,
    in_memory_together,
    merged_beside,
    sorted_ids,
)
from optout.store import changes, db

SEAL_WORKS: Final = 5_000
"""More works than this in memory are folded into those on the disk."""
FOLD_PART: Final = 0.1
"""Without a folder: if they are also more than this part of the first segment."""
SEAL_BYTES: Final = 64 * 1024**2
"""Of fingerprints: a novel has two million, a song 40,000, a picture 30,000."""
_BACKLOG: Final = 4
"""If more than so many times SEAL_WORKS changed since the last look, they are folded first, not read into memory."""
_RATIO: Final = 8
_MOST_IN_MEMORY: Final = 12
"""If there are more segments in memory than this, a lookup merges them itself rather than wait for the follower."""
_AGAIN_SECONDS: Final = 60.0
_BUSY_SECONDS: Final = 1.0
_FOLLOW_SECONDS: Final = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """What a process can search: works, in how many segments, as of which change, and how many in memory alone.

    `problem` says why the index on the disk could not be made, until it could.
    """

    works: int
    segments: int
    version: int
    in_memory: int = 0
    problem: str | None = None


class LiveIndex:
    """Safe to use from several threads. One process has one of them for a database."""

    def __init__(
        self, sessions: sessionmaker[Session], folder: Path | None = None, *, seal_works: int = SEAL_WORKS
    ) -> None:
        self._sessions = sessions
        self._folder = None if folder is None else IndexFolder(folder)
        self._child = None if self._folder is None else Folder(sessions, self._folder)
        self._seal_works = seal_works
        self._works: Works | None = None
        self._seen: Mark | None = None  # of the version on the disk that we use, or refused
        self._base = 0  # the change that it is of
        self._changed: dict[UUID, int] = {}  # since that version, with the number of the last change
        self._struck_since: float | None = None  # what is struck out on the disk, and not said there yet
        self._problem: str | None = None
        self._not_before = 0.0
        self._is_verified = True
        # Held while segments are made: whoever asks meanwhile needs them too, so waiting is right.
        self._lock = threading.Lock()
        self._tending = threading.Lock()
        self._closing = threading.Event()
        self._wake = threading.Event()  # the follower, because there is something to merge
        self._follower: threading.Thread | None = None

    def refresh(self, session: Session) -> Works:
        """All works whose fingerprints were committed before this call, as far as the session can see them."""
        with self._lock:
            works = self._advanced(session, self._works or self._begun(session))
            self._works = works
        self._tend(works)
        return works

    def status(self) -> IndexStatus:
        """What there is now, without a refresh; nothing before the first one."""
        works = self._works
        if works is None:
            return IndexStatus(0, 0, 0, problem=self._problem)
        return IndexStatus(works.size, len(works.segments), works.version, works.tail, self._problem)

    def fold(self) -> None:
        """Make everything anew from the database, as one base; what was struck out is gone then.

        Searches go on with the old segments until it is there.
        """
        if self._child is None:
            self._replace()
        elif self._said(self._child.fold(self._seen, wait=True, everything=True)):
            self._adopt()

    def follow(self, begun: Callable[[], None] | None = None) -> None:
        """Keep up with the database from the first lookup on, in a thread, so that none finds much to catch up with.

        Args:
            begun: called there, once, when there is an index.
        """
        self._follower = threading.Thread(target=self._keep_up, args=(begun,), name="follow-index", daemon=True)
        self._follower.start()

    def close(self) -> None:
        """End what is done in the background."""
        self._closing.set()
        self._wake.set()
        if self._follower is not None:
            self._follower.join()
        if self._child is not None:
            self._child.close()

    # --- the beginning, and what came since ----------------------------------------------------------------------

    def _begun(self, session: Session) -> Works:
        if self._folder is not None:
            found = self._usable()
            if found is None and self._is_too_much(session) and self._folded(session):
                found = self._usable()
            if found is not None:
                self._seen, self._base, self._changed, self._is_verified = found.mark, found.version, {}, False
                return Works.of(found.version, found.segments)
        works = _in_memory(session)
        self._changed = dict.fromkeys(works.ids(), works.version) if self._folder is not None else {}
        return works

    def _is_too_much(self, session: Session) -> bool:
        """Whether all that is in the database is more than should be in memory."""
        has_many = fingerprints.has_more_works_than(session, self._seal_works)
        return has_many or fingerprints.total_bytes(session) > SEAL_BYTES

    def _advanced(self, session: Session, works: Works) -> Works:
        version = changes.latest(session)
        if version - works.version > _BACKLOG * self._seal_works and self._folded(session):
            works = self._joined(works, self._usable(works.segments))
        if version <= works.version:
            return works
        changed = changes.works_changed_since(session, works.version)
        if not changed:
            return Works(version, works.segments, works.size)
        ids = sorted(changed)
        for segment in works.segments:
            segment.strike(sorted_ids(ids), version)
        if self._folder is not None:
            self._changed |= changed
            if self._struck_since is None and any(one.name and one.struck for one in works.segments):
                self._struck_since = time.time()
        segments = [*works.segments, in_memory(fingerprints.of_works(session, ids), hold=True)]
        if self._follower is not None and sum(one.name is None for one in segments) <= _MOST_IN_MEMORY:
            self._wake.set()
            return Works.of(version, segments)
        return Works.of(version, self._fewer(segments))

    def _fewer(self, segments: list[Segment]) -> list[Segment]:
        """The same with small neighbours in memory made one; a lookup should not have to wait for large ones."""
        kept, first = self._small(segments)
        return [*kept[:first], in_memory_together(kept[first:])] if first < len(kept) - 1 else kept

    def _small(self, segments: Iterable[Segment]) -> tuple[list[Segment], int]:
        """The segments that stand for any work, and the first of the last ones that are to be made one."""
        kept = [segment for segment in segments if segment.size]
        fixed = next((at for at, one in enumerate(kept) if one.name is None), len(kept))
        if self._folder is None:
            fixed = 1
        return kept, fixed + first_to_merge([one.size for one in kept[fixed:]], _RATIO, self._seal_works // 2)

    def _merge(self) -> None:
        """Do the same beside lookups, which go on with the segments as they are, and strike works out of them."""
        with self._lock:
            works = self._works
            kept, first = self._small(() if works is None else works.segments)
            before = kept[first:]
            # A refresh that failed half-way has struck out for a version that is not there yet.
            merging = [] if works is None else [one.as_of(works.version) for one in before]
        if len(before) < 2:  # noqa: PLR2004 - one alone is as it should be
            return
        made = in_memory_together(merging)
        with self._lock:
            if self._works is not None:
                self._works = merged_beside(self._works, before, merging, made)

    # --- the disk ------------------------------------------------------------------------------------------------

    def _usable(self, known: Iterable[Segment] = ()) -> Opened | None:
        """What is on the disk, if it is of this database; segments that are known are taken as they are."""
        if self._folder is None:
            return None
        mark = self._folder.mark()
        found = index_folding.usable(self._sessions, self._folder, known)
        if found is None:
            self._seen = mark  # not looked at again
        return found

    def _folded(self, session: Session) -> bool:
        """Whether the index on the disk was brought up to date, by us or by another process just now."""
        if self._child is None or time.monotonic() < self._not_before:
            return False
        db.release(session)
        return self._said(self._child.fold(self._seen, wait=True))

    def _said(self, problem: str | None) -> bool:
        """Remember how it went; whether well."""
        self._problem = problem
        if problem is None:
            return True
        self._not_before = time.monotonic() + _AGAIN_SECONDS
        _log.warning(
            "the index on the disk could not be made: %s. Lookups go on from memory; it is tried again in %.0f s",
            problem,
            _AGAIN_SECONDS,
        )
        return False

    def _adopt(self) -> None:
        """Go on with the version on the disk, and with what came since from memory."""
        works = self._works
        found = None if works is None else self._usable(works.segments)
        with self._lock:
            if self._works is not None:
                self._works = self._joined(self._works, found)

    def _joined(self, works: Works, found: Opened | None) -> Works:
        """The works of the disk with those that came since."""
        if found is None or found.mark == self._seen or found.version < self._base:
            return works
        self._seen, self._base = found.mark, found.version
        self._struck_since = None
        later = {work: number for work, number in self._changed.items() if number > found.version}
        self._changed = later
        if works.version <= found.version:
            return Works.of(found.version, found.segments)
        ids = sorted_ids(later)
        for segment in found.segments:
            segment.strike(ids, 0)
        return Works.of(
            works.version, [*found.segments, *(one.only(ids) for one in works.segments if one.name is None)]
        )

    # --- in the background ---------------------------------------------------------------------------------------

    def _tend(self, works: Works) -> None:
        """Begin what is due, if nothing is under way."""
        due: Callable[[], None] | None = None
        if self._folder is None:
            due = self._replace if self._is_lopsided(works) else None
        elif self._folder.mark() not in {self._seen, None}:
            due = self._adopt
        elif not self._is_verified:
            due = self._verify
        elif time.monotonic() >= self._not_before and (self._is_full(works) or self._is_overdue(works)):
            due = self._seal
        if due is not None and self._tending.acquire(blocking=False):
            threading.Thread(target=self._run, args=(due,), name="fold-index", daemon=True).start()

    def _is_full(self, works: Works) -> bool:
        """Whether enough is in memory to be sealed: many works, or few long ones."""
        return works.tail > self._seal_works or works.tail_bytes > SEAL_BYTES

    def _is_overdue(self, works: Works) -> bool:
        """Whether something that was struck out has been on the disk for too long."""
        return any(map(index_folding.is_old, (self._struck_since, *(one.gone_since for one in works.segments))))

    def _keep_up(self, begun: Callable[[], None] | None) -> None:
        while not self._closing.is_set():
            is_asked = self._wake.wait(_FOLLOW_SECONDS)
            self._wake.clear()
            if self._works is None or self._closing.is_set():
                continue
            try:
                if begun is not None:
                    begun()
                    begun = None
                if not is_asked:
                    with db.reading(self._sessions) as session:
                        self.refresh(session)
                self._merge()
            except StorageUnavailableError as error:
                _log.info("the index does not follow the database at the moment: %s", error)
            except Exception:  # noqa: BLE001 - a thread has nobody to raise to
                _log.exception("following the database failed")

    def _run(self, due: Callable[[], None]) -> None:
        try:
            due()
        except Exception:  # noqa: BLE001 - a thread has nobody to raise to
            # The old segments go on answering, and the next refresh tries again.
            _log.exception("folding the index failed")
            self._not_before = time.monotonic() + _AGAIN_SECONDS
        finally:
            self._tending.release()

    def _verify(self) -> None:
        """Read every byte that was opened by its sizes alone. What is damaged is made anew before the next answer."""
        self._is_verified = True
        if self._folder is None:
            return
        try:
            self._folder.verify()
        except (CorruptIndexError, OSError) as error:
            _log.error("the index in %s is damaged, and made anew: %s", self._folder.path, error)
            with self._folder.locked(wait=True), self._lock:
                if self._folder.mark() == self._seen:
                    self._folder.forget()
                self._works = self._seen = None

    def _seal(self) -> None:
        assert self._child is not None  # noqa: S101 - for mypy: only begun where there is a folder
        seen = self._seen
        if self._said(self._child.fold(seen, wait=False)):
            self._adopt()
            if self._seen == seen:  # another process is at it
                self._not_before = time.monotonic() + _BUSY_SECONDS

    def _replace(self) -> None:
        """Without a folder: make one base of everything, in memory."""
        with db.reading(self._sessions) as session:
            works = _in_memory(session)
        with self._lock:
            # Perhaps older than what was there: the refresh that begins each lookup applies the rest on top of it.
            self._works = works

    def _is_lopsided(self, works: Works) -> bool:
        base, *later = (segment.size for segment in works.segments) if works.segments else (0,)
        return sum(later) > max(self._seal_works, FOLD_PART * base)


def _in_memory(session: Session) -> Works:
    # The number first: what commits between the two reads is then indexed twice rather than never.
    version = changes.latest(session)
    return Works.of(version, (in_memory(fingerprints.of_all_works(session)),))
