"""Recordings whose headers lie, whose parts refer to themselves or to other files, and which unpack to too much."""

import struct
import tempfile
import zlib
from functools import cache
from pathlib import Path

import hostile_media
import synthetic_sound
from hostile_media import mp4_atom

# Container and codec by suffix; the sound is short, so that all of them are made in a second.
FORMATS = {
    "wav": ("wav", "pcm_s16le"),
    "flac": ("flac", "flac"),
    "mp3": ("mp3", "libmp3lame"),
    "ogg": ("ogg", "libopus"),
    "m4a": ("ipod", "aac"),
    "mp4": ("mp4", "aac"),
    "mov": ("mov", "pcm_s16le"),
    "mkv": ("matroska", "pcm_s16le"),
    "webm": ("webm", "libopus"),
    "avi": ("avi", "libmp3lame"),
    "wma": ("asf", "libmp3lame"),
    "flv": ("flv", "libmp3lame"),
    "ts": ("mpegts", "aac"),
    "mpg": ("mpeg", "mp2"),
    "aiff": ("aiff", "pcm_s16be"),
    "au": ("au", "pcm_s16be"),
    "caf": ("caf", "pcm_s16le"),
    "w64": ("w64", "pcm_s16le"),
    "tta": ("tta", "tta"),
    "wv": ("wv", "wavpack"),
    "aac": ("adts", "aac"),
    "ac3": ("ac3", "ac3"),
}


@cache
def whole() -> dict[str, bytes]:
    """An honest recording in each format that is read."""
    made = {}
    with tempfile.TemporaryDirectory() as folder:
        for suffix, (container, codec) in FORMATS.items():
            path = Path(folder) / f"whole.{suffix}"
            synthetic_sound.write_sound(
                path,
                synthetic_sound.melody(4.0, rate_hz=48_000),
                codec=codec,
                container_format=container,
                rate_hz=48_000,
            )
            made[path.name] = path.read_bytes()
    return made


def waves() -> dict[str, bytes]:
    def wave(form: bytes, data: bytes = b"\1\2" * 50_000, before: bytes = b"") -> bytes:
        chunks = before + b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
        return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks

    def form(tag: int = 1, channels: int = 1, rate: int = 8000, block: int = 2, bits: int = 16) -> bytes:
        return struct.pack("<HHIIHH", tag, channels, rate, rate * block & 0xFFFFFFFF, block, bits)

    nested = b""
    for _ in range(3000):
        nested = b"LIST" + struct.pack("<I", len(nested) + 4) + b"INFO" + nested
    sizes = struct.pack("<QQQI", 2**63, 2**63, 2**63, 2**31)
    return {
        "no-rate.wav": wave(form(rate=0)),
        "most-rate.wav": wave(form(rate=2**32 - 1)),
        "no-block.wav": wave(form(block=0)),
        "channels.wav": wave(form(channels=65_535)),
        "no-channels.wav": wave(form(channels=0)),
        "bits.wav": wave(form(bits=65_535)),
        "no-bits.wav": wave(form(bits=0)),
        "codec.wav": wave(form(0x55)),
        "adpcm.wav": wave(form(2, 2, 8000, 65_535, 4)),
        "gsm.wav": wave(form(0x31, 1, 8000, 65, 0)),
        "no-form.wav": b"RIFF\xff\0\0\0WAVEdata\xff\0\0\0" + bytes(999),
        "nested.wav": wave(form(), before=nested),
        "slow.wav": wave(form(rate=1)),
        "rf64.wav": b"RF64\xff\xff\xff\xffWAVEds64" + struct.pack("<I", 28) + sizes + wave(form())[12:],
        "chunks.wav": wave(form(), before=b"junk\0\0\0\0" * 200_000),
    }


