"""Which kind of text a file is, by how it begins: captions, a document that holds its text packed, or neither."""

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
HTML: Final = "text/html"
EPUB: Final = "application/epub+zip"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PDF: Final = "application/pdf"
CBZ: Final = "application/vnd.comicbook+zip"
PACKED: Final = frozenset({EPUB, DOCX, PDF})
"""Documents whose bytes are not their text: it has to be got out of them."""

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

PICTURE_SUFFIXES: Final = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".avif", ".bmp", ".tif", ".tiff", ".jp2"}
)
"""What the pages of a comic are named by."""

ZIP_MAGIC: Final = b"PK\x03\x04"
PDF_MAGIC: Final = b"%PDF-"

_HEAD_CHARACTERS: Final = 16 * 1024
_VTT_START: Final = re.compile(r"WEBVTT(?:\s|$)")
_SRT_START: Final = re.compile(rf"(?:\d+[ \t]*\n)?{TIMING}")
_TAG: Final = re.compile(r"<(?:[A-Za-z][\w.-]*:)?(transcript|timedtext|tt)\b([^<>]*)>")
_TTML_NAMESPACE: Final = re.compile(r"""["']http://www\.w3\.org/[^"']{0,40}tta?[fm][l1]""")
_SRV3_FORMAT: Final = re.compile(r"""\bformat\s*=\s*["']3["']""")


# A member's header: its magic, 22 bytes that say nothing here, the lengths of its name and of what follows the name.
# Source: APPNOTE.TXT, 4.3.7.
_MEMBER: Final = re.compile(rb"PK\x03\x04.{22}(..)..", re.DOTALL)
_OF_COMICS: Final = frozenset({"comicinfo.xml", "metroninfo.xml", "comicbookinfo.json"})
_EPUB_MARK: Final = b"mimetypeapplication/epub+zip"


def of_zip(head: bytes) -> str | None:
    """Tell what kind of document an archive is by the names of its first members; None where they name no kind.

    An office document of another kind than DOCX may be said to be one, and an archive that begins with a picture to be
    a comic: which it is stands anywhere in it, and is for its reader to find out.
    """
    files: list[bytes] = []
    for member in _MEMBER.finditer(head):
        name = head[member.end() : member.end() + int.from_bytes(member[1], "little")]
        if name.startswith(b"META-INF/container.xml") or head.startswith(_EPUB_MARK, member.end()):
            return EPUB
        if name in {b"[Content_Types].xml", b"_rels/.rels"} or name.startswith(b"word/"):
            return DOCX
        if not name.endswith(b"/"):
            files.append(name)
    return CBZ if files and _is_page(files[0]) else None


def _is_page(name: bytes) -> bool:
    """Whether a member is what a comic begins with: a page, or what it says of itself."""
    last = name.rpartition(b"/")[2].decode("utf-8", "replace").lower()
    return last in _OF_COMICS or any(last.endswith(suffix) for suffix in PICTURE_SUFFIXES)


def of_captions(text: str) -> str | None:
    """Tell the media type of captions by how they begin, whatever ends lines; None where a text is no captions."""
    head = text[:_HEAD_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff \t\n")
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
