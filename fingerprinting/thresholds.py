"""Every number that decides a match of pictures, text and moving pictures, each with the evidence for it."""

import math
from typing import Final

# --- pictures: PDQ -------------------------------------------------------------------------------------------------

PDQ_MATCH_BITS: Final = 31
"""A match. Unrelated pictures lie at 128 +- 8 bits, so chance alone never comes near; in 4.7 million pairs of
different pictures none did, and 1 of 330,000 look-alike pairs. Source: PDQ reference."""

PDQ_LIKELY_BITS: Final = 48
"""Up to this a person should look: 5 in 10 million pairs of different pictures come so near."""

PDQ_MIN_QUALITY: Final = 50
"""Below this gradient quality (of 100) a picture is so flat that some bits are noise. Source: PDQ reference."""

PDQ_BLANK_QUALITY: Final = 4
"""Below this a whole picture is blank. Copies of a faint wallpaper of quality 8 moved by 0 to 10 bits, those of one of
quality 1 by 18 to 26; unrelated pictures lie 100 and more apart all the same."""

PDQ_FLAT_MATCH_BITS: Final = 16
"""The limit for flat pictures. JPEG copies at full and half size of 18 flat wallpapers and backgrounds moved by 2 to 14
bits (one by 20); unrelated flat ones lie 106 or more apart, two forms of one scenery (faded and not) 20."""

PDQ_FLAT_LIKELY_BITS: Final = 31

PDQ_FRAME_MATCH_BITS: Final = 24
"""The limit where a part of the one picture is compared with a part (or the whole) of the other: with 8 frames of an
asset and 12 of a work there are about a hundred chances. Of 2.4 million pairs of frames of different pictures none
came within 40; with 24 in place of 31 one crop in seventy is lost. Flat frames keep to the limit for flat pictures."""

PDQ_FRAME_LIKELY_BITS: Final = 31

# --- pictures: pHash -----------------------------------------------------------------------------------------------

PHASH_LIKELY_BITS: Final = 4
"""At most this is worth a look and no more: at 8 bits 3 of 3,132 strangers already matched one of 1,500 works, at 4
none did, but above a few million works chance alone reaches 6 bits."""

# --- text: shingles ------------------------------------------------------------------------------------------------

SHINGLE_BASE_EVIDENCE: Final = 6
"""Distinct, non-overlapping common shingles on one diagonal that make a match against up to 10,000 works. In 130
million pairs of a text and an unrelated one, 2 reached 6, and both do share text (a quotation)."""

SHINGLE_BASE_WORKS: Final = 10_000

SHINGLE_LIKELY_STEP: Final = 2
"""This much less evidence is worth a look: 14 of those 130 million pairs reach 4."""

SHINGLE_MIN_SPAN: Final = 20
"""The match must run over at least this many kept words, so that no single phrase or name decides."""

SHINGLE_MIN_DENSITY: Final = 0.35
"""Of the words from the first to the last of a passage, at least this part must be in shared shingles. Of excerpts of
60 s with three words of ten misheard 96 to 98 % have that; of 66 pairs of a manual's pages and unlike pages in other
languages, which share commands and names of files, 0.3 left 59 and this leaves 36. At 0.5 the former fall to 83 %."""

SHINGLE_SURE_DENSITY: Final = 0.55
SHINGLE_SURE_DENSITY_OF_CHARACTERS: Final = 0.35
"""The same of a match, of the words from the first to the last in the asset or in the work, whichever are more, and of
shingles that are new in the passage; in a stretch as long as it can be with that. Less is only worth a look. Of 12,091
pairs of a manual's text and another in other languages, which name the same commands, 17 were matches without this, 6
at 0.5, 2 at 0.55 (the same lines of a configuration), 1 at 0.6. Of excerpts of 30 s with two words of ten misheard
94.2, 93.1, 92.3 and 89.6 % are found by it, of 60 s all, all, all and 99.2 %, and 99.4, 97.1, 95.2 and 92.3 % of 60 s
with three of ten. Of characters none of those pairs had 0.35; of 60 s with three of ten misheard 92.5 % have that."""

SHINGLE_QUOTE_WORDS: Final = 20
SHINGLE_QUOTE_SECONDS: Final = 20.0
"""A passage of fewer shared kept words, or, where captions tell, of less time, that is a minor part of both texts is a
quotation: worth a look. Of excerpts of 30 s with two words of ten misheard 1 to 2 % take less time; of five pairs of
119,358 that were matches, four took 10.7 to 20 s. With 40 words half of such excerpts were lost."""

SHINGLE_QUOTE_SHARE: Final = 0.5

SHINGLE_SHARED: Final = 3
"""Passages of so many owners who have shown who they are, or of so many works of one owner, are shared text (an
advertisement, a prayer, a footer), and no evidence. A text planted in 12 works of several owners was found 475 times in
40 others without this, and never with it; no copy of anything else was lost."""

SHINGLE_SHARED_SHARE: Final = 0.5
"""If they are less than this part of the work. Footers and licences made up to half of short pages; a work that others
have by half or more is quoted or registered whole, which takes nothing from it."""

