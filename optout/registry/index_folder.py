"""The index of a registry on the disk: segments that never change, and one file that says which of them count.

    current.json                 the version, the change of the database that it is of, the segments in order
    segments/NAME/               works.npy (their ids, ascending) and index/
    struck-NAME-VERSION.npy      a bit for each work of a segment: struck out
    lock                         held by the one process that writes; another one by who verifies

Whatever is not named by `current.json` is left over, and swept by who writes next. Readers need no lock: they map what
is named, and what they have mapped stays theirs when it is removed.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fingerprinting import whole
from fingerprinting.errors import CorruptIndexError
from fingerprinting.index import folder as folders
from fingerprinting.index.algorithm import Entry
from fingerprinting.index.registry import VERSIONS
from fingerprinting.index.segment import Index
from optout.registry.index_segments import ID_BYTES, Ids, Segment

FORMAT: Final = "mediamanager-live-index"
FORMAT_VERSION: Final = 1
CURRENT: Final = "current.json"
LOCK: Final = "lock"
VERIFYING: Final = "lock-of-verifying"
SEGMENTS: Final = "segments"
_KIND: Final = "works"
_ATTEMPTS: Final = 20
_OURS: Final = re.compile(
    rf"{SEGMENTS}/[0-9a-f]{{16}}|{SEGMENTS}/\.[0-9a-f]{{16}}\.building-\w+"
    r"|.*/struck-[0-9a-f]{16}-\d+-[0-9a-f]{8}|.*/\.(current\.json|struck-[0-9a-f-]+)\.building-\w+",
)

Mark: TypeAlias = tuple[int, int, int]
"""Tells one `current.json` from the next without reading it."""


@dataclass(frozen=True, slots=True)
class ChangeMark:
    """A change of the database by its number and what is in it: another database's of the same number differs."""

    number: int
    subject: str
    recorded_at: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A version of the index, mapped.

    Attributes:
        change: the last change that was certainly taken into account; None where there had been none.
        segments: the largest come first.
        mark: of the file that said so.
    """

    change: ChangeMark | None
    segments: tuple[Segment, ...]
    mark: Mark

    @property
    def version(self) -> int:
        """The number of that change."""
        return 0 if self.change is None else self.change.number


class IndexFolder:
    """A folder that holds an index; it may not be there yet."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def mark(self) -> Mark | None:
        """Which version is there; None if none is."""
        try:
            facts = (self.path / CURRENT).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return facts.st_ino, facts.st_mtime_ns, facts.st_size

    def open(self, known: Iterable[Segment] = (), *, verify: bool = False) -> Opened | None:
        """Open the version that is there; None if none is.

        Args:
            known: segments that are open already, to be taken as they are.
            verify: compare every byte with its checksum; without, sizes and headers.

        Raises:
            CorruptIndexError: it is damaged, or of another format, or of other algorithms than this program's.
        """
        held = {segment.name: segment for segment in known}
        for _ in range(_ATTEMPTS):
            mark = self.mark()
            if mark is None:
                return None
            try:
                said = self._current()
                change = None if said["change"] is None else ChangeMark(**said["change"])
                segments = tuple(self._segment(one, held, verify=verify) for one in said["segments"])
                return Opened(change, segments, mark)
            except (KeyError, TypeError) as error:
                raise folders.corrupt(self.path, f"{CURRENT} lacks a part") from error
            except (CorruptIndexError, OSError):
                if self.mark() == mark:
                    raise
                # It was replaced, and what it named removed, while we read it.
        raise folders.corrupt(self.path, "it changes faster than it can be read")

    def verify(self) -> None:
        """Compare every byte of the version that is there with its checksum, unless another process does at the moment.

        Raises:
            CorruptIndexError: as `open`.
        """
        with self.locked(wait=False, name=VERIFYING) as held:
            if held is not None:
                self.open(verify=True)

    @contextmanager
    def locked(self, *, wait: bool, name: str = LOCK) -> Iterator[int | None]:
        """Be the one process that writes; None if another one is and we don't wait. A child may inherit what it gives.

        Raises:
            OSError: the folder can't be written to.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path / name, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(descriptor)
            yield None
            return
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def write_segment(self, name: str, entries: Iterable[Entry], ids: Callable[[], Ids]) -> Segment:
        """Write a segment that no version names yet.

        Args:
            name: of no other segment, ever.
            entries: fingerprints by the row of their work.
            ids: gives the works in ascending order once the entries were read.
        """
        place = self.path / SEGMENTS / name
        with whole.folder(place) as new:
            Index.write(new / "index", entries)
            rows = ids()
            folders.write(new, _KIND, {"works": rows}, {"works": len(rows)}, {"index": new / "index"})
        return self._open_segment(name, verify=False)

    def publish(self, change: ChangeMark | None, segments: Iterable[Segment]) -> None:
        """Make a version of these segments, and what is struck out in them by now, the one that counts."""
        named = [
            {"name": segment.name, "works": len(segment.ids), "struck": self._write_struck(segment, change)}
            for segment in segments
        ]
        said: dict[str, object] = {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "algorithms": sorted(VERSIONS),
            "change": None if change is None else asdict(change),
            "segments": named,
        }
        whole.file(self.path / CURRENT, _spelled({**said, "sha256": _digest(said)}))
        self.sweep()

    def sweep(self) -> None:
        """Remove what the version that counts does not name. Only for the one process that writes."""
        try:
            said = self._current() if self.mark() is not None else {"segments": []}
        except CorruptIndexError:
            said = {"segments": []}
        named = {one["name"] for one in said["segments"]}
        named |= {one["struck"]["file"] for one in said["segments"] if one["struck"] is not None}
        # By our names only: somebody may have named a folder of theirs in the settings.
        for path in [*self.path.glob("*"), *(self.path / SEGMENTS).glob("*")]:
            if path.name in named or not _OURS.fullmatch(f"{path.parent.name}/{path.name}"):
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def forget(self) -> None:
        """Let no version count any more. Only for the one process that writes."""
        (self.path / CURRENT).unlink(missing_ok=True)

    def _current(self) -> dict[str, Any]:
        try:
            said = json.loads((self.path / CURRENT).read_bytes())
        except ValueError as error:
            raise folders.corrupt(self.path, f"{CURRENT} is not JSON") from error
        if not isinstance(said, dict) or said.get("format") != FORMAT:
            raise folders.corrupt(self.path, f"{CURRENT} is not that of a registry's index")
        if said.get("version") != FORMAT_VERSION:
            raise folders.corrupt(
                self.path, f"its format version is {said.get('version')}, this program writes {FORMAT_VERSION}"
            )
        if said.pop("sha256", None) != _digest(said):
            raise folders.corrupt(self.path, f"{CURRENT} has been altered")
        if said.get("algorithms") != sorted(VERSIONS):
            raise folders.corrupt(self.path, "it was made for other algorithms or versions of them than are known here")
        return said

    def _segment(self, one: Mapping[str, Any], held: Mapping[str | None, Segment], *, verify: bool) -> Segment:
        name = str(one["name"])
        if Path(name).name != name:
            raise folders.corrupt(self.path, f"{name} lies outside of it")
        segment = held[name] if name in held and not verify else self._open_segment(name, verify=verify)
        if len(segment.ids) != one["works"]:
            raise folders.corrupt(self.path, f"{name} does not hold the works that are counted")
        if one["struck"] is None:
            return Segment(segment.index, segment.ids, name)
        gone = self._read_struck(len(segment.ids), one["struck"]["file"], one["struck"]["sha256"])
        count, since = int(np.bitwise_count(gone).sum()), float(one["struck"]["since"])
        return Segment(segment.index, segment.ids, name, gone, gone_count=count, gone_since=since)

    def _open_segment(self, name: str, *, verify: bool) -> Segment:
        place = self.path / SEGMENTS / name
        contents = folders.read(place, _KIND, verify=verify)
        folders.require(place, contents, {"works": ("|u1", 2)})
        ids = contents.arrays["works"]
        if ids.shape[1] != ID_BYTES or not len(ids):
            raise folders.corrupt(place, "its works are no ids")
        return Segment(Index.open(place / "index", verify=verify), ids, name)

    def _write_struck(self, segment: Segment, change: ChangeMark | None) -> dict[str, str | float] | None:
        gone = segment.all_gone()
        if gone is None:
            return None
        content = gone.tobytes()
        digest = hashlib.sha256(content).hexdigest()
        file = self.path / f"struck-{segment.name}-{0 if change is None else change.number}-{digest[:8]}"
        if not file.exists():
            whole.file(file, content)
        since = time.time() if segment.gone_since is None else segment.gone_since
        return {"file": file.name, "sha256": digest, "since": since}

    def _read_struck(self, works: int, file: str, sha256: str) -> NDArray[np.uint8]:
        path = self.path / file
        if Path(file).name != file or not path.is_file() or path.stat().st_size != (works + 7) // 8:
            raise folders.corrupt(self.path, f"{file} is missing or has another size")
        gone: NDArray[np.uint8] = np.memmap(path, dtype=np.uint8, mode="r")
        if hashlib.sha256(gone.data).hexdigest() != sha256:
            raise folders.corrupt(self.path, f"{file} has been altered")
        return gone


def _spelled(said: Mapping[str, object]) -> bytes:
    return json.dumps(said, indent=1, sort_keys=True).encode() + b"\n"


def _digest(said: Mapping[str, object]) -> str:
    return hashlib.sha256(_spelled(said)).hexdigest()
