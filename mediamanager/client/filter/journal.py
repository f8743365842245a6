"""The journal of a run: what it is, and what became of each item so far, so that a killed run can go on.

The first line holds the run's parameters, each further line one item, in the order of the input. What could not be
checked is checked again by the next run of the same job: such a line comes after all of those, and replaces the item's
first one. A line that a crash cut off is dropped when the journal is opened again.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self, TypeAlias

from mediamanager.client.errors import OutputInUseError
from mediamanager.client.verdicts import Verdict

NAME = ".journal.jsonl"
_FORMAT = "mediamanager-filter-journal/1"
# In no other place of a line: inside of a text its quotes are escaped.
_AGAIN: Final = b'"again":true'

Parameters: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one item.

    Attributes:
        name, stamp: of the item.
        action: `kept` or `excluded`.
        review: kept, and a person should look.
        sha256: hex, where the bytes were read.
        asset_key: 32 bytes, hex; None where nothing is known of it.
        salt: 16 random bytes, hex, of its leaf in the receipt's tree.
        line: as `check --json` would have printed it.
        again: it was checked before, in vain.
    """

    name: str
    stamp: str
    action: str
    review: bool
    sha256: str | None
    asset_key: str | None
    salt: str
    line: dict[str, object]
    again: bool = False

    @property
    def is_unchecked(self) -> bool:
        """Whether something went wrong, so that checking it again may say something else."""
        return self.line["error"] is not None or self.line["verdict"] == Verdict.UNCHECKED


class Journal:
    """An open journal, held by this process alone."""

    def __init__(self, path: Path, header: Parameters, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self.header = header

    @classmethod
    def open(cls, output: Path, parameters: Parameters, fresh: Parameters) -> Self:
        """Begin a journal, or go on with the one that is there.

        Args:
            output: the run's folder; it exists.
            parameters: what must be equal for it to be the same run.
            fresh: what is decided anew for a new run, and taken over from the old one otherwise.

        Raises:
            OutputInUseError: another process is at it, or it is of another run.
        """
        path = output / NAME
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            _lock(descriptor, output)
            _drop_torn_line(descriptor)
            header = _header(path)
            if header is None:
                header = {"format": _FORMAT, "parameters": parameters, **fresh}
                _append(descriptor, header)
            else:
                require_same(header, parameters, output)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(path, header, descriptor)

    def entries(self) -> Iterator[Entry]:
        """Read what was done so far, in the order of the input; of what was checked again, the last time counts.

        Raises:
            OutputInUseError: the journal has been damaged.
        """
        again = self._checked_again()
        with self._path.open("rb") as file, self._path.open("rb") as aside:
            next(file, None)
            for line in file:
                entry = self._parse(line)
                if entry.again:
                    continue
                if entry.name in again:
                    aside.seek(again[entry.name])
                    entry = self._parse(aside.readline())
                yield entry

    def append(self, entry: Entry) -> None:
        """Record one item. `flush` brings it to the disk."""
        _append(self._descriptor, asdict(entry))

    def flush(self) -> None:
        """Bring all that was recorded to the disk."""
        os.fsync(self._descriptor)

    def _checked_again(self) -> dict[str, int]:
        """Where the last line stands of each item that was checked again, in bytes."""
        found: dict[str, int] = {}
        position = 0
        with self._path.open("rb") as file:
            for line in file:
                if _AGAIN in line:
                    found[self._parse(line).name] = position
                position += len(line)
        return found

    def _parse(self, line: bytes) -> Entry:
        try:
            return Entry(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise OutputInUseError(f"{self._path} is damaged: choose another --output") from error

    def close(self) -> None:
        """Let go of it; a run that is not finished can be taken up again."""
        os.close(self._descriptor)

    def remove(self) -> None:
        """The run is finished: its receipt stands for it."""
        self._path.unlink()


def require_same(known: Parameters, parameters: Parameters, output: Path) -> None:
    """Check that a journal or receipt is of the run that these parameters describe.

    Raises:
        OutputInUseError: it is of another.
    """
    if known.get("parameters") != json.loads(json.dumps(parameters)):
        raise OutputInUseError(
            f"{output} holds another run, of other input, sources or choices: choose another --output"
        )


def _lock(descriptor: int, output: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OutputInUseError(f"another process is filtering into {output} right now") from error


def _drop_torn_line(descriptor: int) -> None:
    size = os.fstat(descriptor).st_size
    position = size
    while position > 0:
        start = max(0, position - 65536)
        last = os.pread(descriptor, position - start, start).rfind(b"\n")
        if last >= 0:
            position = start + last + 1
            break
        position = start
    if position != size:
        os.ftruncate(descriptor, position)


def _header(path: Path) -> Parameters | None:
    with path.open("rb") as file:
        first = file.readline()
    if not first:
        return None
    try:
        header = json.loads(first)
    except ValueError:
        header = None
    if not isinstance(header, dict) or header.get("format") != _FORMAT:
        raise OutputInUseError(f"{path} is not a journal that this version can read: choose another --output")
    return header


def _append(descriptor: int, value: Parameters) -> None:
    view = memoryview(json.dumps(value, separators=(",", ":")).encode("ascii") + b"\n")
    while view:
        view = view[os.write(descriptor, view) :]
