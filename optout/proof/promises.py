"""A promise: the registry's signed word, given at once, that an entry will be in the log by its deadline.

Past the deadline, a promise and a checkpoint of the log without the entry are together proof of misbehaviour.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from optout.errors import InvalidProofError
from optout.proof import notes
from optout.proof.entries import parse_time, time_text
from optout.proof.merkle import HASH_BYTES
from optout.proof.notes import Signer, Verifier

KIND = "mediamanager.promise/v1"
KEY_SUFFIX = "/promise"
"""The promise key is named after its log: `<origin>/promise`. It is a key of its own, so that no promise can ever be
taken for a checkpoint, and the log key need not be at hand where requests are answered."""

_TEXT = re.compile(re.escape(KIND) + r"\nlog ([^\s+]+)\nleaf ([A-Za-z0-9+/=]{44})\ndeadline (\S{24})\n")


@dataclass(frozen=True, slots=True)
class Promise:
    """What is promised.

    Attributes:
        log: origin of the log that will hold the entry.
        leaf_hash: 32 bytes, of the entry.
        deadline: aware UTC, whole milliseconds.
    """

    log: str
    leaf_hash: bytes
    deadline: datetime

    @property
    def text(self) -> str:
        """The lines to be signed; `parse` is the inverse."""
        leaf = base64.b64encode(self.leaf_hash).decode()
        return f"{KIND}\nlog {self.log}\nleaf {leaf}\ndeadline {time_text(self.deadline)}\n"


def sign(leaf_hash: bytes, deadline: datetime, signer: Signer) -> str:
    """Promise an entry in the log after which the signer is named. Signing is deterministic: it can be done again.

    Raises:
        InvalidProofError: the signer is not a promise key.
    """
    return notes.sign(Promise(log_of(signer.name), leaf_hash, deadline).text, signer)


def open_promise(note: str, verifiers: Iterable[Verifier]) -> Promise:
    """Open a promise.

    Raises:
        InvalidProofError: it is malformed, or not signed by the promise key of the log that it names.
    """
    opened = notes.open_note(note, verifiers)
    promise = parse(opened.text)
    if not any(verifier.name == promise.log + KEY_SUFFIX for verifier in opened.signed_by):
        raise InvalidProofError(f"the promise about {promise.log} is not signed by that log's promise key")
    return promise


def parse(text: str) -> Promise:
    """Read the text of a promise, in its one canonical spelling.

    Raises:
        InvalidProofError: it is no promise.
    """
    match = _TEXT.fullmatch(text)
    try:
        leaf = base64.b64decode(match[2], validate=True) if match else b""
    except (binascii.Error, ValueError):
        leaf = b""
    if match is None or len(leaf) != HASH_BYTES:
        raise InvalidProofError("this is not the text of a promise")
    promise = Promise(match[1], leaf, parse_time(match[3]))
    if promise.text != text:
        raise InvalidProofError("this is not the text of a promise")
    return promise


def log_of(key_name: str) -> str:
    """Return the origin of the log whose promises this key signs.

    Raises:
        InvalidProofError: the name is not that of a promise key.
    """
    origin = key_name.removesuffix(KEY_SUFFIX)
    if origin == key_name or not origin:
        raise InvalidProofError(f"{key_name!r} is not the name of a promise key: it ends in {KEY_SUFFIX}")
    return origin
