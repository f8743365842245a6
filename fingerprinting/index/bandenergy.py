"""Codes of band energies in the index: kept to verify what landmarks and Chromaprint propose, never searched."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting.audio import print_bytes
from fingerprinting.audio.print_bytes import HEADER_BYTES, BandCodes
from fingerprinting.index import folder as folders
from fingerprinting.index import soundtracks
from fingerprinting.index.algorithm import AlgorithmSpec, Encoding, Entry, SearchContext
from fingerprinting.index.soundtracks import Soundtracks
from fingerprinting.types import Fingerprint, Match, Modality, SpanUnit

_KIND: Final = "bandenergies"
_LAYOUT: Final = 1
_CODE_BYTES: Final = 4


class BandSearcher:
    """Works' codes, by recording."""

    def __init__(self, tracks: Soundtracks, codes: NDArray[np.uint32]) -> None:
        self.tracks = tracks
        self._codes = codes

    @property
    def count(self) -> int:
        """How many recordings it holds."""
        return len(self.tracks.works)

    def codes_of(self, row: int) -> NDArray[np.uint32]:
        """Give the codes of one recording."""
        first, last = self.tracks.bounds(row)
        return self._codes[first:last]

    def search(self, queries: Sequence[Entry], context: SearchContext) -> list[Match]:  # noqa: ARG002
        """Find nothing by itself: it takes something that proposes (`index.sound`)."""
        return []

    def entries(self) -> Iterator[Entry]:
        """Give back what it was built from, by work; where one ends is not kept."""
        tracks = self.tracks
        for work, begin, row in zip(tracks.works.tolist(), tracks.begins.tolist(), tracks.rows.tolist(), strict=True):
            value = print_bytes.write_codes(BandCodes(self.codes_of(row)))
            yield work, Fingerprint(SPEC.name, SPEC.version, value, span=(begin, begin), unit=SPEC.unit)

    def save(self, folder: Path) -> None:
        """Write it into a new folder."""
        arrays: dict[str, folders.Array] = {**self.tracks.arrays(), "codes": self._codes}
        with folders.new_folder(folder) as scratch:
            folders.write(scratch, _KIND, arrays, {"layout": _LAYOUT})


def _check(fingerprint: Fingerprint) -> str | None:
    return print_bytes.check_codes(fingerprint.value) or soundtracks.check_span(fingerprint.span)


def _build(entries: Sequence[Entry]) -> BandSearcher:
    values, tracks = soundtracks.build(entries, HEADER_BYTES, _CODE_BYTES)
    joined = np.frombuffer(b"".join(value[HEADER_BYTES:] for value in values), dtype="<u4")
    return BandSearcher(tracks, joined.astype(np.uint32, copy=False))


def _open(folder: Path, verify: bool) -> BandSearcher:  # noqa: FBT001 - the shape that AlgorithmSpec asks for
    contents = folders.read(folder, _KIND, verify=verify)
    folders.require_layout(folder, contents, _LAYOUT)
    folders.require(folder, contents, {"codes": ("<u4", 1), **soundtracks.SHAPES})
    tracks, codes = soundtracks.read(contents.arrays), contents.arrays["codes"]
    if not tracks.fit(len(codes)):
        raise folders.corrupt(folder, "its arrays do not belong together")
    return BandSearcher(tracks, codes)


SPEC = AlgorithmSpec(
    name=print_bytes.BAND_ALGORITHM,
    version=print_bytes.BAND_VERSION,
    modality=Modality.AUDIO,
    encoding=Encoding.BASE64,
    unit=SpanUnit.SECONDS,
    check=_check,
    build=_build,
    open=_open,
)
