"""A batch receipt's tree: many verdicts under one root, so that one log entry can answer for all of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from optout.consent.vocabulary import Preference
from optout.errors import InvalidProofError
from optout.proof import merkle
from optout.proof.merkle import HASH_BYTES, MemoryTree

SALT_BYTES = 16
# A byte a verdict. Numbers are never used again for another word: old receipts must go on meaning what they meant.
_VERDICTS = {Preference.UNKNOWN: 0, Preference.ALLOWED: 1, Preference.CONDITIONAL: 2, Preference.DISALLOWED: 3}


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One verdict of a batch, as its leaf: query key, verdict byte, salt.

    Attributes:
        query_key: 32 bytes that name the asset asked about.
        salt: 16 random bytes, so that nobody can test guesses about the batch against its published root.
    """

    query_key: bytes
    verdict: Preference
    salt: bytes

    @property
    def leaf_hash(self) -> bytes:
        """The hash of its leaf.

        Raises:
            InvalidProofError: key or salt has the wrong length.
        """
        if len(self.query_key) != HASH_BYTES or len(self.salt) != SALT_BYTES:
            raise InvalidProofError(f"a batch item has a key of {HASH_BYTES} bytes and a salt of {SALT_BYTES}")
        return merkle.leaf_hash(self.query_key + bytes([_VERDICTS[self.verdict]]) + self.salt)


def items_tree(items: Iterable[BatchItem]) -> MemoryTree:
    """Build the tree over a batch, in its order; its `root()` is what the log entry carries."""
    return MemoryTree(item.leaf_hash for item in items)


def verify_item(item: BatchItem, index: int, count: int, proof: Sequence[bytes], items_root: bytes) -> None:
    """Check that this verdict is the `index`-th of a batch of `count`.

    Raises:
        InvalidProofError: it is not.
    """
    merkle.verify_inclusion(index, count, item.leaf_hash, proof, items_root)
