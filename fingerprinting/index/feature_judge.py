"""Whether what an asset and a work have in common is the work, or only what surrounds it."""

from collections.abc import Callable
from dataclasses import dataclass

from fingerprinting import thresholds
from fingerprinting.index.feature_agreement import Agreement
from fingerprinting.index.feature_geometry import Placement
from fingerprinting.index.feature_part import Part
from fingerprinting.types import Strength


@dataclass(frozen=True, slots=True)
class Judgement:
    """How sure a sighting is.

    Attributes:
        strength: whether it is a match.
        inliers: so many decided, or are wanted.
        part: what is shown of the work, where only that decided.
    """

    strength: Strength
    inliers: int
    part: Part | None = None


def judged(
    placement: Placement, agreement: Agreement, sure: int, own: Callable[[], int], shown: Callable[[], Part | None]
) -> Judgement:
    """Judge a placement; fewer inliers decide where the grey of both pictures agrees.

    Args:
        placement: where the work lies in the asset.
        agreement: how well both agree there.
        sure: inliers that make a match in a registry of this size.
        own: counts the inliers that not many works have. It is asked only where it decides.
        shown: looks at what is shown of the work by itself. It is asked only where it decides.
    """
    correlation = agreement.correlation
    agrees = correlation is not None and correlation >= thresholds.FEATURE_MIN_CORRELATION
    needed = sure if agrees else sure + thresholds.FEATURE_ALONE_INLIERS
    is_spread = placement.spread >= thresholds.FEATURE_MIN_SPREAD and placement.share >= thresholds.FEATURE_MIN_SHARE
    if not is_spread or placement.inliers < needed:
        return Judgement(Strength.LIKELY, needed)
    if _is_shown_throughout(agreement) and (agrees or own() >= needed):
        return Judgement(Strength.MATCH, needed)
    many = sure + thresholds.FEATURE_MANY_INLIERS
    if placement.inliers >= many and _shines_through(placement, agreement) and own() >= many:
        return Judgement(Strength.MATCH, many)
    part = shown() if placement.inliers >= sure + thresholds.FEATURE_ALONE_INLIERS else None
    if part is not None and part.is_cut_out and own() >= sure:
        return Judgement(Strength.MATCH, sure + thresholds.FEATURE_ALONE_INLIERS, part)
    return Judgement(Strength.LIKELY, needed)


def _is_shown_throughout(agreement: Agreement) -> bool:
    """Tell a copy from another picture in the same frame, which shares some parts and not the rest."""
    correlation, tiles, cover, middle = agreement.correlation, agreement.tiles, agreement.cover, agreement.middle
    is_same = correlation is not None and correlation >= thresholds.FEATURE_SAME_CORRELATION
    if is_same and (tiles is None or tiles >= thresholds.FEATURE_SAME_TILES):
        return True
    if (middle is not None and middle < thresholds.FEATURE_RIM_MIDDLE) or not _reaches(agreement):
        return False
    if correlation is None or tiles is None:
        return cover >= thresholds.FEATURE_MIN_PARTS
    wanted = thresholds.FEATURE_PARTS_WITH_MIDDLE if _is_even(middle) else thresholds.FEATURE_PARTS
    return min(tiles, cover) >= thresholds.FEATURE_MIN_PARTS and tiles + cover >= wanted


def _shines_through(placement: Placement, agreement: Agreement) -> bool:
    """Tell a work under text, stripes or a second picture, which is seen everywhere a little, from one in part."""
    tiles, cover = agreement.tiles, agreement.cover
    return (
        placement.share >= thresholds.FEATURE_MANY_SHARE
        and _reaches(agreement)
        and _is_even(agreement.middle)
        and (tiles is not None and min(tiles, cover) >= thresholds.FEATURE_MANY_MIN_PARTS)
        and tiles + cover >= thresholds.FEATURE_MANY_PARTS
    )


def _reaches(agreement: Agreement) -> bool:
    """Tell a work that is seen here and there from one picture in another screen: that is seen in one place alone."""
    agrees = agreement.tiles is not None and agreement.tiles >= thresholds.FEATURE_REACH_TILES
    return agrees or agreement.reach >= thresholds.FEATURE_MIN_REACH


def _is_even(middle: float | None) -> bool:
    """Whether the middle is seen about as well as what surrounds it."""
    least, most = thresholds.FEATURE_EVEN_MIDDLE
    return middle is not None and least <= middle <= most
