"""Kill -9 at ten random moments during 500 registrations and claims: what was acknowledged is there, and once."""

import hashlib
import os
import random
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from registry_process import RegistryProcess, children, command, registry, run, wait_for

pytestmark = pytest.mark.faults

WORKS = 250
KILLS = 10
API_KILLS = 4  # its start is the slow part of this test; its worker dies with it
CLIENTS = 4
UPLOAD_EVERY = 25


@dataclass
class Acknowledged:
    """What the registry said yes to: number of the content -> work, work -> claim."""

    works: dict[int, str] = field(default_factory=dict)
    claims: dict[str, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def count(self) -> int:
        with self.lock:
            return len(self.works) + len(self.claims)


def content(number: int) -> bytes:
    return f"work {number} of the fault test, with a few words that only it has: {number**5}".encode()


class Client:
    """A client as clients are: it asks again when it got no answer, and takes only an answer for a yes."""

    def __init__(self, served: RegistryProcess, key: str, acknowledged: Acknowledged) -> None:
        self.served = served
        self.headers = {"Authorization": f"Bearer {key}"}
        self.acknowledged = acknowledged

    def work_through(self, numbers: list[int]) -> None:
        for number in numbers:
            work = self.register(number)
            with self.acknowledged.lock:
                self.acknowledged.works[number] = work
            claim = self.claim(work)
            with self.acknowledged.lock:
                self.acknowledged.claims[work] = claim

    def register(self, number: int) -> str:
        if number % UPLOAD_EVERY == 0:
            form = {"data": {"title": str(number)}, "files": {"file": ("a.txt", content(number))}}
            return str(self.until_answered("POST", "/v1/works", **form).json()["id"])
        body = {
            "title": str(number),
            "modality": "text",
            "media_type": "text/plain",
            "fingerprints": [{"algorithm": "sha256", "value": hashlib.sha256(content(number)).hexdigest()}],
        }
        return str(self.until_answered("POST", "/v1/works", json=body).json()["id"])

    def claim(self, work: str) -> str:
        body = {"preferences": {"train-ai": "disallowed"}}
        answered = self.until_answered("POST", f"/v1/works/{work}/claims", json=body)
        if answered.status_code == 409:  # committed by an attempt whose answer the kill took away
            return str(self.until_answered("GET", f"/v1/works/{work}").json()["claims"][0])
        return str(answered.json()["id"])

    def until_answered(self, method: str, path: str, **more: Any) -> httpx2.Response:
        until = time.monotonic() + 120
        while True:
            try:
                answered = httpx2.request(method, self.served.url + path, headers=self.headers, timeout=30, **more)
            except httpx2.HTTPError:
                assert time.monotonic() < until, "the registry did not come back"
                time.sleep(0.05)
                continue
            if answered.status_code != 503:
                assert answered.status_code in (200, 201, 202, 409), answered.text
                return answered
            time.sleep(0.05)


def kill_worker(served: RegistryProcess) -> None:
    """Kill the worker if it is up; between two lives there is none."""
    for pid in children(served.pid):
        if "workers.embedded" in command(pid):
            os.kill(pid, signal.SIGKILL)


def test_what_was_acknowledged_survives_ten_kills_and_is_there_once(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails, to see the same moments again
    chance = random.Random(seed)
    moments = sorted(chance.sample(range(10, 2 * WORKS - 10), KILLS))
    victims = chance.sample(["api"] * API_KILLS + ["worker"] * (KILLS - API_KILLS), KILLS)
    acknowledged = Acknowledged()
    with registry(tmp_path / "data", MEDIAMANAGER_SWEEP_SECONDS="2") as served:
        key = served.key("creator", "pipeline", "auditor")
        client = Client(served, key, acknowledged)
        numbers = list(range(WORKS))
        threads = [
            threading.Thread(target=client.work_through, args=(numbers[start::CLIENTS],)) for start in range(CLIENTS)
        ]
        for thread in threads:
            thread.start()
        for moment, victim in zip(moments, victims, strict=True):
            wait_for(lambda moment=moment: acknowledged.count >= moment, 120)  # type: ignore[misc]
            if victim == "worker":
                kill_worker(served)
            else:
                served.kill()
                served.start()
        for thread in threads:
            thread.join(120)

        assert (len(acknowledged.works), len(acknowledged.claims)) == (WORKS, WORKS)
        # Once more, so that nothing is told from memory.
        served.kill()
        served.start()
        check(served, key, acknowledged)


def check(served: RegistryProcess, key: str, acknowledged: Acknowledged) -> None:
    with served.http(key) as http:
        listed = all_works(http)
        assert Counter(work["title"] for work in listed) == Counter(str(number) for number in range(WORKS))
        assert {int(work["title"]): work["id"] for work in listed} == acknowledged.works
        assert {work["id"]: work["claims"] for work in listed} == {
            work: [claim] for work, claim in acknowledged.claims.items()
        }
        wait_for(lambda: {work["state"] for work in all_works(http)} == {"ready"}, 60)
        assets = [{"sha256": hashlib.sha256(content(number)).hexdigest()} for number in range(WORKS)]
        verdicts = http.post("/v1/lookups", json={"assets": assets, "use": "train-genai"}).json()["verdicts"]
        assert [verdict["verdict"] for verdict in verdicts] == ["disallowed"] * WORKS
        entries = [published(http, claim) for claim in acknowledged.claims.values()]
        assert len({entry["index"] for entry in entries}) == WORKS
    verified = run("audit", "verify", served.url, "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def published(http: httpx2.Client, claim: str) -> dict[str, Any]:
    """Where a claim stands in the log; waits until a signed checkpoint covers it."""

    def position() -> dict[str, Any] | None:
        log = http.get(f"/v1/claims/{claim}").json()["log"]
        return dict(log) if log["published"] else None

    found: dict[str, Any] = wait_for(position, 60)
    return found


def all_works(http: httpx2.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        page = http.get(f"/v1/works?limit=100{after}").json()
        found += page["works"]
        if page["next_after"] is None:
            return found
        after = f"&after={page['next_after']}"
