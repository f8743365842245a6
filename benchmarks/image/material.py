"""Pictures from Debian packages: fetched without installing them, and sorted out into ones that can be told apart.

The packages for tuning and for reporting are different ones, so that no figure is of pictures that a limit was chosen
on. Nothing of them is kept in the repository.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks import debian_packages

PACKAGES = {
    "tuning": (
        *("mate-backgrounds", "lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04", "sway-backgrounds"),
        *("tuxpaint-stamps-default", "wesnoth-1.16-data", "fillets-ng-data", "endless-sky-data", "gimp-help-en"),
        *("lordsawar-data", "boswars-data", "warzone2100-data", "lincity-ng-data", "trigger-rally-data"),
        *("unknown-horizons", "brainparty-data"),
    ),
    "reporting": (
        *("plasma-workspace-wallpapers", "gnome-backgrounds", "ukui-wallpapers", "lxqt-themes", "freeciv-data"),
        *("stellarium-data", "gcompris-qt-data", "megaglest-data", "flare-game", "freeorion-data", "hedgewars-data"),
        *("python-skimage-doc", "freecol", "desktop-base", "kstars-data", "marble-data", "ktuberling-data"),
        *("kgeography-data", "colobot-common-textures", "enlightenment-data", "neverball-data", "gnome-user-docs"),
        *(
            "supertux-data",
            "freedroidrpg-data",
            "widelands-data",
            "torcs-data",
            "xmoto-data",
            "asc-data",
            "digikam-data",
        ),
        *("krita-data", "ktouch-data", "kanagram", "extremetuxracer-data", "openarena-data", "calligra-data"),
        *("lugaru-data", "tuxmath-data", "pingus-data", "openclipart-png"),
    ),
}

_ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}
_MIN_SIDE = 256
_MIN_SPREAD = 18.0
_MIN_ENTROPY = 4.0
_MAX_SHARE_OF_ONE_LEVEL = 0.5
_SAME_BITS = 60
_A_PACKAGE = 160
_SIDE = 64


@dataclass(frozen=True)
class Picture:
    """One picture of the material, of which no other shows nearly the same."""

    path: Path
    package: str


def fetch(half: str, folder: Path) -> None:
    """Download the packages of one half and unpack their pictures. What is there already is not fetched again."""
    debian_packages.fetch(
        PACKAGES[half], folder, [f"*{ending}" for ending in sorted({*_ENDINGS, *(each.upper() for each in _ENDINGS)})]
    )


def pictures(half: str, folder: Path, seed: str = "1") -> tuple[list[Picture], list[Picture]]:
    """Give the pictures of one half, in a drawn order: those that tell something, and flat or small-toned ones.

    Of pictures that look alike (PDQ-like hash in all orientations, within 60 of 256 bits) one is kept; no package gives
    more than 160.
    """
    good, poor = _sorted_out(PACKAGES[half], folder, seed)
    return _drawn_pictures(good, seed), _drawn_pictures(poor, seed)


def of_packages(packages: Sequence[str], folder: Path, seed: str) -> list[Picture]:
    """Give the pictures of some packages that tell something, as `pictures` does."""
    return _drawn_pictures(_sorted_out(packages, folder, seed)[0], seed)


def _sorted_out(packages: Sequence[str], folder: Path, seed: str) -> tuple[list[Picture], list[Picture]]:
    good: list[Picture] = []
    poor: list[Picture] = []
    hashes: list[NDArray[np.uint8]] = []
    for package in packages:
        count = 0
        for path in _drawn(sorted(_files(folder / "files" / package)), seed):
            if count >= _A_PACKAGE:
                break
            looked = _look(path)
            if looked is None:
                continue
            tells, forms = looked
            if hashes and np.bitwise_count(np.stack(hashes)[:, None] ^ forms[None]).sum(axis=2).min() <= _SAME_BITS:
                continue
            hashes.append(forms[0])
            count += 1
            (good if tells else poor).append(Picture(path, package))
    return good, poor


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.suffix.lower() in _ENDINGS and path.is_file() and not path.is_symlink():
            yield path


def _look(path: Path) -> tuple[bool, NDArray[np.uint8]] | None:
    """Say whether a picture tells something, with its hash in eight forms; None where it is small or can't be read."""
    try:
        with Image.open(path) as opened:
            if min(opened.size) < _MIN_SIDE or opened.width * opened.height > 40_000_000:
                return None
            opened.draft("RGB", (512, 512))
            if opened.has_transparency_data:
                layered = opened.convert("RGBA")
                shown = Image.new("RGBA", layered.size, "white")
                shown.alpha_composite(layered)
            else:
                shown = opened
            grey = shown.convert("L")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    small = np.asarray(grey.resize((_SIDE, _SIDE), Image.Resampling.BOX), np.float32)
    counts = np.bincount(np.asarray(grey.resize((256, 256))).ravel(), minlength=256) / 65536
    entropy = -(counts[counts > 0] * np.log2(counts[counts > 0])).sum()
    tells = small.std() >= _MIN_SPREAD and entropy >= _MIN_ENTROPY and counts.max() <= _MAX_SHARE_OF_ONE_LEVEL
    forms = [
        form for turned in (small, small.T) for form in (turned, turned[::-1], turned[:, ::-1], turned[::-1, ::-1])
    ]
    return bool(tells), np.stack([_hash(form) for form in forms])


def _hash(small: NDArray[np.float32]) -> NDArray[np.uint8]:
    found = _COSINES @ small @ _COSINES.T
    return np.packbits(found.ravel() > np.median(found))


_COSINES = np.array([[np.cos(np.pi / 128 * i * (2 * j + 1)) for j in range(_SIDE)] for i in range(1, 17)], np.float32)


def _drawn(paths: Sequence[Path], seed: str) -> list[Path]:
    return sorted(paths, key=lambda path: hashlib.sha256(f"{seed}{path.name}{path.parent.name}".encode()).digest())


def _drawn_pictures(found: Sequence[Picture], seed: str) -> list[Picture]:
    by_package: defaultdict[str, list[Picture]] = defaultdict(list)
    for one in found:
        by_package[one.package].append(one)
    drawn = []
    for each in by_package.values():
        drawn += [((at + 0.5) / len(each), one) for at, one in enumerate(each)]
    return [one for _, one in sorted(drawn, key=lambda pair: (pair[0], pair[1].package))]
