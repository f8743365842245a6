"""How fast lookups are while works come and go, how soon they count, and what a process costs that finds them.

`./run bench catalogue.updates` fills a SQLite registry and prints a JSON object: latencies of lookups with and without
1,000 works added and 1,000 withdrawn a second, in turns; the time from a commit to an answer of another process that
knows the work; start and memory of four processes with the index on the disk and with all of it in each one's memory.
What it is at is said on standard error; where no kernel is compiled yet (`mediamanager warmup`), that comes first.
`--database URL` takes an empty PostgreSQL instead.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session, sessionmaker

from fingerprinting.index import kernels
from fingerprinting.types import Fingerprint
from mediamanager.http_server import keep_what_is_loaded
from optout.catalogue.answers import Asset
from optout.consent.vocabulary import Use
from optout.registry import accounts
from optout.registry.lookups import Lookups, Question
from optout.store import db, encryption, migrate
from optout.store.models import Work, WorkFingerprint
from optout.store.models.base import utc_now
from optout.store.models.changes import Change, ChangeHead, ChangeKind
from optout.store.models.works import WorkState
from optout.store.settings import Settings

PROCESSES = 4
TURNS = 4
COPIES = 0.1
_BLOCK = 5_000
_TICK_SECONDS = 0.1


class Registry:
    """Writes works straight into the tables, in blocks: what is measured is what reads them."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions
        self._random = Random(1)
        self.works: list[UUID] = []
        with db.transaction(sessions) as session:
            self._account = accounts.create_account(session, name="bench").id

    def add(self, count: int) -> list[UUID]:
        ids = [UUID(bytes=self._random.randbytes(16), version=4) for _ in range(count)]
        with db.transaction(self._sessions) as session:
            self._insert(session, ids)
            _record(session, ids)
        self.works += ids
        return ids

    def add_and_withdraw(self, count: int) -> None:
        ids = [UUID(bytes=self._random.randbytes(16), version=4) for _ in range(count)]
        gone = [self.works.pop(self._random.randrange(len(self.works))) for _ in range(count)]
        with db.transaction(self._sessions) as session:
            self._insert(session, ids)
            for start in range(0, count, 500):
                some = gone[start : start + 500]
                session.execute(delete(WorkFingerprint).where(WorkFingerprint.work_id.in_(some)))
            _record(session, ids + gone)
        self.works += ids

    def _insert(self, session: Session, ids: list[UUID]) -> None:
        now = utc_now()
        common = {"account_id": self._account, "state": WorkState.READY, "ready_at": now, "registered_at": now}
        session.execute(insert(Work), [{"id": work, "identity": work.bytes * 2, **common} for work in ids])
        session.execute(
            insert(WorkFingerprint),
            [
                {"work_id": work, "position": position, "quality": 100.0, "span": None, "unit": one.unit}
                | {"algorithm": one.algorithm, "version": one.version, "value": one.value}
                for work in ids
                for position, one in enumerate(prints(work))
            ],
        )


def _record(session: Session, works: list[UUID]) -> None:
    last = session.execute(
        update(ChangeHead).values(number=ChangeHead.number + len(works)).returning(ChangeHead.number)
    ).scalar_one()
    numbers = range(last - len(works) + 1, last + 1)
    rows = [{"number": n, "kind": ChangeKind.WORK, "subject": work} for n, work in zip(numbers, works, strict=True)]
    session.execute(insert(Change), rows)


def prints(work: UUID, flipped: int = 0) -> tuple[Fingerprint, ...]:
    """What a picture is known by; flipped, a copy of it: other bytes, a hash some bits away."""
    random = Random(work.int)
    digest, pdq, phash = random.randbytes(32), random.getrandbits(256), random.randbytes(8)
    if flipped:
        digest, pdq = Random(work.int + 1).randbytes(32), pdq ^ ((1 << flipped) - 1)
    return (
        Fingerprint("sha256", 1, digest),
        Fingerprint("pdq-256", 1, pdq.to_bytes(32, "big")),
        Fingerprint("phash-64", 1, phash),
    )


# --- a process that answers ------------------------------------------------------------------------------------------


