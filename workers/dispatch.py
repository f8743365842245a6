"""From the outbox to the workers: a nudge after each commit, and a sweep that finds what no nudge reached."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from celery import Celery
from kombu.exceptions import KombuError

from optout.registry import sessions as web_sessions
from optout.registry import works
from optout.store import jobs
from optout.store.db import reading, transaction
from optout.store.models.base import utc_now
from optout.store.settings import Settings
from optout.store.storage import INCOMING
from workers.app import RUN_JOB, make
from workers.resources import Resources

logger = logging.getLogger(__name__)

_MEDIA = "media/"
_BATCH = 200
_MOST_DUE = 1000

# The application that this process nudges through; None until `connect`: then only the sweep moves jobs.
_connected: Celery | None = None


def connect(settings: Settings) -> Celery:
    """Say where nudges of this process go from now on."""
    global _connected  # noqa: PLW0603 - one broker a process; `after_commit` calls have no place to carry it in
    _connected = make(settings)
    return _connected


def nudge(job_ids: Iterable[UUID]) -> None:
    """Tell a worker about jobs that were just committed. Never raises: a nudge that is lost costs one sweep."""
    if _connected is None:
        return
    for job_id in job_ids:
        try:
            _connected.send_task(RUN_JOB, args=(str(job_id),))
        except (KombuError, OSError) as error:
            logger.warning("nudge failed; the sweep will find the job", extra={"job": str(job_id)}, exc_info=error)
            return


def sweep(resources: Resources, app: Celery) -> int:
    """Send every job that is due and that nobody runs; how many it were."""
    with reading(resources.sessions) as session:
        due = jobs.due(session, limit=_MOST_DUE)
    for job_id in due:
        app.send_task(RUN_JOB, args=(str(job_id),))
    return len(due)


def clean(resources: Resources) -> int:
    """Remove media that belongs to no work (uploads that broke off, jobs that died in between) and old sessions.

    What is younger than `incoming_hours` is left alone: its transaction may still be open.

    Raises:
        StorageUnavailableError: the storage did not answer; what was left over stays for the next time.
    """
    before = utc_now() - timedelta(hours=resources.settings.incoming_hours)
    stored = resources.storage
    left = [one.key for one in stored.list(INCOMING) if one.modified_at < before]
    old = [one.key for one in stored.list(_MEDIA) if one.modified_at < before]
    for start in range(0, len(old), _BATCH):
        batch = old[start : start + _BATCH]
        with reading(resources.sessions) as session:
            used = works.media_in_use(session, batch)
        left += [key for key in batch if key not in used]
    for key in left:
        stored.delete(key)
    with transaction(resources.sessions) as session:
        web_sessions.remove_expired(session)
    return len(left)
