"""What every format supplies: the items of an input in a fixed order, and a way to write the kept ones."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mediamanager.client.queries import Query


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to be kept or set aside.

    Attributes:
        name: unique in the input, and the same on every run.
        stamp: changes when the item changes, as far as that can be seen without reading it.
        query: what is asked about it.
    """

    name: str
    stamp: str
    query: Query


@dataclass(frozen=True, slots=True)
class KeptItem:
    """An item that is kept.

    Attributes:
        sha256: of its bytes, hex, where they were read.
        unchecked: it is kept although it could not be checked, and has to be marked so.
        stamp: the item's when it was checked.
    """

    name: str
    sha256: str | None
    unchecked: bool
    stamp: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What was kept, for the receipt: a file that lists it, and that file's SHA-256."""

    manifest: str
    sha256: str


class Format(ABC):
    """An input that was opened. Reading it again gives the same items in the same order."""

    kind: str
    noun: str = "file"
    """What one item is called."""
    notes: tuple[str, ...] = ()
    """What was left out, said aloud."""

    def __init__(self, source: Path) -> None:
        self.source = source

    @property
    @abstractmethod
    def count(self) -> int | None:
        """How many items there are, if that is known without reading all of it."""

    @abstractmethod
    def items(self) -> Iterator[Item]:
        """Give every item, in order."""

    def place(self, item: Item) -> str:
        """Say where an item lies, for people: its name after the folder that the input lies in."""
        folder = self.source if self.source.is_dir() else self.source.parent
        return str(folder / item.name)

    @abstractmethod
    def keep(self, item: Item, output: Path) -> None:
        """Put one item where it is kept while the run goes on, if this format does that item by item.

        Doing it again changes nothing.

        Raises:
            OSError: it can't be kept, or is not what was checked any more; nothing is left of it.
        """

    def drop(self, item: Item, output: Path) -> None:  # noqa: B027 - most keep all at once, at the end
        """Take back what `keep` did; nothing where it did nothing."""

    def reopen(self, output: Path) -> None:  # noqa: B027 - as above: `finish` writes everything anew
        """Make what `finish` completed fit for `keep` and `drop` again; nothing where nothing is complete."""

    @abstractmethod
    def finish(self, kept: Iterable[KeptItem], output: Path) -> Kept:
        """Complete what is kept, under its final name, in one step.

        Args:
            kept: in the order of the input.
            output: the run's folder.
        """
