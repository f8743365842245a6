"""The ways through the registry whose every step is crashed at, told as a client goes them.

A flow can be gone again after a crash: the client remembers what was acknowledged and repeats the rest, as clients do.
"""

import dataclasses
import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import factories
import httpx2
from sqlalchemy import select
from sqlalchemy.orm import Session

from optout.ledger import consentlog
from optout.proof.entries import EntryType
from optout.registry import non_matches, works
from optout.store import jobs
from optout.store.db import reading, transaction
from optout.store.models import Job, JobKind
from optout.store.storage import INCOMING
from workers import dispatch, runner
from workers.resources import Resources

NO_TRAINING = {"preferences": {"train-ai": "disallowed"}}
ONLY_SEARCH = {"preferences": {"train-ai": "disallowed", "search": "allowed"}}


def prose(name: str) -> bytes:
    """A text that only this name has."""
    words = hashlib.shake_256(name.encode()).hexdigest(2000)
    return " ".join(words[start : start + 8] for start in range(0, len(words), 8)).encode()


@dataclass
class Person:
    """A client of the API, and whoever runs the workers.

    Attributes:
        known: what was acknowledged so far, by name; nothing of it is asked for again.
        tell: told of each acknowledgement at once.
        media_url: where addresses that the registry may fetch begin.
    """

    http: httpx2.Client
    resources: Resources
    known: dict[str, str]
    tell: Callable[[str, str], None]
    media_url: str
    is_keyed: bool = False

    def upload(self, name: str, data: bytes | None = None, *, keep: bool = False) -> str:
        """Register a file."""
        form = {"title": name, "keep_media": "true" if keep else "false"}
        files = {"file": (f"{name}.txt", prose(name) if data is None else data)}
        return self._acknowledged(f"work {name}", lambda: self._post("/v1/works", name, data=form, files=files))

    def link(self, name: str, *, keep: bool = False) -> str:
        """Register an address."""
        body = {"url": f"{self.media_url}/{name}", "title": name, "keep_media": keep}
        return self._acknowledged(f"work {name}", lambda: self._post("/v1/works", name, json=body))

    def describe(self, name: str) -> str:
        """Register fingerprints."""
        sha256 = {"algorithm": "sha256", "value": hashlib.sha256(prose(name)).hexdigest()}
        body = {"title": name, "modality": "text", "media_type": "text/plain", "fingerprints": [sha256]}
        return self._acknowledged(f"work {name}", lambda: self._post("/v1/works", name, json=body))

    def claim(self, name: str) -> str:
        """Disallow training on a work."""
        path = f"/v1/works/{self.known[f'work {name}']}/claims"
        return self._acknowledged(f"claim {name}", lambda: self._post(path, f"claim {name}", json=NO_TRAINING))

    def amend(self, name: str) -> str:
        """Say something else about it."""
        path = f"/v1/claims/{self.known[f'claim {name}']}"
        return self._acknowledged(f"amended {name}", lambda: self.http.patch(path, json=ONLY_SEARCH))

    def withdraw(self, name: str) -> str:
        """Take it back."""
        path = f"/v1/claims/{self.known[f'claim {name}']}"
        return self._acknowledged(f"withdrawn {name}", lambda: self.http.delete(path))

    def claim_all(self) -> str:
        """Disallow training on all works."""
        return self._acknowledged("claim all", lambda: self._post("/v1/account/claims", "claim all", json=NO_TRAINING))

    def collect(self, name: str, *works: str) -> None:
        """Make an album of some works."""
        body = {"kind": "album", "name": name}
        album = self._acknowledged(
            f"collection {name}", lambda: self._post("/v1/collections", f"collection {name}", json=body)
        )
        inside = {"works": [self.known[f"work {work}"] for work in works]}
        path = f"/v1/collections/{album}/works"
        self._acknowledged(f"filled {name}", lambda: self._post(path, f"filled {name}", json=inside))

    def claim_collection(self, name: str) -> str:
        """Disallow training on an album."""
        path = f"/v1/collections/{self.known[f'collection {name}']}/claims"
        return self._acknowledged(f"claim {name}", lambda: self._post(path, f"claim {name}", json=NO_TRAINING))

    def permit(self, name: str) -> str:
        """Grant training on a work to the one account that there is, which is verified, and a pipeline too."""
        grantee = self.http.get("/v1/grants/received").json()["account"]
        body = {"grantee": grantee, "uses": ["train-ai"], "works": [self.known[f"work {name}"]]}
        return self._acknowledged(f"grant {name}", lambda: self._post("/v1/grants", f"grant {name}", json=body))

    def revoke(self, name: str) -> str:
        """Take it back."""
        path = f"/v1/grants/{self.known[f'grant {name}']}"
        return self._acknowledged(f"revoked {name}", lambda: self.http.delete(path))

    def confirm(self, name: str) -> str:
        """Agree that a match with a work was wrong."""
        path = f"/v1/non-matches/{self.known[f'report {name}']}"
        return self._acknowledged(f"confirmed {name}", lambda: self.http.patch(path, json={"confirm": True}))

    def work(self, *kinds: JobKind) -> None:
        """Run everything that is due (of these kinds, if any are named), as the sweep and the workers do."""
        while True:
            with reading(self.resources.sessions) as session:
                due = session.scalars(
                    select(Job.id).where(Job.id.in_(jobs.due(session)), Job.kind.in_(kinds or tuple(JobKind)))
                ).all()
            if not due:
                return
            for job_id in due:
                runner.run(self.resources, job_id)

    def receipt(self, name: str) -> str | None:
        """What is kept as the proof of a claim, or of its last change; None while there is none yet."""
        claim = next(self.known[f"{what} {name}"] for what in ("amended", "claim") if f"{what} {name}" in self.known)
        answered = self.http.get(f"/v1/claims/{claim}/receipt")
        assert answered.status_code in {200, 409}, answered.text
        return answered.text if answered.status_code == 200 else None

    def _post(self, path: str, key: str, **body: Any) -> httpx2.Response:
        headers = {"Idempotency-Key": key} if self.is_keyed else {}
        return self.http.post(path, headers=headers, **body)

    def _acknowledged(self, name: str, ask: Callable[[], httpx2.Response]) -> str:
        if name not in self.known:
            answered = ask()
            # A 409 names what an attempt made whose answer never came.
            assert answered.status_code in {200, 201, 202, 409}, answered.text
            said = answered.json()
            kind = "collection" if name.startswith("collection ") else "claim"
            self.known[name] = str(said["parameters"][kind] if answered.status_code == 409 else said["id"])
            self.tell(name, self.known[name])
        return self.known[name]


