"""Which kind of text a text is, by its content: one of the formats of captions, or none of them."""

import re
from types import MappingProxyType
from typing import Final

VTT: Final = "text/vtt"
SRT: Final = "application/x-subrip"
JSON3: Final = "application/x-youtube-json3"
SRV1: Final = "application/x-youtube-srv1"
SRV2: Final = "application/x-youtube-srv2"
SRV3: Final = "application/x-youtube-srv3"
TTML: Final = "application/ttml+xml"
PLAIN: Final = "text/plain"

CAPTION_SUFFIXES: Final = MappingProxyType(
    {
        ".vtt": VTT, ".srt": SRT, ".json3": JSON3, ".srv1": SRV1, ".srv2": SRV2, ".srv3": SRV3, ".ttml": TTML,
        ".dfxp": TTML,
    }
)  # fmt: skip
"""What the formats of captions are named by."""

TIME: Final = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?"
TIMING: Final = rf"[ \t]*{TIME}[ \t]*-->[ \t]*{TIME}(?=\s|$)[^\n]*"
"""The line before a cue in VTT and SRT: eight groups, hours to fractions of its begin and of its end."""

_HEAD_CHARACTERS: Final = 16 * 1024
_VTT_START: Final = re.compile(r"WEBVTT(?:\s|$)")
_SRT_START: Final = re.compile(rf"(?:\d+[ \t]*\n)?{TIMING}")
_TAG: Final = re.compile(r"<(?:[A-Za-z][\w.-]*:)?(transcript|timedtext|tt)\b([^<>]*)>")
_TTML_NAMESPACE: Final = re.compile(r"""["']http://www\.w3\.org/[^"']{0,40}tta?[fm][l1]""")
_SRV3_FORMAT: Final = re.compile(r"""\bformat\s*=\s*["']3["']""")


def of_captions(text: str) -> str | None:
    """Tell the media type of captions by how they begin; None where a text is no captions."""
    head = text[:_HEAD_CHARACTERS].lstrip("\ufeff \t\n")
    if _VTT_START.match(head):
        return VTT
    if head.startswith("{") and '"events"' in head and ('"wireMagic"' in head or '"segs"' in head):
        return JSON3
    if head.startswith("<"):
        return _of_xml(head)
    return SRT if _SRT_START.match(head) else None


def _of_xml(head: str) -> str | None:
    start = after_prolog(head)
    root = None if start is None else _TAG.match(head, start)
    if root is None:
        return None
    if root[1] == "tt":
        return TTML if _TTML_NAMESPACE.search(root[2]) else None
    if root[1] == "transcript":
        return SRV1 if "<text" in head[root.end() :] or root[2].endswith("/") else None
    return SRV3 if _SRV3_FORMAT.search(root[2]) else SRV2


def after_prolog(start: str) -> int | None:
    """Where the first element of what begins as XML stands: past declarations and comments; None: there is none.

    Step by step, as a pattern that skips any number of comments takes for ever on some of them.
    """
    at = 0
    while start.startswith(("<?", "<!"), at):
        closing = "-->" if start.startswith("<!--", at) else ">"
        if start.startswith("<!DOCTYPE", at) and start.find("[", at, max(start.find(">", at), at)) >= 0:
            # It declares entities, each of which ends in ">", between brackets.
            at, closing = start.find("]", at), ">"
            if at < 0:
                return None
        end = start.find(closing, at + 1)
        if end < 0:
            return None
        at = end + len(closing)
        while start[at : at + 1].isspace():
            at += 1
    return at
