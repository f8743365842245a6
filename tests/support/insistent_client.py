"""A client that works through registrations and claims while the registry fails, and what it was told."""

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
from registry_process import run, wait_for

PATIENCE_SECONDS = 120
UPLOAD_EVERY = 25
_ANSWERED = (200, 201, 202, 409)


def content(number: int) -> bytes:
    """A text that only this number has."""
    return f"work {number} of the fault test, with a few words that only it has: {number**5}".encode()


@dataclass
class Insistent:
    """Clients as clients are: they ask again when they got no answer, and take only an answer for a yes.

    Attributes:
        where: the registry's address; it may change while it is restarted.
        works, claims: what the registry said yes to: number of the content -> work, work -> claim.
        longest: seconds that the longest silence took, from the first refusal to the answer.
        refusals: how many answers there were of each status that is no answer.
    """

    where: Callable[[], str]
    key: str
    works: dict[int, str] = field(default_factory=dict)
    claims: dict[str, str] = field(default_factory=dict)
    longest: float = 0.0
    refusals: Counter[int] = field(default_factory=Counter)
    _threads: list[threading.Thread] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Acknowledgements so far."""
        return len(self.works) + len(self.claims)

    @property
    def http(self) -> httpx2.Client:
        """A client for one's own questions."""
        return httpx2.Client(base_url=self.where(), headers={"Authorization": f"Bearer {self.key}"}, timeout=30)

    def begin(self, numbers: Sequence[int], clients: int = 4) -> None:
        """Register and claim these numbers, by several clients at once."""
        shares = [numbers[start::clients] for start in range(clients)]
        self._threads = [threading.Thread(target=self.work_through, args=(share,)) for share in shares]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Wait until all is done."""
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()

    def work_through(self, numbers: Sequence[int]) -> None:
        """One client's share, a work and its claim after the other."""
        with httpx2.Client(headers={"Authorization": f"Bearer {self.key}"}, timeout=30) as http:
            for number in numbers:
                work = self._register(http, number)
                self.works[number] = work
                self.claims[work] = self._claim(http, work)

    def _register(self, http: httpx2.Client, number: int) -> str:
        if number % UPLOAD_EVERY == 0:
            form = {"data": {"title": str(number)}, "files": {"file": ("a.txt", content(number))}}
            return str(self._until_answered(http, "POST", "/v1/works", **form).json()["id"])
        sha256 = {"algorithm": "sha256", "value": hashlib.sha256(content(number)).hexdigest()}
        body = {"title": str(number), "modality": "text", "media_type": "text/plain", "fingerprints": [sha256]}
        return str(self._until_answered(http, "POST", "/v1/works", json=body).json()["id"])

    def _claim(self, http: httpx2.Client, work: str) -> str:
        body = {"preferences": {"train-ai": "disallowed"}}
        answered = self._until_answered(http, "POST", f"/v1/works/{work}/claims", json=body)
        if answered.status_code == 409:  # committed by an attempt whose answer was lost
            return str(self._until_answered(http, "GET", f"/v1/works/{work}").json()["claims"][0])
        return str(answered.json()["id"])

    def _until_answered(self, http: httpx2.Client, method: str, path: str, **more: Any) -> httpx2.Response:
        began = time.monotonic()
        while True:
            try:
                answered = http.request(method, self.where() + path, **more)
            except httpx2.HTTPError:
                assert time.monotonic() < began + PATIENCE_SECONDS, "the registry did not come back"
            else:
                if answered.status_code in _ANSWERED:
                    self.longest = max(self.longest, time.monotonic() - began)
                    return answered
                assert answered.status_code == 503, answered.text
                self.refusals[answered.status_code] += 1
            time.sleep(0.05)

    def check(self, count: int) -> None:
        """All was acknowledged, all is there, once; it is ready, it counts, and it is in a log that verifies."""
        assert (len(self.works), len(self.claims)) == (count, count)
        with self.http as http:
            listed = _all_works(http)
            assert Counter(work["title"] for work in listed) == Counter(map(str, self.works))
            assert {int(work["title"]): work["id"] for work in listed} == self.works
            assert {work["id"]: work["claims"] for work in listed} == {
                work: [claim] for work, claim in self.claims.items()
            }
            wait_for(lambda: {work["state"] for work in _all_works(http)} == {"ready"}, 60)
            assets = [{"sha256": hashlib.sha256(content(number)).hexdigest()} for number in self.works]
            verdicts = http.post("/v1/lookups", json={"assets": assets, "use": "train-genai"}).json()["verdicts"]
            assert [verdict["verdict"] for verdict in verdicts] == ["disallowed"] * count
            assert len({_published(http, claim)["index"] for claim in self.claims.values()}) == count
        verified = run("audit", "verify", self.where(), "--json")
        assert verified.returncode == 0, verified.stdout + verified.stderr


def _published(http: httpx2.Client, claim: str) -> dict[str, Any]:
    """Where a claim stands in the log; waits until a signed checkpoint covers it."""

    def position() -> dict[str, Any] | None:
        log = http.get(f"/v1/claims/{claim}").json()["log"]
        return dict(log) if log["published"] else None

    found: dict[str, Any] = wait_for(position, 60)
    return found


def _all_works(http: httpx2.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        page = http.get(f"/v1/works?limit=500{after}").json()
        found += page["works"]
        if page["next_after"] is None:
            return found
        after = f"&after={page['next_after']}"