def append_entries(session: Session, count: int) -> None:
    """Entries about nothing, to fill a log."""
    for _number in range(count):
        consentlog.append(
            session, type=EntryType.CLAIM_FINGERPRINTED, subject=uuid4(), body={}, recorded_at=datetime.now(UTC)
        )


def clean(person: Person) -> None:
    """What the hourly cleaning does, as if everything were a day old."""
    settings = person.resources.settings.model_copy(update={"incoming_hours": 0.0})
    dispatch.clean(dataclasses.replace(person.resources, settings=settings))


def recover(person: Person) -> None:
    """What a registry does when it starts again: give up leases of the dead, sweep, work, clean."""
    with transaction(person.resources.sessions) as session:
        jobs.release_leases(session)
    person.work()
    clean(person)


@dataclass(frozen=True)
class Flow:
    """What is there before, and what is crashed at every step."""

    before: Callable[[Person], object]
    act: Callable[[Person], object]
    is_keyed: bool = False


def _nothing(_person: Person) -> None:
    """Begin with an empty registry."""


def _file(person: Person) -> None:
    person.upload("file")
    person.work()


def _kept(person: Person) -> None:
    person.upload("kept", keep=True)


def _address(person: Person) -> None:
    person.link("address", keep=True)
    person.work()


def _described(person: Person) -> None:
    person.describe("described")


