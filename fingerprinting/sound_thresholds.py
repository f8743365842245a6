"""Every number that decides a match of sound, each with the evidence for it."""

from collections.abc import Sequence
from typing import Final

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
