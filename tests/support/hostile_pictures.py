"""Pictures whose headers lie, whose parts refer to themselves or to other files, and which unpack to too much."""

import io
import struct
import zlib

import hostile_media
import synthetic_media
from heic import Still, heic
from hostile_media import mp4_atom, png_chunk
from PIL import Image

FORMATS = {
    "png": "PNG",
    "jpg": "JPEG",
    "gif": "GIF",
    "webp": "WEBP",
    "tif": "TIFF",
    "bmp": "BMP",
    "avif": "AVIF",
    "jp2": "JPEG2000",
}


def whole() -> dict[str, bytes]:
    """An honest picture in each format that is read."""
    picture = synthetic_media.natural_picture(3, (240, 180))
    pictures = {f"whole.{suffix}": synthetic_media.encoded(picture, name) for suffix, name in FORMATS.items()}
    return {**pictures, "whole.heic": heic(Still(picture))}


def pngs(target: str) -> dict[str, bytes]:
    start, end = b"\x89PNG\r\n\x1a\n", png_chunk(b"IEND", b"")

    def head(width: int = 9, height: int = 9, bits: int = 8, colour: int = 2, interlaced: int = 0) -> bytes:
        return png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced))

    pixels = png_chunk(b"IDAT", zlib.compress(bytes(28 * 9)))
    text = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><!DOCTYPE a [<!ENTITY b SYSTEM "{target}">]>&b;</x:xmpmeta>'.encode()
    loop = hostile_media.tiff_of_loops(3000)
    return {
        "no-width.png": start + head(0, 9) + pixels + end,
        "most-width.png": start + head(2**31 - 1, 1, 1, 0) + pixels + end,
        "overflow.png": start + head(2**32 - 1, 2**32 - 1) + pixels + end,
        "interlaced.png": start + head(60_000, 60_000, 8, 2, 1) + pixels + end,
        "no-palette.png": start + head(colour=3) + pixels + end,
        "endless-chunk.png": start + head() + struct.pack(">I", 0xFFFFFFFF) + b"IDAT" + bytes(99),
        "many-chunks.png": start + head() + png_chunk(b"tEXt", b"a\0b") * 200_000 + pixels + end,
        "many-texts.png": start + head() + png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(900_000), 9)) * 3000 + end,
        "empty-parts.png": start + head() + png_chunk(b"IDAT", b"") * 100_000 + pixels + end,
        "animated.png": start + head() + png_chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)) + pixels + end,
        "ended.png": start + head() + end + pixels,
        "twice.png": start + head() + head(20_000, 20_000) + pixels + end,
        "exif.png": start + head() + png_chunk(b"eXIf", loop) + pixels + end,
        "xmp.png": start + head() + png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + text) + pixels + end,
    }


def jpegs(target: str) -> dict[str, bytes]:
    """A scan bomb holds thousands of passes over a picture; a thumbnail's offset leads to the picture itself."""
    stream = io.BytesIO()
    Image.effect_noise((200, 150), 90).convert("RGB").save(stream, "JPEG", progressive=True)
    plain = stream.getvalue()
    frame = plain.index(b"\xff\xc2")
    scan = plain.index(b"\xff\xda")
    huge = bytearray(plain)
    huge[frame + 5 : frame + 9] = struct.pack(">HH", 9_900, 9_900)
    tall = bytearray(plain)
    tall[frame + 5 : frame + 9] = struct.pack(">HH", 65_500, 65_500)
    flat = bytearray(plain)
    flat[frame + 5 : frame + 7] = b"\0\0"
    one_scan = plain[scan : plain.index(b"\xff\xda", scan + 2)] if b"\xff\xda" in plain[scan + 2 :] else plain[scan:-2]
    thumbnail = b"II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 0x0201, 4, 1, 0) + struct.pack("<I", 8)
    profile = b"\xff\xe2" + struct.pack(">H", 16) + b"ICC_PROFILE\0\x01\xff"
    xmp = f'http://ns.adobe.com/xap/1.0/\0<!DOCTYPE a [<!ENTITY b SYSTEM "{target}">]><a>&b;</a>'.encode()
    mpo = b"\xff\xe2" + struct.pack(">H", 60) + b"MPF\0II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 0xB001, 4, 1, 2**31)
    return {
        "scans.jpg": bytes(huge[:scan]) + one_scan * 3000 + b"\xff\xd9",
        "tall.jpg": bytes(tall),
        "flat.jpg": bytes(flat),
        "thumbnail.jpg": hostile_media.jpeg_with_exif(thumbnail),
        "long-segment.jpg": plain[:2] + b"\xff\xe1\xff\xff" + plain[2:],
        "short-segment.jpg": plain[:2] + b"\xff\xe1\0\0" * 9_000 + plain[2:],
        "profile.jpg": plain[:2] + profile * 3000 + plain[2:],
        "fill.jpg": plain[:2] + b"\xff" * 500_000 + plain[2:],
        "xmp.jpg": plain[:2] + b"\xff\xe1" + struct.pack(">H", len(xmp) + 2) + xmp + plain[2:],
        "comments.jpg": plain[:2] + b"\xff\xfe\0\x02" * 100_000 + plain[2:],
        "several.jpg": plain[:2] + mpo + bytes(34) + plain[2:],
        "tables.jpg": plain[:2] + b"\xff\xc4\0\x13\x7f" + b"\xff" * 16 + plain[2:],
    }


