"""Sound for tests: melodies, noises, and files of them in the usual formats."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

RATE_HZ = 11025


@lru_cache(maxsize=32)
def melody(seconds: float, *, seed: int = 0, rate_hz: int = RATE_HZ) -> NDArray[np.int16]:
    """Play random notes with overtones over a random chord, with a little noise: int16, shape (n,)."""
    random = np.random.default_rng(seed)
    count = round(seconds * rate_hz)
    sound = random.normal(0, 0.005, count)
    for voice, note_seconds in ((0, 0.27), (12, 0.41), (24, 0.83)):
        note_samples = round(note_seconds * rate_hz)
        time = np.arange(note_samples) / rate_hz
        envelope = np.exp(-3 * time) * np.minimum(1, time * 100)
        for start in range(0, count, note_samples):
            hz = 110 * 2 ** ((voice + random.integers(0, 24)) / 12)
            note = sum(np.sin(2 * np.pi * hz * overtone * time) / overtone for overtone in (1, 2, 3)) * envelope
            sound[start : start + note_samples] += note[: count - start]
    scaled: NDArray[np.int16] = (sound / np.abs(sound).max() * 25_000).astype(np.int16)
    # Tests share it.
    scaled.flags.writeable = False
    return scaled


def noise(seconds: float, *, seed: int = 0, slope: float = 0.0) -> NDArray[np.int16]:
    """Make noise whose power falls with frequency to the power of `slope`: 0 is white, 1 pink, 2 brown."""
    count = round(seconds * RATE_HZ)
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(0, 1, count))
    sound = np.fft.irfft(spectrum / np.arange(1, len(spectrum) + 1) ** (slope / 2), count)
    made: NDArray[np.int16] = (sound / np.abs(sound).max() * 20_000).astype(np.int16)
    return made


def tone(seconds: float, *, hz: float = 440.0) -> NDArray[np.int16]:
    """Make one steady tone."""
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    made: NDArray[np.int16] = (12_000 * np.sin(2 * np.pi * hz * time)).astype(np.int16)
    return made


def write_sound(
    path: Path,
    sound: NDArray[np.int16],
    *,
    codec: str = "pcm_s16le",
    container_format: str = "wav",
    rate_hz: int = RATE_HZ,
    layout: str = "mono",
    bit_rate: int | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Encode mono sound (copied to every channel of `layout`) into a file, and return its path."""
    with av.open(str(path), "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=rate_hz)
        stream.layout = layout
        if bit_rate is not None:
            stream.bit_rate = bit_rate
        container.metadata.update(metadata or {})
        channels = stream.codec_context.layout.nb_channels
        resampler = av.AudioResampler(format=stream.codec_context.format, layout=layout, rate=rate_hz, frame_size=1024)
        frame = av.AudioFrame.from_ndarray(np.repeat(sound, channels).reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate = rate_hz
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path
