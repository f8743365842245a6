"""The stored fingerprints of works: add them, read them back, sum them up."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from fingerprinting.types import Fingerprint, SpanUnit
from optout.registry.digests import fingerprint_digest
from optout.store.models.works import WorkFingerprint

_BATCH = 500
"""Ids in one query: every database takes so many parameters."""


_Query: TypeAlias = Select[UUID, str, int, bytes, float, list[float] | None, SpanUnit | None]
_COLUMNS: _Query = select(
    WorkFingerprint.work_id,
    WorkFingerprint.algorithm,
    WorkFingerprint.version,
    WorkFingerprint.value,
    WorkFingerprint.quality,
    WorkFingerprint.span,
    WorkFingerprint.unit,
).order_by(WorkFingerprint.work_id, WorkFingerprint.position)


@dataclass(frozen=True, slots=True)
class Summary:
    """Which algorithm knows a work, and the best quality among its fingerprints of that algorithm."""

    algorithm: str
    version: int
    quality: float


def add(session: Session, work_id: UUID, fingerprints: Iterable[Fingerprint]) -> None:
    """Add to what a work has; one that is there already is not doubled."""
    have = list(of_works(session, [work_id]))
    known = {(one.algorithm, one.version, one.value, one.span) for _work, one in have}
    position = len(have)
    for one in fingerprints:
        identity = (one.algorithm, one.version, one.value, one.span)
        if identity in known:
            continue
        known.add(identity)
        session.add(_row(work_id, position, one))
        position += 1
    session.flush()


def of_works(session: Session, work_ids: Sequence[UUID]) -> Iterator[tuple[UUID, Fingerprint]]:
    """Fingerprints of some works, work by work, each work's in the order in which they came."""
    for ids in _batches(work_ids):
        yield from _read(session, _COLUMNS.where(WorkFingerprint.work_id.in_(ids)))


def of_all_works(session: Session) -> Iterator[tuple[UUID, Fingerprint]]:
    """Fingerprints of every work, in the same order, streamed."""
    return _read(session, _COLUMNS)


def next_works(session: Session, after: UUID | None, count: int) -> list[tuple[UUID, Fingerprint]]:
    """Fingerprints of the next works that have any, ascending, each work's in the same order; empty at the end."""
    works = select(WorkFingerprint.work_id).distinct().order_by(WorkFingerprint.work_id).limit(count)
    query = _COLUMNS
    if after is not None:
        works, query = works.where(WorkFingerprint.work_id > after), query.where(WorkFingerprint.work_id > after)
    ids = session.scalars(works).all()
    return list(_read(session, query.where(WorkFingerprint.work_id <= ids[-1]))) if ids else []


def has_more_works_than(session: Session, count: int) -> bool:
    """Whether more works than that have fingerprints, found out without counting them all."""
    works = select(WorkFingerprint.work_id).distinct().limit(count + 1).subquery()
    return session.execute(select(func.count()).select_from(works)).scalar_one() > count


def total_bytes(session: Session) -> int:
    """Of all values. Every row is looked at."""
    total = session.execute(select(func.sum(func.length(WorkFingerprint.value)))).scalar_one()
    return int(total or 0)


def digest_of(session: Session, work_id: UUID) -> bytes:
    """The digest that a claim's log entry commits to: see `registry.digests`."""
    return fingerprint_digest(one for _work, one in of_works(session, [work_id]))


def summaries(session: Session, work_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Summary]]:
    """A line per algorithm and version for each work, without reading the values."""
    found: dict[UUID, list[Summary]] = defaultdict(list)
    group = (WorkFingerprint.work_id, WorkFingerprint.algorithm, WorkFingerprint.version)
    for ids in _batches(work_ids):
        query = select(*group, func.max(WorkFingerprint.quality)).where(WorkFingerprint.work_id.in_(ids))
        for work_id, algorithm, version, quality in session.execute(query.group_by(*group).order_by(*group)):
            found[work_id].append(Summary(algorithm, version, quality))
    return found


def _batches(work_ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(work_ids), _BATCH):
        yield work_ids[start : start + _BATCH]


def _row(work_id: UUID, position: int, one: Fingerprint) -> WorkFingerprint:
    return WorkFingerprint(
        work_id=work_id,
        position=position,
        algorithm=one.algorithm,
        version=one.version,
        value=one.value,
        quality=one.quality,
        span=None if one.span is None else list(one.span),
        unit=one.unit,
    )


def _read(session: Session, query: _Query) -> Iterator[tuple[UUID, Fingerprint]]:
    rows = session.execute(query.execution_options(yield_per=_BATCH))
    for work_id, algorithm, version, value, quality, span, unit in rows:
        place = None if span is None else tuple(span)
        yield work_id, Fingerprint(algorithm, version, value, quality, place, unit)
