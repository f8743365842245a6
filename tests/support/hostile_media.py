"""Files that are made to hurt whoever decodes them: bombs, liars, and files that name other files."""

import gzip
import io
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image


def png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, *extra: bytes, bits: int = 1, colour: int = 0, rows: int | None = None) -> bytes:
    """A PNG of any size in a few kilobytes, valid unless it has fewer `rows`; chunks can stand before its pixels."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    packer = zlib.compressobj(9)
    row = bytes(1 + (width * bits * channels + 7) // 8)
    pixels = b"".join(packer.compress(row) for _ in range(height if rows is None else rows)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", head) + b"".join(extra) + png_chunk(b"IDAT", pixels)
        + png_chunk(b"IEND", b"")
    )  # fmt: skip


def png_text_bomb() -> bytes:
    """A small picture whose comment unpacks to 200 MB, and whose colour profile does, too."""
    packed = zlib.compress(bytes(200_000_000), 9)
    return png(64, 64, png_chunk(b"iCCP", b"x\0\0" + packed), png_chunk(b"zTXt", b"Comment\0\0" + packed))


def gif_of_frames(frames: int, side: int = 2000) -> bytes:
    """A GIF of many large frames, each a few bytes: the same empty one again and again."""
    one = io.BytesIO()
    Image.new("P", (side, side)).save(one, "GIF")
    data = one.getvalue()
    # Header and logical screen (13) and the colour table that it announces.
    start = 13 + 3 * (2 << (data[10] & 7))
    return data[:start] + data[start:-1] * frames + b";"


def webp_of_frames(frames: int) -> bytes:
    """An animated WebP of large frames of one colour each."""
    buffer = io.BytesIO()
    pictures = [Image.new("RGB", (1000, 1000), (n, n, n)) for n in range(frames)]
    pictures[0].save(buffer, "WEBP", save_all=True, append_images=pictures[1:], lossless=True, method=0)
    return buffer.getvalue()


def webp(width: int, height: int, kind: bytes) -> bytes:
    """A WebP of any size whose pixels are missing. Source: RFC 9649, sections 2.5 to 2.7."""
    if kind == b"VP8X":
        parts = [(kind, bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little"))]
        parts.append((b"VP8L", b"\x2f" + bytes(40)))
    elif kind == b"VP8L":
        parts = [(kind, b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + bytes(41))]
    else:
        parts = [(kind, b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height) + bytes(40))]
    chunks = b"".join(name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for name, data in parts)
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


def tiff_of_loops(links: int) -> bytes:
    """A TIFF whose directories lead round in a ring, each with an EXIF directory that is the next one."""
    size = 2 + 12 * 2 + 4
    directories = []
    for n in range(links):
        following = 8 + ((n + 1) % links) * size
        entries = struct.pack("<HHII", 0x8769, 4, 1, following) + struct.pack("<HHII", 0x014A, 4, 1, following)
        directories.append(struct.pack("<H", 2) + entries + struct.pack("<I", following))
    return b"II*\0" + struct.pack("<I", 8) + b"".join(directories)


def jpeg_with_exif(exif: bytes) -> bytes:
    """A small JPEG with any bytes as its EXIF."""
    buffer = io.BytesIO()
    Image.effect_noise((400, 300), 90).convert("RGB").save(buffer, "JPEG")
    data = buffer.getvalue()
    segment = b"Exif\0\0" + exif
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]


def wav(claimed_bytes: int, data: bytes, rate_hz: int = 8000) -> bytes:
    """A WAV whose header claims any length."""
    form = struct.pack("<HHIIHH", 1, 1, rate_hz, rate_hz * 2, 2, 16)
    head = b"RIFF" + struct.pack("<I", min(claimed_bytes + 36, 0xFFFFFFFF)) + b"WAVEfmt " + struct.pack("<I", 16) + form
    return head + b"data" + struct.pack("<I", min(claimed_bytes, 0xFFFFFFFF)) + data


def mp4_atom(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + name + body


def mp4(seconds: int, reference: bytes | None = None) -> bytes:
    """An MP4 with one track of PCM sound, of any claimed length; its samples may lie in another file or at an address.

    Source: ISO/IEC 14496-12; data references in 8.7.2.
    """
    scale = 8000
    length = seconds * scale
    url = mp4_atom(b"url ", b"\0\0\0\1") if reference is None else mp4_atom(b"url ", b"\0\0\0\0" + reference + b"\0")
    alias = b"" if reference is None else mp4_atom(b"alis", b"\0\0\0\0" + reference)
    sound = bytes(6) + struct.pack(">HHHIHHHHI", 1, 0, 0, 0, 1, 16, 0, 0, scale << 16)
    count = min(length, 0xFFFFFFFF)
    tables = mp4_atom(
        b"stbl",
        mp4_atom(b"stsd", struct.pack(">II", 0, 1), mp4_atom(b"sowt", sound)),
        mp4_atom(b"stts", struct.pack(">IIII", 0, 1, count, 1)),
        mp4_atom(b"stsc", struct.pack(">IIIII", 0, 1, 1, count, 1)),
        mp4_atom(b"stsz", struct.pack(">III", 0, 2, count)),
        mp4_atom(b"stco", struct.pack(">III", 0, 1, 0)),
    )
    media_head = struct.pack(">BxxxQQIQI", 1, 0, 0, scale, length, 0)
    handler = mp4_atom(b"hdlr", struct.pack(">I4s4s", 0, b"mhlr", b"soun"), bytes(13))
    references = mp4_atom(b"dinf", mp4_atom(b"dref", struct.pack(">II", 0, 1), alias or url))
    media = mp4_atom(
        b"mdia", mp4_atom(b"mdhd", media_head), handler,
        mp4_atom(b"minf", mp4_atom(b"smhd", bytes(8)), references, tables),
    )  # fmt: skip
    track = mp4_atom(b"trak", mp4_atom(b"tkhd", struct.pack(">I", 7), bytes(80)), media)
    return mp4_atom(b"ftyp", b"isom\0\0\0\0isom") + mp4_atom(b"moov", track)


def playlists(target: str) -> dict[str, bytes]:
    """Files by name that tell a player to open something else."""
    m3u8 = f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{target}\n#EXT-X-ENDLIST\n".encode()
    key = f'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{target}"\n#EXTINF:9,\n{target}\n'.encode()
    concat = f"ffconcat version 1.0\nfile '{target}'\nduration 10\n".encode()
    dash = (
        f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet>'
        f'<Representation mimeType="audio/mp4"><BaseURL>{target}</BaseURL></Representation></AdaptationSet>'
        "</Period></MPD>"
    ).encode()
    smil = f'<smil><body><video src="{target}"/></body></smil>'.encode()
    sdp = f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\na={target}\n".encode()
    return {
        "list.mp3": m3u8, "list.mp4": key, "list.wav": b"\n" + m3u8, "concat.mp3": concat, "concat.mp4": concat,
        "dash.mp4": dash, "smil.mp4": smil, "call.mp3": sdp, "pls.mp3": f"[playlist]\nFile1={target}\n".encode(),
        "tagged.mp3": b"ID3\x03\0\0\0\0\0\0" + m3u8, "reference.mp4": mp4(10, target.encode()),
        "reference.m4a": mp4(10, target.encode()).replace(b"isom", b"M4A "),
        "riff.avi": b"RIFF\xff\0\0\0AVI " + m3u8, "mkv.webm": b"\x1a\x45\xdf\xa3" + m3u8,
        "rmra.mov": mp4_atom(b"moov", mp4_atom(b"rmra", mp4_atom(b"rmda", mp4_atom(
            b"rdrf", bytes(4), b"url ", struct.pack(">I", len(target)), target.encode())))),
    }  # fmt: skip


def archives() -> dict[str, bytes]:
    """Archives that unpack to much more than they are."""
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(50_000_000))
        archive.writestr("../../escape", b"x")
    return {
        "bomb.zip": zipped.getvalue(), "bomb.docx": zipped.getvalue(), "bomb.png": zipped.getvalue(),
        "bomb.gz": gzip.compress(bytes(50_000_000)), "bomb.mp3": gzip.compress(bytes(50_000_000)),
        "bomb.xz": b"\xfd7zXZ\0\0\x04" + bytes(60), "bomb.zst": b"\x28\xb5\x2f\xfd" + bytes(60),
        "bomb.bz2": b"BZh91AY&SY" + bytes(60), "bomb.7z": b"7z\xbc\xaf\x27\x1c" + bytes(60),
    }  # fmt: skip


def subtitles(cues: int) -> dict[str, bytes]:
    """Captions of very many cues, of cues within cues, and of markup without end."""
    many = "".join(f"{n}\n00:00:00,000 --> 99:59:59,999\nx\n\n" for n in range(cues)).encode()
    short = b"WEBVTT\n\n" + b"0:0.000 --> 0:1.000\na\n\n" * (cues * 2)
    rolling = b"WEBVTT\n\n" + b"".join(
        b"00:00:%02d.000 --> 00:00:%02d.000\n%s\n\n" % (n % 60, n % 60 + 1, b"word " * 400) for n in range(cues // 50)
    )
    return {
        "many.srt": many, "short.vtt": short, "rolling.vtt": rolling,
        "markup.vtt": b"WEBVTT\n\n00:00.000 --> 00:01.000\n" + b"<b>" * (cues * 8),
        "tags.srt": b"1\n00:00:00,000 --> 00:00:01,000\n" + b"{\\an8" * (cues * 4),
        "nested.json3": b'{"wireMagic": "pb3", "events": ' + b"[" * cues * 10,
        "deep.json3": b'{"wireMagic":"pb3","events":[' + b'{"a":' * cues + b"1" + b"}" * cues + b"]}",
        "digits.srt": b"1\n00:00:00,000 --> 00:00:01,000\n" + b"9" * (cues * 20),
        "arrows.srt": b"1\n00:00:00,000 --> 00:00:01,000\n" + b"00:00:00,000 -->" * (cues * 2),
    }  # fmt: skip


def texts(size_bytes: int) -> dict[str, bytes]:
    """Texts of one pattern, which a careless expression would look at for ever."""
    return {
        "letters.txt": b"a" * size_bytes, "spaces.txt": b"x" + b" " * size_bytes,
        "lines.txt": b"x" + b"\n" * size_bytes,
        "tags.html": b"<html>" + b"<" * size_bytes, "open.html": b"<html><script>" * (size_bytes // 14),
        "comments.html": b"<html><!--" * (size_bytes // 10), "entities.html": b"<html>" + b"&" * size_bytes,
        "marks.md": b"# x\n" + b"*_[(`" * (size_bytes // 5), "backticks.md": b"`" * size_bytes,
        "links.md": b"# x\n" + b"[](" * (size_bytes // 3), "brackets.md": b"# x\n" + b"[" * size_bytes,
        "combining.txt": "e\u0301\u0323\u0307".encode() * (size_bytes // 7),
        "marks.txt": b"x" + "\u0301".encode() * (size_bytes // 2),
        "ligatures.txt": "\ufdfa ".encode() * (size_bytes // 4),
        "dashes.txt": b"word-" * (size_bytes // 5), "quotes.txt": b"'" * size_bytes,
        "utf16.txt": b"\xff\xfe" + "ab ".encode("utf-16-le") * (size_bytes // 6),
        "han.txt": "好".encode() * (size_bytes // 3),
    }  # fmt: skip


def sparse(path: Path, head: bytes, size_bytes: int) -> Path:
    """A file that begins like something and has a size, without taking place."""
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size_bytes)
    return path


def noise_pixels(side: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (side, side, 3), dtype=np.uint8))