def answer_orders(url: str, index: str) -> None:
    """Does what the lines on standard input say; a line of JSON for each."""
    sessions = db.sessions(db.engine(Settings(database_url=url)))
    for _ in kernels.compile_all():
        pass  # what is compiled takes a process half a second once, whatever it opens
    memory = _memory(index)
    began = time.perf_counter()
    lookups = Lookups(sessions, Path(index) if index else None)
    with db.reading(sessions) as session:
        works = lookups.warm(session)
    lookups.follow(keep_what_is_loaded)  # as the service does
    _tell({"start_seconds": time.perf_counter() - began, "works": works, "before_kib": memory})
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "look":
            _tell(_look(sessions, lookups, [UUID(work) for work in order["known"]], order["batch"], order["seconds"]))
        elif order["do"] == "find":
            _tell({"found": _answer(sessions, lookups, [Asset(prints(UUID(order["work"]), 7))])[0]})
        else:
            _tell({"memory_kib": _memory(index), **vars_of(lookups)})
    lookups.close()


def vars_of(lookups: Lookups) -> dict[str, Any]:
    status = lookups.status()
    return {"segments": status.segments, "in_memory": status.in_memory, "problem": status.problem}


def _look(
    sessions: sessionmaker[Session], lookups: Lookups, known: list[UUID], batch: int, seconds: float
) -> dict[str, Any]:
    random = Random(time.time_ns())
    wall: list[float] = []
    cpu: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assets = [
            Asset(
                prints(random.choice(known), 7)
                if random.random() < COPIES
                else prints(UUID(int=random.getrandbits(128)))
            )
            for _ in range(batch)
        ]
        began, spent = time.perf_counter(), time.thread_time()
        _answer(sessions, lookups, assets)
        wall.append((time.perf_counter() - began) * 1000)
        cpu.append((time.thread_time() - spent) * 1000)
    return {"wall": wall, "cpu": cpu, **vars_of(lookups)}


def _answer(sessions: sessionmaker[Session], lookups: Lookups, assets: list[Asset]) -> list[bool]:
    with db.reading(sessions) as session:
        return [bool(one.matches) for one in lookups.answer(session, assets, Question(Use.TRAIN_GENAI, None)).answers]


def _memory(index: str) -> int:
    """KiB that this process has for itself, and its share of what it maps of the index with others."""
    total = _kib("Pss_Anon", Path("/proc/self/smaps_rollup").read_text())
    if index:
        for mapping in re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", Path("/proc/self/smaps").read_text(), flags=re.MULTILINE):
            if f" {index}/" in mapping:
                total += _kib("Pss", mapping)
    return total


def _kib(name: str, facts: str) -> int:
    [size] = re.findall(rf"^{name}: +(\d+)", facts, re.MULTILINE)
    return int(size)


