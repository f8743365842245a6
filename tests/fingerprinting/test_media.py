"""Content decides what a file is, and the errors say what to do."""

import contextlib
import hashlib
import time
from pathlib import Path

import pytest
import synthetic_media
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fingerprinting import media
from fingerprinting.errors import (
    FingerprintingError,
    LimitExceededError,
    UnreadableMediaError,
    UnsupportedMediaError,
)
from fingerprinting.media import Limits, MediaKind
from fingerprinting.text import kinds
from fingerprinting.types import Modality

FTYP = b"\0\0\0\x18ftyp"

KINDS = {
    "image/jp2": b"\0\0\0\x0cjP  \r\n\x87\n",
    "image/tiff": b"MM\0*\0\0\0\x08",
    "image/heic": FTYP + b"heic\0\0\0\0mif1heic",
    "image/avif": FTYP + b"avif\0\0\0\0mif1avif",
    "audio/mpeg": b"\xff\xfb\x90\x64\0\0",
    "audio/aac": b"\xff\xf1\x50\x80\0\0",
    "audio/flac": b"fLaC\0\0\0\x22",
    "audio/wav": b"RIFF\x24\0\0\0WAVEfmt ",
    "audio/aiff": b"FORM\0\0\0\x24AIFFCOMM",
    "audio/ogg": b"OggS\0\x02" + bytes(22) + b"\x01\x13OpusHead",
    "audio/mp4": FTYP + b"M4A \0\0\0\0isommp42",
    "video/ogg": b"OggS\0\x02" + bytes(22) + b"\x01\x2a\x80theora",
    "video/mp4": FTYP + b"isom\0\0\0\0isommp42",
    "video/quicktime": FTYP + b"qt  \0\0\0\0qt  qt  ",
    "video/webm": b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm",
    "video/x-matroska": b"\x1a\x45\xdf\xa3\xa3\x42\x86\x81\x01\x42\x82\x88matroska",
    "video/x-msvideo": b"RIFF\x24\0\0\0AVI LIST",
    "video/mp2t": (b"G" + bytes(187)) * 5,
}


@pytest.mark.parametrize("media_type", KINDS)
def test_a_kind_is_told_by_its_first_bytes_whatever_its_name(media_type: str) -> None:
    kind = media.sniff(KINDS[media_type], "letter.txt")

    assert kind == MediaKind(Modality(media_type.partition("/")[0]), media_type)


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "AVIF"])
def test_pictures_as_they_are_written(format_name: str) -> None:
    head = synthetic_media.encoded(Image.new("RGB", (20, 20), "teal"), format_name)

    assert media.sniff(head) == MediaKind(Modality.IMAGE, f"image/{format_name.lower()}")


@pytest.mark.parametrize(
    ("text", "name", "media_type"),
    [
        ("WEBVTT\n\n00:01.000 --> 00:02.000\nHello", None, kinds.VTT),
        ("\ufeffWEBVTT - title\n", "captions.txt", kinds.VTT),
        ("WEBVTTish prose", None, kinds.PLAIN),
        ("1\n00:00:01,000 --> 00:00:02,000\nHello", "film", kinds.SRT),
        ('{"wireMagic": "pb3", "events": []}', None, kinds.JSON3),
        ('{"key": 1}', None, kinds.PLAIN),
        ("Just words.", "captions.srt", kinds.SRT),
        ("Just words.", "captions.VTT", kinds.VTT),
        ("Just words.", None, kinds.PLAIN),
        ("Grüße aus Köln, 你好", "a.bin", kinds.PLAIN),
        ("caffeine is a drug", None, kinds.PLAIN),
        ("ID3 tags are small", None, kinds.PLAIN),
        ("MZ is a pair of initials", None, kinds.PLAIN),
        ("BMW makes cars and motorcycles", None, kinds.PLAIN),
    ],
)
def test_texts_are_told_by_their_form_then_by_their_name(text: str, name: str | None, media_type: str) -> None:
    assert media.sniff(text.encode(), name) == MediaKind(Modality.TEXT, media_type)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "latin-1"])
def test_other_encodings_are_text_too(encoding: str) -> None:
    assert media.sniff("Une très belle journée à la mer.\n".encode(encoding)).modality is Modality.TEXT