def gifs() -> dict[str, bytes]:
    def gif(width: int, height: int, body: bytes) -> bytes:
        return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6) + body + b";"

    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    outside = b"," + struct.pack("<HHHHB", 60_000, 60_000, 9, 9, 0) + b"\x02\x02\x44\x01\0"
    return {
        "canvas.gif": gif(65_535, 65_535, frame),
        "outside.gif": gif(10, 10, outside),
        "no-code.gif": gif(9, 9, frame[:10] + b"\0" + frame[11:]),
        "code.gif": gif(9, 9, frame[:10] + b"\xff\x02ab\0"),
        "endless.gif": gif(9, 9, frame[:11] + b"\xff" * 300_000),
        "comments.gif": gif(9, 9, b"!\xfe\x01a\0" * 200_000 + frame),
        "none.gif": gif(0, 0, frame),
        "extensions.gif": gif(9, 9, b"!\xf9\x04\0\0\0\0\0" * 200_000),
    }


def tiffs() -> dict[str, bytes]:
    """Directories of any claims; each value is (tag, kind, count, value)."""

    def tiff(*entries: tuple[int, int, int, int], data: bytes = b"", next_at: int = 0) -> bytes:
        table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
        return b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + struct.pack("<I", next_at) + data

    def picture(width: int, height: int, packing: int, *more: tuple[int, int, int, int], data: bytes) -> bytes:
        entries = [
            (256, 4, 1, width),
            (257, 4, 1, height),
            (258, 3, 1, 8),
            (259, 3, 1, packing),
            (262, 3, 1, 1),
            (273, 4, 1, 200),
            (278, 4, 1, height),
            (279, 4, 1, len(data)),
            *more,
        ]
        made = tiff(*sorted(entries))
        return made + bytes(200 - len(made)) + data

    bomb = zlib.compress(bytes(200_000_000), 9)
    return {
        "inflated.tif": picture(64, 64, 8, data=bomb),
        "rle.tif": picture(9_000, 9_000, 32773, data=b"\x81\0" * 50_000),
        "lzw.tif": picture(20_000, 4_000, 5, data=b"\x80\x0b\x60" * 9_000),
        "beyond.tif": tiff((256, 4, 1, 9), (257, 4, 1, 9), (273, 4, 1, 2**32 - 9), (279, 4, 1, 2**31)),
        "strips.tif": tiff((256, 4, 1, 9), (257, 4, 1, 9), (273, 4, 2**28, 8), (279, 4, 2**28, 8)),
        "samples.tif": picture(64, 64, 1, (277, 3, 1, 65_535), data=bytes(5_000)),
        "tiles.tif": tiff((256, 4, 1, 99), (257, 4, 1, 99), (322, 4, 1, 2**31), (323, 4, 1, 2**31), (324, 4, 1, 8)),
        "entries.tif": b"II*\0\x08\0\0\0\xff\xff" + struct.pack("<HHII", 270, 2, 2**31 - 1, 8) * 65_535,
        "ring.tif": tiff((256, 4, 1, 9), next_at=8),
        "self.tif": tiff((256, 4, 1, 9), (330, 4, 1, 8), (34665, 4, 1, 8)),
        "none.tif": tiff(),
        "negative.tif": picture(64, 64, 1, (274, 3, 1, 99), (273, 9, 1, 2**31), data=b"x"),
    }


def bmps() -> dict[str, bytes]:
    def bmp(width: int, height: int, bits: int = 24, packing: int = 0, size: int = 40, data: bytes = b"") -> bytes:
        head = struct.pack("<IiiHHIIiiII", size, width, height, 1, bits, packing, 0, 0, 0, 0, 0)
        return b"BM" + struct.pack("<IHHI", 54 + len(data), 0, 0, 54) + head + data

    return {
        "negative.bmp": bmp(-9, 9),
        "least.bmp": bmp(9, -(2**31)),
        "large.bmp": bmp(2**31 - 1, 2**31 - 1),
        "no-bits.bmp": bmp(9, 9, 0),
        "run.bmp": bmp(9_900, 9_900, 8, 1, data=b"\0\2\xff\xff" * 9_000),
        "jpeg.bmp": bmp(9, 9, 0, 4, data=b"\xff\xd8\xff"),
        "mask.bmp": bmp(5_000, 5_000, 32, 3),
        "palette.bmp": bmp(9, 9, 8)[:46] + b"\xff" * 8,
        "short.bmp": bmp(9, 9)[:20],
    }


