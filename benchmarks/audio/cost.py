"""How fast recordings are fingerprinted as people have them: MP3 of 128 kbit/s in stereo at 44.1 kHz."""

import time
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

from benchmarks.audio import material
from benchmarks.audio.material import Track
from benchmarks.audio.transformations import RATE_HZ, Sound
from fingerprinting.audio.fingerprints import fingerprint_audio

_RECORDINGS, _REPEATS = 8, 3
_MP3_HZ, _MP3_BITS = 44_100, 128_000


def mp3_seconds_a_second(works: Sequence[Track], scratch: Path) -> list[float]:
    """Give CPU seconds a second of sound for a few works: the least of three, since others use this machine too."""
    found = []
    for work in works[:_RECORDINGS]:
        path = scratch / "work.mp3"
        _write_mp3(path, material.load(work.path))
        times = []
        for _ in range(_REPEATS):
            began = time.process_time()
            fingerprint_audio(path)
            times.append(time.process_time() - began)
        found.append(min(times) / work.seconds)
    return found


def _write_mp3(path: Path, sound: Sound) -> None:
    whole = (np.clip(sound, -1, 1) * 32767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(np.repeat(whole, 2).reshape(1, -1), format="s16", layout="stereo")
    frame.sample_rate = RATE_HZ
    with av.open(str(path), "w") as opened:
        stream = opened.add_stream("libmp3lame", rate=_MP3_HZ)
        stream.layout, stream.bit_rate = "stereo", _MP3_BITS
        resampler = av.AudioResampler(
            format=stream.codec_context.format.name, layout="stereo", rate=_MP3_HZ, frame_size=1152
        )
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            opened.mux(stream.encode(piece))
        opened.mux(stream.encode(None))
