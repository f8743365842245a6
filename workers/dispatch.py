"""From the outbox to the workers: a nudge after each commit, and a sweep that finds what no nudge reached."""

import logging
import time
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from celery import Celery
from kombu.exceptions import KombuError

from optout.registry import listings, works
from optout.registry import sessions as web_sessions
from optout.store import heartbeats, idempotency, jobs
from optout.store.db import reading, transaction
from optout.store.models.base import utc_now
from optout.store.settings import Settings
from optout.store.storage import INCOMING
from workers.app import RUN_JOB, make
from workers.resources import Resources

logger = logging.getLogger(__name__)

_MEDIA = "media/"
_BATCH = 200
_MOST_WAITING = 1000
_DEAD = timedelta(days=1)

# The application that this process nudges through; None until `connect`: then only the sweep moves jobs.
_connected: Celery | None = None
_last_look = (float("-inf"), False)
# Until when the broker is left alone, because it did not take the last nudge.
_quiet_until = float("-inf")
_QUIET_SECONDS = 5.0
_REACH_SECONDS = 3
_LOOK_SECONDS = 5.0


def connect(settings: Settings) -> Celery:
    """Say where nudges of this process go from now on."""
    # One broker a process; `after_commit` calls have no place to carry it in.
    global _connected, _last_look, _quiet_until
    _connected, _last_look, _quiet_until = make(settings), (float("-inf"), False), float("-inf")
    return _connected


def nudge(job_ids: Iterable[UUID]) -> None:
    """Tell a worker about jobs that were just committed. Never raises: a nudge that is lost costs one sweep.

    A broker that hangs costs a request seconds, so after one that had to wait the next ones do not try.
    """
    global _quiet_until  # noqa: PLW0603 - of the one broker of this process
    if _connected is None or time.monotonic() < _quiet_until:
        return
    for job_id in job_ids:
        try:
            _connected.send_task(RUN_JOB, args=(str(job_id),))
        except (KombuError, OSError) as error:
            logger.warning("nudge failed; the sweep will find the job", extra={"job": str(job_id)}, exc_info=error)
            _quiet_until = time.monotonic() + _QUIET_SECONDS
            return


def reach(app: Celery) -> None:
    """Connect to the broker once, as a nudge would.

    Raises:
        KombuError, OSError: it does not answer, or does not let us in.
    """
    with app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=_REACH_SECONDS)
        # The folder of the embedded set-up has nobody to answer: writing is the question.
        connection.default_channel.queue_declare(queue=app.conf.task_default_queue)


def is_reachable() -> bool:
    """Whether the broker answers; asked anew at most every few seconds, because anybody may ask `/readyz`."""
    global _last_look  # noqa: PLW0603 - of the one broker of this process
    moment, answered = _last_look
    if time.monotonic() - moment > _LOOK_SECONDS:
        try:
            if _connected is not None:
                reach(_connected)
            answered = _connected is not None
        except (KombuError, OSError) as error:
            logger.warning("the broker does not answer", exc_info=error)
            answered = False
        _last_look = (time.monotonic(), answered)
    return answered


def sweep(resources: Resources, app: Celery) -> int:
    """Send every job that is due and that nobody runs, as far as the queue is not full of them; how many it were.

    Lists of videos whose time has come begin their next pass before.

    Jobs that wait in the queue already are sent again, because the broker may have lost them: without a bound, a
    backlog would double itself with every sweep.
    """
    with transaction(resources.sessions) as session:
        listings.wake(session)
    with reading(resources.sessions) as session:
        due = jobs.due(session, limit=_room(app))
    for job_id in due:
        app.send_task(RUN_JOB, args=(str(job_id),))
    with transaction(resources.sessions) as session:
        heartbeats.beat(session, heartbeats.SWEEP, heartbeats.SWEEP)
    return len(due)


def _room(app: Celery) -> int:
    """How many messages the queue may still take."""
    queue = app.conf.task_default_queue
    with app.connection_for_write() as connection:
        try:
            waiting = connection.default_channel.queue_declare(queue=queue, passive=True).message_count
        except connection.channel_errors:
            return _MOST_WAITING  # there is no queue: a new broker, or one that was wiped
    return max(0, _MOST_WAITING - int(waiting))


def clean(resources: Resources) -> int:
    """Remove media that belongs to no work (uploads that broke off, jobs that died in between), and old rows.

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
        web_sessions.remove_expired(session, idle=timedelta(hours=resources.settings.session_idle_hours))
        idempotency.remove_expired(session)
        jobs.remove_done(session, before=utc_now() - timedelta(days=resources.settings.jobs_kept_days))
        heartbeats.remove_old(session, before=utc_now() - _DEAD)
    return len(left)
