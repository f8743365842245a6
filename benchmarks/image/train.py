"""Trains what `sift-itq-128` version 1 ships: the rotation of its descriptors, and the centres of its lists of codes.

    ./run bench image train --material FOLDER

Both are constants: the rotation is part of the algorithm's definition, and other centres would only make other lists.
Trained on the tuning half of the material; no picture of it is kept, and none can be made from 128 numbers' means.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fingerprinting.image import feature_codes, features
from fingerprinting.index import feature_lists

_A_PICTURE = 2500
_ROUNDS = 40
_SEED = 20260101


def descriptors(paths: Sequence[Path]) -> NDArray[np.float32]:
    """Describe many features of each picture."""
    found = []
    for path in paths:
        with Image.open(path) as opened:
            small = features.resized(opened.convert("L"), features.WORK.pixels, features.MAX_ENLARGEMENT / 2)
            looked_at = features.looked_at(small, opened.width, features.WORK)
        found.append(feature_codes.root(features.sift(*looked_at, _A_PICTURE)[1]))
    return np.concatenate(found)


def rotation(rooted: NDArray[np.float32]) -> NDArray[np.float32]:
    """Find the centre and the rotation, shape (129, 128), centre first."""
    random = np.random.default_rng(_SEED)
    sample = rooted[random.choice(len(rooted), min(len(rooted), 200_000), replace=False)]
    centre = np.median(sample, axis=0)
    values, vectors = np.linalg.eigh(np.cov((sample - centre).T))
    axes = vectors[:, np.argsort(-values)]
    turned = np.linalg.qr(random.normal(size=(feature_codes.BITS, feature_codes.BITS)))[0]
    projected = (sample - centre) @ axes
    for _ in range(_ROUNDS):
        signs = np.where(projected @ turned > 0, 1.0, -1.0)
        left, _, right = np.linalg.svd(projected.T @ signs)
        turned = left @ right
    return np.concatenate([centre[None], axes @ turned]).astype(np.float32)


def centres(codes: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Find 256 coarse centres, and 256 fine ones below each: medians of bits, refined by turns."""
    random = np.random.default_rng(_SEED)
    sample = codes[random.choice(len(codes), min(len(codes), 150_000), replace=False)]
    coarse = _medians(sample, random, 10)
    below = np.empty(len(codes), np.int64)
    below[:] = _nearest(codes, coarse)
    fine = [_medians(codes[below == parent], random, 5) for parent in range(feature_lists.COARSE)]
    return coarse, np.concatenate(fine)


def _medians(codes: NDArray[np.uint64], random: np.random.Generator, rounds: int) -> NDArray[np.uint64]:
    count = feature_lists.COARSE
    if len(codes) < count:
        codes = np.resize(codes, (count, 2)) ^ random.integers(0, 2**63, (count, 2), dtype=np.uint64)
    found = codes[random.choice(len(codes), count, replace=False)].copy()
    bits = np.unpackbits(codes.view(np.uint8).reshape(-1, 16), axis=1).astype(np.float32)
    for _ in range(rounds):
        owner = _nearest(codes, found)
        order = np.argsort(owner, kind="stable")
        starts = np.searchsorted(owner[order], np.arange(count))
        filled = np.flatnonzero(np.bincount(owner, minlength=count))
        means = np.add.reduceat(bits[order], starts[filled], axis=0) / np.bincount(owner, minlength=count)[filled, None]
        found[filled] = np.packbits(means > 0.5, axis=1).view(np.uint64)
    return found


def _nearest(codes: NDArray[np.uint64], centres_: NDArray[np.uint64]) -> NDArray[np.int64]:
    found, bits = np.empty((len(codes), 1), np.int64), np.empty((len(codes), 1), np.uint8)
    lists = feature_lists.build(centres_, np.arange(len(centres_), dtype=np.uint32))[0]
    for start in range(0, len(codes), 100_000):
        part = slice(start, start + 100_000)
        found[part], bits[part] = lists.find(codes[part], 1, 128)
    return found[:, 0]


def train(paths: Sequence[Path]) -> None:
    """Write both files into the package."""
    rooted = descriptors(paths)
    np.save(feature_codes.ROTATION, rotation(rooted))
    feature_codes.rotation.cache_clear()
    codes = np.concatenate([feature_codes.codes(part) for part in np.array_split(rooted, 50)])
    coarse, fine = centres(codes)
    np.save(feature_lists.CENTRES, np.concatenate([coarse, fine]))
    print(f"{len(paths)} pictures, {len(rooted)} descriptors")
