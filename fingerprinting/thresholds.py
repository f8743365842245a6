"""Every number that decides a match, each with the evidence for it."""

import math
from collections.abc import Sequence
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

# --- sound: Chromaprint --------------------------------------------------------------------------------------------

CHROMAPRINT_CODE_SECONDS: Final = 1365 / 11025
"""Time from one code to the next."""

CHROMAPRINT_REACH_SECONDS: Final = (18 * 1365 + 4096) / 11025
"""A code sees one step and this much more of the sound (2.72 s): N codes describe N steps and this much more."""

CHROMAPRINT_SILENCE: Final = 627964279
"""The code of digital silence; it says nothing."""

CHROMAPRINT_LIKELY_CODES: Final = 19
"""Shortest recording (5 s) that a stretch worth a look can come from."""

CHROMAPRINT_MATCH_CURVE: Final = ((60, 3.6), (221, 5.0))
"""Mean differing bits (of 32) a code, by number of codes (60 are 10 s, 221 are 30 s), that make a match by these
alone. Excerpts of 8 and 10 s of 30 songs as MP3 (128 and 32 kbit/s) differ by 1.0, at most by 2.4; the nearest that
two of 132 songs came over 40 codes or more was 4.1. Between the points the limit is interpolated; beyond the last it
stays; shorter stretches never match, since steady sounds of unrelated recordings agree to 2.2 bits over 5 s."""

CHROMAPRINT_LIKELY_CURVE: Final = ((19, 2.0), (40, 3.0), (60, 5.0), (221, 6.7))
"""The same for a stretch worth a look. In 13,000 windows none of another recording came within 5.0 over 10 s or 6.7
over 30 s of one of 322 tracks; of our 132 songs two pairs do."""

CHROMAPRINT_MIN_SHARPNESS: Final = 4.0
"""How much worse (mean bits) the alignment must get when shifted by 6 to 30 codes: steady sounds fit at every shift.
Copies of 30 songs get worse by 8.4 or more; asking for 2 already removed three quarters of the false agreements."""

CHROMAPRINT_MIN_DISTINCT: Final = 10
"""A stretch with fewer different codes (wind, rain, a held note) fits too many recordings to identify one."""

# --- sound: band energies -------------------------------------------------------------------------------------------

BAND_CHANCE_BITS: Final = 16
BAND_DEVIATION: Final = 0.39
BAND_DEVIATION_CODES: Final = 100
"""Standard deviation of the mean differing bits (of 32) of so many codes (5 s) of unrelated recordings, whose mean is
16. Of more codes it falls with the square root of their number: 46, 100 and 430 codes of 36 recordings, laid on each
other anyhow, measured 0.575, 0.392 and 0.191, where that says 0.575, 0.390 and 0.188. The nearest of 130,000, 58,000
and 9,700 came to 4.6, 4.1 and 3.5 deviations, as normal values do."""

BAND_WINDOWS: Final = (36, 44, 56, 72, 92, 118, 152, 207, 300, 430)
"""Lengths in codes that are looked at: 2 s and more, each a quarter to a half longer than the last, so that a part
of any length has one that nearly fills it (44 fit into 2.5 s, 92 into 5 s)."""

BAND_MATCH_DEVIATIONS: Final = 10.0
BAND_LIKELY_DEVIATIONS: Final = 8.0
"""So many deviations below chance a window is a match, or worth a look: chances of 8e-24 and 6e-16, for each of the
some 10,000 alignments of a query. Between 9.5, as far as chance alone would come, and 10 lay one of 498 copies, and
passages that pieces for one synthesiser have in common, at 9.5, 9.7 and 9.8."""

BAND_CEILING: Final = ((100, 12.3), (207, 12.9), (430, 13.2))
"""Mean differing bits above which nothing is a match, by number of codes; 0.5 more is worth a look. Chance is not what
it guards against: pieces of one composer with the same sequenced parts came to 12.98 over 5 s and 13.5 over 30 s."""

BAND_LEAST_CODES: Final = 34
"""Codes (2 s) that must agree, the ends of a window aside: a speaker who says a word twice agrees over 1.3 s, and three
of eight wrong works in 648 parts and windows were that."""

BAND_CLOSE_BITS: Final = 7.0
BAND_LEAST_CLOSE_CODES: Final = 26
"""What agrees as nearly as this is the same recording when it is shorter, too: words said twice came to 8.5 to 10."""

BAND_SPREAD_DECADES: Final = (3.0, 6.0)
BAND_LEAST_SPREAD_CODES: Final = 12
"""Under a loud voice so little may agree, between its words, where landmarks that lie elsewhere than in a second and a
half add so many powers of ten (more where a change is assumed): words said twice have none elsewhere."""

BAND_CLEAR_BITS: Final = 2.5
BAND_RESEMBLING_BITS: Final = 9.0
"""Where one recording is heard so clearly (mean bits), another that agrees no better than the second resembles it and
is only worth a look. In 93 mixes of two pieces, one 6 to 15 dB quieter, this cost none of the 47 quieter ones found.
Parts under a voice 10 or 15 dB quieter had 4 bits or more, a quarter to a third of those under music less than 2.5."""

