"""Files of a folder whose items are neighbouring members, of which the kept ones are copied byte for byte."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, TypeVar

from mediamanager.client import files
from mediamanager.client.formats.base import Format, Item, Kept, KeptItem
from mediamanager.client.formats.shards import beside, stamp
from mediamanager.client.queries import Query

KEPT: Final = "kept"
MANIFEST: Final = "kept.sha256"
BROKEN: Final = "this file can't be read further"
"""How the error of an end that can't be read begins."""

Member = TypeVar("Member")


@dataclass(frozen=True, slots=True)
class Group(Generic[Member]):
    """Neighbouring members of a file that belong together, or a file's end that can't be read.

    Attributes:
        name: unique in the input.
        key: what its members have in common.
        start, end: its bytes in the file, with what parts it from the next one.
        is_item: whether anything is asked about it; what is no item is kept.
    """

    name: str
    key: str
    members: tuple[Member, ...]
    start: int
    end: int
    error: str | None = None
    is_item: bool = True


class GroupedFormat(Format, Generic[Member]):
    """Groups of one file, or of all files of a folder in the order of their names."""

    at_the_end = b""
    """What a file of this format ends with."""
    unseen = ("member", "members")
    """What `kept_unseen` counts, one and many."""

    def __init__(self, source: Path, shards: tuple[Path, ...]) -> None:
        super().__init__(source)
        self._shards = shards
        self._stamps = {shard: stamp(shard) for shard in shards}
        self.notes = self._beside = beside(source, shards)

    @property
    def count(self) -> None:
        """Not known without reading all of it."""
        return

    @abstractmethod
    def groups(self, shard: Path) -> Iterator[Group[Member]]:
        """Give the groups of a file in order. What can't be read is a group with its error, and the last one."""

    @abstractmethod
    def query(self, shard: Path, group: Group[Member]) -> Query:
        """Ask about a group that is an item; one that can't be read is a query with its error."""

    @abstractmethod
    def mark(self, shard: Path, group: Group[Member]) -> bytes:
        """Give what is written behind a group that is kept although it could not be checked; the same each time."""

    def kept_unseen(self, group: Group[Member]) -> int:  # noqa: ARG002 - most look at everything
        """Count the members of a kept group that were not looked at."""
        return 0

    def items(self) -> Iterator[Item]:
        """Give every item, named by its file and what its members have in common."""
        for shard in self._shards:
            for group in self.groups(shard):
                if group.is_item:
                    stamped = f"{self._stamps[shard]}-{group.start}-{group.end}"
                    yield Item(group.name, stamped, self.query(shard, group))

    def keep(self, item: Item, output: Path) -> None:  # noqa: ARG002 - nothing is written yet
        """Groups are kept all at once, at the end; what can't be told apart can't be kept."""
        if item.query.error is not None and item.query.error.startswith(BROKEN):
            raise OSError(item.query.error.rstrip("."))

    def finish(self, kept: Iterable[KeptItem], output: Path) -> Kept:
        """Write `kept/`: a file for each, and `kept.sha256` in the form that `sha256sum --check` reads."""
        (output / KEPT).mkdir(exist_ok=True)
        wanted = iter(kept)
        waiting = next(wanted, None)
        unseen = 0
        with files.replacing(output / MANIFEST) as manifest:
            for shard in self._shards:
                with files.replacing(output / KEPT / shard.name) as target, shard.open("rb") as source:
                    for group in self.groups(shard):
                        is_waiting = waiting is not None and waiting.name == group.name
                        if group.is_item and not is_waiting:
                            continue
                        if not files.copy_part(source, group.start, group.end - group.start, target):
                            raise OSError(f"{group.name} was changed while it was being filtered")
                        unseen += self.kept_unseen(group)
                        if is_waiting and waiting is not None:
                            target.write(self.mark(shard, group) if waiting.unchecked else b"")
                            waiting = next(wanted, None)
                    target.write(self.at_the_end)
                if stamp(shard) != self._stamps[shard]:
                    raise OSError(f"{shard} was changed while it was being filtered")
                manifest.write(files.checksum_line(files.sha256_of(output / KEPT / shard.name), f"{KEPT}/{shard.name}"))
        if waiting is not None:
            raise OSError(f"{self.source} was changed while it was being filtered")
        if unseen:
            self.notes = (*self._beside, f"{unseen} {self.unseen[unseen > 1]} in what is kept: not looked at")
        return Kept(MANIFEST, files.sha256_of(output / MANIFEST))