SHINGLE_REPEAT_WORDS: Final = 150
"""Longest passage (kept words, two minutes of speech) that counts as repeated where one owner's works alone have it: a
jingle, a sponsor's message. Longer ones are clips of an own work, or a second edition."""


def shingle_sure_density(size: int) -> float:
    """Give the density that a match must have, of shingles of three words or of five characters."""
    return SHINGLE_SURE_DENSITY_OF_CHARACTERS if size > 3 else SHINGLE_SURE_DENSITY  # noqa: PLR2004 - words have three


def shingle_match_evidence(works: int) -> int:
    """Give the evidence that a text match needs in a registry of `works` works: 6 to 10,000, 8 to 1 M, 10 to 100 M.

    Each step of evidence was 7 to 97 times rarer by chance than the one before; one step for each tenfold growth keeps
    the chance of a wrong match a query about where it is at 10,000 works.
    """
    growth = math.log10(max(works, SHINGLE_BASE_WORKS) / SHINGLE_BASE_WORKS)
    return SHINGLE_BASE_EVIDENCE + math.ceil(growth)


# --- pictures: dct-256 ---------------------------------------------------------------------------------------------

DCT_MATCH_BITS: Final = 31
"""A distance of at most this, with grey that agrees, is a match up to `DCT_BASE_WORKS` works."""

DCT_LIKELY_BITS: Final = 44
"""Up to this a person should look."""

DCT_BASE_WORKS: Final = 1_000_000

DCT_MIN_CORRELATION: Final = 0.85
"""Least correlation of the 16 by 16 grey of both views."""

DCT_MIN_QUALITY: Final = 12
DCT_MIN_STRENGTH: Final = 2.0
"""Views with less gradient, or less median magnitude of the coefficients, get no `dct-256`: its bits were noise."""


def dct_bits(works: int) -> tuple[int, int]:
    """Give the distances of `dct-256` that make a match where the grey agrees, and that are worth a look."""
    growth = math.log10(max(works, DCT_BASE_WORKS) / DCT_BASE_WORKS)
    return DCT_MATCH_BITS - 2 * math.ceil(growth), DCT_LIKELY_BITS


# --- moving pictures -----------------------------------------------------------------------------------------------

VIDEO_NEAR_BITS: Final = 44
"""Frames of `dct-256` within so many bits propose a work."""

VIDEO_AGREE_BITS: Final = 60
VIDEO_AGREE_COST: Final = 2.5
"""A frame agrees with the one that it meets on the time line up to so many bits; unrelated ones lie at 128 +- 8. What
it has to be nearer than that for the stretch that is reported to grow."""

VIDEO_MATCH_BITS: Final = 44
"""Mean distance of the frames of a stretch up to which it is a match."""

VIDEO_MIN_SHARE: Final = 0.7
"""Share of the frames of the stretch that must agree."""

VIDEO_SHARPNESS: Final = 4.0
VIDEO_SHARPNESS_SHARE: Final = 0.35
"""How many bits farther, on average, the frames must be when the time line is moved by 1.4 to 3 seconds, at least, and
as a part of the distance: another moment of the same scene fits as badly everywhere."""

VIDEO_NEAREST_IN_TIME: Final = 0.6
"""Share of the frames that must be nearer to what they meet than to any other moment of the same shot, 0.7 to 4 s away,
where shots last as long."""

VIDEO_MOTION: Final = 0.55
VIDEO_MOTION_LEAD: Final = 0.2
"""Correlation of what moves (frames less the mean of their shot) at one place in time, and how much more it must be
there than at any other. Clips of eleven films, scaled, mirrored, with bars or subtitles, reach 0.7 to 1.0, with 0.0 to
0.45 elsewhere; 38 other parts of the recordings of two fixed cameras at most 0.45, with 0.39 elsewhere."""

VIDEO_MOTION_LEAST: Final = 0.5
"""Where something moves, frames that look alike, in whole or by features, are a match only if so much of it agrees. Of
155 clips of 17 films none has less than 0.57 (`python -m benchmarks.video`); of other parts of a film of words that
come again and again eight were a match with up to 0.43, and by its features no stranger has more than 0.46."""

VIDEO_MOTION_GREY: Final = 0.5
"""Grey levels, root mean square, that must move to tell anything: less is the noise of rounding and of encoding."""

VIDEO_STILL_BITS: Final = 10
"""Mean distance up to which a stretch of frames that hardly differ is a match."""

VIDEO_TWIN_BITS: Final = 16
"""Frames of two works within so many bits are the same picture, encoded again: half the size moves 2 to 8 bits."""

VIDEO_FEATURE_SECONDS: Final = 2.5
VIDEO_FEATURE_LEAD: Final = 1.3
"""Features can't tell moments of a scene that a fixed camera shows: where frames show frames of the work so many
seconds off the time line, too, those on the line must have so many times as many features."""

VIDEO_FEATURE_FRAMES: Final = 2
VIDEO_FEATURE_INLIERS: Final = 18
"""Different frames of a work that must each be worth a look by their features, and inliers of all of them together,
where none is a match by itself."""


def video_steps(works: int) -> int:
    """Give the frames, different from one another, that must agree in so large a registry."""
    return 3 + math.ceil(math.log10(max(works, 10_000) / 10_000))
