"""Plays tracker modules and MIDI files of packages into WAV: music whose notes share samples, as much music does.

`apt-get install openmpt123 fluidsynth` brings the players; the instruments of MIDI come from a package of their own.
"""

import hashlib
import shutil
import subprocess
from pathlib import Path

from benchmarks import debian_packages

MODULES = (".mod", ".xm", ".s3m", ".it")
MIDI = (".mid", ".midi")
INSTRUMENTS = "timgm6mb-soundfont"
_SOUNDFONT = "usr/share/sounds/sf2/TimGM6mb.sf2"
_RATE_HZ = 44_100
_MAX_SECONDS = 90
_MAX_PLAYING_SECONDS = 120.0
_MIN_BYTES = 1000
_MOST_FILES = 16


def render(folder: Path, packages: Path) -> None:
    """Write a WAV beside some modules and MIDI files below a folder, unless it is there.

    Raises:
        RuntimeError: a player is not installed.
    """
    for path in _files(folder, MODULES):
        made = _beside(path)
        if not made.exists():
            form = ("--end-time", f"{_MAX_SECONDS}", "--samplerate", f"{_RATE_HZ}", "--no-float")
            _play(["openmpt123", "--batch", "--quiet", *form, "--output", str(made), str(path)])
    scores = _files(folder, MIDI)
    if scores:
        debian_packages.fetch([INSTRUMENTS], packages, ["*.sf2"])
    for path in scores:
        made = _beside(path)
        if not made.exists():
            soundfont = packages / "files" / INSTRUMENTS / _SOUNDFONT
            _play(["fluidsynth", "-qi", "-r", f"{_RATE_HZ}", "-F", str(made), str(soundfont), str(path)])


def _files(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    """Give the first of each kind in an order that says nothing of them."""
    found = [
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in endings and path.is_file() and path.stat().st_size >= _MIN_BYTES
    ]
    return sorted(found, key=lambda each: hashlib.sha256(each.name.encode()).digest())[:_MOST_FILES]


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.wav")


def _play(command: list[str]) -> None:
    """Run a player; what it can't play is left out."""
    if shutil.which(command[0]) is None:
        raise RuntimeError(f"{command[0]} is not installed: apt-get install {command[0]}")
    subprocess.run(command, check=False, capture_output=True, timeout=_MAX_PLAYING_SECONDS)
