"""Receipts: proof that an entry is in the log (C2SP tlog-proof v1), and the opening of what the entry says."""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass

from optout.errors import InvalidProofError
from optout.proof import checkpoints, entries, merkle
from optout.proof.checkpoints import Checkpoint
from optout.proof.entries import Entry
from optout.proof.notes import Verifier

HEADER = "c2sp.org/tlog-proof@v1"
MAX_HASHES = 63
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class InclusionReceipt:
    """Everything needed to check one leaf against one signed checkpoint.

    Attributes:
        index: of the leaf.
        hashes: its inclusion proof, 32 bytes each.
        checkpoint: the signed note, verbatim.
        extra: bytes of the application; we write none, and trust none: nothing signs them.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    def encode(self) -> str:
        """Return the text of a `.tlog-proof` file; `parse` is the inverse."""
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {base64.b64encode(self.extra).decode()}")
        lines += [f"index {self.index}", *(base64.b64encode(one).decode() for one in self.hashes)]
        return "\n".join(lines) + "\n\n" + self.checkpoint

    def verify(self, leaf_hash: bytes, verifiers: Iterable[Verifier]) -> Checkpoint:
        """Return the checkpoint that is shown to cover this leaf.

        Raises:
            InvalidProofError: it does not show that.
        """
        checkpoint = checkpoints.open_checkpoint(self.checkpoint, verifiers)
        merkle.verify_inclusion(self.index, checkpoint.size, leaf_hash, self.hashes, checkpoint.root)
        return checkpoint


@dataclass(frozen=True, slots=True)
class ClaimReceipt:
    """What a claimant keeps: it verifies without the registry, and after it.

    Attributes:
        tlog_proof: an `InclusionReceipt`, encoded.
        leaf, body: canonical JSON; the entry as logged, and what it commits to.
        salt: hex, 32 bytes.
        log_key: vkey of the log, for convenience: a checker takes the key from somewhere else.
    """

    tlog_proof: str
    leaf: str
    body: str
    salt: str
    log_key: str

    def verify(self, verifiers: Iterable[Verifier]) -> tuple[Entry, Checkpoint]:
        """Return the entry and the checkpoint that covers it, once inclusion and opening are shown.

        Raises:
            InvalidProofError: one of them is not.
        """
        leaf = self.leaf.encode()
        entry = entries.parse(leaf)
        checkpoint = parse(self.tlog_proof).verify(merkle.leaf_hash(leaf), verifiers)
        try:
            salt = bytes.fromhex(self.salt)
        except ValueError as error:
            raise InvalidProofError("the salt of the receipt is not hex") from error
        entries.open_commitment(entry, salt, self.body.encode())
        return entry, checkpoint


def parse(text: str) -> InclusionReceipt:
    """Read a `.tlog-proof` file, in its one canonical spelling.

    Raises:
        InvalidProofError: it is malformed. Nothing is verified yet.
    """
    head, found, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not found or lines.pop(0) != HEADER:
        raise InvalidProofError(f"a proof of inclusion begins with {HEADER}: this does not")
    extra = _decode(lines.pop(0).removeprefix("extra ")) if lines and lines[0].startswith("extra ") else None
    match = _INDEX.fullmatch(lines.pop(0)) if lines else None
    if match is None or len(lines) > MAX_HASHES:
        raise InvalidProofError("a proof of inclusion has an index and at most 63 hashes: this has not")
    receipt = InclusionReceipt(int(match[1]), tuple(_decode(line) for line in lines), checkpoint, extra)
    if any(len(one) != merkle.HASH_BYTES for one in receipt.hashes) or receipt.encode() != text:
        raise InvalidProofError("a hash in the proof of inclusion is malformed")
    return receipt


def _decode(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidProofError("a line of the proof of inclusion is not base64") from error
