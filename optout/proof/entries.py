"""An entry of the consent log: a leaf that says what happened and when, and commits to a body that can be erased.

The leaf holds no personal data and no id of a work. Its `body` is HMAC-SHA256(salt, body): with salt and body anyone
can check what was said; once both are erased nobody can tell, and every proof about the leaf goes on holding.
"""

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from optout.errors import InvalidProofError

Json: TypeAlias = str | int | bool | Sequence["Json"] | Mapping[str, "Json"] | None

VERSION = 1
MAX_LEAF_BYTES = 4096
SALT_BYTES = 32
MERGE_DELAY = timedelta(seconds=60)
"""A promise's deadline counts from `recorded_at`; an entry may be recorded earlier than one before it by no more."""

_EXACT_INTEGER = 2**53
_ID = re.compile(r"[0-9a-f]{32}")
_HASH = re.compile(r"[0-9a-f]{64}")
_TYPE = re.compile(r"[a-z]{1,20}\.[a-z_]{1,19}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_FIELDS = {"v", "type", "id", "subj", "rec", "body"}


class EntryType(StrEnum):
    """What can happen. Readers accept words that they do not know yet: a log outlives its readers."""

    CLAIM_FILED = "claim.filed"
    CLAIM_FINGERPRINTED = "claim.fingerprinted"
    CLAIM_EVIDENCE_ADDED = "claim.evidence_added"
    CLAIM_AMENDED = "claim.amended"
    CLAIM_CONTESTED = "claim.contested"
    CLAIM_COUNTER_STATED = "claim.counter_stated"
    CLAIM_RESOLVED = "claim.resolved"
    CLAIM_WITHDRAWN = "claim.withdrawn"
    CLAIM_EXPIRED = "claim.expired"
    COLLECTION_CREATED = "collection.created"
    COLLECTION_CHANGED = "collection.changed"
    MATCH_DISPUTED = "match.disputed"
    MATCH_REJECTED = "match.rejected"
    MATCH_UPHELD = "match.upheld"
    GRANT_ISSUED = "grant.issued"
    GRANT_REVOKED = "grant.revoked"
    POLICY_PUBLISHED = "policy.published"
    SNAPSHOT_PUBLISHED = "snapshot.published"
    RECEIPT_BATCH = "receipt.batch"
    RUN_ATTESTED = "run.attested"
    KEY_ROTATED = "key.rotated"
    ERASURE_EXECUTED = "erasure.executed"
    ADMIN_OVERRIDE = "admin.override"
    AUDIT_EXPORT = "audit.export"


@dataclass(frozen=True, slots=True)
class Entry:
    """The public part of one event.

    Attributes:
        type: a word of `EntryType`, or a later one.
        id, subject: 32 random hex digits each; all events of one claim share the subject.
        recorded_at: aware UTC, whole milliseconds.
        commitment: 32 bytes, see `commit`.
        previous: leaf hash of the event before this one with the same subject; None for the first. A hash, not an
            index: it is known, and promised, before anyone knows where in the tree the two will stand.
    """

    type: str
    id: str
    subject: str
    recorded_at: datetime
    commitment: bytes
    previous: bytes | None = None

    def encode(self) -> bytes:
        """Return the leaf's bytes; `parse` is the inverse.

        Raises:
            InvalidProofError: a field can't be what it says.
        """
        fields: dict[str, Json] = {
            "v": VERSION,
            "type": self.type,
            "id": self.id,
            "subj": self.subject,
            "rec": time_text(self.recorded_at),
            "body": self.commitment.hex(),
        }
        if self.previous is not None:
            fields["prev"] = self.previous.hex()
        leaf = canonical(fields)
        parse(leaf)
        return leaf


def parse(leaf: bytes) -> Entry:
    """Read a leaf, in its one canonical spelling.

    Raises:
        InvalidProofError: it is not an entry of version 1, or spelled differently.
    """
    try:
        fields = json.loads(leaf) if len(leaf) <= MAX_LEAF_BYTES else None
    except (ValueError, RecursionError) as error:
        raise InvalidProofError("a log entry is not JSON") from error
    if not isinstance(fields, dict) or fields.keys() - {"prev"} != _FIELDS or canonical(fields) != leaf:
        raise InvalidProofError("a log entry does not have the form of an entry")
    shapes = {"type": _TYPE, "id": _ID, "subj": _ID, "rec": _TIME, "body": _HASH, "prev": _HASH}
    if fields["v"] is not VERSION or not all(
        isinstance(value, str) and shapes[name].fullmatch(value) for name, value in fields.items() if name != "v"
    ):
        raise InvalidProofError("a field of a log entry is malformed")
    return Entry(
        type=fields["type"],
        id=fields["id"],
        subject=fields["subj"],
        recorded_at=parse_time(fields["rec"]),
        commitment=bytes.fromhex(fields["body"]),
        previous=bytes.fromhex(fields["prev"]) if "prev" in fields else None,
    )


def canonical(value: Json) -> bytes:
    """Spell JSON in the one way of RFC 8785, for the values that we use: no floats, whole numbers below 2**53.

    Raises:
        InvalidProofError: the value holds something else, or a name that is not ASCII.
    """
    _check(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InvalidProofError("a text in a log entry holds half a character") from error


def commit(salt: bytes, body: bytes) -> bytes:
    """Commit to a body: HMAC-SHA256 under a fresh random salt, so that nobody can guess a body from the log."""
    return hmac.new(salt, body, hashlib.sha256).digest()


def open_commitment(entry: Entry, salt: bytes, body: bytes) -> None:
    """Check that salt and body are what the entry committed to.

    Raises:
        InvalidProofError: they are not.
    """
    if len(salt) != SALT_BYTES or not hmac.compare_digest(commit(salt, body), entry.commitment):
        raise InvalidProofError("this body and salt are not what the log entry committed to")


def new_id() -> str:
    """Draw 128 random bits as hex."""
    return secrets.token_hex(16)


def new_salt() -> bytes:
    """Draw a salt: one an entry, never used twice."""
    return secrets.token_bytes(SALT_BYTES)


def time_text(moment: datetime) -> str:
    """Write a time as the log does: UTC, milliseconds, rounded down.

    Raises:
        InvalidProofError: the time is naive: nobody knows which clock it was read from.
    """
    if moment.tzinfo is None:
        raise InvalidProofError("a time without a zone can't be logged")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """Read a time; the inverse of `time_text`.

    Raises:
        InvalidProofError: it is not spelled so, or no such moment exists.
    """
    try:
        moment = datetime.fromisoformat(text) if _TIME.fullmatch(text) else None
    except ValueError:
        moment = None
    if moment is None:
        raise InvalidProofError("a time in the log looks like 2026-11-21T10:00:00.000Z: this one does not")
    return moment


def _check(value: Json) -> None:
    if isinstance(value, Mapping):
        if not all(name.isascii() for name in value):
            raise InvalidProofError("names in a log entry are ASCII")
        for part in value.values():
            _check(part)
    elif isinstance(value, list | tuple):
        for part in value:
            _check(part)
    elif isinstance(value, int):
        if abs(value) >= _EXACT_INTEGER:
            raise InvalidProofError("a number in a log entry is too large to mean the same everywhere")
    elif not (isinstance(value, str) or value is None):
        raise InvalidProofError("a log entry holds only texts, whole numbers, true, false, null, lists and objects")
