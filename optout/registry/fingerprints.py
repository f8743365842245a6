"""The stored fingerprints of works: add them, read them back, sum them up."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fingerprinting.types import Fingerprint
from optout.registry.digests import fingerprint_digest
from optout.store.models.works import WorkFingerprint

_BATCH = 500
"""Ids in one query: every database takes so many parameters."""


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
    """Fingerprints of works, work by work, each work's in the order in which they came."""
    for ids in _batches(work_ids):
        rows = session.scalars(
            select(WorkFingerprint)
            .where(WorkFingerprint.work_id.in_(ids))
            .order_by(WorkFingerprint.work_id, WorkFingerprint.position)
            .execution_options(yield_per=_BATCH)
        )
        for row in rows:
            yield row.work_id, _fingerprint(row)


def digest_of(session: Session, work_id: UUID) -> bytes:
    """The digest that a claim's log entry commits to: see `registry.digests`."""
    return fingerprint_digest(one for _work, one in of_works(session, [work_id]))


def summaries(session: Session, work_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Summary]]:
    """A line per algorithm and version for each work, without reading the values."""
    found: dict[UUID, list[Summary]] = defaultdict(list)
    group = (WorkFingerprint.work_id, WorkFingerprint.algorithm, WorkFingerprint.version)
    for ids in _batches(work_ids):
        query = select(*group, func.max(WorkFingerprint.quality)).where(WorkFingerprint.work_id.in_(ids))
        for work_id, algorithm, version, quality in session.execute(query.group_by(*group).order_by(*group)).tuples():
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


def _fingerprint(row: WorkFingerprint) -> Fingerprint:
    span = None if row.span is None else tuple(row.span)
    return Fingerprint(row.algorithm, row.version, row.value, row.quality, span, row.unit)
