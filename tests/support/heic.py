"""Writes HEIC pictures, as telephones do: HEVC still frames in the boxes of ISO/IEC 23008-12, by way of x265."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from PIL import Image

_START = b"\0\0\0\1"
_PARAMETERS = (32, 33, 34)  # VPS, SPS, PPS


@dataclass(frozen=True)
class Still:
    """One picture of a file.

    Attributes:
        image: RGB, or L for one that is transparency.
        depth: 8 or 10 bits.
        turns: quarter turns against the clock that a program has to make (`irot`).
        stated: width and height as the file states them, if not the true ones.
        alpha: transparency of the same size, mode L.
    """

    image: Image.Image
    depth: int = 8
    turns: int = 0
    stated: tuple[int, int] | None = None
    alpha: Image.Image | None = None


def heic(*stills: Still, primary: int = 0, exif: bytes = b"") -> bytes:
    """A file of some pictures, of which one is the primary one, that programs show."""
    flat: list[tuple[Still, int]] = [(one, 0) for one in stills]
    flat += [(Still(one.alpha), number) for number, one in enumerate(stills, 1) if one.alpha is not None]
    coded = [_coded(one.image, one.depth) for one, _ in flat]
    payloads = [b"".join(struct.pack(">I", len(nal)) + nal for nal in slices) for _, slices in coded]
    kinds = [b"hvc1"] * len(flat)
    if exif:
        payloads.append(struct.pack(">I", 0) + exif)
        kinds.append(b"Exif")
    properties: list[bytes] = []
    associations: list[tuple[int, list[int]]] = []
    for number, ((one, of), (headers, _)) in enumerate(zip(flat, coded, strict=True), 1):
        size = one.stated or one.image.size
        mine = [_box(b"hvcC", _configuration(headers, one)), _full(b"ispe", struct.pack(">II", *size))]
        if one.turns:
            mine.append(_box(b"irot", bytes([one.turns])))
        if of:
            mine.append(_full(b"auxC", b"urn:mpeg:hevc:2015:auxid:1\0"))
        associations.append((number, list(range(len(properties) + 1, len(properties) + 1 + len(mine)))))
        properties += mine
    references = b"".join(
        _box(b"auxl", struct.pack(">HHH", number, 1, of)) for number, (_, of) in enumerate(flat, 1) if of
    )
    if exif:
        references += _box(b"cdsc", struct.pack(">HHH", len(kinds), 1, primary + 1))
    head = _box(b"ftyp", b"heic\0\0\0\0mif1heic")
    size = len(_meta(kinds, primary, properties, associations, references, payloads, 0))
    meta = _meta(kinds, primary, properties, associations, references, payloads, len(head) + size + 8)
    return head + meta + _box(b"mdat", b"".join(payloads))


def _meta(
    kinds: Sequence[bytes],
    primary: int,
    properties: Sequence[bytes],
    associations: Sequence[tuple[int, list[int]]],
    references: bytes,
    payloads: Sequence[bytes],
    start: int,
) -> bytes:
    entries = b"".join(
        _full(b"infe", struct.pack(">HH", number, 0) + kind + b"\0", version=2) for number, kind in enumerate(kinds, 1)
    )
    links = struct.pack(">I", len(associations))
    for number, which in associations:
        links += struct.pack(">HB", number, len(which)) + bytes(0x80 | each for each in which)
    return _full(
        b"meta",
        b"".join([
            _full(b"hdlr", b"\0\0\0\0pict" + bytes(12) + b"\0"),
            _full(b"pitm", struct.pack(">H", primary + 1)),
            _full(b"iinf", struct.pack(">H", len(kinds)) + entries),
            _box(b"iprp", _box(b"ipco", b"".join(properties)) + _full(b"ipma", links)),
            _full(b"iref", references) if references else b"",
            _full(b"iloc", b"\x44\0" + struct.pack(">H", len(payloads)) + b"".join(_locations(payloads, start))),
        ]),
    )  # fmt: skip


def _locations(payloads: Sequence[bytes], start: int) -> Iterator[bytes]:
    for number, payload in enumerate(payloads, 1):
        yield struct.pack(">HHHII", number, 0, 1, start, len(payload))
        start += len(payload)


def _coded(image: Image.Image, depth: int) -> tuple[list[bytes], list[bytes]]:
    """Encode a picture: its parameter sets, and its slices."""
    grey = image.mode == "L"
    pixel_format = {(True, 8): "gray", (False, 8): "yuv444p", (False, 10): "yuv444p10le"}[grey, depth]
    context = av.CodecContext.create("libx265", "w")
    context.width, context.height = image.size
    context.pix_fmt = pixel_format
    context.time_base = Fraction(1, 25)
    context.options = {
        "x265-params": "keyint=1:log-level=none:info=0:crf=4:pools=none:frame-threads=1",
        "preset": "ultrafast",
    }
    frame = av.VideoFrame.from_ndarray(np.asarray(image), "gray" if grey else "rgb24").reformat(format=pixel_format)
    packets = [*context.encode(frame), *context.encode(None)]
    nals = [nal for packet in packets for nal in bytes(packet).replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if nal]
    kinds = [nal[0] >> 1 & 63 for nal in nals]
    headers = [nal for nal, kind in zip(nals, kinds, strict=True) if kind in _PARAMETERS]
    return headers, [nal for nal, kind in zip(nals, kinds, strict=True) if kind < min(_PARAMETERS)]


def _configuration(headers: Sequence[bytes], one: Still) -> bytes:
    """The decoder's configuration record. Source: ISO/IEC 14496-15, 8.3.3.1."""
    sps = next(nal for nal in headers if nal[0] >> 1 & 63 == _PARAMETERS[1])
    profile = sps[3:15].replace(b"\0\0\3", b"\0\0")[:12].ljust(12, b"\0")  # profile, tier and level
    chroma = 0 if one.image.mode == "L" else 3
    record = b"\1" + profile + b"\xf0\0\xfc" + bytes([0xFC | chroma, 0xF8 | one.depth - 8, 0xF8 | one.depth - 8])
    record += b"\0\0\x0f" + bytes([len(headers)])
    for nal in headers:
        record += bytes([0x80 | nal[0] >> 1 & 63]) + struct.pack(">HH", 1, len(nal)) + nal
    return record


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def _full(kind: bytes, content: bytes, version: int = 0) -> bytes:
    return _box(kind, bytes([version, 0, 0, 0]) + content)
