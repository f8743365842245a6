"""The job that brings committed entries into the public log."""

import logging

from optout.errors import ConflictError
from optout.ledger.publish import publish
from optout.store import jobs
from optout.store.db import transaction
from optout.store.jobs import Lease
from workers.resources import Resources

logger = logging.getLogger(__name__)


def run(resources: Resources, lease: Lease) -> None:
    """Publish what is committed by now. An entry that comes later brought a job of its own.

    Raises:
        LogIntegrityError, StorageUnavailableError: as `ledger.publish` says; the job fails with it.
    """
    try:
        publish(resources.sessions, resources.storage, resources.keys.log)
    except ConflictError:
        # Others published meanwhile, ours with theirs.
        logger.info("the log was published by others", extra={"job": str(lease.job_id)})
    with transaction(resources.sessions) as session:
        jobs.finish(session, lease)
