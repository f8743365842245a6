"""Copies as they are met: re-encodings, crops, excerpts. Each writes one file and is repeatable."""

import random
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from fingerprinting.types import Modality

Transformation = Callable[[Path, Path], Path | None]
"""Takes the original and a path without ending, gives the copy; None where the original is too short for it."""


@dataclass(frozen=True)
class Kind:
    """A transformation, and whether it is a plain re-encoding of the whole file."""

    modality: Modality
    make: Transformation
    plain: bool


def _picture(change: Callable[[Image.Image], Image.Image], ending: str, quality: int) -> Transformation:
    def make(source: Path, target: Path) -> Path:
        with Image.open(source) as opened:
            changed = change(ImageOps.exif_transpose(opened).convert("RGB"))
        place = target.with_suffix(ending)
        changed.save(place, quality=quality)
        return place

    return make


def _same(picture: Image.Image) -> Image.Image:
    return picture


def _half(picture: Image.Image) -> Image.Image:
    return picture.resize((max(1, picture.width // 2), max(1, picture.height // 2)), Image.Resampling.LANCZOS)


def _crop(share: float, *, centred: bool) -> Callable[[Image.Image], Image.Image]:
    """Keep this share of each side; off centre, the cut is somewhere else in each picture."""

    def change(picture: Image.Image) -> Image.Image:
        width, height = int(picture.width * share), int(picture.height * share)
        dice = random.Random(f"{picture.size}{share}")
        left = (picture.width - width) // 2 if centred else dice.randint(0, picture.width - width)
        top = (picture.height - height) // 2 if centred else dice.randint(0, picture.height - height)
        return picture.crop((left, top, left + width, top + height))

    return change


def _sound(seconds: float | None, ending: str, *options: str) -> Transformation:
    def make(source: Path, target: Path) -> Path | None:
        cut: tuple[str, ...] = ()
        if seconds is not None:
            length = _duration(source)
            if length < seconds + 2:
                return None
            start = random.Random(source.name).uniform(0.5, length - seconds - 0.5)
            cut = ("-ss", f"{start:.3f}", "-t", f"{seconds}")
        place = target.with_suffix(ending)
        command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *cut, "-i", str(source), "-vn", *options, str(place)]
        subprocess.run(command, check=True, capture_output=True)
        return place

    return make


def _duration(source: Path) -> float:
    command = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(source)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _text(change: Callable[[list[str]], list[str] | None]) -> Transformation:
    def make(source: Path, target: Path) -> Path | None:
        raw = re.sub(r"<[^>]*>", " ", source.read_text(encoding="utf-8", errors="replace"))
        words = change(raw.split())
        if words is None:
            return None
        place = target.with_suffix(".txt")
        place.write_text(_wrapped(words), encoding="utf-8")
        return place

    return make


def _wrapped(words: list[str]) -> str:
    return "\n".join(" ".join(words[start : start + 11]) for start in range(0, len(words), 11)) + "\n"


def _bare(words: list[str]) -> list[str]:
    """No capitals, no punctuation: as a speech recogniser writes."""
    return [bare for word in words if (bare := re.sub(r"[^\w']+", "", word).lower())]


def _excerpt(count: int) -> Callable[[list[str]], list[str] | None]:
    def change(words: list[str]) -> list[str] | None:
        if len(words) < count * 2:
            return None
        start = random.Random(words[0] + words[-1]).randint(0, len(words) - count)
        return _bare(words[start : start + count])

    return change


_MP3 = ("-b:a", "128k")
TRANSFORMATIONS: Mapping[str, Kind] = {
    "jpeg-75": Kind(Modality.IMAGE, _picture(_same, ".jpg", 75), plain=True),
    "webp-60": Kind(Modality.IMAGE, _picture(_same, ".webp", 60), plain=True),
    "half-size-jpeg-80": Kind(Modality.IMAGE, _picture(_half, ".jpg", 80), plain=True),
    "jpeg-20": Kind(Modality.IMAGE, _picture(_same, ".jpg", 20), plain=False),
    "crop-90": Kind(Modality.IMAGE, _picture(_crop(0.9, centred=True), ".jpg", 80), plain=False),
    "crop-80": Kind(Modality.IMAGE, _picture(_crop(0.8, centred=True), ".jpg", 80), plain=False),
    "crop-75": Kind(Modality.IMAGE, _picture(_crop(0.75, centred=True), ".jpg", 80), plain=False),
    "crop-90-anywhere": Kind(Modality.IMAGE, _picture(_crop(0.9, centred=False), ".jpg", 80), plain=False),
    "crop-80-anywhere": Kind(Modality.IMAGE, _picture(_crop(0.8, centred=False), ".jpg", 80), plain=False),
    "mirrored": Kind(Modality.IMAGE, _picture(ImageOps.mirror, ".jpg", 80), plain=False),
    "mp3-128": Kind(Modality.AUDIO, _sound(None, ".mp3", *_MP3), plain=True),
    "opus-64": Kind(Modality.AUDIO, _sound(None, ".opus", "-c:a", "libopus", "-b:a", "64k"), plain=True),
    "mp3-30-s": Kind(Modality.AUDIO, _sound(30, ".mp3", *_MP3), plain=False),
    "mp3-15-s": Kind(Modality.AUDIO, _sound(15, ".mp3", *_MP3), plain=False),
    "mp3-10-s": Kind(Modality.AUDIO, _sound(10, ".mp3", *_MP3), plain=False),
    "mp3-8-s": Kind(Modality.AUDIO, _sound(8, ".mp3", *_MP3), plain=False),
    "mp3-5-s": Kind(Modality.AUDIO, _sound(5, ".mp3", *_MP3), plain=False),
    "mp3-32-10-s": Kind(Modality.AUDIO, _sound(10, ".mp3", "-b:a", "32k", "-ac", "1"), plain=False),
    "bare-words": Kind(Modality.TEXT, _text(_bare), plain=True),
    "300-words": Kind(Modality.TEXT, _text(_excerpt(300)), plain=False),
    "150-words": Kind(Modality.TEXT, _text(_excerpt(150)), plain=False),
    "80-words": Kind(Modality.TEXT, _text(_excerpt(80)), plain=False),
}
