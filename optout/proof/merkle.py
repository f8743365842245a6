"""The Merkle tree of RFC 6962: hashes, roots, and proofs that an entry is in it or that one tree extends another.

Everything that is made is made from complete subtrees, asked of a `HashReader` by level and index: the node of level L
and index I covers the leaves from I * 2**L up to, not including, (I + 1) * 2**L. What is checked needs no reader.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from optout.errors import InvalidProofError

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


@dataclass(frozen=True, slots=True)
class Node:
    """A complete subtree: 2**level leaves, the index-th of its level."""

    level: int
    index: int


class HashReader(Protocol):
    """Whatever can tell the hashes of complete subtrees: memory, or tiles."""

    def read(self, nodes: Sequence[Node]) -> Sequence[bytes]:
        """Return a hash a node, in the order asked."""
        ...


def leaf_hash(entry: bytes) -> bytes:
    """Hash an entry: SHA-256(0x00 || entry). Source: RFC 6962 section 2.1."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two children: SHA-256(0x01 || left || right). Source: RFC 6962 section 2.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(size: int, reader: HashReader) -> bytes:
    """Return the root of the tree over the first `size` leaves; 0 leaves have the hash of the empty string."""
    return range_hash(0, size, reader) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, reader: HashReader) -> list[bytes]:
    """Prove that leaf `index` is in the tree of `size` leaves: the siblings on its way, from the leaf's to the root's.

    Raises:
        InvalidProofError: there is no such leaf.

    Source: RFC 6962 section 2.1.1, PATH(m, D[n]).
    """
    if not 0 <= index < size:
        raise InvalidProofError(f"entry {index} is not in a log of {size} entries", index=index, size=size)
    ranges: list[tuple[int, int]] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return _range_hashes(ranges[::-1], reader)


def consistency_proof(old_size: int, size: int, reader: HashReader) -> list[bytes]:
    """Prove that the tree of `old_size` leaves is a prefix of the tree of `size` leaves.

    Raises:
        InvalidProofError: `old_size` is 0 (nothing to prove), or above `size`.

    Source: RFC 6962 section 2.1.2, PROOF(m, D[n]).
    """
    if not 1 <= old_size <= size:
        raise InvalidProofError(f"a log of {size} entries can't extend one of {old_size}", old_size=old_size, size=size)
    ranges: list[tuple[int, int]] = []
    start, end, whole = 0, size, True
    while end > old_size:
        middle = start + _split(end - start)
        if old_size <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start, whole = middle, False
    if not whole:
        ranges.append((start, end))
    return _range_hashes(ranges[::-1], reader)


def root_from_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """Return the root that the proof leads to. Lengths are checked before anything is hashed.

    Raises:
        InvalidProofError: `index` is not below `size`, or the proof does not have the length that both demand.

    Source: RFC 9162 section 2.1.3.2, in the form of transparency-dev/merkle `proof/verify.go`.
    """
    if not 0 <= index < size:
        raise InvalidProofError(f"entry {index} is not in a log of {size} entries", index=index, size=size)
    inner = (index ^ (size - 1)).bit_length()
    border = (index >> inner).bit_count()
    _check_shape([leaf], proof, inner + border)
    result = _chain_inner(leaf, proof[:inner], index)
    return _chain_left(result, proof[inner:])


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], tree_root: bytes) -> None:
    """Check that `leaf` (a leaf hash) is entry `index` of the tree with this size and root.

    Raises:
        InvalidProofError: it does not show that.
    """
    if root_from_inclusion(index, size, leaf, proof) != tree_root:
        raise InvalidProofError(
            f"the proof does not lead from entry {index} to the root of {size}", index=index, size=size
        )


