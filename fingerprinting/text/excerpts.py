"""The words of a text at the places that an index reports, for a person to read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fingerprinting.media import DEFAULT_LIMITS, Limits
from fingerprinting.text import documents, normalise
from fingerprinting.types import Span

MOST_CHARACTERS: Final = 600
"""Of a longer excerpt its beginning and its end are given, with an ellipsis between them."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some of a text: where it lies, in seconds of captions (`timed`) or else in characters, and its words."""

    span: Span
    words: str
    timed: bool


def excerpts(
    path: Path, media_type: str, tokens: Sequence[tuple[int, int]], limits: Limits = DEFAULT_LIMITS
) -> list[Excerpt | None]:
    """Read the words between kept tokens, given as `(first, last)` as for `fingerprints.locate`.

    Returns:
        An excerpt for each; None for tokens that the file does not have.

    Raises:
        UnreadableMediaError, UnsupportedMediaError, LimitExceededError: as `documents.load` does.
    """
    document = documents.load(path, media_type, limits)
    places = normalise.character_spans(document.text)
    found: list[Excerpt | None] = []
    for first, last in tokens:
        if not 0 <= first <= last < len(places):
            found.append(None)
            continue
        start, end = int(places[first, 0]), int(places[last, 1])
        seconds = document.seconds(start, end)
        span = seconds or (float(start), float(end))
        found.append(Excerpt(span, _shortened(document.text[start:end]), timed=seconds is not None))
    return found


def _shortened(words: str) -> str:
    plain = " ".join(words.split())
    if len(plain) <= MOST_CHARACTERS:
        return plain
    half = MOST_CHARACTERS // 2
    return f"{plain[:half].rsplit(' ', 1)[0]} … {plain[-half:].split(' ', 1)[-1]}"
