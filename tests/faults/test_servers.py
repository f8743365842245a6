"""Database and broker killed, wiped and hung while clients register: nothing acknowledged is lost, all is done soon."""

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import mortal_servers
import pytest
from insistent_client import Insistent
from mortal_servers import Mortal
from production import Process, Production, production
from registry_process import wait_for

pytestmark = pytest.mark.faults

ROUNDS = {"short": 1, "long": 60}
EACH = 15
DOWN_SECONDS = 0.5
RECOVERY_SECONDS = 15
BACKLOG_SECONDS = 30


@dataclass
class Rig:
    """A registry of several processes on servers of its own."""

    database: Mortal
    broker: Mortal
    production: Production
    api: Process
    key: str


@pytest.fixture(scope="module")
def rig(quick_folder: Path) -> Iterator[Rig]:
    folder = quick_folder / "servers"
    with ExitStack() as stack:
        database = stack.enter_context(mortal_servers.postgresql(folder).alive())
        broker = stack.enter_context(mortal_servers.redis_server(folder / "redis").alive())
        environment = {
            "MEDIAMANAGER_DATA_FOLDER": str(folder / "data"),
            "MEDIAMANAGER_DATABASE_URL": database.url,
            "MEDIAMANAGER_BROKER_URL": broker.url,
            "MEDIAMANAGER_SWEEP_SECONDS": "1",
            "MEDIAMANAGER_JOB_LEASE_SECONDS": "3",
            "MEDIAMANAGER_JOB_BACKOFF_SECONDS": "0.5",
        }
        made = stack.enter_context(production(folder, environment))
        made.migrate()
        started = [made.start(*words) for words in (("serve", "--no-worker", "--port", "0"), ("worker",), ("beat",))]
        key = made.key("creator", "pipeline", "auditor")
        for process in started:
            process.wait()
        yield Rig(database, broker, made, started[0], key)


def test_servers_that_die_and_hang_cost_time_and_nothing_else(rig: Rig, length: str, figures: list[str]) -> None:
    chance = random.Random(4)
    faults = [database_dies, database_dies, database_hangs, broker_is_wiped, broker_dies, broker_hangs] * ROUNDS[length]
    chance.shuffle(faults)
    client = Insistent(lambda: rig.api.url, rig.key)
    client.begin(range(EACH * (len(faults) + 1)))

    for number, fault in enumerate(faults, 1):
        wait_for(lambda number=number: client.count >= EACH * number, 120)  # type: ignore[misc]
        fault(rig)
    client.end()
    ended = time.monotonic()
    try:
        client.check(EACH * (len(faults) + 1))
    except AssertionError:
        print(rig.production.logs())  # noqa: T201 - shown when the test fails: what became of each job
        raise
    backlog = time.monotonic() - ended

    assert client.refusals[503], "no client ever met the outage"
    assert client.longest < RECOVERY_SECONDS
    assert backlog < BACKLOG_SECONDS
    figures.append(
        f"{client.count} acknowledgements through {len(faults)} deaths, wipes and hangs of PostgreSQL and Redis:"
        f" the longest wait {client.longest:.1f} s, the backlog done after {backlog:.1f} s"
    )


def database_dies(rig: Rig) -> None:
    rig.database.kill()
    time.sleep(DOWN_SECONDS)
    with rig.api.http() as http:
        assert http.get("/readyz").status_code == 503
        assert http.get("/healthz").status_code == 200
    rig.database.start()


def database_hangs(rig: Rig) -> None:
    rig.database.pause(DOWN_SECONDS)


def broker_is_wiped(rig: Rig) -> None:
    mortal_servers.flush(rig.broker)


def broker_dies(rig: Rig) -> None:
    rig.broker.kill()
    time.sleep(DOWN_SECONDS)
    rig.broker.start()


def broker_hangs(rig: Rig) -> None:
    rig.broker.pause(DOWN_SECONDS)
