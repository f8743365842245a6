"""Kill -9 at ten random moments during 500 registrations and claims, and a broker that is wiped: all is there, once."""

import os
import random
import shutil
import signal
from pathlib import Path

import pytest
from insistent_client import Insistent
from registry_process import RegistryProcess, children, command, registry, wait_for

pytestmark = pytest.mark.faults

WORKS = {"short": 250, "long": 2500}
KILLS = {"short": 10, "long": 100}
API_SHARE = 0.3  # its start is the slow part of this test; its worker dies with it
WIPES = {"short": 5, "long": 50}


def kill_worker(served: RegistryProcess) -> None:
    """Kill the worker if it is up; between two lives there is none."""
    for pid in children(served.pid):
        if "workers.embedded" in command(pid):
            os.kill(pid, signal.SIGKILL)


def wipe_broker(served: RegistryProcess) -> None:
    """Lose every message, and the folder that they lay in."""
    shutil.rmtree(served.data / "broker", ignore_errors=True)


def test_what_was_acknowledged_survives_kills_and_is_there_once(
    quick_folder: Path, length: str, figures: list[str]
) -> None:
    works, kills, wipes = WORKS[length], KILLS[length], WIPES[length]
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails, to see the same moments again
    chance = random.Random(seed)
    moments = sorted(chance.sample(range(10, 2 * works - 10), kills + wipes))
    of_api = round(kills * API_SHARE)
    victims = ["api"] * of_api + ["worker"] * (kills - of_api) + ["broker"] * wipes
    chance.shuffle(victims)
    with registry(quick_folder / "kill", MEDIAMANAGER_SWEEP_SECONDS="2") as served:
        client = Insistent(lambda: served.url, served.key("creator", "pipeline", "auditor"))
        client.begin(range(works))
        for moment, victim in zip(moments, victims, strict=True):
            wait_for(lambda moment=moment: client.count >= moment, 120)  # type: ignore[misc]
            if victim == "worker":
                kill_worker(served)
            elif victim == "broker":
                wipe_broker(served)
            else:
                served.kill()
                served.start()
        client.end()

        # Once more, so that nothing is told from memory.
        served.kill()
        served.start()
        client.check(works)
    figures.append(
        f"{2 * works} acknowledgements through {kills} kills of API and worker and {wipes} wipes of the broker"
    )
