"""Sound that nobody registered: silence, hum, noise, drones, and music of instruments that works are played on."""

from collections.abc import Callable, Mapping

import numpy as np

from benchmarks.audio.transformations import RATE_HZ, Dice, Sound

PIECE_SECONDS = 60.0
_LEAST_HZ = 65.4
_MINOR = (0, 2, 3, 5, 7, 8, 10)


def _time(seconds: float) -> Sound:
    return (np.arange(round(seconds * RATE_HZ)) / RATE_HZ).astype(np.float32)


def _silence(seconds: float, dice: Dice) -> Sound:
    """Nothing, or what the last bit of a converter makes of it."""
    loudness = float(dice.choice([0.0, 1 / 32767]))
    return (loudness * dice.integers(-1, 2, len(_time(seconds)))).astype(np.float32)


def _hum(seconds: float, dice: Dice) -> Sound:
    """The mains at 50 or 60 Hz with overtones, and a little noise."""
    time, base = _time(seconds), float(dice.choice([50.0, 60.0]))
    strengths = dice.uniform(0.05, 1, 24) / np.arange(1, 25)
    sound = sum(strength * np.sin(2 * np.pi * base * (at + 1) * time) for at, strength in enumerate(strengths))
    return _scaled(sound + dice.normal(0, 0.02, len(time)), dice)


def _noise(seconds: float, dice: Dice) -> Sound:
    """White, pink or brown, or like rain: bursts that come and go."""
    count = len(_time(seconds))
    slope = float(dice.choice([0.0, 1.0, 2.0]))
    spectrum = np.fft.rfft(dice.normal(0, 1, count)) / np.arange(1, count // 2 + 2) ** (slope / 2)
    sound = np.fft.irfft(spectrum, count)
    if dice.random() < 0.5:
        places = np.linspace(0, 1, max(4, int(seconds * 3)))
        sound = sound * np.interp(np.linspace(0, 1, count), places, dice.uniform(0.1, 1, len(places)))
    return _scaled(sound, dice)


def _drone(seconds: float, dice: Dice) -> Sound:
    """Up to seven tones that beat with each other and swell."""
    time = _time(seconds)
    sound = np.zeros(len(time))
    for _ in range(int(dice.integers(2, 8))):
        hz, beat = _LEAST_HZ * 2 ** dice.uniform(0, 4), dice.uniform(0.05, 2)
        swell = 1 + dice.uniform(0, 0.8) * np.sin(2 * np.pi * beat * time + dice.uniform(0, 6))
        sound += dice.uniform(0.2, 1) * swell * np.sin(2 * np.pi * hz * time)
    return _scaled(sound, dice)


def _scaled(sound: object, dice: Dice) -> Sound:
    samples = np.asarray(sound, dtype=np.float64)
    return (samples / max(float(np.abs(samples).max()), 1e-9) * dice.uniform(0.1, 0.9)).astype(np.float32)


STEADY: Mapping[str, Callable[[float, Dice], Sound]] = {
    "silence": _silence,
    "hum": _hum,
    "noise": _noise,
    "drone": _drone,
}

INSTRUMENTS = ("organ", "bell", "pluck")


def piece(instrument: str, seconds: float, seed: int) -> Sound:
    """Play a piece on an instrument: a bass, chords and a melody in one of three keys and at one of three tempos.

    Every piece of one instrument sounds the same notes with the same overtones, and many have key and tempo in common.
    """
    dice = np.random.default_rng(seed)
    key, beat = int(dice.integers(3)), float(dice.choice([0.5, 0.4615, 0.4286]))
    sound = np.zeros(round(seconds * RATE_HZ) + 4 * RATE_HZ, dtype=np.float32)
    chord = 0
    for at in range(int(seconds / beat * 2)):
        start = round(at * beat / 2 * RATE_HZ)
        if at % 8 == 0:
            chord = int(dice.integers(7))
            for degree in (chord, chord + 2, chord + 4):
                _play(sound, instrument, start, key + _pitch(degree) + 12, 4 * beat, 0.4)
        if at % 4 == 0:
            _play(sound, instrument, start, key + _pitch(chord), 2 * beat, 0.7)
        if dice.random() < 0.7:
            _play(sound, instrument, start, key + _pitch(int(dice.integers(14))) + 24, beat / 2, 1.0)
    return (sound[: round(seconds * RATE_HZ)] / np.abs(sound).max() * 0.8).astype(np.float32)


def _pitch(degree: int) -> int:
    octave, step = divmod(degree, len(_MINOR))
    return 12 * octave + _MINOR[step]


def _play(sound: Sound, instrument: str, start: int, semitone: int, seconds: float, strength: float) -> None:
    time = _time(seconds if instrument == "organ" else 2.0)
    hz = _LEAST_HZ * 2 ** (semitone / 12)
    overtones = {"organ": (1, 2, 3, 4, 6, 8), "bell": (1, 2.76, 5.4), "pluck": (1, 2, 3, 4, 5)}[instrument]
    fades = {"organ": 0.0, "bell": 1.5, "pluck": 5.0}[instrument]
    note = sum(np.sin(2 * np.pi * hz * each * time) / (1 + place) for place, each in enumerate(overtones))
    note = np.asarray(note) * np.exp(-fades * time) * np.minimum(1, time * 200) * np.minimum(1, (time[-1] - time) * 50)
    room = sound[start : start + len(note)]
    room += (strength * note[: len(room)]).astype(np.float32)
