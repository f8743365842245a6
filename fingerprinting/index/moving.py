"""What both prints of a moving picture say together: features find it, hashes of frames know the time better."""

import dataclasses
from collections.abc import Sequence

from fingerprinting.index import frame_features, frames
from fingerprinting.types import Match, Span, Strength

_SAME_SHARE = 0.5


def together(found: Sequence[Match]) -> list[Match]:
    """Give matches by features the spans of those by hashes of the same asset and work, where both mean the same."""
    hashed = {(match.asset, match.work): match for match in found if match.algorithm == frames.SPEC.name}
    return [
        _timed(match, hashed[match.asset, match.work])
        if match.algorithm == frame_features.SPEC.name and (match.asset, match.work) in hashed
        else match
        for match in found
    ]


def _timed(match: Match, hashed: Match) -> Match:
    if _share(match.query_span, hashed.query_span) < _SAME_SHARE:
        return match
    # Sure hashes know which of the moments it is that look alike.
    if hashed.strength is not Strength.MATCH and _share(match.work_span, hashed.work_span) < _SAME_SHARE:
        return match
    return dataclasses.replace(match, query_span=hashed.query_span, work_span=hashed.work_span)


def _share(one: Span | None, other: Span | None) -> float:
    """Give the common part of two stretches of time, of what either covers."""
    if one is None or other is None or len(one) != len(other) or len(one) != 2:  # noqa: PLR2004 - start and end
        return 0.0
    both = min(one[1], other[1]) - max(one[0], other[0])
    either = max(one[1], other[1]) - min(one[0], other[0])
    return both / either if either > 0 else 0.0