def frames(target: str) -> dict[str, bytes]:
    """MP3, FLAC and Ogg with tags that claim gigabytes, are compressed, or name something else."""
    honest = whole()
    mp3, flac, ogg = honest["whole.mp3"], honest["whole.flac"], honest["whole.ogg"]

    def tag(*contents: bytes, version: int = 4, flags: int = 0) -> bytes:
        body = b"".join(contents)
        size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
        return b"ID3" + bytes((version, 0, flags)) + size + body

    def frame(name: bytes, data: bytes, flags: int = 0) -> bytes:
        size = bytes(len(data) >> shift & 0x7F for shift in (21, 14, 7, 0))
        return name + size + struct.pack(">H", flags) + data

    packed = zlib.compress(bytes(100_000_000), 9)
    stated = bytearray(flac)
    stated[18:26] = b"\xff" * 8
    block = b"\x04" + (2**24 - 1).to_bytes(3, "big")
    table = b"\x03" + (18 * 50_000).to_bytes(3, "big") + b"\xff" * (18 * 50_000)
    page = ogg[: 28 + sum(ogg[27 : 27 + ogg[26]])]
    return {
        "size.mp3": b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + mp3,
        "packed.mp3": tag(frame(b"COMM", b"\x7f\x7f\x7f\x7f" + packed, 9)) + mp3,
        "address.mp3": tag(frame(b"WXXX", b"\0\0" + target.encode()), frame(b"APIC", b"\0-->\0\0\0" + target.encode()))
        + mp3,
        "frames.mp3": tag(frame(b"TXXX", b"\0a\0b") * 50_000) + mp3,
        "unsynchronised.mp3": tag(b"\xff\0" * 90_000, flags=0x80) + mp3,
        "picture.mp3": tag(b"APIC\x7f\x7f\x7f\x7f\0\0" + bytes(99)) + mp3,
        "extended.mp3": tag(b"\x7f" * 99, flags=0x40) + mp3,
        "chapters.mp3": tag(*[frame(b"CHAP", b"a\0" + b"\xff" * 16)] * 9_000) + mp3,
        "items.mp3": mp3
        + b"APETAGEX"
        + struct.pack("<IIII", 2000, 2**31, 2**32 - 1, 0)
        + bytes(8)
        + b"TAG"
        + bytes(125),
        "xing.mp3": mp3.replace(b"Info", b"Xing", 1).replace(b"Lavf", b"\xff" * 4),
        "sync.mp3": b"\xff\xfb\x90\x00" * 100_000,
        "zeros.mp3": b"ID3\x03\0\0\0\0\0\0" + bytes(3_000_000),
        "samples.flac": bytes(stated),
        "block.flac": flac[:42] + block + flac[42:],
        "blocks.flac": flac[:4] + b"\x01\0\0\0" * 500_000 + flac[4:],
        "seeks.flac": flac[:42] + table + flac[42:],
        "picture.flac": flac[:42] + b"\x06\0\0\x28" + struct.pack(">II", 3, 2**31) + bytes(32) + flac[42:],
        "chain.ogg": ogg * 40,
        "heads.ogg": page * 5_000,
        "granule.ogg": ogg.replace(ogg[6:14], b"\xff" * 8),
        "channels.ogg": ogg.replace(b"OpusHead\x01\x01", b"OpusHead\x01\xff"),
        "mapping.ogg": ogg[:46] + b"\xff" + ogg[47:],
        "comments.ogg": ogg.replace(b"OpusTags", b"OpusTags\xff\xff\xff\x7f", 1),
        "empty-pages.ogg": b"OggS" + bytes(23) * 50_000,
    }


def boxes(target: str) -> dict[str, bytes]:
    """MP4 whose tables, boxes and references lie. Source: ISO/IEC 14496-12; compressed headers are QuickTime's."""
    honest = whole()["whole.mp4"]

    def stated(box: bytes, at: int, value: bytes) -> bytes:
        place = honest.index(box) + 4 + at
        return honest[:place] + value + honest[place + len(value) :]

    head = mp4_atom(b"ftyp", b"isom\0\0\0\0isom")
    nested = mp4_atom(b"free")
    for _ in range(3000):
        nested = mp4_atom(b"moov", nested)
    packed = zlib.compress(bytes(200_000_000), 9)
    squeezed = mp4_atom(
        b"moov", mp4_atom(b"cmov", mp4_atom(b"dcom", b"zlib"), mp4_atom(b"cmvd", struct.pack(">I", 2**31 - 1), packed))
    )
    pieces = mp4_atom(
        b"moof",
        mp4_atom(
            b"traf",
            mp4_atom(b"tfhd", struct.pack(">II", 0, 1)),
            mp4_atom(b"trun", struct.pack(">II", 0x101, 2**31 - 1)),
        ),
    )
    cover = mp4_atom(
        b"udta", mp4_atom(b"meta", bytes(4), mp4_atom(b"ilst", mp4_atom(b"covr", struct.pack(">I", 2**31) + b"data")))
    )
    script = mp4_atom(
        b"moov", mp4_atom(b"udta", mp4_atom(b"\xa9url", struct.pack(">HH", len(target), 0) + target.encode()))
    )
    return {
        "times.mp4": stated(b"stts", 4, b"\xff" * 4),
        "sizes.mp4": stated(b"stsz", 8, b"\xff" * 4),
        "chunks.mp4": stated(b"stsc", 4, b"\x7f" + b"\xff" * 3),
        "offsets.mp4": stated(b"stco", 8, b"\xff" * 4),
        "scale.mp4": stated(b"mdhd", 12, bytes(4)),
        "length.mp4": stated(b"mdhd", 16, b"\xff" * 4),
        "entries.mp4": stated(b"stsd", 4, b"\x7f" + b"\xff" * 3),
        "size-0.mp4": head + b"\0\0\0\0moov" + bytes(99),
        "wraps.mp4": head + b"\0\0\0\x01moov" + b"\xff" * 8,
        "small.mp4": head + b"\0\0\0\x01free\0\0\0\0\0\0\0\x01" * 9_000,
        "nested.mp4": head + nested,
        "squeezed.mov": squeezed,
        "pieces.mp4": honest + pieces * 500,
        "cover.mp4": head + mp4_atom(b"moov", cover),
        "address.mov": script + honest,
        "heads.mp4": head * 20_000 + honest[len(head) :],
        "alias.mov": hostile_media.mp4(10, target.encode()).replace(b"ftypisom", b"ftypqt  "),
        "movies.mp4": honest + honest,
        "free.mp4": head + mp4_atom(b"free") * 300_000,
    }


