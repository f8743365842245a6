"""Recordings and texts are found alike by what is compiled, for large indexes, and by numpy, for small ones."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from fingerprinting.index import inverted
from fingerprinting.index.segment import Index
from fingerprinting.types import Depth, Fingerprint, Match

pytestmark = pytest.mark.heavy

Make = Callable[..., Fingerprint]
Recode = Callable[[NDArray[np.uint32], float], NDArray[np.uint32]]


def answers(index: Index, assets: list[list[Fingerprint]], *, compiled: bool) -> list[list[Match]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inverted, "_COMPILED_FROM_POSTINGS", 0 if compiled else 1 << 60)
        return [index.search(assets, depth=depth) for depth in (Depth.FAST, Depth.STANDARD)]


def test_recordings(sound: Make, rng: np.random.Generator, recode: Recode) -> None:
    # Few different codes, so that strangers agree here and there as real recordings do.
    codes = rng.integers(0, 2**32, 3000, dtype=np.uint32)
    songs = [codes[rng.zipf(1.15, 450) % 3000] for _ in range(12)]
    index = Index.build([(work, sound(song)) for work, song in enumerate(songs)] + [(99, sound(songs[4]))])
    mixed = np.concatenate([recode(songs[7][:90], 2.0), songs[9][300:420], codes[rng.zipf(1.15, 300) % 3000]])
    excerpts = [recode(song[100 : 100 + length], 1.5) for song, length in zip(songs, range(20, 140, 10), strict=True)]
    strangers = [codes[rng.zipf(1.15, 200) % 3000] for _ in range(3)]

    assets = [[sound(each)] for each in (mixed, songs[4], *excerpts, *strangers)]

    found = answers(index, assets, compiled=True)
    assert found == answers(index, assets, compiled=False)
    assert {match.work for match in found[1]} >= {4, 7, 9, 99}


def test_texts(text: Make, rng: np.random.Generator) -> None:
    words = rng.integers(0, 2**64, 9000, dtype=np.uint64)
    advertisement = rng.integers(0, 2**64, 60, dtype=np.uint64)
    works = [words[rng.integers(0, 9000, 400)] for _ in range(40)]
    for work in works[:15]:
        work[100:160] = advertisement
    victim = rng.integers(0, 2**64, 200, dtype=np.uint64)
    padded = [np.concatenate([words[rng.integers(0, 9000, 300)], victim]) for _ in range(10)]
    index = Index.build([(work, text(each)) for work, each in enumerate([*works, victim, *padded, works[3]])])
    quoting = np.concatenate([rng.integers(0, 2**64, 300, dtype=np.uint64), works[20][50:130], advertisement])

    assets = [[text(each)] for each in (quoting, victim, works[3], words[rng.integers(0, 9000, 500)], *works[30:])]

    found = answers(index, assets, compiled=True)
    assert found == answers(index, assets, compiled=False)
    assert {(match.asset, match.work) for match in found[1]} >= {(1, 40), (2, 3), (2, 51)}
