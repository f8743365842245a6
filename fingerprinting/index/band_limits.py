"""How far the codes of band energies may differ, by how many of them there are: the chance that unrelated ones do."""

import math

import numpy as np

from fingerprinting import sound_thresholds


def deviation(codes: int) -> float:
    """Give the standard deviation of the mean differing bits of so many codes of unrelated recordings."""
    return sound_thresholds.BAND_DEVIATION * math.sqrt(sound_thresholds.BAND_DEVIATION_CODES / codes)


def faint_limit(codes: int) -> float:
    """Give the mean differing bits up to which a window of so many codes counts where landmarks say the same."""
    return sound_thresholds.BAND_CHANCE_BITS - sound_thresholds.BAND_FAINT_DEVIATIONS * deviation(codes)


def supported_limit(codes: int, decades: float, *, is_changed: bool) -> float | None:
    """Give the mean differing bits up to which a window of so many codes is a match with so much from landmarks.

    None where that is too little to help.
    """
    least = sound_thresholds.BAND_CHANGED_DECADES if is_changed else sound_thresholds.BAND_SUPPORTING_DECADES
    if decades < least:
        return None
    wanted = (
        sound_thresholds.BAND_CHANGED_JOINT_DECADES if is_changed else sound_thresholds.BAND_JOINT_DECADES
    ) - decades
    # A normal variable is beyond z with a chance of about 10 to the power of -z**2 / (2 ln 10).
    below = max(sound_thresholds.BAND_FAINT_DEVIATIONS, math.sqrt(max(0.0, wanted) * 2 * math.log(10)))
    return sound_thresholds.BAND_CHANCE_BITS - below * deviation(codes)


def limits(codes: int) -> tuple[float, float]:
    """Give the mean differing bits up to which a window of so many codes is a match, and worth a look."""
    lengths, bits = zip(*sound_thresholds.BAND_CEILING, strict=True)
    ceiling = float(np.interp(codes, lengths, bits))
    below = deviation(codes)
    return (
        min(sound_thresholds.BAND_CHANCE_BITS - sound_thresholds.BAND_MATCH_DEVIATIONS * below, ceiling),
        min(sound_thresholds.BAND_CHANCE_BITS - sound_thresholds.BAND_LIKELY_DEVIATIONS * below, ceiling + 0.5),
    )


def deviations_below_chance(bits: float, codes: int) -> float:
    """Say by how many standard deviations a mean is below what unrelated recordings have."""
    return (sound_thresholds.BAND_CHANCE_BITS - bits) / deviation(codes)


def heard_limit(codes: int, decades: float) -> float | None:
    """Give the mean differing bits up to which a window of so many codes counts where landmarks chose the place.

    None where landmarks say too little.
    """
    if decades < sound_thresholds.LANDMARK_ALONE_DECADES:
        return None
    wanted = sound_thresholds.LANDMARK_ALONE_JOINT_DECADES - decades
    return sound_thresholds.BAND_CHANCE_BITS - math.sqrt(max(0.0, wanted) * 2 * math.log(10)) * deviation(codes)
