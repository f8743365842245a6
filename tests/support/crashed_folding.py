"""Folds an index in processes that die at one durable step each; tells how it stands afterwards.

`python crashed_folding.py DATABASE_URL FOLDER EVERY WORK…` writes a line of JSON with the number of steps, and one for
each that was crashed at. FOLDER holds `before/`, an index to begin with (or none); the WORKs are those that a copy of
`pdq(0)`, `pdq(1)`, … finds, or `-`. It is a process of its own, of one thread, because it forks.

Most steps write into a folder that has no name yet, where each leaves a little more of what is thrown away. Of those
that follow one another in one such folder, the first, the last and each EVERY-th are crashed at; of all others, each.
"""

import gc
import itertools
import json
import os
import re
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from crash_points import CrashPoints
from factories import pdq

from fingerprinting.types import Depth
from optout.registry import index_folding
from optout.registry.index_folder import SEGMENTS, IndexFolder
from optout.registry.live_index import LiveIndex
from optout.store import db
from optout.store.settings import Settings

MANY = 10_000
NAMELESS = re.compile(r"\w+ segments/(\.[^/]+)/")


def main(url: str, place: Path, every: int, expected: list[str]) -> None:
    """Crash at the steps of what leads from `before/` to an index of now."""
    gc.freeze()  # children leave the pages alone that they share with us
    gc.disable()
    folder = place / "index"
    begin(place)
    steps = json.loads(in_child(lambda: fold(url, folder, 0)).said)
    sys.stdout.write(f"{json.dumps({'steps': len(steps)})}\n")
    for number, step in chosen(steps, every):
        begin(place)
        killed = in_child(lambda number=number: fold(url, folder, number)).status == -signal.SIGKILL
        after = in_child(lambda: come_back(url, folder, expected))
        said = {"step": step, "killed": killed, "error": None if after.status == 0 else after.said}
        sys.stdout.write(f"{json.dumps(said)}\n")
        sys.stdout.flush()


def chosen(steps: Sequence[str], every: int) -> Iterator[tuple[int, str]]:
    """The steps to crash at, with their numbers from 1."""

    def nameless(numbered: tuple[int, str]) -> str | int:
        inside = NAMELESS.match(numbered[1])
        return inside[1] if inside else numbered[0]

    for _, found in itertools.groupby(enumerate(steps, start=1), nameless):
        row = list(found)
        yield from (one for at, one in enumerate(row) if at % every == 0 or one is row[-1])


def begin(place: Path) -> None:
    shutil.rmtree(place / "index", ignore_errors=True)
    (place / "index").mkdir()
    if (place / "before").is_dir():
        shutil.copytree(place / "before", place / "index", dirs_exist_ok=True)


def fold(url: str, folder: Path, crash_at: int) -> str:
    engine = db.engine(Settings(database_url=url))
    points = CrashPoints(folder, crash_at)
    points.install()
    with IndexFolder(folder).locked(wait=True):
        index_folding.fold(db.sessions(engine), IndexFolder(folder))
    engine.dispose()
    return json.dumps(points.steps)


def come_back(url: str, folder: Path, expected: list[str]) -> str:
    """What is left opens and finds everything; folding goes on from it, and leaves nothing over."""
    engine = db.engine(Settings(database_url=url))
    sessions = db.sessions(engine)
    assert found(LiveIndex(sessions, folder, seal_works=MANY)) == expected
    with IndexFolder(folder).locked(wait=True):
        index_folding.fold(sessions, IndexFolder(folder))
    IndexFolder(folder).verify()
    opened = IndexFolder(folder).open()
    assert opened is not None
    assert {path.name for path in (folder / SEGMENTS).iterdir()} == {one.name for one in opened.segments}
    assert not list(folder.rglob(".*"))
    index = LiveIndex(sessions, folder, seal_works=MANY)
    assert found(index) == expected
    assert index.status().in_memory == 0
    engine.dispose()
    return ""


def found(index: LiveIndex) -> list[str]:
    with db.reading(index._sessions) as session:
        works = index.refresh(session)
    each = {}
    # Its own check of every byte ends before we do: a test forks, and threads do not come along.
    for work, match in works.search([[pdq(seed)] for seed in range(40)], Depth.STANDARD):
        assert match.asset not in each, "found twice"
        each[match.asset] = str(work)
    return [each.get(seed, "-") for seed in range(40)]


class Told:
    """What a child said, and how it ended."""

    def __init__(self, said: str, status: int) -> None:
        self.said = said
        self.status = status


def in_child(act: Callable[[], str]) -> Told:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        status = 1
        try:
            os.write(writer, act().encode())
            status = 0
        except BaseException:  # noqa: BLE001 - it is told, and this process ends
            os.write(writer, traceback.format_exc().encode())
        os._exit(status)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    _, status = os.waitpid(pid, 0)
    return Told(said, os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
