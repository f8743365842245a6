"""A cue of captions, and how the markup in its lines is taken out."""

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Cue:
    """What is shown from one time to another, in seconds; without markup, lines separated by newlines."""

    text: str
    start: float
    end: float


# `<c.yellow>`, `<00:00:01.000>`, `<v Ann>`, `</i>`, `<font color=...>`, and SubRip's `{\an8}`.
_MARKUP: Final = re.compile(r"<[^<>\n]{0,200}>|\{\\[^{}\n]{0,100}\}")
_LEADING_ZEROS: Final = re.compile(r"(&#[xX]?)0+(?=[0-9a-fA-F])")
_BEYOND_UNICODE: Final = re.compile(r"&#(?:[xX][0-9a-fA-F]{7,}|[1-9][0-9]{7,});?")


def cue_of(lines: Iterable[str], start: float, end: float) -> Iterator[Cue]:
    """Give the cue that these lines are; nothing where they hold nothing but markup and space."""
    stripped = (_unescaped(_MARKUP.sub("", line)).strip() for line in lines)
    text = "\n".join(line for line in stripped if line)
    if text:
        yield Cue(text, start, end)


def _unescaped(line: str) -> str:
    """Resolve entities, also where a number has more digits than Python reads."""
    try:
        return html.unescape(line)
    except ValueError:
        return html.unescape(_BEYOND_UNICODE.sub("\ufffd", _LEADING_ZEROS.sub(r"\1", line)))
