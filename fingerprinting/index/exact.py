"""Algorithms whose fingerprints are equal or not: digests of bytes and pixels, and keys of identifiers."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fingerprinting.index import folder as folders
from fingerprinting.index import keys
from fingerprinting.index.algorithm import AlgorithmSpec, Encoding, Entry, SearchContext, check_length
from fingerprinting.index.keys import KeyIndex
from fingerprinting.types import Fingerprint, Match, Modality, Strength

_KIND = "digests"
_LAYOUT = 1
_BYTES = 32


class DigestSearcher:
    """Digests of 32 bytes. The first 8 find candidates, all 32 decide."""

    def __init__(
        self, algorithm: str, version: int, index: KeyIndex, digests: NDArray[np.uint8], works: NDArray[np.int64]
    ) -> None:
        self._algorithm = algorithm
        self._version = version
        self._index = index
        self._digests = digests
        self._works = works

    @property
    def count(self) -> int:
        """How many digests it holds."""
        return len(self._works)

    def search(self, queries: Sequence[Entry], context: SearchContext) -> list[Match]:
        """Find the works that have one of the asset's digests."""
        asked = _digests(queries)
        prefixes = _prefixes(asked)
        if context.room is not None:
            context.require_room(int(self._index.count(prefixes).sum()))
        pairs = self._index.find(prefixes)
        equal = (self._digests[pairs.row] == asked[pairs.query]).all(axis=1)
        assets = np.array([asset for asset, _ in queries], dtype=np.int64)
        found = np.stack([assets[pairs.query[equal]], self._works[pairs.row[equal]]], axis=1)
        return [
            Match(
                asset=asset,
                work=work,
                algorithm=self._algorithm,
                version=self._version,
                strength=Strength.EXACT,
                distance=0,
                threshold=0.0,
            )
            for asset, work in np.unique(found, axis=0).tolist()
        ]

    def entries(self) -> Iterator[Entry]:
        """Give back what it was built from."""
        for work, digest in zip(self._works.tolist(), self._digests, strict=True):
            yield work, Fingerprint(self._algorithm, self._version, digest.tobytes())

    def save(self, folder: Path) -> None:
        """Write it into a new folder."""
        with folders.new_folder(folder) as scratch:
            self._index.save(scratch / "keys")
            arrays: dict[str, folders.Array] = {"digests": self._digests, "works": self._works}
            folders.write(scratch, _KIND, arrays, {"layout": _LAYOUT}, {"keys": scratch / "keys"})


def _digests(entries: Sequence[Entry]) -> NDArray[np.uint8]:
    joined = b"".join(fingerprint.value for _, fingerprint in entries)
    return np.frombuffer(joined, dtype=np.uint8).reshape(-1, _BYTES)


def _prefixes(digests: NDArray[np.uint8]) -> NDArray[np.uint64]:
    return np.ascontiguousarray(digests[:, :8]).view("<u8").reshape(-1).astype(np.uint64, copy=False)


def digests(name: str, modality: Modality | None, version: int = 1) -> AlgorithmSpec:
    """One version of an algorithm whose fingerprints are 32 bytes that are equal or not."""

    def build(entries: Sequence[Entry]) -> DigestSearcher:
        values = _digests(entries)
        works = np.array([work for work, _ in entries], dtype=np.int64)
        return DigestSearcher(name, version, keys.build(_prefixes(values)), values, works)

    def open_folder(folder: Path, verify: bool) -> DigestSearcher:  # noqa: FBT001 - the shape AlgorithmSpec asks for
        contents = folders.read(folder, _KIND, verify=verify)
        folders.require_layout(folder, contents, _LAYOUT)
        folders.require(folder, contents, {"digests": ("|u1", 2), "works": ("<i8", 1)})
        values, works = contents.arrays["digests"], contents.arrays["works"]
        if contents.children != ("keys",):
            raise folders.corrupt(folder, "the keys are missing")
        index = keys.open(folder / "keys", verify=verify)
        if values.shape != (len(works), _BYTES) or len(index) != len(works):
            raise folders.corrupt(folder, "its arrays do not belong together")
        return DigestSearcher(name, version, index, values, works)

    return AlgorithmSpec(
        name=name,
        version=version,
        modality=modality,
        encoding=Encoding.HEX,
        unit=None,
        check=check_length(_BYTES),
        build=build,
        open=open_folder,
    )


SHA256 = digests("sha256", None)
PIXELS_SHA256 = digests("pixels-sha256", Modality.IMAGE)
KEY_URL = digests("key-url", None)
KEY_YOUTUBE = digests("key-youtube", None)
