"""Running one job: lease the row, keep the lease alive, do the work, and let the row say how it ended."""

import contextvars
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from fingerprinting.errors import FingerprintingError
from optout.errors import OptoutError, StorageUnavailableError
from optout.registry import abandoned
from optout.store import jobs, tracing
from optout.store.db import transaction
from optout.store.jobs import Lease, Retries
from optout.store.models.jobs import JobKind, JobState
from workers import fingerprint, listing, publish, refingerprint
from workers.errors import FetchFailedError
from workers.resources import Resources

logger = logging.getLogger(__name__)

BODIES: Mapping[JobKind, Callable[[Resources, Lease], None]] = MappingProxyType(
    {
        JobKind.FINGERPRINT_WORK: fingerprint.run,
        JobKind.REFINGERPRINT_WORK: refingerprint.run,
        JobKind.PUBLISH_LOG: publish.run,
        JobKind.LIST_VIDEOS: listing.run,
    }
)
"""What each kind of job does. A body settles its job in the transaction of its effects, or raises."""

_PARKED = "a job is parked: it failed too often, and waits for an operator"

# What this process works on, so that it can be given back when there is no time left to finish it.
_in_hand: set[Lease] = set()


def run(resources: Resources, job_id: UUID) -> bool:
    """Run a job if it is due and nobody else's; whether it was run. A job that fails waits for its next attempt."""
    retries = Retries.of(resources.settings)
    with transaction(resources.sessions) as session:
        lease = jobs.claim_due(session, job_id, retries=retries)
        abandoned.tell_works(session)
    if lease is None:
        return False
    with tracing.working_for(lease.request_id):
        _work(resources, lease, retries)
    return True


def release_all(resources: Resources) -> int:
    """Give every job of this process back, so that another worker begins it anew at once; how many it were."""
    released = 0
    for lease in tuple(_in_hand):
        with transaction(resources.sessions) as session:
            released += jobs.release(session, lease)
    return released


def _work(resources: Resources, lease: Lease, retries: Retries) -> None:
    said = {"job": str(lease.job_id), "kind": lease.kind, "attempt": lease.attempt}
    _in_hand.add(lease)
    try:
        with _kept_alive(resources, lease, retries):
            BODIES[lease.kind](resources, lease)
    except Exception as error:  # broad: whatever it was, the row has to say so, or the job looks alive
        code, sentence = _told(error)
        logger.warning(
            "a job failed", extra={**said, "code": code}, exc_info=None if isinstance(error, OptoutError) else error
        )
        with transaction(resources.sessions) as session:
            after = error.retry_after if isinstance(error, FetchFailedError) else None
            state = jobs.fail(session, lease, code=code, sentence=sentence, retries=retries, after=after)
            abandoned.tell_works(session)
        if state is JobState.PARKED:
            logger.log(logging.ERROR, _PARKED, extra={**said, "code": code})
    else:
        logger.info("a job is done", extra=said)
    finally:
        _in_hand.discard(lease)


def _told(error: Exception) -> tuple[str, str]:
    if isinstance(error, OptoutError | FingerprintingError):
        return error.code, str(error)
    return "internal-error", f"{type(error).__name__}: see the log of the worker"


@contextmanager
def _kept_alive(resources: Resources, lease: Lease, retries: Retries) -> Iterator[None]:
    """Extend a lease while the work lasts, so that it may be short and a dead worker's job is soon somebody else's."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(retries.lease.total_seconds() / 3):
            try:
                with transaction(resources.sessions) as session:
                    if not jobs.extend(session, lease, retries=retries):
                        return
            except (StorageUnavailableError, SQLAlchemyError) as error:  # the next beat may still be in time
                logger.warning("a lease was not extended", extra={"job": str(lease.job_id)}, exc_info=error)

    # In a copy of the context, so that its lines in the log carry the request, too.
    heart = threading.Thread(target=contextvars.copy_context().run, args=(beat,), name="lease", daemon=True)
    heart.start()
    try:
        yield
    finally:
        ended.set()
        heart.join()
