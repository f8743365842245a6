"""Real workers on each broker, as processes of their own: Redis, RabbitMQ, and the folder that needs no server."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import services
from pausing import pause
from production import Process, Production, production
from registry_process import wait_for

from optout.store.settings import Settings
from workers import app as workers_app

pytestmark = pytest.mark.flow


@dataclass
class Served:
    """An API on a broker, the key of a creator, and the processes that a test starts."""

    production: Production
    api: Process
    key: str
    settings: Settings

    def upload(self, text: str) -> str:
        with self.api.http(self.key) as http:
            answered = http.post("/v1/works", files={"file": ("a.txt", text.encode())})
        assert answered.status_code == 202, answered.text
        return str(answered.json()["id"])

    def state(self, work: str) -> str:
        with self.api.http(self.key) as http:
            return str(http.get(f"/v1/works/{work}").json()["state"])


@pytest.fixture(scope="module", params=["folder", "redis", "rabbitmq"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A registry on a queue of its own, which is removed at the end, without worker or beat."""
    folder = tmp_path_factory.mktemp("broker")
    queue = f"test-{secrets.token_hex(6)}"
    with _broker(request.param, folder) as broker_url:
        environment = {
            "MEDIAMANAGER_DATA_FOLDER": str(folder / "data"),
            "MEDIAMANAGER_BROKER_URL": broker_url,
            "MEDIAMANAGER_BROKER_QUEUE": queue,
            "MEDIAMANAGER_SWEEP_SECONDS": "1",
            "MEDIAMANAGER_JOB_LEASE_SECONDS": "3",
        }
        with production(folder, environment) as made:
            made.migrate()
            api, key = made.start("serve", "--no-worker", "--port", "0"), made.key("creator")
            served = Served(made, api.wait(), key, Settings(data_folder=folder / "data", broker_url=broker_url,
                                                             broker_queue=queue))  # fmt: skip
            yield served
        purge(served.settings, delete=True)


@contextmanager
def _broker(kind: str, folder: Path) -> Iterator[str]:
    if kind == "folder":
        yield "filesystem://"
        return
    with services.redis_server(folder) if kind == "redis" else services.rabbitmq(folder) as url:
        yield url


def purge(settings: Settings, *, delete: bool = False) -> None:
    """Lose every message of a queue."""
    queue = settings.broker_queue
    with workers_app.make(settings).connection_for_write() as connection:
        channel = connection.default_channel
        channel.queue_declare(queue=queue, durable=True, auto_delete=False)
        channel.queue_purge(queue)
        if delete:
            channel.queue_delete(queue)
            if settings.broker_url.startswith("amqp"):
                channel.exchange_delete(queue)


def test_a_message_wakes_a_worker_at_once_and_it_stops_in_order(served: Served) -> None:
    worker = served.production.start("worker").wait()

    work = served.upload("words that a message tells of " * 30)
    wait_for(lambda: served.state(work) == "ready", 30)  # nothing sweeps: only a message can have told of it

    told = time.monotonic()
    assert worker.stop() == 0
    assert time.monotonic() - told < 8  # it does nothing, so that nothing is waited for
    assert not worker.ready.exists()
    assert "Traceback" not in worker.log.read_text()


def test_messages_that_are_lost_and_workers_that_die_cost_seconds(served: Served) -> None:
    worker = served.production.start("worker").wait()
    pause(worker.popen.pid, served.settings.data_folder)
    work = served.upload("words that no message tells of " * 30)
    purge(served.settings)
    worker.kill()
    assert served.state(work) == "pending"

    beat, other = served.production.start("beat"), served.production.start("worker")

    wait_for(lambda: served.state(work) == "ready", 60)
    assert [process.wait().stop() for process in (beat, other)] == [0, 0]
    assert not beat.ready.exists()
    assert "Traceback" not in served.production.logs()
