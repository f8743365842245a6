"""Kill -9 at ten random moments during 500 registrations and claims: what was acknowledged is there, and once."""

import os
import random
import signal
from pathlib import Path

import pytest
from insistent_client import Insistent
from registry_process import RegistryProcess, children, command, registry, wait_for

pytestmark = pytest.mark.faults

WORKS = {"short": 250, "long": 2500}
KILLS = {"short": 10, "long": 100}
API_SHARE = 0.3  # its start is the slow part of this test; its worker dies with it


def kill_worker(served: RegistryProcess) -> None:
    """Kill the worker if it is up; between two lives there is none."""
    for pid in children(served.pid):
        if "workers.embedded" in command(pid):
            os.kill(pid, signal.SIGKILL)


def test_what_was_acknowledged_survives_kills_and_is_there_once(
    quick_folder: Path, length: str, figures: list[str]
) -> None:
    works, kills = WORKS[length], KILLS[length]
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails, to see the same moments again
    chance = random.Random(seed)
    moments = sorted(chance.sample(range(10, 2 * works - 10), kills))
    of_api = round(kills * API_SHARE)
    victims = chance.sample(["api"] * of_api + ["worker"] * (kills - of_api), kills)
    with registry(quick_folder / "kill", MEDIAMANAGER_SWEEP_SECONDS="2") as served:
        client = Insistent(lambda: served.url, served.key("creator", "pipeline", "auditor"))
        client.begin(range(works))
        for moment, victim in zip(moments, victims, strict=True):
            wait_for(lambda moment=moment: client.count >= moment, 120)  # type: ignore[misc]
            if victim == "worker":
                kill_worker(served)
            else:
                served.kill()
                served.start()
        client.end()

        # Once more, so that nothing is told from memory.
        served.kill()
        served.start()
        client.check(works)
    figures.append(f"{2 * works} acknowledgements through {kills} kills of API and worker, each there once")
