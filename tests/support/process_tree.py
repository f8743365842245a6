"""How much memory this process and all of its descendants take together, at most."""

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_EVERY_SECONDS = 0.03


@dataclass
class Peak:
    """Of proportional set sizes: pages that several processes share are counted once.

    Attributes:
        before_bytes: what all of them took before; servers that other tests left running are among them.
        total_bytes: what all of them took at most.
        largest_bytes: what one that was not there before took at most.
    """

    before_bytes: int = 0
    total_bytes: int = 0
    largest_bytes: int = 0


@contextlib.contextmanager
def watched_memory() -> Iterator[Peak]:
    """Look every few milliseconds until the block ends."""
    before, stopping = set(_family()), threading.Event()
    peak = Peak(before_bytes=sum(map(_pss_bytes, before)))

    def watch() -> None:
        while not stopping.wait(_EVERY_SECONDS):
            sizes = {pid: _pss_bytes(pid) for pid in _family()}
            peak.total_bytes = max(peak.total_bytes, sum(sizes.values()))
            peak.largest_bytes = max(peak.largest_bytes, *(size for pid, size in sizes.items() if pid not in before), 0)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        stopping.set()
        thread.join()


def _family() -> list[int]:
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(folder.name))
    family = [os.getpid()]
    for pid in family:
        family += children.get(pid, [])
    return family


def _pss_bytes(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
