"""Music and voices from Debian packages: fetched without installing them, split so that tuning never sees reporting.

Each package names its licence in `usr/share/doc/PACKAGE/copyright`; `licences` gives it. Nothing is kept in the
repository.
"""

import hashlib
import re
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from benchmarks import debian_packages
from benchmarks.audio import rendered
from benchmarks.audio.transformations import RATE_HZ, Sound
from fingerprinting.audio import chromaprint
from fingerprinting.audio.decode import Recording
from fingerprinting.audio.fingerprints import fingerprint_audio
from fingerprinting.errors import FingerprintingError

PACKAGES = {
    "tuning": (
        *("asterisk-moh-opsound-wav", "singularity-music", "asc-music", "extremetuxracer-data", "lincity-ng-data"),
        *("fillets-ng-data", "warzone2100-music", "asterisk-core-sounds-en-wav"),
        *("planetblupi-music-ogg", "pushover-data", "asterisk-core-sounds-es-wav"),
    ),
    "seen": (
        *("wesnoth-1.16-music", "hyperrogue-music", "drascula-music", "hedgewars-data", "lugaru-data"),
        *("xmoto-data", "btanks-data", "colobot-common-sounds", "asterisk-core-sounds-fr-wav"),
        *("asterisk-core-sounds-it-wav",),
    ),
    "reporting": (
        *("ufoai-music", "nexuiz-music", "fretsonfire-songs-muldjord", "fretsonfire-songs-sectoid", "supertux-data"),
        *("freedroidrpg-data", "unknown-horizons", "megaglest-data", "trigger-rally-data", "warmux-data"),
        *("boswars-data", "endless-sky-data", "marsshooter-data", "blobwars-data", "starfighter-data"),
        *("trackballs-data", "ardentryst", "frozen-bubble-data", "neverball-data", "caveexpress-data", "pingus-data"),
        *("brainparty-data", "ri-li-data", "torus-trooper-data", "mu-cade-data", "gunroar-data"),
        *("tumiki-fighters-data", "titanion-data", "parsec47-data", "rrootage-data", "noiz2sa-data"),
        *("powermanga-data", "hex-a-hop-data", "pathological", "openarena-data"),
        *("asterisk-core-sounds-ru-wav", "asterisk-prompt-it-menardi-wav"),
    ),
    "fresh": (
        *("csmash-demosong", "chromium-bsu-data", "monsterz-data", "moon-lander-data", "seahorse-adventures"),
        *("garden-of-coloured-lights-data", "solarwolf", "ceferino-data", "ironseed-data", "biniax2-data"),
        *("open-invaders-data", "holotz-castle-data", "pachi-data", "criticalmass-data", "stormbaancoureur-data"),
        *("abe-data", "pangzero", "simutrans-data", "a7xpg-data", "hannah-data", "bumprace-data", "dustracing2d-data"),
        *("angrydd", "gamine-data", "pekka-kana-2-data", "etw-data", "rafkill-data", "alienblaster-data"),
        *("mazeofgalious-data", "tomatoes-data", "amoebax-data", "wordwarvi-sound", "pax-britannica-data"),
        *("raincat-data", "tuxmath-data", "tuxtype-data", "pink-pony-data", "trophy-data", "pokerth-data"),
        *("adonthell-data", "wizznic-data", "zaz-data", "foobillardplus-data", "lordsawar-data", "gigalomania-data"),
        *("freedink-data", "enigma-data", "plee-the-bear-data", "ktuberling-data"),
        *("fillets-ng-data-cs", "renpy-demo", "asterisk-prompt-es-co", "asterisk-prompt-fr-armelle", "gnome-audio"),
        *("lomiri-sounds", "heroes-sound-tracks", "tecnoballz-data", "circuslinux-data", "wing-data"),
    ),
}
"""Limits were chosen on `tuning`; figures were made of `seen`, then of `reporting`, before they were looked at; `fresh`
is for figures, and a quarter of it is music of tracker modules and of MIDI."""

MIXED_IN = {
    *("asterisk-core-sounds-es-wav", "asterisk-core-sounds-it-wav", "asterisk-prompt-it-menardi-wav"),
    "fillets-ng-data-cs",
}
"""Voices that are heard over works, and of which none is a work or a stranger: a speaker says many words twice."""

VOICES = {
    *("asterisk-core-sounds-en-wav", "asterisk-core-sounds-fr-wav", "asterisk-core-sounds-ru-wav"),
    *("asterisk-prompt-es-co", "asterisk-prompt-fr-armelle", "ktuberling-data"),
    *MIXED_IN,
}
_NO_VOICE = {"tt-monkeys"}
"""Clips that every language has: one that is mixed in would be heard in the works of another, rightly."""

_ENDINGS = (".ogg", ".mp3", ".wav", ".flac", ".opus", ".gsm")
_MIN_SECONDS = 20.0
_A_PACKAGE = 14
_EXCERPT_SECONDS = 75.0
_SKIPPED_SECONDS = 10.0
_MIN_DISTINCT = 40
RECORDING_HZ = 11025
_GAP_SECONDS = 0.3
_LEAST_QUALITY = 90.0


@dataclass(frozen=True)
class Track:
    """One recording of the material; `path` is a file of its own."""

    path: Path
    package: str
    seconds: float


