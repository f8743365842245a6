"""Blank out what is not prose (tags, scripts, links, sound descriptions), so that every character keeps its place."""

import html
import re
from typing import Final

# The tokeniser takes a soft hyphen as part of a word and then drops it, so it can fill a gap inside one.
_FILLER: Final = "\u00ad"

_HTML_START: Final = re.compile(r"\s*(?:<\?xml[^>]{0,200}>\s*)?<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_LONGEST_PROLOG: Final = 16 * 1024
_HTML_TAG: Final = re.compile(
    r"<!--|<(script|style|head|template|noscript)\b[^<>]*>|</?[a-zA-Z!?][^<>]*>", re.IGNORECASE
)
_PLAYER: Final = re.compile(r"<(?:video|audio)[\s>]", re.IGNORECASE)
_ENTITY: Final = re.compile(r"&(?:[a-zA-Z][a-zA-Z0-9]{1,30}|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")


def is_html(text: str) -> bool:
    """Whether a text begins as a web page does, maybe behind comments: where it was saved from, who made it."""
    at = len(text) - len(text.lstrip())
    while text.startswith("<!--", at):  # step by step, as a pattern for any number of them could take for ever
        end = text.find("-->", at, _LONGEST_PROLOG)
        if end < 0:
            return False
        at = end + len("-->")
        while text[at : at + 1].isspace():
            at += 1
    return _HTML_START.match(text, at) is not None


def plays(text: str) -> bool:
    """Whether a web page has a video or a sound on it, which is not among its words."""
    return _PLAYER.search(text) is not None


def without_html(text: str) -> str:
    """Blank out the tags, comments, scripts and styles of a web page and resolve its entities.

    Returns:
        a text of the same length, in which what is left of the prose stands where it stood.
    """
    parts = []
    position = 0
    while (tag := _HTML_TAG.search(text, position)) is not None:
        parts.append(text[position : tag.start()])
        end = _end_of(text, tag)
        parts.append(" " * (end - tag.start()))
        position = end
    parts.append(text[position:])
    return _ENTITY.sub(_resolved, "".join(parts))


def _end_of(text: str, tag: re.Match[str]) -> int:
    """Find where a tag, or the whole element whose content is no prose, ends. A missing end is the end of the text."""
    if tag.group() == "<!--":
        closing = re.escape("-->")
    elif tag.group(1) is not None:
        closing = rf"</{tag.group(1)}\b[^<>]*>?"
    else:
        return tag.end()
    # Element names are ASCII; lower() of the whole text could change its length.
    found = re.compile(closing, re.IGNORECASE).search(text, tag.end())
    return found.end() if found is not None else len(text)


def _resolved(entity: re.Match[str]) -> str:
    resolved = html.unescape(entity.group())
    if len(resolved) != 1 or resolved.isspace():
        return " " * len(entity.group())
    return resolved + _FILLER * (len(entity.group()) - 1)


# Each begins with a plain string, which the regex engine finds far faster than a choice of several.
_NOISE: Final = tuple(
    (literal, re.compile(pattern))
    for literal, pattern in (
        ("http", r"https?://[!-'*-;=?-Z\\^-~]+"),  # of ASCII: in scripts without spaces, prose goes on right behind it
        ("](", r"\]\([^()\s]{0,2000}(?:\s\"[^\"\n]{0,200}\")?\)"),  # the target of a Markdown link, not its text
        ("[", r"\[[^\[\]\n]{0,60}\](?!\()"),  # [Music], [1]
        ("(", r"\([^()\n]{0,30}\)"),  # (applause)
        ("<", r"</?[a-zA-Z][^<>\n]{0,200}>|<[\d:.]{5,20}>"),
        (
            ":",
            r"\n[ \t>\-\u2013\u2014]{0,6}[A-Z][\w.'\-]{0,20}(?: [A-Z][\w.'\-]{0,20}){0,2}:(?=\s)",
        ),  # NAME: who speaks
    )
)


def without_noise(text: str) -> str:
    """Blank out addresses, `[sounds]`, short `(asides)`, inline tags and the names of speakers.

    Returns:
        a text of the same length.
    """
    # A newline in front lets the pattern for speakers begin with a plain string, also on the first line.
    text = "\n" + text
    for literal, pattern in _NOISE:
        if literal in text:
            text = pattern.sub(_blank, text)
    return text[1:]


def _blank(found: re.Match[str]) -> str:
    return " " * len(found.group())
