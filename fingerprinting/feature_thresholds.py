"""Every number that decides a match by local features, each with the evidence for it."""

import math
from typing import Final

FEATURE_BASE_INLIERS: Final = 10
"""Features of a work that an asset must show in one arrangement, up to 5,000 works, where the grey agrees, too. Of
305,000 pairs of one of 636 flat or drawn pictures and one of 480 works, half of them of the same programs, those with
10 or more and grey that agrees all shared pixels: a sprite, a background, a button."""

FEATURE_BASE_WORKS: Final = 5_000

FEATURE_MIN_CORRELATION: Final = 0.8
"""Correlation of the grey of both pictures, where they overlap, from which on it agrees: copies whose whole work is
shown have 0.8 and more, those with much drawn over them or with a part cut away 0.5 to 0.7."""

FEATURE_ALONE_INLIERS: Final = 6
"""So many more inliers where the grey agrees less than that, or says nothing (plain, or hardly any overlap)."""

FEATURE_SAME_CORRELATION: Final = 0.9
FEATURE_SAME_TILES: Final = 0.7
FEATURE_SAME_CORE: Final = 0.6
"""Correlation from which on the whole overlap is the same picture, unless many tiles or its middle say otherwise (of
671 copies one has less there: a face is drawn over it). Dialogs of one
program reach 0.86, maps and portraits in one frame 0.75; they have up to 109 inliers, so their number proves little.
Two screens of one game, with other words on the same plain ground, have 0.93 and 0.67 of the tiles; of 136 copies that
are hard to find one has less than 0.7 of the tiles with 0.9 of correlation."""

FEATURE_RIM_MIDDLE: Final = 0.25
"""What surrounds a picture is not the picture: where the features in the middle of what is shown are found less than a
quarter as often as those around, both have no more in common than a frame or the edges of a window. Portraits in one
frame have 0 to 0.1 (and 111 inliers), dialogs of one program 0 to 0.15; of 136 copies that are hard to find none."""

FEATURE_MIN_REACH: Final = 0.5
FEATURE_REACH_TILES: Final = 0.6
FEATURE_EVEN_MIDDLE: Final = (0.5, 2.0)
FEATURE_MIN_PARTS: Final = 0.5
FEATURE_PARTS: Final = 1.4
FEATURE_PARTS_WITH_MIDDLE: Final = 1.2
"""Below that correlation: least part of what the features that should be found stretch over, that those found do, where
fewer tiles agree (one map in windows in three languages: 0.29 to 0.47, 0.55 of the tiles; copies 0.56, or 0.68); least
share of the work's tiles with the same grey and of its parts with inliers, and least sum of both; less where the middle
is seen half to twice as often as what surrounds it. Dialogs, maps, portraits in one frame: 1.34 (0.7 and 0.64)."""

FEATURE_MANY_INLIERS: Final = 14
FEATURE_MANY_SHARE: Final = 0.05
FEATURE_MANY_MIN_PARTS: Final = 0.4
FEATURE_MANY_PARTS: Final = 1.0
"""So many more inliers, all of them the work's own, spread over so much of it, with the middle seen, are the work under
text, stripes or a second picture. Least share of tiles, of parts, and sum of both: 115 of 136 copies that are hard to
find match, where 109 did; of 80,000 other pairs 4 more: three menus over one map, one photograph blended twice. Parts
of one drawing in two games agree in 0.28 of the tiles."""

FEATURE_CORE: Final = 0.65
"""Letters and stripes hide the features of the middle more than its grey: where that correlates so well, the middle is
seen. Of 20 pictures with much text over them 9 are found, where 5 were without this."""

FEATURE_OVERLAID_INLIERS: Final = 30
FEATURE_OVERLAID_SHARE: Final = 0.2
FEATURE_OVERLAID_PARTS: Final = 0.7
FEATURE_OVERLAID_TILES: Final = 0.75
"""So many more inliers, all of them the work's own, spread over so much of it and in so many of its parts, are the work
whatever the grey is; the middle must be among what is found, or so many tiles agree. Of 20 halves of a blend 18 are
found, where 16 were without this; of 831 strangers 3 more, of photographs of which the work is blended, too."""

FEATURE_DETAIL_STEP: Final = 6
FEATURE_DETAIL_CORRELATION: Final = 0.97
FEATURE_DETAIL: Final = 0.8
FEATURE_DETAIL_PARTS: Final = 0.5
"""So many fewer inliers are enough where the grey is the same, and its edges are, in every part that shows features. Of
20 crops to 30 % of each side 17 are found, where 13 were without this; of 831 strangers none more. Sheets of sprites in
rows reach 0.99 and 0.98, with features in a third of the parts; dialogs of one program 0.94 and 0.96."""

FEATURE_CUT_SHARE: Final = 0.3
FEATURE_CUT_PLAIN_SHARE: Final = 0.12
FEATURE_CUT_GROUND: Final = 4.0
FEATURE_CUT_CORRELATION: Final = 0.95
FEATURE_CUT_PARTS: Final = 0.8
FEATURE_CUT_SURROUNDINGS: Final = 0.2
"""A part of a work, cut out and set on plain ground: least share of the work that what is found stretches over; least
correlation, tiles and parts in it; most features around it, by area, for each in it. Of 100 such pages 39 were a match
without this and 62 are, of 100 others 30 and 51; of 2,800 strangers, half of the same programs, none. A smaller
share is enough where, along the edges of the work, the asset's grey varies by no more than so many levels: there is
paper. Of 40 such pages that finds 3 more; of 831 strangers none (the least that one has is 9)."""

FEATURE_LIKELY_STEP: Final = 3
"""So many inliers less are worth a look. Unrelated pictures reach 3 often, 5 in 2 of 100 searches among 600 works."""

FEATURE_MIN_SPREAD: Final = 8.0
FEATURE_MIN_SHARE: Final = 0.01
"""Least standard deviation of the inliers across the line that they lie along, of a work whose longer side is 640, and
least part of its area that they stretch over."""

FEATURE_COMMON_BITS: Final = 20
FEATURE_COMMON_WORKS: Final = 3
FEATURE_COMMON_SHARE: Final = 160
FEATURE_MOST_COMMON: Final = 64
"""A feature that more pictures have to within so many bits than one in 160 (but at least 3, at most 64) is of a font,
a button, a texture, and counts only where the grey agrees. So nobody can hide a work by registering pictures like it.
Copies in collages keep half to all of their 24 to 90 inliers, windows of one program 4 to 14 of 24 to 40."""


def feature_inliers(works: int) -> tuple[int, int]:
    """Give the inliers that make a match where the grey agrees, and that are worth a look, in so large a registry."""
    growth = math.log(max(works, FEATURE_BASE_WORKS) / FEATURE_BASE_WORKS, 4)
    sure = FEATURE_BASE_INLIERS + math.ceil(growth)
    return sure, sure - FEATURE_LIKELY_STEP


def feature_common_works(pictures: int) -> int:
    """Give the number of pictures beyond which a feature is common, among so many."""
    return min(max(FEATURE_COMMON_WORKS, pictures // FEATURE_COMMON_SHARE), FEATURE_MOST_COMMON)