def ebml(name: bytes, data: bytes, size: bytes | None = None) -> bytes:
    return name + (size or (len(data) | 1 << 56).to_bytes(8, "big")) + data


def matroskas(target: str) -> dict[str, bytes]:
    """Matroska that leads in circles, links to other files, or unpacks to too much. Source: RFC 9559."""
    honest = whole()["whole.mkv"]
    head = ebml(b"\x1a\x45\xdf\xa3", ebml(b"\x42\x82", b"matroska"))
    unknown = b"\x01" + b"\xff" * 7
    seek = ebml(
        b"\x11\x4d\x9b\x74", ebml(b"\x4d\xbb", ebml(b"\x53\xab", b"\x11\x4d\x9b\x74") + ebml(b"\x53\xac", b"\0"))
    )
    info = ebml(b"\x15\x49\xa9\x66", ebml(b"\x3c\x83\xab", target.encode()) + ebml(b"\x3e\x83\xbb", target.encode()))
    packing = ebml(b"\x6d\x80", ebml(b"\x62\x40", ebml(b"\x50\x34", ebml(b"\x42\x54", b"\0"))))
    track = ebml(b"\xae", ebml(b"\xd7", b"\1") + ebml(b"\x83", b"\2") + ebml(b"\x86", b"A_PCM/INT/LIT") + packing)
    block = ebml(b"\xa3", b"\x81\0\0\x80" + zlib.compress(bytes(100_000_000), 9))
    bomb = ebml(b"\x16\x54\xae\x6b", track) + ebml(b"\x1f\x43\xb6\x75", ebml(b"\xe7", b"\0") + block * 9)
    nested = b""
    for _ in range(500):
        nested = ebml(b"\x73\x73", nested)
    file = ebml(b"\x61\xa7", ebml(b"\x46\x6e", target.encode()) + b"\x46\x5c\x08\0\0\x7f\xff\xff\xff\xff\xff")
    laced = ebml(b"\xa3", b"\x81\0\0\x86\xff" + b"\xff" * 255)
    return {
        "ring.mkv": head + ebml(b"\x18\x53\x80\x67", seek * 3000, unknown),
        "linked.mkv": head + ebml(b"\x18\x53\x80\x67", info, unknown) + honest[60:],
        "bomb.mkv": head + ebml(b"\x18\x53\x80\x67", bomb),
        "tags.mkv": head + ebml(b"\x18\x53\x80\x67", ebml(b"\x12\x54\xc3\x67", nested)),
        "attached.mkv": head + ebml(b"\x18\x53\x80\x67", ebml(b"\x19\x41\xa4\x69", file)),
        "cut.mkv": honest[:300] + b"\xff" * 5_000,
        "laced.mkv": head
        + ebml(
            b"\x18\x53\x80\x67",
            ebml(b"\x16\x54\xae\x6b", track.replace(packing, b"")) + ebml(b"\x1f\x43\xb6\x75", laced * 900),
        ),
        "segments.mkv": head + ebml(b"\x18\x53\x80\x67", b"", unknown) * 20_000,
        "size.mkv": head + b"\x18\x53\x80\x67\x01" + b"\xfe" * 7,
        "id.mkv": b"\x1a\x45\xdf\xa3\x88\x42\xf2\x88" + b"\xff" * 90,
        "voids.mkv": head + ebml(b"\x18\x53\x80\x67", b"\xec\x80" * 500_000),
    }