def _progress(words: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {words}\n")
    sys.stderr.flush()


def _tell(facts: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


class Process:
    """One that answers, and what it said when it was ready."""

    def __init__(self, url: str, index: Path | None) -> None:
        words = [sys.executable, "-m", "benchmarks.catalogue.updates", "--answer", url, "--index", str(index or "")]
        self._child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ready = self._hear()

    def ask(self, **order: Any) -> dict[str, Any]:
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps(order) + "\n")
        self._child.stdin.flush()
        return self._hear()

    def end(self) -> None:
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait()

    def _hear(self) -> dict[str, Any]:
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            message = f"the process that answers has ended with {self._child.wait()}; see above"
            raise RuntimeError(message)
        heard: dict[str, Any] = json.loads(line)
        return heard


# --- what is measured ------------------------------------------------------------------------------------------------


def measure(url: str, folder: Path, *, works: int, rate: int, batch: int, seconds: float) -> dict[str, Any]:
    engine = db.engine(Settings(database_url=url))
    migrate.upgrade(engine)
    sessions = db.sessions(engine)
    with db.transaction(sessions) as session:
        encryption.prepare(session)
    registry = Registry(sessions)
    for module in kernels.compile_all():
        _progress(f"kernels: {module.module} ready after {module.seconds:.1f} s")
    for start in range(0, works, _BLOCK):
        registry.add(min(_BLOCK, works - start))
        _progress(f"{len(registry.works):,} of {works:,} works written")
    index = folder / "index"
    _progress("the index is made")
    first = Process(url, index)
    found: dict[str, Any] = {"works": works, "base_made_seconds": round(first.ready["start_seconds"], 2)}
    first.end()
    found["on_disk"] = _processes(url, index)
    found["in_memory"] = _processes(url, None)
    found["disk_bytes"] = sum(path.stat().st_size for path in index.rglob("*") if path.is_file())
    found |= _under_load(url, index, registry, rate=rate, batch=batch, seconds=seconds)
    engine.dispose()
    return found


def _processes(url: str, index: Path | None) -> dict[str, Any]:
    """Start and memory of some processes at once, each after a few lookups."""
    _progress(f"{PROCESSES} processes start with the index {'in memory' if index is None else 'on the disk'}")
    running = [Process(url, index) for _ in range(PROCESSES)]
    known = [str(UUID(int=number)) for number in range(10)]
    for each in running:
        each.ask(do="look", known=known, batch=100, seconds=0.5)
    pss = [each.ask(do="state")["memory_kib"] - each.ready["before_kib"] for each in running]
    starts = [each.ready["start_seconds"] for each in running]
    for each in running:
        each.end()
    return {
        "start_milliseconds": [round(one * 1000, 1) for one in starts],
        "mib_of_each": [round(one / 1024, 1) for one in pss],
        "mib_together": round(sum(pss) / 1024, 1),
    }


def _under_load(url: str, index: Path, registry: Registry, *, rate: int, batch: int, seconds: float) -> dict[str, Any]:
    asker, other = Process(url, index), Process(url, index)
    calm: dict[str, list[float]] = {"wall": [], "cpu": []}
    busy: dict[str, list[float]] = {"wall": [], "cpu": []}
    sooner: list[float] = []
    missed = written = 0
    state: dict[str, Any] = {}
    for turn in range(TURNS):
        _progress(f"lookups, turn {turn + 1} of {TURNS}")
        known = [str(work) for work in registry.works[:1000]]
        for name, values in asker.ask(do="look", known=known, batch=batch, seconds=seconds / TURNS).items():
            if name in calm:
                calm[name] += values
        with _writing(registry, rate) as counted:
            state = asker.ask(do="look", known=known, batch=batch, seconds=seconds / TURNS)
            for name in busy:
                busy[name] += state.pop(name)
        written += counted[0]
        asker.ask(do="look", known=known, batch=batch, seconds=1)  # what was written last is taken in
    _progress("another process is asked for what was just committed")
    with _writing(registry, rate):
        for _ in range(50):
            [work] = registry.add(1)
            began = time.perf_counter()
            while not other.ask(do="find", work=str(work))["found"]:
                missed += 1
            sooner.append((time.perf_counter() - began) * 1000)
    asker.end()
    other.end()
    return {
        "lookup": {"assets": batch, "calm": _spread(calm), "busy": _spread(busy), "ratio": _ratio(calm, busy)},
        "written_works_a_second": round(written / seconds),
        "commit_to_answer_of_another_process_ms": _summary(sooner),
        "answers_that_missed_a_committed_work": missed,
        "after": state,
    }


@contextmanager
def _writing(registry: Registry, rate: int) -> Iterator[list[int]]:
    stop, counted = threading.Event(), [0]

    def write() -> None:
        due = time.monotonic()
        while not stop.is_set():
            registry.add_and_withdraw(int(rate * _TICK_SECONDS))
            counted[0] += int(rate * _TICK_SECONDS)
            due += _TICK_SECONDS
            stop.wait(max(0.0, due - time.monotonic()))

    thread = threading.Thread(target=write)
    thread.start()
    yield counted
    stop.set()
    thread.join()


def _summary(milliseconds: list[float]) -> dict[str, float]:
    at = {f"p{q}": float(np.percentile(milliseconds, q)) for q in (50, 95, 99)}
    return {name: round(value, 2) for name, value in {**at, "max": max(milliseconds)}.items()}


def _spread(times: dict[str, list[float]]) -> dict[str, Any]:
    return {"lookups": len(times["wall"]), "milliseconds": _summary(times["wall"]), "of_cpu": _summary(times["cpu"])}


def _ratio(calm: dict[str, list[float]], busy: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    return {
        name: {key: round(value / _summary(calm[name])[key], 2) for key, value in _summary(busy[name]).items()}
        for name in calm
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench catalogue.updates", description=__doc__)
    parser.add_argument("--works", type=int, default=200_000)
    parser.add_argument("--rate", type=int, default=1_000, help="works added a second, and as many withdrawn")
    parser.add_argument("--batch", type=int, default=100, help="assets in a lookup")
    parser.add_argument("--seconds", type=float, default=40.0, help="of lookups, with and without")
    parser.add_argument("--database", help="SQLAlchemy URL of an empty database; else SQLite")
    parser.add_argument("--answer", help=argparse.SUPPRESS)
    parser.add_argument("--index", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.answer:
        answer_orders(chosen.answer, chosen.index)
        return
    with tempfile.TemporaryDirectory(prefix="updates-") as scratch:
        url = chosen.database or f"sqlite:///{scratch}/registry.sqlite3"
        limits = {"rate": chosen.rate, "batch": chosen.batch, "seconds": chosen.seconds}
        _tell(measure(url, Path(scratch), works=chosen.works, **limits))


if __name__ == "__main__":
    main()
