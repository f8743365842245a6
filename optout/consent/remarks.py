"""What can't be recognised of a work: the notes of the fingerprinter, read and put into sentences."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from optout.consent.explain import Language
from optout.consent.wordings import notes

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {"en": notes.EN, "fr": notes.FR}
_SPAN: Final = re.compile(r"(\d{1,7}(?:\.\d{1,3})?)-(\d{1,7}(?:\.\d{1,3})?)")
_SECONDS: Final = re.compile(r"\d{1,7}")


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that its owner should know before they rely on a work.

    Attributes:
        code: stable, for instance `audio-part-silent`.
        sentence: in the language asked for; the note itself where this version has no words for it.
        seconds: how much of the work it is about, if it says so.
        span: from where to where, in seconds of the work, if it says so.
    """

    code: str
    sentence: str
    seconds: float | None = None
    span: tuple[float, float] | None = None


def remarks(said: Iterable[str], language: Language = "en") -> list[Remark]:
    """Read notes such as `image-flat`, `audio-partly-unidentifiable:40` and `audio-part-silent:12.0-31.4`."""
    return [_remark(note, language) for note in said]


def clock(seconds: float) -> str:
    """Say a moment of a recording as minutes and whole seconds, `2:05`; from an hour on, `1:02:05`."""
    whole = int(seconds + 0.5)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def _remark(note: str, language: Language) -> Remark:
    code, _, about = note.partition(":")
    span, seconds = _span(about), float(about) if _SECONDS.fullmatch(about) else None
    if span is not None:
        seconds = round(span[1] - span[0], 2)
    words = _WORDS[language].get(code)
    if words is None or ("{begin}" in words and span is None) or ("{seconds}" in words and seconds is None):
        return Remark(code, note, seconds, span)
    begin, end = span if span is not None else (0.0, 0.0)
    sentence = words.format(seconds=f"{seconds or 0:.0f}", begin=clock(begin), end=clock(end))
    return Remark(code, sentence, seconds, span)


def _span(about: str) -> tuple[float, float] | None:
    found = _SPAN.fullmatch(about)
    if found is None or float(found[1]) >= float(found[2]):
        return None
    return float(found[1]), float(found[2])
