"""The right edge of a tiled tree: enough to append entries and to know the root, without reading the rest."""

from collections.abc import Iterator, Sequence

from optout.errors import InvalidProofError
from optout.proof import merkle
from optout.proof.merkle import Node
from optout.proof.tiles import HEIGHT, WIDTH, Tile, TileReader, fold


class Edge:
    """A log that grows: it starts from the partial tiles of its old size, and gives out each tile as it fills."""

    def __init__(self, old: TileReader) -> None:
        self.size = old.size
        self._levels: list[list[bytes]] = []
        count = old.size
        while count:
            level, width = len(self._levels), count % WIDTH
            self._levels.append(list(old.tile(Tile(level, count // WIDTH, width))) if width else [])
            count >>= HEIGHT
        self._old_size = old.size

    def extend(self, bundle: Sequence[bytes]) -> Iterator[tuple[Tile, bytes]]:
        """Append the leaf hashes of one bundle, from its first on, and yield the tiles that it fills.

        Raises:
            InvalidProofError: the bundle does not begin with the leaves that are in the tree already.
        """
        known = self._levels[0] if self._levels else []
        if list(bundle[: len(known)]) != known:
            raise InvalidProofError("entries that are in the log already have changed")
        for leaf in bundle[len(known) :]:
            yield from self._push(0, leaf)
            self.size += 1

    def partial(self) -> Iterator[tuple[Tile, bytes]]:
        """Yield the tiles that are not full, where they have grown since the old size."""
        for level, hashes in enumerate(self._levels):
            count = self.size >> (HEIGHT * level)
            if hashes and count != self._old_size >> (HEIGHT * level):
                yield Tile(level, count // WIDTH, len(hashes)), b"".join(hashes)

    def root(self) -> bytes:
        """Return the root over everything appended so far."""
        return merkle.root(self.size, self)

    def read(self, nodes: Sequence[Node]) -> list[bytes]:
        """Return hashes of complete subtrees within the edge; a root needs no others."""
        hashes = []
        for node in nodes:
            level, below = divmod(node.level, HEIGHT)
            offset = (node.index << below) % WIDTH
            hashes.append(fold(self._levels[level][offset : offset + (1 << below)]))
        return hashes

    def _push(self, level: int, one: bytes) -> Iterator[tuple[Tile, bytes]]:
        if level == len(self._levels):
            self._levels.append([])
        hashes = self._levels[level]
        hashes.append(one)
        if len(hashes) == WIDTH:
            index = self.size >> (HEIGHT * (level + 1))
            yield Tile(level, index), b"".join(hashes)
            above = fold(hashes)
            hashes.clear()
            yield from self._push(level + 1, above)