BAND_CERTAIN_DEVIATIONS: Final = 16.0
BAND_CERTAIN_BITS: Final = 7.5
BAND_CONFIRMING_DECADES: Final = (4.0, 6.0)
BAND_WHOLE_CODES: Final = 85
BAND_WHOLE_SHARE: Final = 0.85
BAND_WHOLE_DECADES: Final = (2.5, 4.5)
LANDMARK_CHOSEN_DECADES: Final = 8.0
"""From so many deviations below chance on, and with no more bits than this, band energies are enough. Else landmarks
must agree that the recording is there: by so many powers of ten less likely than where most of them meet when it is
moved by half a second to six; by more where a change of tempo or pitch is assumed. All of the part that was asked (up
to 20 s) counts for that, or the stretch where band energies agree, less so many powers of ten: that stretch was chosen
because it agrees.

Music that one synthesiser plays, in the same key and at the same tempo, comes to 17 deviations over 5 s, with 9 bits,
and to 6.3 bits over 2 s, as copies under noise do; but its notes meet as often elsewhere, and not before and after. Of
700 pieces of three synthetic instruments asked against nine others of these, 19 were taken for one of them where the
surer of stretch and part counted, and 3.5 powers of ten were enough; landmarks of the stretch came to 10.6 once, of all
that was asked to 3.7. What pieces have in common ends sooner than what was asked: where so large a share of 4.4 s or
more agrees, less is enough (at most 1.7 was met; 3.7 under an assumed change)."""

BAND_FAINT_DEVIATIONS: Final = 5.5
BAND_SUPPORTING_DECADES: Final = 4.5
BAND_CHANGED_DECADES: Final = 8.0
BAND_JOINT_DECADES: Final = 15.0
BAND_CHANGED_JOINT_DECADES: Final = 20.0
"""Under a loud voice neither tells enough, but both say the same: from so many deviations below chance on, landmarks
that add so many powers of ten to its own make a match of what comes to so many together, and to more where a change of
tempo or pitch is assumed. Of 3,800 proposals of other recordings none beyond 4 deviations had more than 1.8 powers of
ten from landmarks, 3.0 under an assumed change, but for a word of one speaker, over 0.6 s. Two pieces of one composer
with the same sequenced parts had 7.9, and 5.4 deviations: with 4 deviations and 11 powers of ten one was the other."""

LANDMARK_ALONE_DECADES: Final = 3.5
LANDMARK_ALONE_JOINT_DECADES: Final = 8.0
"""Where so little is heard that band energies find no stretch, all peaks of the part that was asked count, each in
its own bin, against every other place of the recording: so many powers of ten less likely than where most meet, and
so many together with what band energies say there, make a match. A recording that repeats itself, or of which other
music has parts, gains nothing by that. Of 2,400 sounds that nobody registered, a quarter of them pieces of nine
works' instruments and half of them music of the same games, none came beyond 1.9, and with 4.5 deviations none beyond
0.8. Against places up to six seconds away alone, two pieces with the same sequenced parts came to 16.4, for 7 s later
these come again. With a limit of 4, 2 to 5 of 100 copies fewer are found that are so hard to hear."""

BAND_CHANGED_BITS: Final = 1.0
"""So much nearer it must be where a change of tempo or pitch is assumed: with 25 changes there are as many more chances
for what merely sounds alike. Of melodies of one synthesiser two came to 11.07 over 2.5 s, and a speaker who says the
same words a little slower to 8.69 over 2 s; copies have 3 to 8."""

BAND_MIN_SHARPNESS: Final = 1.0
"""How much worse (mean bits) it must get when moved by half a second to two: what is steady fits everywhere. Parts of
music and voices that are found get worse by 4 to 15."""


def chromaprint_limit(curve: Sequence[tuple[int, float]], codes: int) -> float | None:
    """Read a curve above: the mean differing bits up to which a stretch of `codes` codes counts; None if too short."""
    previous_codes, previous_bits = curve[0]
    if codes < previous_codes:
        return None
    for point_codes, point_bits in curve[1:]:
        if codes <= point_codes:
            share = (codes - previous_codes) / (point_codes - previous_codes)
            return previous_bits + share * (point_bits - previous_bits)
        previous_codes, previous_bits = point_codes, point_bits
    return previous_bits


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


# --- pictures: local features ---------------------------------------------------------------------------------------

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
671 copies one has less there: a face is drawn over it). Dialogs of one program reach 0.86, maps and portraits in one
frame 0.75; they have up to 109 inliers, so their number proves little. Two screens of one game, with other words on the
same plain ground, have 0.93 and 0.67 of the tiles; of 136 copies that are hard to find one has less than 0.7."""

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
FEATURE_MANY_MIDDLE: Final = 0.1
"""So many more inliers, all of them the work's own, spread over so much of it, with the middle seen, are the work under
text, stripes or a second picture. Least share of tiles, of parts, and sum of both: 115 of 136 copies that are hard to
find match, where 109 did; of 80,000 other pairs 4 more: three menus over one map, one photograph blended twice. Parts
of one drawing in two games agree in 0.28 of the tiles. Two lists of layers in one window show 0.07 of the middle; of
4,120 copies one is lost by that."""

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
