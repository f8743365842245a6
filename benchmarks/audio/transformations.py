"""What happens to sound before it is met again: codecs, rooms, voices, changes of tempo and pitch. Repeatable."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import av
import av.filter
import numpy as np
from numpy.typing import NDArray
from scipy import signal

RATE_HZ = 22050

Sound: TypeAlias = NDArray[np.float32]
Dice: TypeAlias = np.random.Generator


@dataclass(frozen=True)
class Others:
    """What is mixed into a recording: voices and other music, each longer than any query."""

    voices: list[Sound]
    music: list[Sound]


Change: TypeAlias = Callable[[Sound, Others, Dice], Sound]


@dataclass(frozen=True)
class Kind:
    """A transformation: its row of the table, by which factor it makes a recording longer, seconds put before it."""

    row: str
    make: Change
    longer: float = 1.0
    lead: float = 0.0


def coded(codec: str, container: str, rate_hz: int, bit_rate: int | None = None) -> Change:
    """Encode and decode again."""

    def change(sound: Sound, _others: Others, _dice: Dice) -> Sound:
        file = io.BytesIO()
        with av.open(file, "w", format=container) as opened:
            stream = opened.add_stream(codec, rate=rate_hz)
            stream.layout = "mono"
            if bit_rate is not None:
                stream.bit_rate = bit_rate
            for piece in _resampled(sound, stream.codec_context.format.name, rate_hz, 1152):
                opened.mux(stream.encode(piece))
            opened.mux(stream.encode(None))
        file.seek(0)
        return _read(file)[: len(sound)]

    return change


def _resampled(sound: Sound, form: str, rate_hz: int, frame_size: int) -> list[av.AudioFrame]:
    whole = (np.clip(sound, -1, 1) * 32767).astype(np.int16).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(whole, format="s16", layout="mono")
    frame.sample_rate = RATE_HZ
    resampler = av.AudioResampler(format=form, layout="mono", rate=rate_hz, frame_size=frame_size)
    return [*resampler.resample(frame), *resampler.resample(None)]


def _read(file: io.BytesIO) -> Sound:
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE_HZ)
    pieces = []
    with av.open(file) as opened:
        for frame in opened.decode(audio=0):
            frame.pts = None
            pieces += [each.to_ndarray().reshape(-1) for each in resampler.resample(frame)]
    pieces += [each.to_ndarray().reshape(-1) for each in resampler.resample(None)]
    return np.concatenate(pieces).astype(np.float32)


def filtered(*chain: tuple[str, str]) -> Change:
    """Send sound through filters of FFmpeg."""

    def change(sound: Sound, _others: Others, _dice: Dice) -> Sound:
        graph = av.filter.Graph()
        source = graph.add_abuffer(sample_rate=RATE_HZ, format="flt", layout="mono", time_base=Fraction(1, RATE_HZ))
        nodes = [source, *(graph.add(*each) for each in chain), graph.add("abuffersink")]
        graph.link_nodes(*nodes).configure()
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound).reshape(1, -1), format="flt", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = RATE_HZ, Fraction(1, RATE_HZ), 0
        graph.push(frame)
        graph.push(None)
        pieces = []
        while True:
            try:
                pieces.append(graph.pull().to_ndarray().reshape(-1))
            except (av.error.EOFError, av.error.BlockingIOError):
                break
        return np.concatenate(pieces).astype(np.float32)

    return change


def tempo(factor: float) -> Change:
    """Play faster at the same pitch."""
    return filtered(("atempo", f"{factor}"))


def speed(factor: float) -> Change:
    """Play faster and higher."""
    return filtered(("asetrate", f"{round(RATE_HZ * factor)}"), ("aresample", f"{RATE_HZ}"))


def pitch(semitones: float) -> Change:
    """Play higher at the same tempo."""
    factor = 2 ** (semitones / 12)
    return filtered(
        ("asetrate", f"{round(RATE_HZ * factor)}"), ("aresample", f"{RATE_HZ}"), ("atempo", f"{1 / factor:.6f}")
    )


def louder(decibels: float) -> Change:
    """Change the volume; what is too loud is clipped."""

    def change(sound: Sound, _others: Others, _dice: Dice) -> Sound:
        return np.clip(sound * np.float32(10 ** (decibels / 20)), -1, 1)

    return change


def equalised(low_db: float, middle_db: float, high_db: float) -> Change:
    """Raise or lower below 300 Hz, around 1 kHz, and above 3 kHz."""

    def change(sound: Sound, _others: Others, _dice: Dice) -> Sound:
        hz = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
        gain = np.interp(
            np.log2(np.maximum(hz, 20)),
            np.log2([150, 300, 1000, 3000, 6000]),
            [low_db, low_db / 2, middle_db, high_db / 2, high_db],
        )
        return np.fft.irfft(np.fft.rfft(sound) * 10 ** (gain / 20), len(sound)).astype(np.float32) * np.float32(0.5)

    return change


def phone(sound: Sound, _others: Others, _dice: Dice) -> Sound:
    """A telephone line: 300 to 3400 Hz, 8 kHz, mu-law."""
    band = signal.butter(4, (300, 3400), "bandpass", fs=RATE_HZ, output="sos")
    narrow = signal.sosfilt(band, sound).astype(np.float32)
    return coded("pcm_mulaw", "wav", 8000)(narrow, _others, _dice)


def reverberated(seconds: float) -> Change:
    """A room whose echo is as loud as the sound itself."""

    def change(sound: Sound, _others: Others, dice: Dice) -> Sound:
        time = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
        echo = dice.normal(0, 1, len(time)) * 10 ** (-3 * time / seconds)
        wet = signal.fftconvolve(sound, echo / np.sqrt((echo**2).sum()))[: len(sound)]
        return _level(sound + wet * _power(sound) / max(_power(wet), 1e-9))

    return change


def noisy(decibels: float, slope: float = 1.0) -> Change:
    """Add noise, by so much quieter: white (slope 0) or pink (1)."""

    def change(sound: Sound, _others: Others, dice: Dice) -> Sound:
        spectrum = np.fft.rfft(dice.normal(0, 1, len(sound)))
        noise = np.fft.irfft(spectrum / np.arange(1, len(spectrum) + 1) ** (slope / 2), len(sound))
        return _mixed(sound, noise, decibels)

    return change


def spoken_over(decibels: float) -> Change:
    """Add a voice, by so much quieter than the recording."""
    return lambda sound, others, dice: _mixed(sound, _cut(others.voices, len(sound), dice), decibels)


def music_over(decibels: float) -> Change:
    """Add other music."""
    return lambda sound, others, dice: _mixed(sound, _cut(others.music, len(sound), dice), decibels)


def between_music(seconds: float) -> Change:
    """Put so much of other music before it and after it, without a pause."""

    def change(sound: Sound, others: Others, dice: Dice) -> Sound:
        before, after = (_cut(others.music, int(seconds * RATE_HZ), dice) for _ in range(2))
        return np.concatenate((before, sound, after))

    return change


def together(*changes: Change) -> Change:
    """One after the other."""

    def change(sound: Sound, others: Others, dice: Dice) -> Sound:
        for each in changes:
            sound = each(sound, others, dice)
        return sound

    return change


def _same(sound: Sound, _others: Others, _dice: Dice) -> Sound:
    return sound


def _cut(from_: list[Sound], samples: int, dice: Dice) -> Sound:
    fitting = [each for each in from_ if len(each) >= samples]
    chosen = fitting[int(dice.integers(len(fitting)))]
    start = int(dice.integers(len(chosen) - samples + 1))
    return chosen[start : start + samples]


def _mixed(sound: Sound, other: NDArray[np.floating], decibels: float) -> Sound:
    scaled = other * _power(sound) / max(_power(other), 1e-9) * 10 ** (-decibels / 20)
    return _level(sound + scaled)


def _power(sound: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))) + 1e-9


def _level(sound: NDArray[np.floating]) -> Sound:
    return (sound / max(1.0, float(np.abs(sound).max()))).astype(np.float32)


CORE, HARD, EXTREME, ULTRA = "core", "hard", "extreme", "ultra"
_MP3_32, _OPUS_24 = coded("libmp3lame", "mp3", RATE_HZ, 32_000), coded("libopus", "ogg", 48_000, 24_000)
_16K = coded("pcm_s16le", "wav", 16_000)

KINDS: Mapping[str, Kind] = {
    "unchanged": Kind(CORE, _same),
    "MP3 64 kbit/s": Kind(CORE, coded("libmp3lame", "mp3", RATE_HZ, 64_000)),
    "MP3 32 kbit/s": Kind(CORE, _MP3_32),
    "16 kHz": Kind(CORE, _16K),
    "Opus 32 kbit/s": Kind(CORE, coded("libopus", "ogg", 48_000, 32_000)),
    "Opus 16 kbit/s": Kind(CORE, coded("libopus", "ogg", 48_000, 16_000)),
    "12 dB quieter": Kind(CORE, louder(-12)),
    "12 dB louder, clipped": Kind(CORE, louder(12)),
    "pink noise, 20 dB quieter": Kind(CORE, noisy(20)),
    "EQ, bass +9, treble -9 dB": Kind(HARD, equalised(9, 0, -9)),
    "EQ, -8, +8, -8 dB": Kind(HARD, equalised(-8, 8, -8)),
    "reverb 0.6 s": Kind(HARD, reverberated(0.6)),
    "reverb 1.2 s": Kind(HARD, reverberated(1.2)),
    "telephone": Kind(HARD, phone),
    "8 kHz, Opus 8 kbit/s": Kind(HARD, coded("libopus", "ogg", 8000, 8000)),
    "pink noise, 10 dB quieter": Kind(HARD, noisy(10)),
    "pink noise, 5 dB quieter": Kind(HARD, noisy(5)),
    "white noise, 10 dB quieter": Kind(HARD, noisy(10, 0)),
    "a voice as loud": Kind(HARD, spoken_over(0)),
    "other music as loud": Kind(HARD, music_over(0)),
    "EQ, 16 kHz, MP3 32, noise 15 dB": Kind(HARD, together(equalised(6, 0, -6), _16K, _MP3_32, noisy(15))),
    "a voice as loud, 16 kHz, Opus 24": Kind(HARD, together(spoken_over(0), _16K, _OPUS_24)),
    "reverb 0.6 s, noise 10 dB": Kind(HARD, together(reverberated(0.6), noisy(10))),
    "a voice 4 dB louder": Kind(EXTREME, spoken_over(-4)),
    "a voice 6 dB louder": Kind(EXTREME, spoken_over(-6)),
    "pink noise as loud": Kind(EXTREME, noisy(0)),
    "tempo +2 %": Kind(EXTREME, tempo(1.02), 1.02),
    "tempo +5 %": Kind(EXTREME, tempo(1.05), 1.05),
    "tempo -5 %": Kind(EXTREME, tempo(0.95), 0.95),
    "tempo +10 %": Kind(EXTREME, tempo(1.10), 1.10),
    "tempo -10 %": Kind(EXTREME, tempo(0.90), 0.90),
    "speed +1 %": Kind(EXTREME, speed(1.01), 1.01),
    "speed +2 %": Kind(EXTREME, speed(1.02), 1.02),
    "speed -3 %": Kind(EXTREME, speed(0.97), 0.97),
    "speed +5 %": Kind(EXTREME, speed(1.05), 1.05),
    "pitch +1 semitone": Kind(EXTREME, pitch(1)),
    "pitch -1 semitone": Kind(EXTREME, pitch(-1)),
    "speed +1 %, Opus 32, noise 20 dB": Kind(
        EXTREME, together(speed(1.01), coded("libopus", "ogg", 48_000, 32_000), noisy(20)), 1.01
    ),
    "a voice 10 dB louder": Kind(ULTRA, spoken_over(-10)),
    "pink noise 5 dB louder": Kind(ULTRA, noisy(-5)),
    "tempo +15 %": Kind(ULTRA, tempo(1.15), 1.15),
    "tempo -15 %": Kind(ULTRA, tempo(0.85), 0.85),
    "pitch +2 semitones": Kind(ULTRA, pitch(2)),
    "pitch -2 semitones": Kind(ULTRA, pitch(-2)),
    "between 4 s of other music": Kind(ULTRA, between_music(4), lead=4.0),
}
