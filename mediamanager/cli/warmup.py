"""`mediamanager warmup`: compile what large indexes are searched with, and keep it, so that no first call waits."""

import json
import sys

import typer

from fingerprinting.index import kernels
from mediamanager.cli import asking
from mediamanager.cli.asking import JsonOption

EXIT_NOT_KEPT = 2


def warmup(
    as_json: JsonOption = False,  # noqa: FBT002 - a command line flag
) -> None:
    """Compile what large indexes are searched with, and keep it for later processes of this user.

    It is kept in NUMBA_CACHE_DIR, or else in the user's cache folder. Another kind of processor needs it again,
    as does a new version.

    Exit status: 0 compiled and kept, 2 compiled but there is no place to keep it.
    """
    seconds = 0.0
    with asking.progress_over(kernels.compile_all(), len(kernels.MODULES), "compiling", streaming=as_json) as compiling:
        for one in compiling:
            seconds += one.seconds
            if as_json:
                sys.stdout.write(json.dumps({"module": one.module, "seconds": round(one.seconds, 3)}) + "\n")
                sys.stdout.flush()
    folder = kernels.cache_folder()
    if as_json:
        kept = str(folder) if folder is not None else None
        sys.stdout.write(json.dumps({"module": None, "seconds": round(seconds, 3), "folder": kept}) + "\n")
    elif folder is not None:
        sys.stdout.write(f"{len(kernels.MODULES)} modules are ready after {seconds:.1f} s, kept in {folder}\n")
    if folder is None:
        asking.say([f"compiled in {seconds:.1f} s, but not kept: set NUMBA_CACHE_DIR to a folder of yours"])
        raise typer.Exit(EXIT_NOT_KEPT)
