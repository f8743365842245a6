"""What a file is (by its content, not by its name), its SHA-256, and how large it may be."""

import codecs
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fingerprinting.errors import LimitExceededError, UnreadableMediaError, UnsupportedMediaError
from fingerprinting.text import kinds
from fingerprinting.types import Modality

HEAD_BYTES: Final = 16 * 1024
"""How much of a file's beginning `sniff` wants to see. Less is fine where the file is shorter."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How large media may be. They bound memory and time, so they are checked before anything is decoded.

    Attributes:
        max_bytes: of a file.
        max_pixels: width times height of a picture, as its header states them.
        max_picture_bytes: of memory while a picture is decoded, reckoned from its header; see `image.budget`.
        max_seconds: length of a recording.
        max_text_bytes: of a text or captions file, or of the text that a document holds. A long novel has two million.
    """

    max_bytes: int = 2 * 1024**3
    max_pixels: int = 100_000_000
    max_picture_bytes: int = 448 * 1024**2
    max_seconds: float = 6 * 3600.0
    max_text_bytes: int = 32 * 1024**2


DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class MediaKind:
    """What a file holds and the name of its format."""

    modality: Modality
    media_type: str


def sniff(head: bytes, name: str | None = None) -> MediaKind:
    """Tell what a file is from its first bytes.

    A container that may hold a video (MP4, Matroska, Ogg ...) is said to be one; whether it has a picture track is for
    its decoder to find out, and so is which office document an archive is.

    Args:
        head: the first HEAD_BYTES of the file, or all of it.
        name: the file's name. It only chooses between kinds of text that look alike, and words the error.

    Raises:
        UnreadableMediaError: the file is empty, or is named as text and is not text.
        UnsupportedMediaError: a kind that we do not fingerprint; the message says what to do instead.
    """
    if not head:
        raise UnreadableMediaError("This file is empty. Choose the original file again, or export it anew.")
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    for look in (_sniff_riff, _sniff_iso_media, _sniff_ogg, _sniff_matroska, _sniff_mpeg):
        found = look(head)
        if found is not None:
            return found
    if head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(kinds.PDF_MAGIC):
        return MediaKind(Modality.TEXT, kinds.PDF)
    document = kinds.of_zip(head) if head.startswith(kinds.ZIP_MAGIC) else None
    if document is not None:
        return MediaKind(Modality.PAGES if document == kinds.CBZ else Modality.TEXT, document)
    _refuse_known_strangers(head)
    return _sniff_text(head, name)


def read_head(path: Path) -> bytes:
    """Read as much of a file's beginning as `sniff` wants.

    Raises:
        UnreadableMediaError: the file cannot be opened or read.
    """
    try:
        with path.open("rb") as stream:
            return stream.read(HEAD_BYTES)
    except OSError as error:
        raise _unopenable(error) from error


