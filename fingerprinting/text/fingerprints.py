"""From a text or captions file to its fingerprint, and back from its token positions to places in the file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from fingerprinting import thresholds
from fingerprinting.media import DEFAULT_LIMITS, Limits
from fingerprinting.text import documents, normalise
from fingerprinting.text.documents import Document
from fingerprinting.text.shingle_bytes import NO_TRACK, Shingles, Track, track_of
from fingerprinting.text.shingles import shingles
from fingerprinting.types import Fingerprint, Prints, Span, SpanUnit

ALGORITHM: Final = "shingle-3"
VERSION: Final = 3
"""Of the rules by which text is normalised, cut into shingles and written down: another for any change of them."""


PAGES_WITHOUT_TEXT: Final = "text-pages-missing"
"""The remark that most pages of a document are pictures, of which nothing is recognised."""

PAGE_PLAYS: Final = "text-page-plays"
"""The remark that a web page has a video or a sound on it, of which nothing is recognised."""


def fingerprint_text(path: Path, media_type: str, limits: Limits = DEFAULT_LIMITS) -> Prints:
    """Fingerprint a text or captions file by its words.

    Where the words identify nothing there is no fingerprint, and a note says why: `text-too-short` (fewer content words
    than a match must run over) or `text-repetitive` (too few different phrases).

    Returns:
        Prints with at most one fingerprint, whose value `shingle_bytes` describes; of captions it tells the times, too.

    Raises:
        UnreadableMediaError, UnsupportedMediaError, LimitExceededError: as `documents.load` does.
    """
    return _fingerprint(documents.load(path, media_type, limits))


def fingerprint_words(text: str) -> Prints:
    """Fingerprint the words of a document that was read already, as `fingerprint_text` does."""
    return _fingerprint(Document(text))


def fingerprint_given(text: str) -> Prints:
    """Fingerprint a text that somebody gives without a file: prose, or the source of captions or of a web page.

    Raises:
        UnreadableMediaError: as `documents.of_text` does.
    """
    return _fingerprint(documents.of_text(text))


def _fingerprint(document: Document) -> Prints:
    tokens = normalise.tokens(document.text)
    found = shingles(tokens, _track(document) if document.cues else NO_TRACK)
    reason = _unidentifiable_because(len(tokens.ids), found)
    notes = (PAGE_PLAYS,) if document.plays else ()
    if reason is not None:
        return Prints(fingerprints=(), identifiable=False, notes=(reason, *notes))
    unit = SpanUnit.SECONDS if document.cues is not None else SpanUnit.CHARACTERS
    fingerprint = Fingerprint(algorithm=ALGORITHM, version=VERSION, value=found.pack(), unit=unit)
    return Prints(fingerprints=(fingerprint,), notes=notes)


def locate(
    path: Path, media_type: str, tokens: Sequence[tuple[int, int]], limits: Limits = DEFAULT_LIMITS
) -> list[Span | None]:
    """Turn spans of kept tokens, as an index reports them, into places in the file that they were computed from.

    Args:
        path: the file that was fingerprinted.
        media_type: as it was given then.
        tokens: `(first, last)` indices of kept tokens, both included.
        limits: as they were given then.

    Returns:
        for each `(start, end)` in characters of the decoded text, or in seconds for captions; None for indices that the
        file does not have.

    Raises:
        UnreadableMediaError, LimitExceededError: as `fingerprint_text` does.
    """
    return _located(documents.load(path, media_type, limits), tokens)


def locate_given(text: str, tokens: Sequence[tuple[int, int]]) -> list[Span | None]:
    """Do the same for a text that `fingerprint_given` was given.

    Raises:
        UnreadableMediaError: as that does.
    """
    return _located(documents.of_text(text), tokens)


def _located(document: Document, tokens: Sequence[tuple[int, int]]) -> list[Span | None]:
    places = normalise.character_spans(document.text)
    spans: list[Span | None] = []
    for first, last in tokens:
        if not 0 <= first <= last < len(places):
            spans.append(None)
            continue
        start, end = int(places[first, 0]), int(places[last, 1])
        spans.append(document.seconds(start, end) or (float(start), float(end)))
    return spans


def _track(document: Document) -> Track:
    """Say when each kept token of captions is shown."""
    places = normalise.character_spans(document.text)
    if not len(places):
        return NO_TRACK
    return track_of(document.times(np.append(places[:, 0], places[-1, 1])))


def _unidentifiable_because(kept_tokens: int, found: Shingles) -> str | None:
    if kept_tokens < thresholds.SHINGLE_MIN_SPAN:
        return "text-too-short"
    if np.unique(found.hashes).size < thresholds.SHINGLE_BASE_EVIDENCE:
        return "text-repetitive"
    return None