def test_a_character_cut_in_half_at_the_end_is_no_harm() -> None:
    assert media.sniff("déjà".encode()[:-1]) == MediaKind(Modality.TEXT, kinds.PLAIN)


@pytest.mark.parametrize(
    ("head", "remedy"),
    [
        (b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) run\n", "as PNG"),
        (b"PK\x03\x04\x14\0", "Unpack it"),
        (b"MThd\0\0\0\x06", "Export a recording"),
        (b"\xff\x0a\x10\x20", "Export the picture as JPEG or PNG"),
        (FTYP + b"mif1\0\0\0\0mif1miaf", "Export the picture as JPEG or PNG"),
        (b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg">', "as PNG"),
        (b'\xef\xbb\xbf <!DOCTYPE svg PUBLIC "x"><!-- > --><svg:svg width="1"/>', "as PNG"),
        (b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd"> <!ENTITY y "&x;">\n] ><svg>', "as PNG"),
        (b"#EXTM3U\n#EXTINF:9,\nfile:///etc/passwd\n", "Use the recordings themselves"),
        (b"\n#EXTM3U\n", "Use the recordings themselves"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "Use the recordings themselves"),
        (b"[playlist]\nFile1=http://127.0.0.1/\n", "Use the recordings themselves"),
        (b'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>', "Use the recordings"),
        (b'<playlist version="1" xmlns="http://xspf.org/ns/0/">', "Use the recordings themselves"),
        (b"MZ\x90\0\x03\0\0\0", "Use a picture"),
        (bytes(range(256)), "Use a picture"),
        (b"\0\0\0\0", "Use a picture"),
    ],
)
def test_what_is_not_supported_is_refused_with_a_remedy(head: bytes, remedy: str) -> None:
    with pytest.raises(UnsupportedMediaError, match=remedy):
        media.sniff(head, "thing.dat")


def test_a_text_about_xml_is_a_text() -> None:
    for text in (
        "<svga> is a mode",
        "<!-- svg --> first",
        "<smiley> she said",
        "<? ?",
        "<!-- ",
        "<!DOCTYPE svg [",
        "# EXTM3U",
    ):
        assert media.sniff(text.encode()).media_type == kinds.PLAIN


@pytest.mark.parametrize(
    "head", [b"<!---->" * 2300, b"<!---->" * 30 + b"x", b"<!DOCTYPE a>" * 1300, b"<!DOCTYPE[]>" * 1300,
             b"1" + b"\n" * 16_000, b"<" * 16_000, b" " * 16_000, b"1" * 16_000, b"0:00:00,0" + b" " * 16_000]
)  # fmt: skip
def test_no_beginning_takes_long_to_look_at(head: bytes) -> None:
    started = time.monotonic()
    with contextlib.suppress(FingerprintingError):
        media.sniff(head)

    assert time.monotonic() - started < 1


def test_an_empty_file_is_called_empty() -> None:
    with pytest.raises(UnreadableMediaError, match="empty"):
        media.sniff(b"", "song.mp3")


def test_binary_called_captions_is_not_read_as_text() -> None:
    with pytest.raises(UnreadableMediaError, match=r"named as text \(\.vtt\)"):
        media.sniff(bytes(range(256)) * 4, "captions.vtt")


@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_but_a_domain_error(head: bytes) -> None:
    try:
        kind = media.sniff(head, None)
    except FingerprintingError as error:
        assert str(error).endswith(".")  # noqa: PT017 - either is a good end
    else:
        assert kind.media_type.partition("/")[0] in {*Modality, "application"}


def test_the_digest_is_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc" * 100_000)

    assert media.sha256(path) == hashlib.sha256(b"abc" * 100_000).digest()


def test_too_many_bytes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abcd")

    with pytest.raises(LimitExceededError) as caught:
        media.sha256(path, Limits(max_bytes=3))

    assert caught.value.parameters == {"size_bytes": 4, "max_bytes": 3}


def test_a_missing_file_is_told_without_its_path(tmp_path: Path) -> None:
    with pytest.raises(UnreadableMediaError, match="no such file") as caught:
        media.read_head(tmp_path / "missing")

    assert str(tmp_path) not in str(caught.value)


def test_a_long_text_is_refused() -> None:
    media.check_text_size(10, Limits(max_text_bytes=10))

    with pytest.raises(LimitExceededError, match="Split it"):
        media.check_text_size(11, Limits(max_text_bytes=10))
