"""One text as it is compared, whatever file it came in: plain, a web page, a document, or captions with times."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting.errors import LimitExceededError, UnreadableMediaError
from fingerprinting.media import DEFAULT_LIMITS, Limits
from fingerprinting.text import captions, docx, encodings, epub, kinds, markup, pdf
from fingerprinting.text.cues import Cue

_MOST_SECONDS: Final = 1e7  # captions are of hours, not of months
_READERS: Final[Mapping[str, Callable[[Path, Limits], str]]] = {
    kinds.EPUB: epub.text_of,
    kinds.DOCX: docx.text_of,
    kinds.PDF: pdf.text_of,
}


@dataclass(frozen=True, slots=True)
class Document:
    """A text ready to be tokenised.

    Attributes:
        text: prose; of captions, their cues joined by newlines.
        cues: of captions; None for any other text.
        plays: whether it is of a web page with a video or a sound on it.
    """

    text: str
    cues: tuple[Cue, ...] | None = None
    plays: bool = False

    def times(self, places: NDArray[np.int64]) -> NDArray[np.float64]:
        """Say when characters of captions are shown, in seconds, not descending; within a cue they pass evenly.

        Args:
            places: characters, ascending, shape (n,).

        Raises:
            ValueError: the text is not captions.
        """
        if not self.cues:
            raise ValueError("only captions have times")
        lengths = np.array([len(cue.text) + 1 for cue in self.cues], dtype=np.int64)
        begins = np.cumsum(lengths) - lengths
        start = np.array([cue.start for cue in self.cues], dtype=np.float64)
        end = np.maximum(start, [cue.end for cue in self.cues])
        # Automatic captions are shown until after the next one has begun.
        end[:-1] = np.where(start[1:] > start[:-1], np.minimum(end[:-1], start[1:]), end[:-1])
        cue = np.clip(np.searchsorted(begins, places, side="right") - 1, 0, None)
        part = np.minimum((places - begins[cue]) / np.maximum(1, lengths[cue] - 1), 1.0)
        told = start[cue] + (end[cue] - start[cue]) * part
        shown: NDArray[np.float64] = np.maximum.accumulate(np.clip(told, 0.0, _MOST_SECONDS))
        return shown

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
        UnreadableMediaError: empty, not text, damaged captions, or a document that is damaged, protected or wordless.
        UnsupportedMediaError: an office document of a kind that is not read.
        LimitExceededError: more than `limits.max_text_bytes`.
    """
    if media_type in _READERS:
        return Document(text=_READERS[media_type](path, limits))
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
    if kinds.of_captions(text) is None and media_type in captions.MEDIA_TYPES:
        raise UnreadableMediaError("There are no captions in this file. Export them again as VTT or SRT.")
    return of_text(text, media_type)


def of_text(text: str, media_type: str = kinds.PLAIN) -> Document:
    """Make a document of a text that is decoded already, as `read` does. Characters stay where they are, line ends too.

    Raises:
        UnreadableMediaError: damaged captions.
    """
    caption_type = kinds.of_captions(text)
    if caption_type is not None:
        lines = text.replace("\r\n", "\n").replace("\r", "\n")
        cues = tuple(captions.parse_text(lines, caption_type))
        if not cues:
            raise UnreadableMediaError("There is no text in these captions. Export them again.")
        return Document(text="\n".join(cue.text for cue in cues), cues=cues)
    if media_type == kinds.HTML or markup.is_html(text):
        return Document(text=markup.without_html(text), plays=markup.plays(text))
    return Document(text=text)
