"""Pictures ask moving ones and pages, and those ask pictures: which fingerprints are compared with others' as well."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting.image import dct
from fingerprinting.index import dct as dct_index
from fingerprinting.index import features, frame_features, frame_forms, frames, pages
from fingerprinting.index.algorithm import Entry
from fingerprinting.types import Fingerprint
from fingerprinting.video import feature_frames, frame_bytes

_STILL: Final = {
    dct_index.SPEC.id: (frames.SPEC.id, pages.HASHES.id),
    features.SPEC.id: (frame_features.SPEC.id, pages.FEATURES.id),
}
_PAGES: Final = {pages.HASHES.id: dct_index.SPEC.id, pages.FEATURES.id: features.SPEC.id}
_DIFFERENT_BITS: Final = 16
_MOST_STILLS: Final = 1024


def crossed(grouped: Mapping[str, list[Entry]]) -> Mapping[str, list[Entry]]:
    """Add what is also asked: stills of moving pictures and pages as pictures, and pictures as stills and as pages.

    Args:
        grouped: the fingerprints of assets, with their rows, by `AlgorithmSpec.id`.
    """
    found: defaultdict[str, list[Entry]] = defaultdict(list)
    for each, entries in grouped.items():
        found[each] += entries
        if each in _STILL:
            for other in _STILL[each]:
                found[other] += entries
        elif each in _PAGES:
            found[_PAGES[each]] += [(row, still) for row, one in entries for still in pages.stills(one)]
        elif each == frames.SPEC.id:
            found[dct_index.SPEC.id] += [(row, still) for row, one in entries for still in _stills(one)]
        elif each == frame_features.SPEC.id:
            found[features.SPEC.id] += [(row, still) for row, one in entries for still in _described(one)]
    return {each: entries for each, entries in found.items() if entries}


def _stills(moving: Fingerprint) -> Iterator[Fingerprint]:
    """Give the frames that differ as pictures of their own, whose spans are seconds."""
    read = frame_bytes.read(moving.value)
    chosen = _different(read.views["hash"])
    if len(chosen) > _MOST_STILLS:  # from all of it, and not the first of it only
        chosen = chosen[np.linspace(0, len(chosen) - 1, _MOST_STILLS).round().astype(np.int64)]
    views = read.views[chosen]
    forms = frame_forms.turned(views["hash"], range(len(dct.FORMS)))
    since, until = read.since[chosen].tolist(), read.until[chosen].tolist()
    for nth in range(len(views)):
        value = views["grey"][nth].tobytes() + forms[:, nth].tobytes()
        quality = float(views["quality"][nth])
        yield Fingerprint(dct_index.SPEC.name, dct_index.SPEC.version, value, quality, (since[nth], until[nth]))


def _described(moving: Fingerprint) -> Iterator[Fingerprint]:
    for frame in feature_frames.read(moving.value):
        span = (round(frame.since, 2), round(frame.until, 2))
        yield Fingerprint(features.SPEC.name, features.SPEC.version, frame.value, span=span)


def _different(hashes: NDArray[np.uint8]) -> NDArray[np.int64]:
    chosen: list[int] = []
    for row, one in enumerate(hashes):
        if not chosen or int(np.bitwise_count(one ^ hashes[chosen[-1]]).sum()) > _DIFFERENT_BITS:
            chosen.append(row)
    return np.array(chosen, np.int64)
