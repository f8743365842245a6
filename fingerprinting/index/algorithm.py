"""What every algorithm supplies to be searchable: its name, how its value is checked, and its searcher."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol, TypeAlias

from fingerprinting.types import Depth, Fingerprint, Match, Modality, SpanUnit

Entry: TypeAlias = tuple[int, Fingerprint]
"""A work's row and one of its fingerprints, or an asset's row and one of its fingerprints."""


class Encoding(StrEnum):
    """How a fingerprint's bytes are written in JSON."""

    HEX = "hex"
    BASE64 = "base64"


class CrowdedError(Exception):
    """A batch has more matches than there is room for. Nothing is wrong: it is to be asked in smaller parts."""


@dataclass(frozen=True, slots=True)
class SearchContext:
    """What decides the thresholds of one search.

    Attributes:
        depth: how much work the search may do; `FAST` leaves out what could only be `likely`.
        registry_size: works that are searched in all, so that a segment applies the limits of the whole.
        room: for how many matches there is room; None for any number. Who can have thousands for an asset heeds it.
    """

    depth: Depth
    registry_size: int
    room: int | None = None

    def require_room(self, matches: int) -> None:
        """Check that there is room for so many.

        Raises:
            CrowdedError: there is not.
        """
        if self.room is not None and matches > self.room:
            raise CrowdedError


class Searcher(Protocol):
    """The fingerprints of one algorithm, made searchable. It is immutable."""

    @property
    def count(self) -> int:
        """How many fingerprints it holds."""
        ...

    def search(self, queries: Sequence[Entry], context: SearchContext) -> list[Match]:
        """Find works for assets: at most one match (the best) per asset and work, in no particular order.

        Raises:
            CrowdedError: there is no room for all of them.
        """
        ...

    def entries(self) -> Iterator[Entry]:
        """Give back what it was built from, as far as it matters to a search: an index built of it finds the same."""
        ...

    def save(self, folder: Path) -> None:
        """Write it into a new folder.

        Raises:
            FileExistsError: there is something at that place.
        """
        ...


@dataclass(frozen=True, slots=True)
class AlgorithmSpec:
    """One algorithm as the index registry knows it.

    Attributes:
        name: as in `Fingerprint.algorithm`.
        version: of this definition; another version of the same name is a spec of its own, and they never match.
        modality: what it looks at; None for keys, which say nothing of the content.
        encoding: how its value travels in JSON.
        unit: what its spans count; None where the algorithm can't tell.
        check: the sentence that says what is wrong with a value, or None where it is well-formed.
        build: makes fingerprints searchable.
        open: opens what `Searcher.save` wrote; with True, every byte is compared with its checksum.
    """

    name: str
    version: int
    modality: Modality | None
    encoding: Encoding
    unit: SpanUnit | None
    check: Callable[[Fingerprint], str | None]
    build: Callable[[Sequence[Entry]], Searcher]
    open: Callable[[Path, bool], Searcher]

    @property
    def id(self) -> str:
        """Name and version in one word, such as `pdq-256.v1`."""
        return spec_id(self.name, self.version)


def spec_id(name: str, version: int) -> str:
    """Name and version of an algorithm in one word."""
    return f"{name}.v{version}"


def check_length(expected: int) -> Callable[[Fingerprint], str | None]:
    """Make a check that a value has exactly `expected` bytes."""

    def check(fingerprint: Fingerprint) -> str | None:
        if len(fingerprint.value) == expected:
            return None
        return f"the value must be {expected} bytes long, not {len(fingerprint.value)}"

    return check