def verify_consistency(old_size: int, size: int, proof: Sequence[bytes], old_root: bytes, tree_root: bytes) -> None:
    """Check that the tree of `size` leaves begins with the tree of `old_size` leaves.

    Raises:
        InvalidProofError: it does not show that, or `old_size` is 0: everything extends the empty log, so a proof of it
            says nothing, and callers decide about it themselves.

    Source: RFC 9162 section 2.1.4.2, in the form of transparency-dev/merkle `proof/verify.go`.
    """
    if not 1 <= old_size <= size:
        raise InvalidProofError(f"a log of {size} entries can't extend one of {old_size}", old_size=old_size, size=size)
    if old_size == size:
        _check_shape([old_root, tree_root], proof, 0)
        if old_root != tree_root:
            raise InvalidProofError(f"two different roots for one size of {size}", old_size=old_size, size=size)
        return
    shift = (old_size & -old_size).bit_length() - 1
    inner = ((old_size - 1) ^ (size - 1)).bit_length() - shift
    border = ((old_size - 1) >> (inner + shift)).bit_count()
    # A power of two is itself a node of the bigger tree: its root is the seed, and is left out of the proof.
    whole = old_size == 1 << shift
    _check_shape([old_root, tree_root], proof, inner + border + (0 if whole else 1))
    seed, path = (old_root, proof) if whole else (proof[0], proof[1:])
    mask = (old_size - 1) >> shift
    from_old = _chain_left(_chain_inner_right(seed, path[:inner], mask), path[inner:])
    from_new = _chain_left(_chain_inner(seed, path[:inner], mask), path[inner:])
    if from_old != old_root or from_new != tree_root:
        raise InvalidProofError(f"the log of {size} does not extend that of {old_size}", old_size=old_size, size=size)


def range_hash(start: int, end: int, reader: HashReader) -> bytes:
    """Return the hash over leaves [start, end): a right-leaning fold of complete subtrees; `start` begins one."""
    return _range_hashes([(start, end)], reader)[0]


class MemoryTree:
    """A whole tree in memory: for batches of items, and for tests. N leaves take about 64 N bytes of hashes."""

    def __init__(self, leaf_hashes: Iterable[bytes]) -> None:
        level = list(leaf_hashes)
        self.size = len(level)
        self._levels = [level]
        while len(level) > 1:
            level = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
            self._levels.append(level)

    def read(self, nodes: Sequence[Node]) -> list[bytes]:
        """Return a hash a node, in the order asked."""
        return [self._levels[node.level][node.index] for node in nodes]

    def root(self) -> bytes:
        """Return the root over all leaves."""
        return root(self.size, self)


def _split(size: int) -> int:
    """The largest power of two below `size`, which is 2 or more."""
    return 1 << ((size - 1).bit_length() - 1)


def _complete_subtrees(start: int, end: int) -> list[Node]:
    """The complete subtrees that make up [start, end), left to right; `start` is a multiple of the first one's size."""
    nodes = []
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        nodes.append(Node(level, start >> level))
        start += 1 << level
    return nodes


def _range_hashes(ranges: Sequence[tuple[int, int]], reader: HashReader) -> list[bytes]:
    """All ranges at one reading, so that a reader behind a network can fetch what it needs at once."""
    parts = [_complete_subtrees(start, end) for start, end in ranges]
    hashes = iter(reader.read([node for part in parts for node in part]))
    results = []
    for part in parts:
        read = [next(hashes) for _ in part]
        result = read.pop()
        while read:
            result = node_hash(read.pop(), result)
        results.append(result)
    return results


def _check_shape(hashes: Sequence[bytes], proof: Sequence[bytes], length: int) -> None:
    if len(proof) != length:
        raise InvalidProofError(f"the proof has {len(proof)} hashes, and must have {length}", length=length)
    if any(len(one) != HASH_BYTES for one in (*hashes, *proof)):
        raise InvalidProofError(f"a hash in the proof does not have {HASH_BYTES} bytes")


def _chain_inner(seed: bytes, proof: Sequence[bytes], index: int) -> bytes:
    """Climb the part of the way where the bit of `index` says on which side the sibling stands."""
    for i, sibling in enumerate(proof):
        seed = node_hash(sibling, seed) if index >> i & 1 else node_hash(seed, sibling)
    return seed


def _chain_inner_right(seed: bytes, proof: Sequence[bytes], index: int) -> bytes:
    """The same way in the smaller tree, which has only the siblings on the left."""
    for i, sibling in enumerate(proof):
        if index >> i & 1:
            seed = node_hash(sibling, seed)
    return seed


def _chain_left(seed: bytes, proof: Sequence[bytes]) -> bytes:
    """Climb the right border, where every sibling stands on the left."""
    for sibling in proof:
        seed = node_hash(sibling, seed)
    return seed