def newer_formats(target: str) -> dict[str, bytes]:
    """AVIF items that lie elsewhere, in a circle or in a grid of thousands; JPEG 2000 of very many tiles."""
    honest = whole()
    avif, jp2 = honest["whole.avif"], honest["whole.jp2"]
    sized = avif.index(b"ispe") + 8
    located = avif.index(b"iloc")
    claims = avif[:sized] + struct.pack(">II", 30_000, 30_000) + avif[sized + 8 :]
    far = bytearray(avif)
    far[located + 12 : located + 20] = b"\xff" * 8
    elsewhere = avif.replace(b"meta", b"free", 1) + mp4_atom(
        b"meta",
        bytes(4),
        mp4_atom(
            b"dinf", mp4_atom(b"dref", struct.pack(">II", 0, 1), mp4_atom(b"url ", bytes(4) + target.encode() + b"\0"))
        ),
    )
    ftyp = mp4_atom(b"ftyp", b"avif\0\0\0\0avifmif1miaf")
    nested = ftyp
    for _ in range(200):
        nested = ftyp + mp4_atom(b"meta", bytes(4), nested[len(ftyp) :])
    size_at = jp2.index(b"\xff\x51") + 6
    many_tiles = bytearray(jp2)
    many_tiles[size_at + 16 : size_at + 24] = struct.pack(">II", 1, 1)
    large = bytearray(jp2)
    large[size_at : size_at + 8] = struct.pack(">II", 2**31, 2**31)
    layers = bytearray(jp2)
    coding = jp2.index(b"\xff\x52")
    layers[coding + 6 : coding + 8] = b"\xff\xff"
    layers[coding + 9] = 32
    return {
        "claims.avif": claims,
        "far.avif": bytes(far),
        "elsewhere.avif": elsewhere,
        "nested.avif": nested,
        "only-head.avif": ftyp,
        "size.avif": ftyp + struct.pack(">I", 1) + b"meta" + b"\xff" * 8,
        "tiles.jp2": bytes(many_tiles),
        "large.jp2": bytes(large),
        "layers.jp2": bytes(layers),
        "boxes.jp2": jp2[:12] + (b"\0\0\0\x08free" * 100_000) + jp2[12:],
        "box.jp2": jp2[:12] + b"\0\0\0\0jp2c" + jp2[85:],
        "lies.webp": hostile_media.webp(16_384, 16_384, b"VP8X"),
        "one.webp": hostile_media.webp(1, 1, b"VP8 "),
        "chunk.webp": b"RIFF\xff\xff\xff\xffWEBPVP8L\xff\xff\xff\xff\x2f" + bytes(99),
        "chunks.webp": b"RIFF\xff\xff\0\0WEBPVP8X\x0a\0\0\0\x2c" + bytes(9) + b"XMP \0\0\0\0" * 50_000,
    }


def heics(target: str) -> dict[str, bytes]:
    """HEIC pictures that are larger than they say, or say too much; whose parts lie elsewhere, or are missing."""
    honest = whole()["whole.heic"]
    sized, located = honest.index(b"ispe") + 8, honest.index(b"iloc")
    far = bytearray(honest)
    far[located + 18 : located + 22] = b"\xff" * 4
    named = bytearray(honest)
    named[honest.index(b"pitm") + 8 : honest.index(b"pitm") + 10] = b"\xff\xff"
    return {
        "claims.heic": honest[:sized] + struct.pack(">II", 30_000, 30_000) + honest[sized + 8 :],
        "lies.heic": heic(Still(Image.new("RGB", (3000, 2000)), stated=(64, 64))),
        "far.heic": bytes(far),
        "named.heic": bytes(named),
        "elsewhere.heic": honest.replace(b"hvc1", b"uri ", 1).replace(b"pict", target.encode()[:4].ljust(4), 1),
        "no-size.heic": honest.replace(b"ispe", b"free"),
        "no-coding.heic": honest.replace(b"hvcC", b"free"),
        "only-head.heic": honest[: honest.index(b"meta") - 4],
    }


def pictures(target: str) -> dict[str, bytes]:
    return {**pngs(target), **jpegs(target), **gifs(), **tiffs(), **bmps(), **newer_formats(target), **heics(target)}
