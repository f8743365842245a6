"""Compiled kernels: how a function becomes machine code, where that code is kept, and all of them compiled in advance.

numba takes half a second to load, so nothing imports it before a large index is built or searched: this file loads it
only when a kernel is made, and kernels live in the modules named in `MODULES`, each imported by the function that needs
it. A module makes its kernels when it is imported, for the types it names, so that importing it is compiling it (or
reading what an earlier process compiled), and nothing is compiled later:

    from numba import types
    from fingerprinting.index.kernels import kernel, reads

    @kernel(types.int64(reads(types.uint64), types.uint64))
    def count(sorted_keys, key): ...
"""

import hashlib
import importlib
import importlib.metadata
import logging
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

_PARAMETERS = ParamSpec("_PARAMETERS")
_RESULT = TypeVar("_RESULT")
_log = logging.getLogger(__name__)

# Every module that makes kernels or builds parts of them, in the order in which they are compiled: first what small
# indexes need, too.
MODULES: tuple[str, ...] = (
    "fingerprinting.index.feature_kernels",
    "fingerprinting.index.placement_kernels",
    "fingerprinting.index.vote_kernels",
    "fingerprinting.index.sort_kernels",
    "fingerprinting.index.keys_kernels",
    "fingerprinting.index.fuse_kernels",
    "fingerprinting.index.inverted_kernels",
    "fingerprinting.index.packed_kernels",
    "fingerprinting.index.postings_kernels",
    "fingerprinting.index.diagonals_kernels",
    "fingerprinting.index.hamming_build_kernels",
    "fingerprinting.index.hamming_kernels",
    "fingerprinting.index.hamming_probe_kernels",
    "fingerprinting.index.hamming_single_kernels",
    "fingerprinting.index.hamming_join_kernels",
    "fingerprinting.index.hamming_scan_kernels",
)

PYTHON: Final = (sys.executable, "-P")
"""How a child is started that is to find no modules in the folder that somebody happens to be in."""

_choosing_folder = threading.Lock()


@dataclass(frozen=True, slots=True)
class Compiled:
    """A module whose kernels are ready: its name, and how long that took."""

    module: str
    seconds: float


def kernel(
    *signatures: Any,
    inline: bool = False,
    borrows: bool = False,
) -> Callable[[Callable[_PARAMETERS, _RESULT]], Callable[_PARAMETERS, _RESULT]]:
    """Compile a function for some signatures: without the GIL, without checks of bounds, kept for later processes.

    Args:
        signatures: numba's, made with `reads` and `writes` for arrays. None for a function that only kernels call.
        inline: write it into each function that calls it.
        borrows: do not count references to its arrays, which costs more than the work of a short function that is
            called often: whoever calls it keeps them. It can't make arrays.
    """
    import numba  # noqa: PLC0415 - see above

    settings: Any = numba.config
    njit: Any = numba.njit

    def compiled(function: Callable[_PARAMETERS, _RESULT]) -> Callable[_PARAMETERS, _RESULT]:
        folder = cache_folder()
        with _choosing_folder:  # numba knows one folder a process, and others may use it for theirs
            before = settings.CACHE_DIR
            settings.CACHE_DIR = before or str(folder or "")
            try:
                made: Any = njit(
                    cache=bool(before or folder),
                    nogil=True,
                    error_model="numpy",
                    forceinline=inline,
                    _nrt=not borrows,
                )(function)
            finally:
                settings.CACHE_DIR = before
        for signature in signatures:
            made.compile(signature)
        if signatures:
            made.disable_compile()
        dispatcher: Callable[_PARAMETERS, _RESULT] = made
        return dispatcher

    return compiled


def reads(item: Any, dimensions: int = 1) -> Any:
    """Give the type of an array that a kernel only reads: one in memory, or a read-only map of a file."""
    from numba import types  # noqa: PLC0415 - see above

    return types.Array(item, dimensions, "C", readonly=True)


def writes(item: Any, dimensions: int = 1) -> Any:
    """Give the type of an array that a kernel writes."""
    from numba import types  # noqa: PLC0415 - see above

    return types.Array(item, dimensions, "C")


def compile_all(*, at_once: int = 2) -> Iterator[Compiled]:
    """Compile every kernel that is not compiled yet, module by module.

    Args:
        at_once: 2 has a second process begin at the other end, where there are two cores; what it has compiled by the
            time the two meet is only read here.
    """
    with _from_the_other_end() if at_once > 1 and (os.cpu_count() or 1) > 1 else nullcontext():
        for module in MODULES:
            started = time.perf_counter()
            importlib.import_module(module)
            yield Compiled(module, time.perf_counter() - started)
    if (mark := _mark_of_all()) is not None:
        with suppress(OSError):  # then nothing was kept either
            mark.touch()


def are_kept() -> bool:
    """Whether all of them have been compiled by this version, so that none is compiled again; loads nothing."""
    mark = _mark_of_all()
    return mark is not None and mark.exists()


@contextmanager
def _from_the_other_end() -> Iterator[None]:
    if are_kept() or cache_folder() is None:
        yield
        return
    imported = "; ".join(f"import {module}" for module in reversed(MODULES))
    # In a session of its own, so that Ctrl-C reaches only us: it would tell where it was.
    helper = subprocess.Popen([*PYTHON, "-c", imported], env=as_here(), start_new_session=True)  # noqa: S603 - our own
    try:
        yield
    finally:
        helper.kill()
        helper.wait()


def as_here() -> dict[str, str]:
    """Give the environment in which `PYTHON` finds modules where this process does."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(one or "." for one in sys.path)}


def _mark_of_all() -> Path | None:
    folder = cache_folder()
    made_by = f"{sys.implementation.cache_tag}-{importlib.metadata.version('numba')}"
    return None if folder is None else folder / f"all-{_digest()}-{made_by}"


@cache
def cache_folder() -> Path | None:
    """Choose where machine code is kept: `NUMBA_CACHE_DIR` if it is set, else a folder in the user's cache.

    What lies there is executed, so a folder that others may write is not used; None if there is no place. Its name
    changes with the sources, because numba does not notice that a function which it compiled into another has changed.
    """
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(chosen)
    try:
        caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = caches / "mediamanager" / f"kernels-{_digest()}"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = folder.stat()
        ours = not hasattr(os, "getuid") or (
            facts.st_uid == os.getuid() and not facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        )
        if ours and os.access(folder, os.W_OK):
            return folder
        problem = "others may write to it" if not ours else "it can't be written"
    except (OSError, RuntimeError) as error:  # RuntimeError: there is no home
        folder, problem = Path(), str(error)
    _log.warning(
        "kernels are compiled anew in each process, which takes seconds: %s: %s. Set NUMBA_CACHE_DIR to a folder "
        "that only this user can write.",
        folder,
        problem,
    )
    return None


def _digest() -> str:
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*kernels*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]
