"""A checkpoint (C2SP tlog-checkpoint): what a log says about itself, to be signed: origin, size, root."""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass

from optout.errors import InvalidProofError
from optout.proof import notes
from optout.proof.merkle import HASH_BYTES
from optout.proof.notes import Signer, Verifier

MAX_SIZE = 2**63 - 1
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's state.

    Attributes:
        origin: the log's name, unique in the world; also the name of its key.
        size: number of entries.
        root: 32 bytes, the root over all of them.
        extensions: further lines of the text, kept as they are; we write none.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The lines to be signed; `parse` is the inverse."""
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    def sign(self, signer: Signer) -> str:
        """Sign it as a note."""
        return notes.sign(self.text, signer)


def parse(text: str) -> Checkpoint:
    """Read the text of a checkpoint, in its one canonical spelling.

    Raises:
        InvalidProofError: it is no checkpoint.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not lines[0] or not _SIZE.fullmatch(lines[1]):  # noqa: PLR2004 - three lines, the end
        raise InvalidProofError("a checkpoint has three lines, origin, size and root: this text has not")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidProofError("the root of the checkpoint is not base64") from error
    checkpoint = Checkpoint(lines[0], int(lines[1]), root, tuple(lines[3:-1]))
    if len(root) != HASH_BYTES or checkpoint.size > MAX_SIZE or "" in checkpoint.extensions or checkpoint.text != text:
        raise InvalidProofError("the size or root of the checkpoint is malformed")
    return checkpoint


def open_checkpoint(note: str, verifiers: Iterable[Verifier]) -> Checkpoint:
    """Open a signed checkpoint.

    Raises:
        InvalidProofError: none of the keys signed it, one of their signatures does not hold, or no signing key bears
            the name of the log: a witness alone can't speak for a log.
    """
    opened = notes.open_note(note, verifiers)
    checkpoint = parse(opened.text)
    if not any(verifier.name == checkpoint.origin for verifier in opened.signed_by):
        raise InvalidProofError(f"the checkpoint of {checkpoint.origin} is not signed by a key of that name")
    return checkpoint
