"""Makes what a pipeline meets: altered copies of the works, and files that have nothing to do with them."""

import re
import shutil
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
from PIL import Image

MEDIA: Final = Path(__file__).parent / "media"
PICTURE: Final = MEDIA / "originals" / "still-life-with-espresso.jpg"
SONG: Final = MEDIA / "originals" / "palace.ogg"
CAPTIONS: Final = MEDIA / "originals" / "we-choose-to-go-to-the-moon.vtt"
STRANGERS: Final = MEDIA / "strangers"


@dataclass(frozen=True, slots=True)
class Met:
    """A file that the pipeline meets, what was done to it, and which work it shows; None if it is a stranger."""

    name: str
    what: str
    shows: Path | None


def lay_out(folder: Path) -> list[Met]:
    """Write the files into a folder, and say what each is."""
    folder.mkdir(parents=True)
    crop_and_recompress(PICTURE, folder / "breakfast-blog-0417.jpg")
    excerpt(SONG, folder / "background-loop.mp3", start=21.0, seconds=15.0)
    (folder / "talk-transcript.txt").write_text(repunctuate(CAPTIONS.read_text(encoding="utf-8")), encoding="utf-8")
    met = [
        Met("breakfast-blog-0417.jpg", "the picture, cropped to 88 % of each side, JPEG quality 45", PICTURE),
        Met("background-loop.mp3", "15 s of the song, MP3 at 64 kbit/s", SONG),
        Met("talk-transcript.txt", "a minute of the captions: no capitals, no punctuation, other lines", CAPTIONS),
    ]
    for stranger in sorted(STRANGERS.iterdir()):
        shutil.copy(stranger, folder / stranger.name)
        met.append(Met(stranger.name, "unrelated", None))
    return met


def crop_and_recompress(source: Path, target: Path) -> None:
    """Cut 12 % from the width and the height, make it smaller, and compress it hard."""
    with Image.open(source) as picture:
        width, height = picture.size
        box = (round(width * 0.07), round(height * 0.05), round(width * 0.95), round(height * 0.93))
        cropped = picture.crop(box)
    cropped.resize((cropped.width * 4 // 5, cropped.height * 4 // 5), Image.Resampling.LANCZOS).save(target, quality=45)


def excerpt(source: Path, target: Path, *, start: float, seconds: float) -> None:
    """Cut a piece out of a recording and encode it as MP3."""
    with av.open(str(source)) as original, av.open(str(target), "w", format="mp3") as copy:
        sound = original.streams.audio[0]
        stream = copy.add_stream("mp3", rate=44100, bit_rate=64_000, layout="stereo")
        resampler = av.AudioResampler(format=stream.format, layout="stereo", rate=44100)
        samples = 0
        for frame in original.decode(sound):
            moment = float(frame.time or 0)
            if moment < start:
                continue
            if moment >= start + seconds:
                break
            for piece in resampler.resample(frame):
                piece.pts, piece.time_base = samples, Fraction(1, 44100)
                samples += piece.samples
                copy.mux(stream.encode(piece))
        copy.mux(stream.encode(None))


def repunctuate(captions: str) -> str:
    """Write a minute of captions down as another machine might: other case, other lines, no punctuation, no times."""
    spoken = [
        line for line in captions.splitlines() if line and "-->" not in line and not re.match(r"WEBVTT|\w+: ", line)
    ]
    words = re.sub(r"[^\w\s'-]", "", " ".join(spoken[9:24])).lower().split()
    return "\n".join(" ".join(words[at : at + 9]) for at in range(0, len(words), 9)) + "\n"
