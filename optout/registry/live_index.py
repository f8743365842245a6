"""The works of the database made searchable, kept up to date by reading what changed.

A list of immutable segments, largest first: the base, made from the whole database, then small ones for the works that
came later. A work that gets further fingerprints is indexed anew in a new segment and struck out in the old one.
Neighbours of like size are merged, so there are few of them; when the later ones outgrow a part of the base, a new base
is made in the background.
"""

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from fingerprinting.index.registry import is_known
from fingerprinting.index.segment import Index
from fingerprinting.types import Depth, Fingerprint, Match
from optout.registry import fingerprints
from optout.store import changes, db
from optout.store.models.changes import ChangeKind

FOLD_WORKS = 5_000
"""Later works than this are folded into the base, if they are also more than FOLD_PART of it."""
FOLD_PART = 0.1

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Segment:
    """An index, which work each of its rows is, and the rows that are struck out."""

    index: Index
    works: tuple[UUID, ...]
    rows: Mapping[UUID, int]
    struck: frozenset[int] = frozenset()

    @property
    def size(self) -> int:
        """How many works it stands for."""
        return len(self.works) - len(self.struck)

    @property
    def live(self) -> Iterator[UUID]:
        """The works that it stands for."""
        return (work for row, work in enumerate(self.works) if row not in self.struck)

    def without(self, works: Iterable[UUID]) -> "Segment":
        """The same with these works struck out."""
        gone = {self.rows[work] for work in works if work in self.rows}
        return replace(self, struck=self.struck | gone) if gone - self.struck else self


@dataclass(frozen=True, slots=True)
class Works:
    """All works as of one change. Immutable: a search that began keeps what it began with."""

    version: int
    segments: tuple[Segment, ...] = field(default=())

    @property
    def size(self) -> int:
        """How many works can be found."""
        return sum(segment.size for segment in self.segments)

    def search(self, assets: Sequence[Sequence[Fingerprint]], depth: Depth) -> Iterator[tuple[UUID, Match]]:
        """Matches with the work of each; the rows in a match are those of its segment."""
        size = self.size
        for segment in self.segments:
            for match in segment.index.search(assets, depth=depth, registry_size=size):
                if match.work not in segment.struck:
                    yield segment.works[match.work], match


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """What an index in memory holds: works that can be found, in how many segments, as of which change."""

    works: int
    segments: int
    version: int


class LiveIndex:
    """Safe to use from several threads. One process has one of them for a database."""

    def __init__(self, sessions: sessionmaker[Session], *, fold_works: int = FOLD_WORKS) -> None:
        self._sessions = sessions
        self._fold_works = fold_works
        self._works: Works | None = None
        # Held while segments are made: whoever asks meanwhile needs them too, so waiting is right.
        self._lock = threading.Lock()
        self._folding = threading.Lock()

    def refresh(self, session: Session) -> Works:
        """All works whose fingerprints were committed before this call, as far as the session can see them."""
        with self._lock:
            self._works = self._advanced(session, self._works)
            works = self._works
        if self._is_lopsided(works) and self._folding.acquire(blocking=False):
            threading.Thread(target=self._fold_and_release, name="fold-index", daemon=True).start()
        return works

    def status(self) -> IndexStatus:
        """What there is now, without a refresh; nothing before the first one."""
        works = self._works
        return IndexStatus(0, 0, 0) if works is None else IndexStatus(works.size, len(works.segments), works.version)

    def fold(self) -> None:
        """Make one base of everything. Searches go on with the old segments until it is there."""
        with db.reading(self._sessions) as session:
            base = _base(session)
        with self._lock:
            # Perhaps older than what was there: the refresh that begins each lookup applies the rest on top of it.
            self._works = base

    def _fold_and_release(self) -> None:
        try:
            self.fold()
        except Exception:  # noqa: BLE001 - a thread has nobody to raise to
            # The old segments go on answering, and the next refresh tries again.
            _log.exception("folding the index failed")
        finally:
            self._folding.release()

    def _is_lopsided(self, works: Works) -> bool:
        base, *later = works.segments or (None,)
        grown = sum(segment.size for segment in later)
        return base is not None and grown > max(self._fold_works, FOLD_PART * base.size)

    def _advanced(self, session: Session, works: Works | None) -> Works:
        if works is None:
            return _base(session)
        version = changes.latest(session)
        if version <= works.version:
            return works
        changed = {one.subject for one in changes.newer_than(session, works.version, kind=ChangeKind.WORK)}
        segments = [segment.without(changed) for segment in works.segments]
        if changed:
            segments.append(_segment(fingerprints.of_works(session, sorted(changed))))
        while len(segments) > 2 and segments[-2].size <= 2 * segments[-1].size:  # noqa: PLR2004 - base, and two more
            together = sorted({*segments[-2].live, *segments[-1].live})
            segments[-2:] = [_segment(fingerprints.of_works(session, together))]
        return Works(version, tuple(segments))


def _base(session: Session) -> Works:
    # The number first: what commits between the two reads is then indexed twice rather than never.
    version = changes.latest(session)
    return Works(version, (_segment(fingerprints.of_all_works(session)),))


def _segment(found: Iterable[tuple[UUID, Fingerprint]]) -> Segment:
    rows: dict[UUID, int] = {}
    index = Index.build((rows.setdefault(work, len(rows)), one) for work, one in found if is_known(one))
    # Fingerprints of a retired version stay in the database, but can't be compared with what is asked today.
    return Segment(index, tuple(rows), MappingProxyType(rows))
