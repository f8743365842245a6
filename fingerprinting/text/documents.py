"""One text as it is compared, whatever file it came in: plain text, a web page, or captions with their times."""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final

from fingerprinting.errors import LimitExceededError, UnreadableMediaError
from fingerprinting.media import DEFAULT_LIMITS, Limits
from fingerprinting.text import captions, encodings, markup
from fingerprinting.text.captions import Cue

_HTML: Final = "text/html"


@dataclass(frozen=True, slots=True)
class Document:
    """A text ready to be tokenised.

    Attributes:
        text: prose; of captions, their cues joined by newlines.
        cues: of captions; None for any other text.
    """

    text: str
    cues: tuple[Cue, ...] | None = None

    def seconds(self, start: int, end: int) -> tuple[float, float] | None:
        """Say when the characters `[start, end)` are shown; None where the text is not captions."""
        if not self.cues:
            return None
        starts = list(accumulate((len(cue.text) + 1 for cue in self.cues), initial=0))
        first = self.cues[min(bisect_right(starts, start) - 1, len(self.cues) - 1)]
        last = self.cues[min(bisect_right(starts, max(start, end - 1)) - 1, len(self.cues) - 1)]
        return first.start, max(first.end, last.end)


def load(path: Path, media_type: str, limits: Limits = DEFAULT_LIMITS) -> Document:
    """Read a file of text. Captions and web pages are recognised by their content, whatever the media type says.

    Raises:
        UnreadableMediaError: empty, not text, or damaged captions.
        LimitExceededError: more than `limits.max_text_bytes`.
    """
    max_bytes = min(limits.max_bytes, limits.max_text_bytes)
    try:
        with path.open("rb") as file:
            raw = file.read(max_bytes + 1)
    except OSError as error:
        raise UnreadableMediaError(
            f"This file cannot be read ({error.strerror}). Check that it exists and that you may read it."
        ) from error
    if len(raw) > max_bytes:
        raise LimitExceededError(
            f"This text has more than the {max_bytes} bytes that are accepted. Split it into parts.",
            max_bytes=max_bytes,
        )
    return read(raw, media_type)


def read(raw: bytes, media_type: str) -> Document:
    """Make a document of a file's bytes, as `load` does.

    Raises:
        UnreadableMediaError: empty, not text, or damaged captions.
    """
    text = encodings.decode(raw)
    caption_type = captions.format_of(text)
    if caption_type is None and media_type in captions.MEDIA_TYPES:
        raise UnreadableMediaError("There are no captions in this file. Export them again as VTT or SRT.")
    if caption_type is not None:
        cues = tuple(captions.parse_text(text, caption_type))
        if not cues:
            raise UnreadableMediaError("There is no text in these captions. Export them again.")
        return Document(text="\n".join(cue.text for cue in cues), cues=cues)
    if media_type == _HTML or markup.is_html(text):
        return Document(text=markup.without_html(text))
    return Document(text=text)
