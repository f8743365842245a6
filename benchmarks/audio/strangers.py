"""What is asked although nobody registered it, each kind counted by itself: what is found in it is wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.audio import material, unregistered
from benchmarks.audio.material import Track
from benchmarks.audio.transformations import KINDS, RATE_HZ, Dice, Others, Sound

RECORDINGS, ALTERED, PIECES, STEADY = "recordings", "recordings, altered", "pieces", "steady"
GROUPS = (RECORDINGS, ALTERED, PIECES, STEADY)
_SPOKEN = {
    *("a voice as loud", "a voice as loud, 16 kHz, Opus 24", "a voice 4 dB louder", "a voice 6 dB louder"),
    "a voice 10 dB louder",
}
_REGISTERED_PIECES = 3
"""Of each instrument."""


@dataclass(frozen=True)
class Stranger:
    """A sound to ask: to which group it belongs and what it is."""

    group: str
    name: str
    sound: Sound


def registered_pieces(folder: Path) -> list[Track]:
    """Write pieces of each instrument, to be registered beside other works."""
    made = []
    for seed, instrument in enumerate(_REGISTERED_PIECES * unregistered.INSTRUMENTS):
        sound = unregistered.piece(instrument, unregistered.PIECE_SECONDS, seed)
        path = material.write(folder / f"{instrument}-{seed}.wav", sound)
        made.append(Track(path, "synthetic", unregistered.PIECE_SECONDS))
    return made


def strangers(
    tracks: Sequence[Track], number: int, lengths: Sequence[float], others: Others, dice: Dice
) -> Iterator[Stranger]:
    """Give sounds: in turn of recordings, of such altered in any way, of other pieces of registered instruments, and
    silence, hum, noise or a drone.

    Args:
        tracks: recordings that are not registered.
        number: how many sounds.
        lengths: of which each has one, in seconds, where its recording is as long.
        others: music that may be mixed into some. Voices are not: they would be asked for themselves.
        dice: what is drawn from.
    """
    kinds = [kind for kind in KINDS if kind not in _SPOKEN]
    for at in range(number):
        group, turn = GROUPS[at % len(GROUPS)], at // len(GROUPS)
        seconds = lengths[turn % len(lengths)]
        if group == PIECES:
            instrument = unregistered.INSTRUMENTS[turn % len(unregistered.INSTRUMENTS)]
            yield Stranger(group, f"{instrument} {turn}", unregistered.piece(instrument, seconds, 1000 + turn))
        elif group == STEADY:
            kind = list(unregistered.STEADY)[turn % len(unregistered.STEADY)]
            yield Stranger(group, kind, unregistered.STEADY[kind](seconds, dice))
        else:
            yield _of_recording(tracks[turn % len(tracks)], group, seconds, kinds, others, dice)


def _of_recording(
    track: Track, group: str, seconds: float, kinds: Sequence[str], others: Others, dice: Dice
) -> Stranger:
    sound = material.load(track.path)
    samples = min(round(seconds * RATE_HZ), len(sound))
    start = int(dice.integers(len(sound) - samples + 1))
    part, name = sound[start : start + samples], f"{track.package}/{track.path.stem} at {start / RATE_HZ:.0f} s"
    if group == RECORDINGS:
        return Stranger(group, name, part)
    kind = kinds[int(dice.integers(len(kinds)))]
    return Stranger(group, f"{kind}, {name}", KINDS[kind].make(part, others, dice))
