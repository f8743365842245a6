"""Real workers on Redis and RabbitMQ; `test_processes` does the same with the broker that needs no server."""

import os
import secrets
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_socket
import services
from kombu import Connection
from production import Process, Production, production
from registry_process import wait_for

from optout.store.settings import Settings
from workers import app as workers_app

pytestmark = pytest.mark.flow

SLOW_SWEEP = {"MEDIAMANAGER_SWEEP_SECONDS": "3600"}
QUICK_SWEEP = {"MEDIAMANAGER_SWEEP_SECONDS": "1", "MEDIAMANAGER_JOB_LEASE_SECONDS": "3"}


@pytest.fixture(scope="module", params=["redis", "rabbitmq"])
def broker_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    start = services.redis_server if request.param == "redis" else services.rabbitmq
    with start(tmp_path_factory.mktemp("broker")) as url:
        yield url


@pytest.fixture
def environment(broker_url: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A queue of the test's own, which is removed at the end."""
    pytest_socket.enable_socket()
    queue = f"test-{secrets.token_hex(6)}"
    yield {
        "MEDIAMANAGER_DATA_FOLDER": str(tmp_path / "data"),
        "MEDIAMANAGER_BROKER_URL": broker_url,
        "MEDIAMANAGER_BROKER_QUEUE": queue,
    }
    purge(broker_url, queue, delete=True)


def purge(broker_url: str, queue: str, *, delete: bool = False) -> None:
    """Lose every message of a queue."""
    options = workers_app.make(Settings(broker_url=broker_url, broker_queue=queue)).conf.broker_transport_options
    with Connection(broker_url, transport_options=options) as connection:
        channel = connection.default_channel
        channel.queue_declare(queue=queue, durable=True, auto_delete=False)
        channel.queue_purge(queue)
        if delete:
            channel.queue_delete(queue)
            if "redis" not in broker_url:
                channel.exchange_delete(queue)


def upload(served: Production, api: Process, key: str, text: str) -> str:
    with served.http(api.url, key) as http:
        answered = http.post("/v1/works", files={"file": ("a.txt", text.encode())})
    assert answered.status_code == 202, answered.text
    return str(answered.json()["id"])


def state(served: Production, api: Process, key: str, work: str) -> str:
    with served.http(api.url, key) as http:
        return str(http.get(f"/v1/works/{work}").json()["state"])


def test_a_message_wakes_a_worker_at_once_and_each_stops_in_order(environment: dict[str, str], tmp_path: Path) -> None:
    with production(tmp_path, {**environment, **SLOW_SWEEP}) as served:
        served.migrate()
        api, worker, beat = served.api(), served.worker(), served.beat()
        key = served.key("creator")

        work = upload(served, api, key, "words that a message tells of " * 30)
        wait_for(lambda: state(served, api, key, work) == "ready", 30)

        assert [process.stop() for process in (beat, worker, api)] == [0, 0, 0]
        assert not [process.ready for process in (beat, worker) if process.ready.exists()]
        assert "Traceback" not in served.logs()


def test_messages_that_are_lost_and_workers_that_die_cost_seconds(environment: dict[str, str], tmp_path: Path) -> None:
    with production(tmp_path, {**environment, **QUICK_SWEEP}) as served:
        served.migrate()
        api, worker = served.api(), served.worker()
        key = served.key("creator")
        os.kill(worker.popen.pid, signal.SIGSTOP)
        work = upload(served, api, key, "words that no message tells of " * 30)
        purge(environment["MEDIAMANAGER_BROKER_URL"], environment["MEDIAMANAGER_BROKER_QUEUE"])
        worker.kill()
        assert state(served, api, key, work) == "pending"

        served.beat()
        served.worker()

        wait_for(lambda: state(served, api, key, work) == "ready", 40)
