"""Tiles (C2SP tlog-tiles): the tree cut into files of 256 hashes, and the entries bundled 256 to a file."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from optout.errors import InvalidProofError
from optout.proof.merkle import HASH_BYTES, Node, node_hash

WIDTH = 256
HEIGHT = 8
MAX_ENTRY_BYTES = 65_535

_LENGTH_BYTES = 2
_PATH = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
_MAX_LEVEL = 63 // HEIGHT


@dataclass(frozen=True, slots=True)
class Tile:
    """Up to 256 hashes of one tile level; the i-th is that of the subtree `Node(8 * level, 256 * index + i)`."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Where it lies below the log's prefix."""
        return f"tile/{self.level}/{_number_path(self.index, self.width)}"


@dataclass(frozen=True, slots=True)
class Bundle:
    """Up to 256 entries; the i-th is entry 256 * index + i."""

    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Where it lies below the log's prefix."""
        return f"tile/entries/{_number_path(self.index, self.width)}"


def parse_path(path: str) -> Tile | Bundle:
    """Read a path; the inverse of `path`.

    Raises:
        InvalidProofError: it is not a path that we would have written.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        raise InvalidProofError("there is no such tile: its path is malformed")
    level, number, width = match.groups()
    index = int(number.replace("/", "").replace("x", ""))
    wide = int(width) if width else WIDTH
    tile = Bundle(index, wide) if level == "entries" else Tile(int(level), index, wide)
    if tile.path != path or (isinstance(tile, Tile) and tile.level > _MAX_LEVEL):
        raise InvalidProofError("there is no such tile: its path is malformed")
    return tile


def tiles_between(old_size: int, size: int) -> Iterator[Tile]:
    """Yield the tiles that a log of `size` entries needs and that of `old_size` had not: lowest level first.

    A checkpoint's own partial tiles are among them: whoever holds that checkpoint must find them for ever.
    """
    level = 0
    while size >> (HEIGHT * level):
        old, new = old_size >> (HEIGHT * level), size >> (HEIGHT * level)
        if old < new:
            for index in range(old // WIDTH, -(-new // WIDTH)):
                yield Tile(level, index, min(WIDTH, new - index * WIDTH))
        level += 1


def bundles_between(old_size: int, size: int) -> Iterator[Bundle]:
    """Yield the entry bundles that a log of `size` entries needs and that of `old_size` had not."""
    if old_size < size:
        for index in range(old_size // WIDTH, -(-size // WIDTH)):
            yield Bundle(index, min(WIDTH, size - index * WIDTH))


def outgrown(old_size: int, size: int) -> Iterator[Tile | Bundle]:
    """Yield the full tiles and bundle of `size` whose partial forms a log of `old_size` had published."""
    level = 0
    while old_size >> (HEIGHT * level):
        old, new = old_size >> (HEIGHT * level), size >> (HEIGHT * level)
        if old % WIDTH and old // WIDTH < new // WIDTH:
            yield Tile(level, old // WIDTH)
            if level == 0:
                yield Bundle(old // WIDTH)
        level += 1


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """Join entries, each behind its length as two bytes, big-endian; `decode_bundle` is the inverse.

    Raises:
        InvalidProofError: an entry is longer than the format can say.
    """
    parts = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise InvalidProofError(f"an entry may have {MAX_ENTRY_BYTES} bytes at most", limit=MAX_ENTRY_BYTES)
        parts += [len(entry).to_bytes(_LENGTH_BYTES, "big"), entry]
    return b"".join(parts)


def decode_bundle(data: bytes, width: int) -> list[bytes]:
    """Split a bundle into its `width` entries.

    Raises:
        InvalidProofError: it does not hold exactly that many.
    """
    entries = []
    at = 0
    while at < len(data):
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(data[at:start], "big")
        entries.append(data[start:at])
    if at != len(data) or len(entries) != width:
        raise InvalidProofError(f"an entry bundle does not hold the {width} entries that it should", width=width)
    return entries


def split_hashes(tile: Tile, data: bytes) -> list[bytes]:
    """Split a tile's bytes into its hashes.

    Raises:
        InvalidProofError: it does not have the length of its width.
    """
    if len(data) != tile.width * HASH_BYTES:
        raise InvalidProofError(f"{tile.path} has {len(data)} bytes, and must have {tile.width * HASH_BYTES}")
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


class TileReader:
    """A `HashReader` over the tiles of a log with `size` entries; each tile is fetched once.

    It believes what it reads: whoever proves to others first compares a root from it with a signed one.
    """

    def __init__(self, size: int, fetch: Callable[[Tile], bytes]) -> None:
        self.size = size
        self._fetch = fetch
        self._hashes: dict[Tile, list[bytes]] = {}

    def read(self, nodes: Sequence[Node]) -> list[bytes]:
        """Return a hash a node, in the order asked.

        Raises:
            InvalidProofError: a tile has the wrong length, or a node is not complete at this size.
        """
        return [self._hash(node) for node in nodes]

    def tile(self, tile: Tile) -> list[bytes]:
        """Return the hashes of one tile.

        Raises:
            InvalidProofError: it has the wrong length.
        """
        if tile not in self._hashes:
            self._hashes[tile] = split_hashes(tile, self._fetch(tile))
        return self._hashes[tile]

    def _hash(self, node: Node) -> bytes:
        if (node.index + 1) << node.level > self.size:
            raise InvalidProofError(f"the log of {self.size} entries has no complete subtree {node.level}/{node.index}")
        level, below = divmod(node.level, HEIGHT)
        first = node.index << below
        index, offset = divmod(first, WIDTH)
        tile = Tile(level, index, min(WIDTH, (self.size >> (HEIGHT * level)) - index * WIDTH))
        return fold(self.tile(tile)[offset : offset + (1 << below)])


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the hash over a complete subtree of 1, 2, 4, … hashes."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(level[i], level[i + 1]) for i in range(0, len(level), 2)]
    return level[0]


def _number_path(index: int, width: int) -> str:
    """Three digits a folder, all but the last with an `x`: 1234067 is x001/x234/067."""
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
    return path if width == WIDTH else f"{path}.p/{width}"
