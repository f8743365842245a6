"""Disks that are full on purpose: a small file system of a registry's own, or a limit on how long its files may grow.

The first is the real thing and needs a mount namespace, which most systems give anybody; the second works everywhere.
"""

import contextlib
import json
import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from registry_process import COMMAND, RegistryProcess, descendants, registry

_PIECE = 1 << 16
_SIZE = "24m"
_ROLES = ("creator", "pipeline", "auditor")
_WITH_ROLES = tuple(word for role in _ROLES for word in ("--role", role))


@dataclass(frozen=True)
class Disk:
    """The disk of a running registry, to be filled and emptied. `key` has every role that a test needs."""

    served: RegistryProcess
    key: str
    fill: Callable[[], None]
    empty: Callable[[], None]


@contextlib.contextmanager
def small_file_system(folder: Path, **environment: str) -> Iterator[Disk]:
    """A registry whose database and storage lie on a file system of 24 MB that only it and its children see."""
    place = folder / "small"
    place.mkdir(parents=True)
    data = folder / "data"
    # The key is made inside, too: from outside, SQLite would follow /proc/…/root to our own view of the path.
    first = 'mount -t tmpfs -o size="$1" tmpfs "$2" && "${@:5:$4}" > "$3" && shift "$((4 + $4))" && exec "$@"'
    make_key = [*COMMAND, "keys", "create", "--data", str(data), "--name", "Ada", "--json", *_WITH_ROLES]
    wrapper = (*_namespace(), "bash", "-c", first, "bash", _SIZE, str(place), str(data / "key"), str(len(make_key)))
    where = {
        "MEDIAMANAGER_DATABASE_URL": f"sqlite:///{place}/registry.sqlite3",
        "MEDIAMANAGER_STORAGE_URL": f"file://{place}/storage",
    }
    with registry(data, (*wrapper, *make_key), **where, **environment) as served:
        filler = Path(f"/proc/{served.pid}/root{place}/filler")

        def fill() -> None:
            with contextlib.suppress(OSError), filler.open("ab", buffering=0) as file:
                while True:
                    file.write(bytes(_PIECE))

        key = json.loads((data / "key").read_text())["secret"]
        yield Disk(served, key, fill, filler.unlink)


@contextlib.contextmanager
def short_files(folder: Path, **environment: str) -> Iterator[Disk]:
    """A registry no file of which can be written to, once it is full: each write fails with "file too large"."""
    with registry(folder / "data", **environment) as served:

        def limit(size: int) -> None:
            for pid in (served.pid, *descendants(served.pid)):
                with contextlib.suppress(ProcessLookupError):
                    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

        yield Disk(served, served.key(*_ROLES), lambda: limit(0), lambda: limit(resource.RLIM_INFINITY))


def kinds() -> list[str]:
    """Which of the two this system has."""
    tried = [*_namespace(), "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
    mounts = subprocess.run(tried, capture_output=True, check=False).returncode == 0
    return ["short_files", *(["small_file_system"] if mounts else [])]


def _namespace() -> tuple[str, ...]:
    return ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--user", "--map-root-user", "--mount")