def _claimed(person: Person) -> None:
    person.describe("described")
    person.claim("described")


def _claimed_before_it_is_read(person: Person) -> None:
    person.upload("file")
    person.claim("file")


def _collected(person: Person) -> None:
    person.describe("described")
    person.collect("album", "described")


def _permitted(person: Person) -> None:
    _claimed(person)
    person.permit("described")


def _reported(person: Person) -> None:
    """Somebody else has said that a match with our work is wrong."""
    person.describe("described")
    with transaction(person.resources.sessions) as session:
        reporter = factories.make_account(session, name="Pia")
        work = UUID(person.known["work described"])
        made = non_matches.report(session, work_id=work, asset_key=b"k" * 32, reporter_id=reporter.id)
    person.known["report described"] = str(made.id)
    person.tell("report described", str(made.id))


def _broken(person: Person) -> None:
    person.upload("broken", b"\x89PNG\r\n\x1a\n and nothing that a picture has")


def _broken_and_read(person: Person) -> None:
    _broken(person)
    person.work()


def _broken_again(person: Person) -> None:
    person.known.pop("work broken", None)
    _broken_and_read(person)


def _three_claims(person: Person) -> None:
    for name in ("one", "two", "three"):
        person.describe(name)
        person.claim(name)


def _nearly_a_tile(person: Person) -> None:
    """A log of 254 entries that is out, and three more that are not."""
    with transaction(person.resources.sessions) as session:
        append_entries(session, 254)
        jobs.enqueue(session, JobKind.PUBLISH_LOG)
    person.work()
    _three_claims(person)


def _leftovers(person: Person) -> None:
    person.upload("waiting")
    storage = person.resources.storage
    storage.put(f"{INCOMING}{uuid4()}", io.BytesIO(b"an upload that broke off"))
    storage.put(works.media_key(uuid4()), io.BytesIO(b"media whose row never came"))


def _read(person: Person) -> None:
    person.work(JobKind.FINGERPRINT_WORK)


def _publish(person: Person) -> None:
    person.work(JobKind.PUBLISH_LOG)


FLOWS: Mapping[str, Flow] = {
    "register a file": Flow(_nothing, _file),
    "read a file that is kept": Flow(_kept, _read),
    "register an address": Flow(_nothing, _address),
    "register fingerprints": Flow(_nothing, _described),
    "read a broken file": Flow(_broken, _read),
    "register a broken file again": Flow(_broken_and_read, _broken_again),
    "claim": Flow(_described, lambda person: person.claim("described")),
    "claim, with an idempotency key": Flow(_described, lambda person: person.claim("described"), is_keyed=True),
    "read what is claimed": Flow(_claimed_before_it_is_read, _read),
    "amend": Flow(_claimed, lambda person: person.amend("described")),
    "withdraw": Flow(_claimed, lambda person: person.withdraw("described")),
    "claim all works": Flow(_described, lambda person: person.claim_all()),
    "make a collection": Flow(_described, lambda person: person.collect("album", "described")),
    "claim a collection": Flow(_collected, lambda person: person.claim_collection("album")),
    "grant": Flow(_claimed, lambda person: person.permit("described"), is_keyed=True),
    "revoke": Flow(_permitted, lambda person: person.revoke("described"), is_keyed=True),
    "confirm a wrong match": Flow(_reported, lambda person: person.confirm("described")),
    "publish the first entries": Flow(_three_claims, _publish),
    "publish over the edge of a tile": Flow(_nearly_a_tile, _publish),
    "clean": Flow(_leftovers, clean),
}


def _with(resources: Resources, settings: Any) -> Resources:
    return Resources(
        settings=settings,
        engine=resources.engine,
        sessions=resources.sessions,
        storage=resources.storage,
        keys=resources.keys,
        guard=resources.guard,
    )