def others(target: str) -> dict[str, bytes]:
    """The rarer containers: lengths of everything and of nothing, and indexes that lead to themselves."""
    honest = whole()
    avi, asf, flv, caf = honest["whole.avi"], honest["whole.wma"], honest["whole.flv"], honest["whole.caf"]
    aiff, au, w64, tta, wv = (honest[f"whole.{name}"] for name in ("aiff", "au", "w64", "tta", "wv"))
    nested = b""
    for _ in range(3000):
        nested = b"LIST" + struct.pack("<I", len(nested) + 4) + b"hdrl" + nested
    index = b"indx" + struct.pack("<IHBBI", 40, 4, 0, 0, 2) + b"00wb" + bytes(12) + struct.pack("<QII", 0, 32, 1)
    script = bytes.fromhex("301afb1e620bd011a39b00a0c90348f6") + struct.pack("<Q", 24 + len(target)) + target.encode()
    rate = aiff.index(b"COMM") + 16
    return {
        "nested.avi": b"RIFF\xff\xff\0\0AVI " + nested,
        "index.avi": avi[:12] + index * 3000 + avi[12:],
        "form.avi": avi.replace(b"strf", b"strf\xff\xff\xff\x7f", 1),
        "scale.avi": avi[: avi.index(b"strh") + 28] + bytes(8) + avi[avi.index(b"strh") + 36 :],
        "size.asf": asf[:16] + b"\xff" * 8 + asf[24:],
        "none.asf": asf[:16] + bytes(8) + asf[24:],
        "script.asf": asf[:30] + script + asf[30:],
        "objects.asf": asf[:24] + b"\xff" * 4 + asf[28:],
        "tags.flv": flv[:13] + b"\x09\0\0\0" * 200_000,
        "nested.flv": flv[:13] + b"\x12\0\xff\xff" + bytes(7) + b"\x02\0\x0aonMetaData" + b"\x08\0\0\0\1\0\1a" * 8_000,
        "offset.flv": flv[:5] + b"\xff" * 4 + flv[9:],
        "packets.ts": b"\x47\x40\x00\x10" * 47 * 900,
        "same.ts": honest["whole.ts"][:188] * 5_000,
        "pack.mpg": b"\0\0\x01\xba" * 100_000,
        "length.mpg": honest["whole.mpg"][:20] + b"\0\0\x01\xc0\xff\xff" * 5_000,
        "infinite.aiff": aiff[:rate] + b"\x7f" + b"\xff" * 9 + aiff[rate + 10 :],
        "zero.aiff": aiff[:rate] + bytes(10) + aiff[rate + 10 :],
        "negative.aiff": aiff[:rate] + b"\xff" * 10 + aiff[rate + 10 :],
        "head.au": au[:4] + b"\xff" * 4 + au[8:],
        "channels.au": au[:20] + b"\xff" * 4 + au[24:],
        "rate.au": au[:16] + bytes(4) + au[20:],
        "size.caf": caf[:12] + b"\x80" + bytes(7) + caf[20:],
        "packets.caf": caf[:8] + b"pakt" + struct.pack(">QQQII", 24, 2**63, 2**63, 0, 0) + caf[8:],
        "rate.caf": caf[:20] + b"\x7f\xf0" + bytes(6) + caf[28:],
        "size.w64": w64[:16] + b"\xff" * 8 + w64[24:],
        "zero.w64": w64[:56] + bytes(8) + w64[64:],
        "samples.tta": tta[:14] + b"\xff" * 4 + tta[18:],
        "rate.tta": tta[:10] + bytes(4) + tta[14:],
        "block.wv": wv[:4] + b"\xff" * 4 + wv[8:],
        "samples.wv": wv[:12] + b"\xff" * 12 + wv[24:],
        "table.ape": b"MAC \x96\x0f\0\0" + struct.pack("<IIIIIII", 52, 24, 2**31, 0, 2**31, 0, 0) + bytes(99),
        "block.dsf": b"DSD "
        + struct.pack("<QQQ", 28, 2**63, 0)
        + b"fmt "
        + struct.pack("<QIIIIIIQII", 52, 1, 0, 9, 2**31, 2**31, 1, 2**63, 0, 0),
        "frames.amr": b"#!AMR\n" + b"\x78" * 200_000,
        "frames.aac": b"\xff\xf1\x50\x80\0\x1f\xfc" * 100_000,
        "frames.ac3": b"\x0b\x77\xff\xff\xff\xff" * 50_000,
    }


def sounds(target: str) -> dict[str, bytes]:
    return {**waves(), **frames(target), **boxes(target), **matroskas(target), **others(target)}
