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
    """Of proportional set sizes: pages that several processes share are counted once."""

    total_bytes: int = 0
    largest_bytes: int = 0


@contextlib.contextmanager
def watched_memory() -> Iterator[Peak]:
    """Look every few milliseconds until the block ends."""
    peak, stopping = Peak(), threading.Event()

    def watch() -> None:
        while not stopping.wait(_EVERY_SECONDS):
            sizes = [_pss_bytes(pid) for pid in _family()]
            peak.total_bytes = max(peak.total_bytes, sum(sizes))
            peak.largest_bytes = max(peak.largest_bytes, *sizes)

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
