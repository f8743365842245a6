"""What an index of texts knows of each text beside its shingles: whose it is, how long, when its words are shown."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fingerprinting.index import copies
from fingerprinting.index import folder as folders
from fingerprinting.index.algorithm import Entry
from fingerprinting.index.copies import Copies
from fingerprinting.index.folder import Array, FolderContents
from fingerprinting.index.postings import Piece
from fingerprinting.text import shingle_bytes
from fingerprinting.text.shingle_bytes import Shingles, Track

_MOST_PLACES = (1 << 32) - 1
_REPEATS = 64
_SHAPES = {
    "works": ("<i8", 1),
    "text_starts": ("<i8", 1),
    "shingles": ("<u4", 1),
    "characters": ("<u4", 1),
    "halvings": ("|u1", 1),
    "knot_starts": ("<i8", 1),
    "steps": ("|u1", 1),
    "tenths": ("<u2", 1),
}


@dataclass(frozen=True, slots=True)
class Texts:
    """N texts of which R differ, laid end to end: the tokens of row r have the places `starts[r] .. starts[r + 1] - 1`.

    Attributes:
        copies: which of N each of R is.
        works: int64, shape (N,).
        starts: int64, shape (R + 1,).
        shingles: uint32, shape (R,): how many shingles each has.
        characters: uint32, shape (R,): how many of these are of characters.
        halvings: uint8, shape (R,): how often they were halved.
        knot_starts: int64, shape (R + 1,): the knots of each row's track.
        track: the knots of all.
    """

    copies: Copies
    works: NDArray[np.int64]
    starts: NDArray[np.int64]
    shingles: NDArray[np.uint32]
    characters: NDArray[np.uint32]
    halvings: NDArray[np.uint8]
    knot_starts: NDArray[np.int64]
    track: Track

    def __len__(self) -> int:
        return len(self.shingles)

    def row_of(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Say in which text each place is."""
        at: NDArray[np.int64] = np.searchsorted(self.starts, places, side="right") - 1
        return np.minimum(at, len(self) - 1)

    def seconds(self, row: int, tokens: tuple[int, int]) -> tuple[float, float] | None:
        """Say when tokens of a text are shown, from the first to before the second; None where it has no times."""
        knots = slice(int(self.knot_starts[row]), int(self.knot_starts[row + 1]))
        track = Track(self.track.steps[knots], self.track.tenths[knots])
        if not len(track.steps):
            return None
        start, end = track.seconds(np.array(tokens, dtype=np.int64)).tolist()
        return start, end

    def seconds_of_many(self, rows: NDArray[np.int64], tokens: NDArray[np.int64]) -> NDArray[np.float64]:
        """Say when a token of each of many texts is shown, as `seconds` does; -1 where a text has no times."""
        from fingerprinting.index import diagonals_kernels  # noqa: PLC0415 - loads numba

        told = np.empty(len(rows), dtype=np.float64)
        track = self.track
        diagonals_kernels.seconds(self.knot_starts, track.steps, track.tenths, rows, tokens, told)
        return told

    def value(self, row: int, hashes: NDArray[np.uint32], places: NDArray[np.uint32]) -> bytes:
        """Write a text's fingerprint down again, given its hashes and their places."""
        knots = slice(int(self.knot_starts[row]), int(self.knot_starts[row + 1]))
        found = Shingles(
            hashes=hashes,
            positions=places - np.uint32(self.starts[row]),
            tokens=int(self.starts[row + 1] - self.starts[row]),
            characters=int(self.characters[row]),
            halvings=int(self.halvings[row]),
            track=Track(self.track.steps[knots], self.track.tenths[knots]),
        )
        return found.pack()

    def arrays(self) -> Mapping[str, Array]:
        """Give the arrays to be saved, by name."""
        return {
            "works": self.works,
            "text_starts": self.starts,
            "shingles": self.shingles,
            "characters": self.characters,
            "halvings": self.halvings,
            "knot_starts": self.knot_starts,
            "steps": self.track.steps,
            "tenths": self.track.tenths,
            **self.copies.arrays(),
        }


