"""Runs each way of `crash_flows` in processes that die at one durable step each; tells how it stands afterwards.

`python crash_process.py FOLDER MEDIA_URL FLOW…` writes a line of JSON for each step of each flow. It is a process of
its own, of one thread, because it forks: a child is killed ahead of step n, a second child is the registry that starts
again on what is left.
"""

import dataclasses
import gc
import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import factories
import registry_oracle
from crash_flows import FLOWS, Flow, Person, prose, recover
from crash_points import CrashPoints
from starlette.testclient import TestClient

from fingerprinting.extract import extract
from mediamanager.app import create_app
from optout.consent.vocabulary import EvidenceLevel
from optout.ledger import keys
from optout.store import db, encryption, migrate
from optout.store.models import Role
from optout.store.settings import Settings
from workers import sandbox
from workers.resources import open_resources


@dataclasses.dataclass
class Told:
    """What a child said before it ended."""

    said: list[Any]
    status: int


class Rig:
    """One registry in a folder, put back to how it was before each crash."""

    def __init__(self, folder: Path, media_url: str) -> None:
        self._data, self._kept = folder / "data", folder / "kept"
        self._media_url = media_url
        allowed = (urlsplit(media_url).netloc,)
        self._settings = Settings(data_folder=self._data, fetch_allowed_networks=allowed, job_backoff_seconds=0.001)
        self._app = create_app(self._settings)
        self._secret = ""

    def prepare(self) -> None:
        """An empty registry with one account and its key."""
        engine = db.engine(self._settings)
        migrate.upgrade(engine)
        with db.transaction(db.sessions(engine)) as session:
            encryption.prepare(session)
            keys.prepare(session, self._settings)
            account = factories.make_account(session, evidence=EvidenceLevel.VERIFIED)
            _key, self._secret = factories.make_key(session, account, Role.CREATOR, Role.PIPELINE)
        engine.dispose()

    def run(self, flow: Flow) -> None:
        """Crash a flow at each of its steps; a line about each."""
        shutil.rmtree(self._data, ignore_errors=True)
        self.prepare()
        before = self._in_child(lambda tell: self._go(flow, flow.before, {}, tell))
        assert before.status == 0, before.said
        known = dict(said for said in before.said if len(said) == 2)
        shutil.rmtree(self._kept, ignore_errors=True)
        shutil.copytree(self._data, self._kept)
        whole = self._in_child(lambda tell: self._go(flow, flow.act, known, tell, crash_at=0))
        assert whole.status == 0, whole.said
        [steps] = [said[0] for said in whole.said if len(said) == 1]
        for number in range(1, len(steps) + 1):
            self._crash(flow, known, number, steps[number - 1])

    def _crash(self, flow: Flow, known: dict[str, str], number: int, step: str) -> None:
        shutil.rmtree(self._data)
        shutil.copytree(self._kept, self._data)
        first = self._in_child(lambda tell: self._go(flow, flow.act, known, tell, crash_at=number))
        acknowledged = {**known, **dict(first.said)}
        second = self._in_child(lambda tell: self._come_back(flow, acknowledged, tell))
        told = {
            "number": number,
            "step": step,
            "killed": first.status == -signal.SIGKILL,
            "acknowledged": len(first.said),
            "error": None if second.status == 0 else second.said[-1:],
        }
        sys.stdout.write(f"{json.dumps(told)}\n")
        sys.stdout.flush()

    def _go(
        self,
        flow: Flow,
        act: Callable[[Person], object],
        known: dict[str, str],
        tell: Callable[..., None],
        crash_at: int | None = None,
    ) -> None:
        """A way through, with steps counted if `crash_at` is given; 0 counts only, and tells the steps."""
        with self._person(flow, dict(known), tell) as person:
            points = CrashPoints(self._data, crash_at)
            if crash_at is not None:
                points.install()
            act(person)
            if crash_at == 0:
                tell(points.steps)

    def _come_back(self, flow: Flow, acknowledged: dict[str, str], tell: Callable[..., None]) -> None:
        """The registry after the crash: whole at once, at rest after its recovery, and the client's retry adds nothing
        that was there, and everything that was not."""
        shown = self._data / "storage" / "log" / "checkpoint"
        old_note = shown.read_bytes() if shown.exists() else None
        with self._person(flow, dict(acknowledged), tell) as person:
            registry_oracle.at_any_time(person.resources)
            recover(person)
            registry_oracle.at_rest(person.resources)
            before = dict(person.known)
            flow.act(person)
            if person.known != before:
                recover(person)
                registry_oracle.at_rest(person.resources)
            works = person.http.get("/v1/works?limit=500").json()["works"]
            wanted = {name: one for name, one in person.known.items() if name.startswith("work ")}
            assert {f"work {work['title']}": work["id"] for work in works} == wanted
            assert len(works) == len(wanted)
            for kind, path in (("grant", "grants"), ("collection", "collections")):
                there = {one["id"] for one in person.http.get(f"/v1/{path}").json()[path]}
                assert there == {one for name, one in person.known.items() if name.startswith(f"{kind} ")}
            for name, one in acknowledged.items():
                assert person.known[name] == one
            claimed = [name.removeprefix("claim ") for name in person.known if name.startswith("claim ")]
            receipts = [person.receipt(name) for name in claimed]
            assert None not in receipts
            if receipts:
                registry_oracle.audit(person.resources, receipt=receipts[-1], old_note=old_note)

    def _person(self, flow: Flow, known: dict[str, str], tell: Callable[..., None]) -> "_Visit":
        return _Visit(self, flow, known, tell)

    def _in_child(self, call: Callable[[Callable[..., None]], None]) -> Told:
        """Run a call in a child; what it told, and how it ended (negative: by which signal)."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            status = 1

            def tell(*words: object) -> None:
                os.write(writer, f"{json.dumps(words)}\n".encode())

            try:
                call(tell)
                status = 0
            except BaseException:  # noqa: BLE001 - a failed assertion, an interrupt: all of it is told
                tell(traceback.format_exc()[-6000:])
            finally:
                os._exit(status)
        os.close(writer)
        with os.fdopen(reader) as lines:
            said = [json.loads(line) for line in lines]
        _pid, ended = os.waitpid(child, 0)
        return Told(said, os.waitstatus_to_exitcode(ended))


class _Visit:
    """A person at a running registry."""

    def __init__(self, rig: Rig, flow: Flow, known: dict[str, str], tell: Callable[..., None]) -> None:
        self._rig, self._flow, self._known, self._tell = rig, flow, known, tell
        self._client = TestClient(rig._app, headers={"Authorization": f"Bearer {rig._secret}"})

    def __enter__(self) -> Person:
        self._client.__enter__()
        return Person(
            http=self._client,
            resources=open_resources(self._rig._settings),
            known=self._known,
            tell=self._tell,
            media_url=self._rig._media_url,
            is_keyed=self._flow.is_keyed,
        )

    def __exit__(self, *error: object) -> None:
        self._client.__exit__(None, None, None)


def _decode_here(path: Path, *, name: str | None = None, limits: Any) -> Any:
    return extract(path, name=name, limits=limits)


def main(folder: Path, media_url: str, names: list[str]) -> None:
    """Run flows by name."""
    sandbox.extract = _decode_here  # type: ignore[assignment] # its child process is not what this is about
    rig = Rig(folder, media_url)
    sample = folder / "sample.txt"
    sample.write_bytes(prose("sample"))
    extract(sample)  # what it imports is imported once, and not by each child
    gc.freeze()  # children leave the pages alone that they share with us
    gc.disable()
    for name in names:
        sys.stdout.write(f"{json.dumps({'flow': name})}\n")
        sys.stdout.flush()
        rig.run(FLOWS[name])


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