def fetch(half: str, folder: Path) -> None:
    """Download the packages of one half, unpack their sound and their licences, and play what is written as notes."""
    played = (*rendered.MODULES, *rendered.MIDI) if half == "fresh" else ()
    endings = [*_ENDINGS, *played]
    debian_packages.fetch(PACKAGES[half], folder, [*(f"*{ending}" for ending in endings), "*/copyright"])
    for package in PACKAGES[half] if played else ():
        rendered.render(folder / "files" / package, folder)


def licences(half: str, folder: Path) -> dict[str, str]:
    """Give the licences that each package's copyright file names."""
    found = {}
    for package in PACKAGES[half]:
        names: set[str] = set()
        for path in (folder / "files" / package).rglob("copyright"):
            text = path.read_text(encoding="utf-8", errors="replace")
            names |= {each.strip() for each in re.findall(r"^License:[ \t]*(\S[^\n]*)$", text, re.MULTILINE)}
        found[package] = ", ".join(sorted(names)) or "see its copyright file"
    return found


def tracks(half: str, folder: Path) -> list[Track]:
    """Give excerpts of up to 75 s of the recordings of one half that differ from each other, each a file of its own.

    Left out is what is silence, noise or ambience for more than a tenth: of that, the product says when it is
    registered that it can't be recognised.
    """
    found: list[Track] = []
    held: list[set[int]] = []
    for package in PACKAGES[half]:
        place, made = folder / "files" / package, folder / "excerpts" / package
        if not made.exists():
            made.mkdir(parents=True)
            _excerpt(_voices(place) if package in VOICES else _starts(place), made)
        for path in sorted(made.iterdir()):
            prints = fingerprint_audio(path).fingerprints
            if not prints or (prints[0].quality or 0.0) < _LEAST_QUALITY:
                continue
            recording = Recording(path)
            codes = chromaprint.codes(recording)
            distinct = {int(code) >> 4 for code in np.unique(codes)}
            if len(distinct) >= _MIN_DISTINCT and not _is_copy(distinct, held):
                held.append(distinct)
                found.append(Track(path, package, recording.samples / RECORDING_HZ))
    return found


def _excerpt(sounds: Iterator[tuple[str, Sound]], made: Path) -> None:
    """Write the first of some sounds as files."""
    for count, (name, sound) in enumerate(sounds):
        if count >= _A_PACKAGE:
            return
        write(made / f"{name}.wav", sound)


def _starts(folder: Path) -> Iterator[tuple[str, Sound]]:
    """Give 75 s of each recording, from its tenth second on, unless it is too short."""
    for path in _files(folder):
        try:
            sound = load(path, _SKIPPED_SECONDS + _EXCERPT_SECONDS)[int(_SKIPPED_SECONDS * RATE_HZ) :]
        except FingerprintingError:
            continue
        if len(sound) >= _MIN_SECONDS * RATE_HZ:
            yield path.stem, sound[: int(_EXCERPT_SECONDS * RATE_HZ)]


def _is_copy(codes: set[int], held: list[set[int]]) -> bool:
    """Whether a twentieth of the codes are another recording's: a version of it, or a loop in common."""
    return any(len(codes & other) > 0.05 * min(len(codes), len(other)) for other in held)


def _files(folder: Path, least_bytes: int = 100_000) -> Iterator[Path]:
    for path in sorted(folder.rglob("*"), key=lambda each: hashlib.sha256(each.name.encode()).digest()):
        is_sound = path.suffix.lower() in _ENDINGS and path.is_file() and not path.is_symlink()
        if is_sound and path.stat().st_size >= least_bytes:
            yield path


def _voices(folder: Path) -> Iterator[tuple[str, Sound]]:
    """Join short clips of a voice to recordings of about 75 s. Some clips are there twice, under two names."""
    joined: list[Sound] = []
    known: set[bytes] = set()
    gap = np.zeros(int(_GAP_SECONDS * RATE_HZ), dtype=np.float32)
    number = 0
    for path in _files(folder, 0):
        if path.stem in _NO_VOICE:
            continue
        try:
            clip = load(path)
        except FingerprintingError:
            continue
        name = hashlib.sha256(np.round(clip * 127).astype(np.int8).tobytes()).digest()
        if name in known:
            continue
        known.add(name)
        joined += [clip, gap]
        if sum(map(len, joined)) > _EXCERPT_SECONDS * RATE_HZ:
            yield f"{number:03}", np.concatenate(joined)
            number += 1
            joined = []


def load(path: Path, max_seconds: float = 3600.0) -> Sound:
    """Decode a recording to mono at RATE_HZ, float32 from -1 to 1."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE_HZ)
    pieces = []
    try:
        with av.open(str(path)) as opened:
            for frame in opened.decode(audio=0):
                pieces += [each.to_ndarray().reshape(-1) for each in resampler.resample(frame)]
                if frame.time is not None and frame.time > max_seconds:
                    break
    except (av.error.FFmpegError, ValueError) as error:
        raise FingerprintingError(str(error)) from error
    return np.concatenate(pieces).astype(np.float32) if pieces else np.empty(0, np.float32)


def write(path: Path, sound: Sound, rate_hz: int = RATE_HZ) -> Path:
    """Write mono sound as WAV."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return path
