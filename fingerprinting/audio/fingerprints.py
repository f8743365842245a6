"""From a recording to its fingerprints, and the word on whether sound can identify it at all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting.audio import chromaprint, print_bytes
from fingerprinting.audio.bandenergy import UNCHANGED, BandPrint, BandPrinter, Change
from fingerprinting.audio.decode import Recording
from fingerprinting.audio.landmarks import LandmarkPrinter
from fingerprinting.audio.movement import PARTLY
from fingerprinting.media import DEFAULT_LIMITS, Limits
from fingerprinting.types import Depth, Fingerprint, Prints, Role, SpanUnit

ALGORITHM: Final = "chromaprint-2"
VERSION: Final = 1

CHANGES: Final = (
    UNCHANGED,
    *(Change(tempo, 0) for tempo in (-150, -100, -50, 50, 100, 150)),
    *(Change(0, pitch) for pitch in (-109, -92, -74, -56, -38, -19, 19, 39, 59, 80, 101, 122)),
    *(Change(speed, speed) for speed in (-60, -40, -20, 20, 40, 60)),
)
"""What may have been done to the sound that asks thoroughly, in thousandths of tempo and pitch."""

MONOTONOUS: Final = "audio-monotonous"

LEAST_SECONDS: Final = 1.8
"""Of less than this, counted in whole blocks, nothing is recognised: a recording of 2.5 s has 5 blocks of 0.37 s."""

_REMARKED_SECONDS: Final = 5.0


def fingerprint_audio(
    path: Path, limits: Limits = DEFAULT_LIMITS, *, role: Role = Role.WORK, depth: Depth = Depth.STANDARD
) -> Prints:
    """Fingerprint the sound of a recording, or of the first track of sound in a video, from one decoding.

    Where sound identifies nothing there is no fingerprint and a note says why: `audio-too-short`, `audio-silent`
    or `audio-monotonous`; an asset that is monotonous has some, since music may lie under its noise. `audio-damaged`
    is a remark only: parts could not be decoded, the rest counts. So is `audio-partly-unidentifiable` with its
    seconds, after which a note for each such part says where it lies.

    Args:
        path: where it is.
        limits: how long and how large it may be.
        role: a query has peaks of two looks, half a hop apart.
        depth: a query that asks thoroughly has codes of band energies under each change of `CHANGES`.

    Returns:
        Prints with the whole recording's Chromaprint codes as little-endian uint32, its peaks, and its codes of band
        energies. Their quality is the share of the recording that is telling, in per cent.

    Raises:
        UnreadableMediaError: empty, damaged beyond reading, or without sound.
        UnsupportedMediaError: not a kind of recording that we open.
        LimitExceededError: longer or larger than `limits`.
    """
    recording = Recording(path, limits)
    is_thorough = role is Role.QUERY and depth is Depth.THOROUGH
    landmarks, bands = LandmarkPrinter(role), BandPrinter(CHANGES if is_thorough else (UNCHANGED,), role)
    codes = chromaprint.codes(_shared(recording, landmarks, bands))
    heard = bands.finish()
    notes = ("audio-damaged",) if recording.is_damaged else ()
    reason = unidentifiable_because(heard)
    if reason is not None and (role is Role.WORK or reason != MONOTONOUS):
        return Prints(fingerprints=(), identifiable=False, notes=(*notes, reason))
    if reason is not None:
        notes = (*notes, reason)
    elif heard.other_seconds >= _REMARKED_SECONDS:
        notes = (*notes, f"{PARTLY}:{round(heard.other_seconds)}", *(gap.note for gap in heard.gaps))
    quality = round(100.0 * heard.telling_seconds / (heard.telling_seconds + heard.other_seconds), 1)
    values = []
    if len(codes):
        values.append((ALGORITHM, VERSION, codes.astype("<u4").tobytes()))
    peaks = landmarks.finish()
    if len(peaks.frames):
        values.append((print_bytes.LANDMARK_ALGORITHM, print_bytes.LANDMARK_VERSION, print_bytes.write_peaks(peaks)))
    band = print_bytes.BAND_ALGORITHM, print_bytes.BAND_VERSION
    values += [(*band, print_bytes.write_codes(each)) for each in heard.codes]
    fingerprints = tuple(
        Fingerprint(algorithm=name, version=version, value=value, quality=quality, unit=SpanUnit.SECONDS)
        for name, version, value in values
    )
    return Prints(fingerprints=fingerprints, identifiable=reason is None, notes=notes)


def _shared(recording: Recording, landmarks: LandmarkPrinter, bands: BandPrinter) -> Iterator[NDArray[np.int16]]:
    """Let two prints be computed of each chunk that goes to the third."""
    for chunk in recording:
        landmarks.feed(chunk)
        bands.feed(chunk)
        yield chunk


def unidentifiable_because(heard: BandPrint) -> str | None:
    """Say why a recording would fit too many others, as a note's code; None where enough of it is telling."""
    if heard.telling_seconds + heard.other_seconds < LEAST_SECONDS:
        return "audio-too-short"
    if not heard.is_audible:
        return "audio-silent"
    return MONOTONOUS if heard.telling_seconds < LEAST_SECONDS else None
