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
    placement: Placement,
    agreement: Agreement,
    sure: int,
    at_first: tuple[int, Callable[[], Agreement]],
    own: Callable[[], int],
    shown: Callable[[], Part | None],
) -> Judgement:
    """Judge a placement; fewer inliers decide where the grey of both pictures agrees.

    Args:
        placement: where the work lies in the asset.
        agreement: how well both agree there.
        sure: inliers that make a match in a registry of this size.
        at_first: inliers, and what agrees by them, before the second look: that finds some in windows with widgets at
            the same places, so features that many works have count only as far as the first look found them.
        own: counts the inliers that not many works have. It is asked only where it decides.
        shown: looks at what is shown of the work by itself. It is asked only where it decides.
    """
    agrees = agreement.correlation is not None and agreement.correlation >= thresholds.FEATURE_MIN_CORRELATION
    needed = sure if agrees else sure + thresholds.FEATURE_ALONE_INLIERS
    if placement.spread < thresholds.FEATURE_MIN_SPREAD or placement.share < thresholds.FEATURE_MIN_SHARE:
        return Judgement(Strength.LIKELY, needed)
    # Inliers that are enough where something else is so, too; and whether they must be those that not many works have.
    rules = (
        (sure - thresholds.FEATURE_DETAIL_STEP, _is_same_in_detail(agreement), False),
        (needed, at_first[0] >= needed and _is_shown_throughout(at_first[1]()), not agrees),
        (sure + thresholds.FEATURE_MANY_INLIERS, _shines_through(placement, agreement), True),
        (sure + thresholds.FEATURE_OVERLAID_INLIERS, _is_everywhere(placement, agreement), True),
    )
    for least, is_so, is_own in rules:
        if placement.inliers >= least and is_so and (not is_own or own() >= least):
            return Judgement(Strength.MATCH, least)
    part = shown() if placement.inliers >= sure + thresholds.FEATURE_ALONE_INLIERS else None
    if part is not None and part.is_cut_out and own() >= sure:
        return Judgement(Strength.MATCH, sure + thresholds.FEATURE_ALONE_INLIERS, part)
    return Judgement(Strength.LIKELY, needed)


def _is_shown_throughout(agreement: Agreement) -> bool:
    """Tell a copy from another picture in the same frame, which shares some parts and not the rest."""
    correlation, tiles, cover, middle = agreement.correlation, agreement.tiles, agreement.cover, agreement.middle
    is_same = (
        correlation is not None
        and correlation >= thresholds.FEATURE_SAME_CORRELATION
        and (agreement.core is None or agreement.core >= thresholds.FEATURE_SAME_CORE)
    )
    if is_same and tiles is not None and tiles >= thresholds.FEATURE_SAME_TILES:
        return True
    is_frame = middle is not None and middle < thresholds.FEATURE_RIM_MIDDLE
    if is_frame or not _reaches(agreement):
        return False
    if correlation is None or tiles is None:
        return is_same or cover >= thresholds.FEATURE_MIN_PARTS
    wanted = thresholds.FEATURE_PARTS_WITH_MIDDLE if _is_even(middle) else thresholds.FEATURE_PARTS
    return min(tiles, cover) >= thresholds.FEATURE_MIN_PARTS and tiles + cover >= wanted


def _shines_through(placement: Placement, agreement: Agreement) -> bool:
    """Tell a work under text, stripes or a second picture, which is seen everywhere a little, from one in part."""
    tiles, cover = agreement.tiles, agreement.cover
    return (
        placement.share >= thresholds.FEATURE_MANY_SHARE
        and _reaches(agreement)
        and (_is_even(agreement.middle) or _has_core(agreement))
        and (agreement.middle is None or agreement.middle >= thresholds.FEATURE_MANY_MIDDLE)
        and (tiles is not None and min(tiles, cover) >= thresholds.FEATURE_MANY_MIN_PARTS)
        and tiles + cover >= thresholds.FEATURE_MANY_PARTS
    )


def _is_same_in_detail(agreement: Agreement) -> bool:
    """Tell a copy of which few features are left, but all of the grey."""
    correlation, detail = agreement.correlation, agreement.detail
    return (
        correlation is not None
        and correlation >= thresholds.FEATURE_DETAIL_CORRELATION
        and detail is not None
        and detail >= thresholds.FEATURE_DETAIL
        and agreement.cover >= thresholds.FEATURE_DETAIL_PARTS
    )


def _is_everywhere(placement: Placement, agreement: Agreement) -> bool:
    """Tell a work that another picture lies over: its features are found all over it, whatever the grey is."""
    middle, tiles = agreement.middle, agreement.tiles
    return (
        placement.share >= thresholds.FEATURE_OVERLAID_SHARE
        and agreement.cover >= thresholds.FEATURE_OVERLAID_PARTS
        and agreement.reach >= thresholds.FEATURE_MIN_REACH
        and (
            (middle is not None and middle >= thresholds.FEATURE_RIM_MIDDLE)
            or (tiles is not None and tiles >= thresholds.FEATURE_OVERLAID_TILES)
        )
    )


def _has_core(agreement: Agreement) -> bool:
    """Whether the grey of the middle agrees, though features there may be hidden: by letters, by stripes."""
    return agreement.core is not None and agreement.core >= thresholds.FEATURE_CORE


def _reaches(agreement: Agreement) -> bool:
    """Tell a work that is seen here and there from one picture in another screen: that is seen in one place alone."""
    agrees = agreement.tiles is not None and agreement.tiles >= thresholds.FEATURE_REACH_TILES
    return agrees or agreement.reach >= thresholds.FEATURE_MIN_REACH


def _is_even(middle: float | None) -> bool:
    """Whether the middle is seen about as well as what surrounds it."""
    least, most = thresholds.FEATURE_EVEN_MIDDLE
    return middle is not None and least <= middle <= most
