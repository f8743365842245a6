"""Running one job: lease the row, keep the lease alive, do the work, and let the row say how it ended."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from fingerprinting.errors import FingerprintingError
from optout.errors import OptoutError
from optout.store import jobs
from optout.store.db import transaction
from optout.store.jobs import Lease, Retries
from optout.store.models.jobs import JobKind
from workers import fingerprint, publish
from workers.resources import Resources

logger = logging.getLogger(__name__)

BODIES: Mapping[JobKind, Callable[[Resources, Lease], None]] = MappingProxyType(
    {JobKind.FINGERPRINT_WORK: fingerprint.run, JobKind.PUBLISH_LOG: publish.run}
)
"""What each kind of job does. A body settles its job in the transaction of its effects, or raises."""


def run(resources: Resources, job_id: UUID) -> bool:
    """Run a job if it is due and nobody else's; whether it was run. A job that fails waits for its next attempt."""
    retries = Retries.of(resources.settings)
    with transaction(resources.sessions) as session:
        lease = jobs.claim_due(session, job_id, retries=retries)
    if lease is None:
        return False
    said = {"job": str(lease.job_id), "kind": lease.kind, "attempt": lease.attempt}
    try:
        with _kept_alive(resources, lease, retries):
            BODIES[lease.kind](resources, lease)
    except Exception as error:  # broad: whatever it was, the row has to say so, or the job looks alive
        code, sentence = _told(error)
        logger.warning("a job failed", extra=said, exc_info=None if isinstance(error, OptoutError) else error)
        with transaction(resources.sessions) as session:
            jobs.fail(session, lease, code=code, sentence=sentence, retries=retries)
    else:
        logger.info("a job is done", extra=said)
    return True


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
            except SQLAlchemyError as error:
                logger.warning("a lease was not extended", extra={"job": str(lease.job_id)}, exc_info=error)

    heart = threading.Thread(target=beat, name="lease", daemon=True)
    heart.start()
    try:
        yield
    finally:
        ended.set()
        heart.join()