def gather(entries: Sequence[Entry]) -> tuple[Texts, Callable[[], Iterator[Piece]]]:
    """Note all that is known of texts beside their shingles; and what gives these, row by row, as often as it is asked.

    Raises:
        ValueError: they are too long together.
    """
    held, first = copies.first_of_each(entries)
    facts = np.zeros((len(first), 5), dtype=np.int64)
    tracks: list[Track] = []
    for row, text in enumerate(_texts(entries, first)):
        number = len(text.hashes)
        facts[row] = text.tokens, number, min(text.characters, number), text.halvings, len(text.track.steps)
        if text.is_timed:
            tracks.append(Track(text.track.steps.copy(), text.track.tenths.astype(np.uint16)))
    track = Track(
        np.concatenate([np.empty(0, dtype=np.uint8), *(one.steps for one in tracks)]),
        np.concatenate([np.empty(0, dtype=np.uint16), *(one.tenths for one in tracks)]),
    )
    works = np.fromiter((work for work, _ in entries), np.int64, len(entries))
    starts, knots = (np.concatenate(([0], np.cumsum(facts[:, column]))) for column in (0, 4))
    if int(starts[-1]) > _MOST_PLACES:
        raise ValueError(f"an index of texts holds at most {_MOST_PLACES:,} words: make several of them")

    def pieces() -> Iterator[Piece]:
        for base, text in zip(starts.tolist(), _texts(entries, first), strict=False):
            yield base, text.hashes, text.positions

    shingles, characters = (facts[:, column].astype(np.uint32) for column in (1, 2))
    halvings = facts[:, 3].astype(np.uint8)
    return Texts(held, works, starts, shingles, characters, halvings, knots, track), pieces


def _texts(entries: Sequence[Entry], first: NDArray[np.int64]) -> Iterator[Shingles]:
    for at in first.tolist():
        yield thinned(shingle_bytes.read(entries[at][1].value))


def thinned(text: Shingles) -> Shingles:
    """Leave out of each hash all but 64, spread evenly over the text: as evidence they count once.

    A text that says one thing over and over would else use up what a question may read, and hide others that say it.
    """
    hashes = np.sort(text.hashes)
    if not (hashes[_REPEATS:] == hashes[:-_REPEATS]).any():
        return text
    order = np.argsort(text.hashes, kind="stable")
    _, starts, counts = np.unique(text.hashes[order], return_index=True, return_counts=True)
    rank, of = np.arange(len(order)) - np.repeat(starts, counts), np.repeat(counts, counts)
    limit = np.minimum(of, _REPEATS)
    kept = np.sort(order[rank * limit // of != (rank - 1) * limit // of])
    return replace(text, hashes=text.hashes[kept], positions=text.positions[kept])


def read(folder: Path, contents: FolderContents) -> Texts:
    """Make what `Texts.arrays` gave known again.

    Raises:
        CorruptIndexError: arrays are missing or do not belong together.
    """
    folders.require(folder, contents, _SHAPES | copies.SHAPES)
    arrays = contents.arrays
    number = len(arrays["shingles"])
    held = Copies(arrays["copies"], arrays["copy_starts"])
    starts, knots = arrays["text_starts"], arrays["knot_starts"]
    track = Track(arrays["steps"], arrays["tenths"])
    fits = held.fit(number, len(arrays["works"])) and len(starts) == len(knots) == number + 1
    fits = fits and number == len(arrays["characters"]) == len(arrays["halvings"])
    fits = fits and starts[0] == knots[0] == 0 and 0 <= starts[-1] <= _MOST_PLACES
    if not fits or not knots[-1] == len(track.steps) == len(track.tenths):
        raise folders.corrupt(folder, "its arrays do not belong together")
    shingles, characters, halvings = (arrays[name] for name in ("shingles", "characters", "halvings"))
    return Texts(held, arrays["works"], starts, shingles, characters, halvings, knots, track)
