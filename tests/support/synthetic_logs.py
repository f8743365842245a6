"""Small consent logs, made by the proof room alone, for the tests of everything that reads logs."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from optout.proof import merkle, tiles
from optout.proof.checkpoints import Checkpoint
from optout.proof.entries import Entry, canonical, commit
from optout.proof.merkle import MemoryTree
from optout.proof.notes import Signer
from optout.proof.receipts import ClaimReceipt, InclusionReceipt

SIGNER = Signer("registry.example/log1", bytes([1]) * 32)
START = datetime(2026, 11, 21, 10, tzinfo=UTC)
BODY = canonical({"preferences": {"train-genai": "disallowed"}, "work": "a picture"})
SALT = bytes(range(32))


def make_leaf(
    number: int,
    *,
    type: str = "claim.filed",  # noqa: A002
    subject: int | None = None,
    previous: bytes | None = None,
    seconds: float | None = None,
) -> bytes:
    """One leaf: entry `number`, a second later than the one before, about a subject of its own, committing to BODY."""
    return Entry(
        type=type,
        id=f"{number:032x}",
        subject=f"{number if subject is None else subject:032x}",
        recorded_at=START + timedelta(seconds=number if seconds is None else seconds),
        commitment=commit(SALT, BODY),
        previous=previous,
    ).encode()


def make_leaves(count: int) -> list[bytes]:
    """A log of claims, each third one amended: 3, 6, 9, … follow the entry before."""
    leaves: list[bytes] = []
    for number in range(count):
        if number % 3 == 2:
            leaf = make_leaf(
                number, type="claim.amended", subject=number - 1, previous=merkle.leaf_hash(leaves[number - 1])
            )
        else:
            leaf = make_leaf(number)
        leaves.append(leaf)
    return leaves


def log_files(leaves: Sequence[bytes], signer: Signer = SIGNER) -> dict[str, bytes]:
    """All files of a log by path: key, checkpoint, tiles, bundles; hashed from the whole tree, not from an edge."""
    tree = MemoryTree(map(merkle.leaf_hash, leaves))
    files = {
        "key": f"{signer.verifier.vkey}\n".encode(),
        "checkpoint": Checkpoint(signer.name, tree.size, tree.root()).sign(signer).encode(),
    }
    for bundle in tiles.bundles_between(0, tree.size):
        first = bundle.index * tiles.WIDTH
        files[bundle.path] = tiles.encode_bundle(leaves[first : first + bundle.width])
    for tile in tiles.tiles_between(0, tree.size):
        first = tile.index * tiles.WIDTH
        nodes = [merkle.Node(tile.level * tiles.HEIGHT, first + i) for i in range(tile.width)]
        files[tile.path] = b"".join(tree.read(nodes))
    return files


def write_files(folder: Path, files: dict[str, bytes]) -> Path:
    """Write files below a folder."""
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def make_receipt(leaves: Sequence[bytes], index: int, signer: Signer = SIGNER, body: bytes = BODY) -> ClaimReceipt:
    """The receipt of one leaf of such a log."""
    tree = MemoryTree(map(merkle.leaf_hash, leaves))
    note = Checkpoint(signer.name, tree.size, tree.root()).sign(signer)
    proof = merkle.inclusion_proof(index, tree.size, tree)
    return ClaimReceipt(
        tlog_proof=InclusionReceipt(index, tuple(proof), note).encode(),
        leaf=leaves[index].decode(),
        body=body.decode(),
        salt=SALT.hex(),
        log_key=signer.verifier.vkey,
    )


def read_leaves(files: dict[str, bytes], size: int) -> Iterable[bytes]:
    """The leaves in a log's bundles."""
    for bundle in tiles.bundles_between(0, size):
        yield from tiles.decode_bundle(files[bundle.path], bundle.width)
