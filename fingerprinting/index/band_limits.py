"""How far the codes of band energies may differ, by how many of them there are: the chance that unrelated ones do."""

import math

import numpy as np

from fingerprinting import thresholds


def deviation(codes: int) -> float:
    """Give the standard deviation of the mean differing bits of so many codes of unrelated recordings."""
    return thresholds.BAND_DEVIATION * math.sqrt(thresholds.BAND_DEVIATION_CODES / codes)


def faint_limit(codes: int) -> float:
    """Give the mean differing bits up to which a window of so many codes counts where landmarks say the same."""
    return thresholds.BAND_CHANCE_BITS - thresholds.BAND_FAINT_DEVIATIONS * deviation(codes)


def supported_limit(codes: int, decades: float, *, is_changed: bool) -> float | None:
    """Give the mean differing bits up to which a window of so many codes is a match with so much from landmarks.

    None where that is too little to help.
    """
    least = thresholds.BAND_CHANGED_DECADES if is_changed else thresholds.BAND_SUPPORTING_DECADES
    if decades < least:
        return None
    wanted = (thresholds.BAND_CHANGED_JOINT_DECADES if is_changed else thresholds.BAND_JOINT_DECADES) - decades
    # A normal variable is beyond z with a chance of about 10 to the power of -z**2 / (2 ln 10).
    below = max(thresholds.BAND_FAINT_DEVIATIONS, math.sqrt(max(0.0, wanted) * 2 * math.log(10)))
    return thresholds.BAND_CHANCE_BITS - below * deviation(codes)


def limits(codes: int) -> tuple[float, float]:
    """Give the mean differing bits up to which a window of so many codes is a match, and worth a look."""
    lengths, bits = zip(*thresholds.BAND_CEILING, strict=True)
    ceiling = float(np.interp(codes, lengths, bits))
    below = deviation(codes)
    return (
        min(thresholds.BAND_CHANCE_BITS - thresholds.BAND_MATCH_DEVIATIONS * below, ceiling),
        min(thresholds.BAND_CHANCE_BITS - thresholds.BAND_LIKELY_DEVIATIONS * below, ceiling + 0.5),
    )


def deviations_below_chance(bits: float, codes: int) -> float:
    """Say by how many standard deviations a mean is below what unrelated recordings have."""
    return (thresholds.BAND_CHANCE_BITS - bits) / deviation(codes)


def heard_limit(codes: int, decades: float) -> float | None:
    """Give the mean differing bits up to which a window of so many codes counts where landmarks chose the place.

    None where landmarks say too little.
    """
    if decades < thresholds.LANDMARK_ALONE_DECADES:
        return None
    wanted = thresholds.LANDMARK_ALONE_JOINT_DECADES - decades
    return thresholds.BAND_CHANCE_BITS - math.sqrt(max(0.0, wanted) * 2 * math.log(10)) * deviation(codes)
