"""Takes real files from folders and splits them into works and strangers, without look-alikes on both sides."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fingerprinting.types import Modality

ENDINGS: Mapping[Modality, frozenset[str]] = {
    Modality.IMAGE: frozenset({".jpg", ".jpeg", ".png", ".webp"}),
    Modality.AUDIO: frozenset({".ogg", ".mp3", ".opus", ".flac", ".wav"}),
    Modality.TEXT: frozenset({".txt", ".html", ".vtt", ".srt", ""}),
}
_MIN_BYTES: Mapping[Modality, int] = {Modality.IMAGE: 20_000, Modality.AUDIO: 300_000, Modality.TEXT: 4_000}

# `sunset_1920x1080`, `adwaita-l`, `Stripes-Dark`, `…/Autumn/contents/images/…`: one picture in several forms.
# Translations of a page have one name too, and share what was left untranslated.
_VARIANT = re.compile(r"[-_ ]?(\d+x\d+|light|dark|[ld]|\d+)$", re.IGNORECASE)


@dataclass(frozen=True)
class Material:
    """Files of one kind: what is registered, and what is not."""

    works: list[Path]
    strangers: list[Path]


def collect(folders: Iterable[Path], modality: Modality, works: int, strangers: int, seed: str) -> Material:
    """Draw files of one kind, each of another group; works first, then strangers."""
    groups: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink() and _fits(path, modality):
                groups.setdefault(_group(path), path)
    drawn = [groups[name] for name in sorted(groups, key=lambda name: hashlib.sha256((seed + name).encode()).digest())]
    return Material(drawn[:works], drawn[works : works + strangers])


def _fits(path: Path, modality: Modality) -> bool:
    return path.suffix.lower() in ENDINGS[modality] and path.stat().st_size >= _MIN_BYTES[modality]


def _group(path: Path) -> str:
    if "contents" in path.parts:
        return path.parts[path.parts.index("contents") - 1].casefold()
    name = path.name.partition(".")[0].casefold()
    while (shorter := _VARIANT.sub("", name)) not in ("", name):
        name = shorter
    return name
