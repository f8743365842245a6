"""Compiles kernels in a child of the registry, once after an installation, so that no request waits while they are.

The first page that looks for works with something in common needs some of them: 12 s of work, a minute on a busy
machine. The child has a low priority, keeps what it compiled for all processes, and ends with the registry.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from fingerprinting.index import kernels
from workers import lifeline

_NICE: Final = 10


@contextmanager
def beside() -> Iterator[None]:
    """Compile what is not compiled yet while the block runs."""
    if kernels.are_kept() or kernels.cache_folder() is None:
        yield
        return
    child = subprocess.Popen(  # noqa: S603 - this very module
        [*kernels.PYTHON, "-m", __name__, str(os.getpid())],
        env=kernels.as_here(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    threading.Thread(target=child.wait, daemon=True).start()  # whose end nobody takes note of stays in the process list
    try:
        yield
    finally:
        child.kill()
        child.wait()


def main(parent: int) -> None:
    """Compile all of them, and end when the parent does."""
    if lifeline.end_with(parent):
        os.nice(_NICE)
        for _module in kernels.compile_all(at_once=1):
            pass


if __name__ == "__main__":
    main(int(sys.argv[1]))
