"""The Celery application: every setting with its why.

Celery only wakes workers up. The outbox row is the truth: it holds state, attempts and lease, so that no message has
to survive anything, and a message that comes twice, late or never does no harm.
"""

from typing import Any, Final

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

from optout.store.settings import Settings
from workers.folder_broker import ALIAS

RUN_JOB: Final = "mediamanager.run_job"

POLL_SECONDS: Final = 0.05
"""How often the embedded worker looks into its folder: a listing costs some 20 microseconds."""

_BROKER_SECONDS: Final = 5
"""How long a request waits for a broker that does not answer, before it leaves the job to the sweep."""

# A message is tried once more, at once: by itself kombu would try for 6 s where nobody listens at all. A worker waits
# for its broker without end all the same, that is another loop.
_IMPATIENT: Final = {"max_retries": 1, "interval_start": 0, "interval_step": 0}

_REDIS: Final = ("redis", "rediss")
_AMQP: Final = ("amqp", "amqps", "pyamqp")

# By name, so that Redis is loaded only where it is the broker.
TRANSPORT_ALIASES.update(dict.fromkeys(_REDIS, "workers.redis_broker:Transport"))


def make(settings: Settings) -> Celery:
    """A Celery application for these settings, without tasks: `tasks.register` adds them where they are run."""
    app = Celery("mediamanager", set_as_current=False)
    app.conf.update(
        # Where messages go. `filesystem://` is our folder broker, see its module for why it is not kombu's.
        broker_url=_broker_url(settings),
        broker_transport_options=_transport_options(settings),
        # A broker that starts after us is waited for; the outbox fills meanwhile.
        broker_connection_retry_on_startup=True,
        broker_connection_timeout=_BROKER_SECONDS,
        # A request never waits for a broker that is away: the sweep sends what a nudge could not.
        task_publish_retry=False,
        # No result backend: what came of a job stands in the database, in the transaction of its effects.
        task_ignore_result=True,
        # A message carries one id. JSON only, so that nobody who can write to the broker can run code here.
        task_serializer="json",
        accept_content=["json"],
        task_default_queue=settings.broker_queue,
        # Acknowledged when the job is settled: a worker that dies leaves its message to another one, where the broker
        # can do that. Poison does not go round for ever, because attempts are counted in the row (jobs.claim_due).
        task_acks_late=True,
        # One message at a time a thread: jobs are long, and a hoarded message would wait behind one.
        worker_prefetch_multiplier=1,
        # Commands from the broker to workers are a second control plane that nobody needs here.
        worker_enable_remote_control=False,
        # A broker that comes back finds the job running; the lease, not the connection, says whose it is.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        # Logging is set up by whoever starts the process.
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
    )
    return app


def is_embedded(settings: Settings) -> bool:
    """Whether messages go through a folder, and so one worker, a child of `mediamanager serve`, reads them."""
    return settings.broker_url.startswith("filesystem:")


def _broker_url(settings: Settings) -> str:
    return f"{ALIAS}://localhost" if is_embedded(settings) else settings.broker_url


def _transport_options(settings: Settings) -> dict[str, Any]:
    if is_embedded(settings):
        return {"folder": str(settings.data_folder.absolute() / "broker"), "polling_interval": POLL_SECONDS}
    scheme = settings.broker_url.partition(":")[0]
    if scheme in _REDIS:
        return {
            # Messages that a dead worker took come back after this time. Before it the job is leased still, and the
            # message would be dropped; after it the sweep would send the job anyway.
            "visibility_timeout": settings.job_lease_seconds,
            # Look for such messages every other second; kombu's own pace is every 100 s.
            "unacked_restore_interval": 2,
            "unacked_restore_throttle": 1,
            **_IMPATIENT,
            "socket_connect_timeout": _BROKER_SECONDS,
            # Longer than a worker's blocking read, which asks for a second.
            "socket_timeout": _BROKER_SECONDS,
            "socket_keepalive": True,
            # Kombu's own keys would be shared with other registries in the same Redis.
            "global_keyprefix": f"{settings.broker_queue}:",
        }
    if scheme in _AMQP:
        return {**_IMPATIENT, "connect_timeout": _BROKER_SECONDS, "write_timeout": _BROKER_SECONDS}
    return {}
