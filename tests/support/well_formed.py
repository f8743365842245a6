"""A value that is well-formed on the wire for each algorithm of the registry."""

import struct

FEATURES = bytes.fromhex("0a000000 05000000 0100 01 02 01 00") + b"\x80\x90" + bytes(6) + bytes(16)
GREY = bytes(256 + 32)


def _page(value: bytes) -> bytes:
    return b"PGS1" + struct.pack("<IBBxx4fI", 3, 90, 0, 0, 0, 0, 0, len(value)) + value


VALUES = {
    "sha256": bytes(32),
    "pixels-sha256": bytes(32),
    "key-url": bytes(32),
    "key-youtube": bytes(32),
    "pdq-256": bytes(range(32)),
    "phash-64": bytes(8),
    "dct-256": GREY,
    "sift-itq-128": FEATURES,
    "chromaprint-2": bytes(range(120)),
    "landmark-1024": struct.pack("<4H2I", 1024, 256, 6, 0, 40, 9 << 10 | 50),
    "bandenergy-32": struct.pack("<2H2h2I", 4096, 512, 0, 0, 7, 9),
    "video-dct-256": b"VDF2" + struct.pack("<I", 2000) + (struct.pack("<2I2B", 0, 500, 90, 0) + bytes(288)),
    "video-sift-itq-128": b"VSF1" + struct.pack("<3I", 0, 500, len(FEATURES)) + FEATURES,
    "pages-dct-256": _page(GREY),
    "pages-sift-itq-128": _page(FEATURES),
    "shingle-3": struct.pack("<4I4B", 4, 2, 0, 0, 0, 0, 0, 0b11) + (9 << 26 | 7).to_bytes(7, "little"),
}