def sha256(path: Path, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Compute the SHA-256 of a file's bytes, 32 bytes, without holding the file in memory.

    Raises:
        UnreadableMediaError: the file cannot be opened or read.
        LimitExceededError: the file has more than `limits.max_bytes`.
    """
    try:
        with path.open("rb") as stream:
            size_bytes = path.stat().st_size
            if size_bytes > limits.max_bytes:
                raise LimitExceededError(
                    f"This file is too large: it has {size_bytes / 1e6:,.0f} MB, and at most"
                    f" {limits.max_bytes / 1e6:,.0f} MB are accepted. Export a smaller version and use that.",
                    size_bytes=size_bytes,
                    max_bytes=limits.max_bytes,
                )
            return hashlib.file_digest(stream, "sha256").digest()
    except OSError as error:
        raise _unopenable(error) from error


def check_text_size(size_bytes: int, limits: Limits) -> None:
    """Refuse a text that is too long to be read at once.

    Raises:
        LimitExceededError: more bytes than `limits.max_text_bytes`.
    """
    if size_bytes > limits.max_text_bytes:
        raise LimitExceededError(
            f"This text is too long: {size_bytes / 1e6:,.1f} MB, and at most {limits.max_text_bytes / 1e6:,.1f} MB are"
            " accepted. Split it into parts and use each of them.",
            size_bytes=size_bytes,
            max_bytes=limits.max_text_bytes,
        )


def _unopenable(error: OSError) -> UnreadableMediaError:
    reason = (error.strerror or "unknown error").lower()
    return UnreadableMediaError(
        f"This file cannot be opened ({reason}). Check that it exists and that you may read it."
    )


def _image(subtype: str) -> MediaKind:
    return MediaKind(Modality.IMAGE, f"image/{subtype}")


def _audio(subtype: str) -> MediaKind:
    return MediaKind(Modality.AUDIO, f"audio/{subtype}")


def _video(subtype: str) -> MediaKind:
    return MediaKind(Modality.VIDEO, f"video/{subtype}")


# Magic numbers made of letters are given with the byte that follows, so that no honest text begins with one.
_MAGIC: Final[tuple[tuple[bytes, MediaKind], ...]] = (
    (b"\x89PNG\r\n\x1a\n", _image("png")),
    (b"\xff\xd8\xff", _image("jpeg")),
    (b"GIF87a", _image("gif")),
    (b"GIF89a", _image("gif")),
    (b"II*\0", _image("tiff")),
    (b"MM\0*", _image("tiff")),
    (b"\0\0\0\x0cjP  \r\n\x87\n", _image("jp2")),
    (b"ID3\x02", _audio("mpeg")),
    (b"ID3\x03", _audio("mpeg")),
    (b"ID3\x04", _audio("mpeg")),
    (b"fLaC", _audio("flac")),
    (b"#!AMR", _audio("amr")),
    (b"caff\0", _audio("x-caf")),
    (b".snd\0", _audio("basic")),
    (b"wvpk", _audio("x-wavpack")),
    (b"MAC \x8c\x0f", _audio("x-ape")),
    (b"MAC \x96\x0f", _audio("x-ape")),
    (b"TTA1\x01", _audio("x-tta")),
    (b"DSD \x1c", _audio("x-dsf")),
    (b"riff\x2e\x91\xcf\x11", _audio("x-w64")),
    (b"\x0b\x77", _audio("ac3")),
    (b"FLV\x01", _video("x-flv")),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", _video("x-ms-asf")),
    (b"\0\0\x01\xba", _video("mpeg")),
    (b"\0\0\x01\xb3", _video("mpeg")),
)


def _sniff_riff(head: bytes) -> MediaKind | None:
    if head[:4] in {b"RIFF", b"RF64"}:
        forms = {b"WAVE": _audio("wav"), b"WEBP": _image("webp"), b"AVI ": _video("x-msvideo")}
        return forms.get(head[8:12])
    if head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC"}:
        return _audio("aiff")
    # BMP's own magic is two letters, so the header size that follows is checked too.
    if head[:2] == b"BM" and head[14:18] in _BMP_HEADER_SIZES:
        return _image("bmp")
    return None


_BMP_HEADER_SIZES: Final = frozenset(size.to_bytes(4, "little") for size in (12, 40, 52, 56, 64, 108, 124))

_HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis"})
_OTHER_HEIF_BRANDS: Final = frozenset({b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})


def _sniff_iso_media(head: bytes) -> MediaKind | None:
    """ISO base media files (MP4 and its kin) name their brand in the first box. Source: ISO/IEC 14496-12, 4.3."""
    if head[4:8] in {b"moov", b"mdat", b"wide"}:
        return _video("quicktime")  # from before the brand box was introduced
    if head[4:8] != b"ftyp":
        return None
    brand = head[8:12]
    box_bytes = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {brand, *(head[at : at + 4] for at in range(16, box_bytes - 3, 4))}
    if brands & {b"avif", b"avis"}:
        return _image("avif")
    if brands & _HEIC_BRANDS:
        return _image("heic")
    if brand in _OTHER_HEIF_BRANDS:
        raise UnsupportedMediaError(
            "HEIF files that hold a sequence, or a picture that is not coded as HEIC or AVIF, are not supported. Export"
            " the picture as JPEG or PNG and use that.",
            kind="image/heif",
        )
    if brand in {b"M4A ", b"M4B ", b"M4P "}:
        return _audio("mp4")
    return _video("quicktime") if brand == b"qt  " else _video("mp4")


def _sniff_ogg(head: bytes) -> MediaKind | None:
    if not head.startswith(b"OggS"):
        return None
    # Every stream's first page comes before any data (RFC 3533, 4), so a picture track shows itself here.
    is_video = b"\x80theora" in head or b"BBCD\0" in head
    return _video("ogg") if is_video else _audio("ogg")


def _sniff_matroska(head: bytes) -> MediaKind | None:
    if not head.startswith(b"\x1a\x45\xdf\xa3"):
        return None
    return _video("webm") if b"webm" in head[:64] else _video("x-matroska")


_TS_PACKET_BYTES: Final = 188
_MPEG_SYNC: Final = 0xFF


def _sniff_mpeg(head: bytes) -> MediaKind | None:
    packets = head[: 4 * _TS_PACKET_BYTES : _TS_PACKET_BYTES]
    if packets == b"GGGG":
        return _video("mp2t")
    if head.startswith(codecs.BOM_UTF16_LE) and _text(head) is not None:
        return None  # the mark of a text looks like a frame of MPEG layer I
    # Some encoders pad the beginning of an MP3 with zeros.
    frame = head.lstrip(b"\0")[:4]
    if len(frame) < 4 or frame[0] != _MPEG_SYNC or frame[1] & 0xE0 != 0xE0:  # noqa: PLR2004  (a frame header's 4 bytes)
        return None
    if frame[1] & 0xF6 == 0xF0:  # noqa: PLR2004  (layer bits 00: ADTS, ISO/IEC 13818-7, 6.2)
        return _audio("aac")
    # ISO/IEC 11172-3, 2.4.2.3: version 01, layer 00, bit rate 1111 and sampling rate 11 are reserved.
    valid = (frame[1] >> 3) & 3 != 1 and (frame[1] >> 1) & 3 != 0 and frame[2] >> 4 != 15 and (frame[2] >> 2) & 3 != 3  # noqa: PLR2004
    return _audio("mpeg") if valid else None


_STRANGERS: Final[tuple[tuple[bytes, str, str], ...]] = (
    (b"%!PS", "PostScript drawings are", "Export the drawing as PNG and use that."),
    (kinds.ZIP_MAGIC, "Archives of this kind are", "Unpack it, or save its text as a .txt file, and use that."),
    (b"\x1f\x8b", "Compressed files are", "Unpack it and use what is inside."),
    (b"7z\xbc\xaf\x27\x1c", "Archives are", "Unpack it and use what is inside."),
    (b"Rar!\x1a", "Archives are", "Unpack it and use what is inside."),
    (b"MThd\0", "MIDI files hold notes, not sound, and are", "Export a recording as MP3, FLAC or WAV and use that."),
    (b"8BPS\0", "Photoshop files are", "Export the picture as JPEG or PNG and use that."),
    (b"\xff\x0a", "Pictures in the JPEG XL format are", "Export the picture as JPEG or PNG and use that."),
    (b"\0\0\0\x0cJXL ", "Pictures in the JPEG XL format are", "Export the picture as JPEG or PNG and use that."),
    (b"\x7fELF", "Programs are", "Use a picture, a sound, a caption or a text file."),
    (b"MZ", "Programs are", "Use a picture, a sound, a caption or a text file."),
    (b"\xd0\xcf\x11\xe0", "Office documents are", "Save its text as a .txt file and use that."),
    (b"{\\rtf", "Rich text documents are", "Save it as plain text (.txt) and use that."),
)

# Texts that name what should be read, and are not it. A player would follow them.
_PLAYLISTS: Final = (b"#EXTM3U", b"ffconcat version", b"[playlist]", b"[Playlist]", b"[Reference]")
_PLAYLIST_ROOTS: Final = frozenset({b"MPD", b"smil", b"playlist", b"asx", b"ASX", b"SmoothStreamingMedia"})
_ELEMENT: Final = re.compile(rb"<([A-Za-z][\w.-]*:)?([A-Za-z][\w.-]*)(?=[\s/>])")


def _refuse_known_strangers(head: bytes) -> None:
    for magic, subject, remedy in _STRANGERS:
        # Two letters can begin an honest text as well.
        if head.startswith(magic) and not (magic == b"MZ" and _text(head) is not None):
            raise UnsupportedMediaError(f"{subject} not supported. {remedy}", kind=subject.split(" ", 1)[0].lower())
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()
    root = _root_element(start)
    if root == b"svg":
        raise UnsupportedMediaError(
            "Drawings in the SVG format are not supported. Export the drawing as PNG and use that.",
            kind="image/svg+xml",
        )
    if start.startswith(_PLAYLISTS) or root in _PLAYLIST_ROOTS:
        raise UnsupportedMediaError(
            "Playlists only name recordings and are not supported. Use the recordings themselves.", kind="playlist"
        )


def _root_element(start: bytes) -> bytes | None:
    """The first element's name, without its prefix, of what begins as XML."""
    at = kinds.after_prolog(start.decode("latin-1"))
    found = None if at is None else _ELEMENT.match(start, at)
    return None if found is None else found.group(2)


_TEXT_SUFFIXES: Final = {
    **kinds.CAPTION_SUFFIXES, ".txt": kinds.PLAIN, ".md": kinds.PLAIN, ".text": kinds.PLAIN, ".html": kinds.HTML,
    ".htm": kinds.HTML, ".xhtml": kinds.HTML,
}  # fmt: skip


def _sniff_text(head: bytes, name: str | None) -> MediaKind:
    suffix = Path(name).suffix.lower() if name else ""
    text = _text(head)
    if text is None:
        if suffix in _TEXT_SUFFIXES:
            raise UnreadableMediaError(
                f"This file is named as text ({suffix}) but does not contain any. Export the text or captions again.",
                suffix=suffix,
            )
        raise UnsupportedMediaError(
            "This kind of file is not known. Use a picture (JPEG, PNG, WebP, GIF, TIFF, AVIF, HEIC), a sound (MP3, AAC,"
            " FLAC, Ogg, WAV), captions (VTT, SRT, TTML), a document (EPUB, PDF, DOCX), a comic (CBZ) or plain text.",
            kind="unknown",
        )
    found = kinds.of_captions(text)
    return MediaKind(Modality.TEXT, found or _TEXT_SUFFIXES.get(suffix, kinds.PLAIN))


_ALLOWED_CONTROLS: Final = frozenset("\t\n\r\f\v\x1b\x85")
_MAX_CONTROL_SHARE: Final = 0.005


def _text(head: bytes) -> str | None:
    """Decode the beginning of a text, or return None where it is none. A character may be cut in half at the end."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            decoded = head[: len(head) // 4 * 4].decode(encoding, errors="replace")
            return decoded if _is_readable(decoded) else None
    if b"\0" in head:
        return None
    try:
        decoded = codecs.getincrementaldecoder("utf-8")().decode(head, final=False)
    except UnicodeDecodeError:
        # Old texts in a one-byte encoding; latin-1 decodes anything, so the share of control characters decides.
        decoded = head.decode("latin-1")
    return decoded if _is_readable(decoded) else None


# UTF-32's little-endian mark begins with UTF-16's, so it is looked for first.
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def _is_readable(text: str) -> bool:
    bad = sum(1 for letter in text if letter == "\ufffd" or (not letter.isprintable() and _is_control(letter)))
    return bad <= len(text) * _MAX_CONTROL_SHARE


def _is_control(letter: str) -> bool:
    code = ord(letter)
    return (code < 0x20 or 0x7F <= code < 0xA0) and letter not in _ALLOWED_CONTROLS  # noqa: PLR2004  (C0 and C1)
