"""What `/metrics` says beside the requests of this process: what the database holds, and what an alarm should look at.

Numbers read from the database are the same at every process; where several are scraped, take the maximum, not the sum.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

import mediamanager.cli
from mediamanager.api.meter import Labels, Metric
from optout.ledger.lag import lag
from optout.registry.live_index import IndexStatus
from optout.store import changes, heartbeats, job_lists
from optout.store.models.base import utc_now
from optout.store.models.claims import Claim
from optout.store.models.works import Work
from optout.store.settings import Settings
from workers import tally


def contents(session: Session, settings: Settings, index: IndexStatus) -> list[Metric]:
    """Everything but the requests."""
    now = utc_now()
    version: dict[Labels, float] = {(("version", mediamanager.cli.version()),): 1.0}
    return [
        Metric("mediamanager_info", "gauge", "Which version runs.", version),
        _gauge("mediamanager_works", "Registered works.", _by_state(session, Work.state)),
        _gauge("mediamanager_claims", "Claims.", _by_state(session, Claim.state)),
        *_jobs(session, now),
        *_log(session, now),
        *_index(session, index, now),
        *_workers(session, settings, now),
    ]


def _jobs(session: Session, now: datetime) -> Iterator[Metric]:
    counts, ages = job_lists.counts(session), job_lists.ages(session, now=now)
    yield _gauge("mediamanager_jobs", "Jobs of the outbox; parked ones wait for you.", _labelled("state", counts))
    yield _gauge(
        "mediamanager_jobs_oldest_seconds", "Age of the oldest job in a state.", _labelled("state", ages.by_state)
    )
    yield _gauge(
        "mediamanager_jobs_overdue_seconds", "How long the job has been due that waits longest.", {(): ages.overdue}
    )


def _log(session: Session, now: datetime) -> Iterator[Metric]:
    found = lag(session, now=now)
    yield _gauge("mediamanager_log_entries", "Entries that have an index.", {(): found.size})
    yield _gauge("mediamanager_log_published", "Entries under the newest published checkpoint.", {(): found.published})
    yield _gauge("mediamanager_log_waiting", "Acknowledged entries that are not public yet.", {(): found.waiting})
    yield _gauge("mediamanager_log_lag_seconds", "Age of the oldest of these; promised are 60.", {(): found.seconds})


def _index(session: Session, index: IndexStatus, now: datetime) -> Iterator[Metric]:
    missed = changes.oldest_newer_than(session, index.version)
    age = max(0.0, (now - missed).total_seconds()) if missed is not None else 0.0
    yield _gauge("mediamanager_index_works", "Works that this process finds.", {(): index.works})
    yield _gauge(
        "mediamanager_index_memory_works", "Those that are in its memory alone, not on the disk.", {(): index.in_memory}
    )
    yield _gauge("mediamanager_index_segments", "Segments of the index of this process.", {(): index.segments})
    yield _gauge(
        "mediamanager_index_age_seconds",
        "Age of the oldest change that is not in the index yet; the next lookup takes it in.",
        {(): age},
    )


def _workers(session: Session, settings: Settings, now: datetime) -> Iterator[Metric]:
    alive = heartbeats.alive(session, heartbeats.WORKER, since=now - heartbeats.patience(settings))
    swept = heartbeats.last_seen(session, heartbeats.SWEEP)
    yield _gauge("mediamanager_workers", "Workers that were seen lately.", {(): len(alive)})
    if swept is not None:
        yield _gauge(
            "mediamanager_sweep_age_seconds",
            "Time since due jobs were looked for.",
            {(): (now - swept).total_seconds()},
        )
    failures: dict[Labels, float] = {}
    for where, counted in (
        ("api", tally.read(tally.SANDBOX_FAILURES)),
        ("worker", heartbeats.tallies(session, tally.SANDBOX_FAILURES)),
    ):
        failures |= {(("code", code), ("where", where)): count for code, count in counted.items()}
    yield Metric(
        "mediamanager_sandbox_failures_total",
        "counter",
        "Media that could not be decoded: here, and in all workers together.",
        failures,
    )


def _gauge(name: str, help_text: str, samples: Mapping[Labels, float]) -> Metric:
    return Metric(name, "gauge", help_text, samples)


def _labelled(label: str, numbers: Mapping[Any, float]) -> Mapping[Labels, float]:
    return {((label, str(word)),): number for word, number in numbers.items()}


def _by_state(session: Session, state: InstrumentedAttribute[Any]) -> Mapping[Labels, float]:
    """Count the rows of one table by their state; states without a row count 0, so that no series comes and goes."""
    kinds: type[StrEnum] = state.type.python_type
    rows = session.execute(select(state, func.count()).group_by(state))
    counted: dict[StrEnum, int] = {kind: count for kind, count in rows}  # noqa: C416 - a Row is no tuple to mypy
    return {(("state", kind.value),): counted.get(kind, 0) for kind in kinds}
