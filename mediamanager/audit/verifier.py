"""Check a consent log from its public files alone, with nothing but the standard library.

On purpose a second implementation of `optout.proof`, without any code of it, so that no mistake can hide in both.
Formats: C2SP signed-note, tlog-checkpoint, tlog-tiles, tlog-proof; entries as in `optout.proof.entries`.
"""

import hashlib
import hmac
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from mediamanager.audit import signatures
from mediamanager.audit.signatures import NOTE_LIMIT, Key, MisbehaviourError, MissingError, UndecidedError

MAX_LATENESS = timedelta(seconds=60)
"""An entry is promised within 60 s of its recording: one recorded earlier than that before others was held back or
backdated."""

_BUNDLE_LIMIT = 256 * 65_537
_LEAF_LIMIT = 4096
_WIDTH = 256
_HASH_BYTES = 32
_LEAF_FIELDS = {
    "type": r"[a-z]{1,20}\.[a-z_]{1,19}",
    "id": r"[0-9a-f]{32}",
    "subj": r"[0-9a-f]{32}",
    "rec": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z",
    "body": r"[0-9a-f]{64}",
}
_RECEIPT_FIELDS = ("tlog_proof", "leaf", "body", "salt")


class Source(Protocol):
    """Where the files of a log are read from."""

    def read(self, path: str, limit: int) -> bytes:
        """Return the file at `checkpoint`, `key` or `tile/…`, of at most `limit` bytes; UndecidedError without it."""
        ...


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log signed about itself."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """A claim's receipt that holds in itself: its leaf leads to its checkpoint, its body opens its leaf."""

    checkpoint: Checkpoint
    index: int
    leaf_hash: bytes
    entry: Mapping[str, object]
    body: str


@dataclass(slots=True)
class Walked:
    """What was seen on the walk.

    Attributes:
        tiles: how many were compared.
        types: how often each type of entry occurs.
        subjects: how many things the entries are about.
        first, last: recording times, as logged; empty for an empty log.
    """

    tiles: int = 0
    types: Counter[str] = field(default_factory=Counter)
    subjects: int = 0
    first: str = ""
    last: str = ""


def operator_key(source: Source) -> Key:
    """Take the key that the log itself hands out: better than none, but whoever forges the log forges that, too."""
    text = signatures.to_text(source.read("key", NOTE_LIMIT), "the key")
    return signatures.parse_key(text.split("\n")[0], given=False)


def open_checkpoint(note: bytes, key: Key) -> Checkpoint:
    """Open a signed checkpoint of the log that the key belongs to.

    Raises:
        MisbehaviourError: a signature by this key does not hold.
        UndecidedError: it is malformed, of another log, or not signed by this key.
    """
    text = signatures.open_note(note, key)
    match = re.fullmatch(r"([^\n]+)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)\n(?:[^\n]+\n)*", text)
    if not match:
        raise UndecidedError("the checkpoint does not have the lines origin, size and root")
    if match[1] != key.name:
        raise UndecidedError(f"the checkpoint is of another log: {match[1]}, not {key.name}")
    return Checkpoint(match[1], int(match[2]), signatures.from_base64(match[3], "the root"))


def read_log(
    source: Source,
    checkpoint: Checkpoint,
    earlier: Mapping[int, bytes],
    progress: Callable[[int, int], None] = lambda done, size: None,  # noqa: ARG005
) -> Walked:
    """Read every entry and tile of the log, rebuild its tree, and replay its rules. One pass; little is kept in memory.

    Args:
        source: of the log.
        checkpoint: the newest, opened.
        earlier: roots by size that the same key signed, on checkpoints or receipts kept elsewhere.
        progress: called a bundle with the entries done and the entries there are.

    Raises:
        MisbehaviourError: an entry, a tile or a root is not what was signed, or the entries break the log's rules.
        UndecidedError: a file is missing, or the log is shorter than what it is compared with.
    """
    if any(size > checkpoint.size for size in earlier):
        raise UndecidedError(f"this log of {checkpoint.size} entries is older than what it is compared with")
    walked = Walked()
    tree, replay = _Tree(source, walked), _Replay(walked)
    met = {0: tree.root()}
    for index, leaf in _leaves(source, checkpoint.size):
        leaf_hash = hashlib.sha256(b"\x00" + leaf).digest()
        tree.append(leaf_hash)
        replay.entry(index, leaf, leaf_hash)
        if tree.size in earlier:
            met[tree.size] = tree.root()
        if tree.size % _WIDTH == 0:
            progress(tree.size, checkpoint.size)
    tree.finish()
    if tree.root() != checkpoint.root:
        raise MisbehaviourError("the entries and tiles do not have the root that was signed")
    _compare_roots(met, earlier)
    return walked


def receipt_key(text: str) -> Key:
    """Take the key that a receipt itself names. Raises UndecidedError if it names none."""
    try:
        vkey = json.loads(text)["log_key"]
    except (ValueError, RecursionError) as error:
        raise UndecidedError("this is not a claim receipt: it is no whole JSON file") from error
    except (TypeError, KeyError) as error:
        raise UndecidedError("the receipt names no log_key") from error
    return signatures.parse_key(str(vkey), given=False)


def open_receipt(text: str, key: Key) -> Receipt:
    """Open a claim's receipt (the JSON that the registry hands out).

    Raises:
        MisbehaviourError: a signature by this key does not hold.
        UndecidedError: the receipt is malformed, or does not hold in itself: it proves nothing.
    """
    try:
        fields = json.loads(text)
        tlog_proof, leaf, body, salt_hex = (fields[name] for name in _RECEIPT_FIELDS)
        salt = bytes.fromhex(salt_hex)
        raw_leaf, raw_body = leaf.encode(), body.encode()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UndecidedError("this is not a claim receipt: JSON with tlog_proof, leaf, body and salt") from error
    leaf_hash = hashlib.sha256(b"\x00" + raw_leaf).digest()
    index, checkpoint = open_proof(tlog_proof, leaf_hash, key)
    try:
        entry = _parse_leaf(index, raw_leaf)
    except MisbehaviourError as error:
        raise UndecidedError(str(error)) from error
    if len(salt) != _HASH_BYTES or hmac.new(salt, raw_body, hashlib.sha256).hexdigest() != entry["body"]:
        raise UndecidedError("the body in the receipt is not what its log entry committed to: the receipt was altered")
    return Receipt(checkpoint, index, leaf_hash, entry, body)


def open_proof(text: object, leaf_hash: bytes, key: Key) -> tuple[int, Checkpoint]:
    """Open a `.tlog-proof` of one leaf: its index, and the checkpoint that covers it. Raises as `open_receipt` does."""
    head, _, note = text.partition("\n\n") if isinstance(text, str) else ("", "", "")
    match = re.fullmatch(
        r"c2sp\.org/tlog-proof@v1\n(?:extra [^\n]*\n)?index (0|[1-9][0-9]{0,18})((?:\n[^\n]+){0,63})", head
    )
    if not match:
        raise UndecidedError("this is not a proof of the form c2sp.org/tlog-proof@v1")
    hashes = [signatures.from_base64(line, "a hash of the proof") for line in match[2].split("\n")[1:]]
    checkpoint = open_checkpoint(note.encode("utf-8", "surrogatepass"), key)
    index = int(match[1])
    if (
        any(len(one) != _HASH_BYTES for one in hashes)
        or _climb(index, checkpoint.size, leaf_hash, hashes) != checkpoint.root
    ):
        raise UndecidedError("the proof does not lead from its entry to its checkpoint: it was altered")
    return index, checkpoint


def paths(size: int) -> Iterator[tuple[str, int]]:
    """Yield the path and the largest length of every bundle and tile of a log with so many entries."""
    for index in range(-(-size // 256)):
        yield _path("entries", index, min(256, size - index * 256)), _BUNDLE_LIMIT
    level = 0
    while size:
        for index in range(-(-size // 256)):
            width = min(256, size - index * 256)
            yield _path(str(level), index, width), width * 32
        level, size = level + 1, size >> 8


def count_paths(size: int) -> int:
    """Return how many paths `paths` yields."""
    count = -(-size // 256)
    while size:
        count, size = count - (-size // 256), size >> 8
    return count


class _Tree:
    """The tree, rebuilt leaf by leaf, and compared with the tiles as each of them is complete."""

    def __init__(self, source: Source, walked: Walked) -> None:
        self.size = 0
        self._source = source
        self._walked = walked
        self._open: list[list[bytes]] = []  # hashes of the unfinished tile of each level
        self._peaks: list[bytes] = []  # roots of the complete subtrees, largest first

    def append(self, leaf_hash: bytes) -> None:
        self.size += 1
        peak = leaf_hash
        for _ in range((self.size & -self.size).bit_length() - 1):
            peak = _node(self._peaks.pop(), peak)
        self._peaks.append(peak)
        self._into_tile(0, leaf_hash)

    def finish(self) -> None:
        for level, hashes in enumerate(self._open):
            if hashes:
                self._compare(level, (self.size >> 8 * level) // 256, hashes)

    def root(self) -> bytes:
        if not self._peaks:
            return hashlib.sha256(b"").digest()
        result = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            result = _node(peak, result)
        return result

    def _into_tile(self, level: int, one: bytes) -> None:
        if level == len(self._open):
            self._open.append([])
        self._open[level].append(one)
        if len(self._open[level]) == _WIDTH:
            full, self._open[level] = self._open[level], []
            self._compare(level, (self.size >> 8 * level) // 256 - 1, full)
            while len(full) > 1:
                full = [_node(*pair) for pair in zip(full[::2], full[1::2], strict=True)]
            self._into_tile(level + 1, full[0])

    def _compare(self, level: int, index: int, hashes: list[bytes]) -> None:
        path = _path(str(level), index, len(hashes))
        data, longer = _read_part(self._source, str(level), index, len(hashes))
        if longer:
            data = data[: 32 * len(hashes)]
        if data != b"".join(hashes):
            at = next((i for i, one in enumerate(hashes) if data[32 * i : 32 * i + 32] != one), len(hashes))
            what = f"entry {index * 256 + at}" if level == 0 else f"hash {at}"
            raise MisbehaviourError(f"{path} does not agree with the entries, from {what} on")
        self._walked.tiles += 1


class _Replay:
    """The rules that entries keep among themselves, checked in their order."""

    def __init__(self, walked: Walked) -> None:
        self._walked = walked
        self._ids: set[str] = set()
        self._last: dict[str, tuple[str, str]] = {}  # by subject: leaf hash and recording time of its newest entry
        self._latest: datetime | None = None

    def entry(self, index: int, leaf: bytes, leaf_hash: bytes) -> None:
        fields = _parse_leaf(index, leaf)
        subject, recorded = fields["subj"], fields["rec"]
        if fields["id"] in self._ids:
            raise MisbehaviourError(f"entry {index} has the id of an earlier entry")
        before = self._last.get(subject)
        if fields.get("prev") != (before[0] if before else None):
            raise MisbehaviourError(
                f"entry {index} does not follow the newest entry about its subject: one is left out"
            )
        if before and recorded < before[1]:
            raise MisbehaviourError(f"entry {index} was recorded before the entry that it follows")
        self._check_time(index, recorded)
        self._ids.add(fields["id"])
        self._last[subject] = (leaf_hash.hex(), recorded)
        self._walked.types[fields["type"]] += 1
        self._walked.subjects = len(self._last)
        self._walked.first = min(self._walked.first or recorded, recorded)
        self._walked.last = max(self._walked.last, recorded)

    def _check_time(self, index: int, recorded: str) -> None:
        try:
            moment = datetime.fromisoformat(recorded)
        except ValueError as error:
            raise MisbehaviourError(f"entry {index} was recorded at a moment that does not exist") from error
        self._latest = max(self._latest or moment, moment)
        if self._latest - moment > MAX_LATENESS:
            raise MisbehaviourError(
                f"entry {index} was recorded over a minute before its forerunners: late or backdated"
            )


def _compare_roots(met: Mapping[int, bytes], earlier: Mapping[int, bytes]) -> None:
    """After the log's own root: only then is what was met surely what the key signed, and no damaged copy of it.

    A receipt leads to its root; where that is the log's own, the log has the receipt's entry in its place.
    """
    for size, root in earlier.items():
        if met[size] != root:
            raise MisbehaviourError(
                f"the log does not extend the one of {size} entries that its key signed earlier: history was rewritten"
            )


def _leaves(source: Source, size: int) -> Iterator[tuple[int, bytes]]:
    for number in range(-(-size // 256)):
        width = min(256, size - number * 256)
        path = _path("entries", number, width)
        data, longer = _read_part(source, "entries", number, width)
        at = 0
        for i in range(width):
            start = at + 2
            at = start + int.from_bytes(data[at:start], "big")
            if at > len(data) or start > len(data):
                raise MisbehaviourError(f"{path} ends in the middle of entry {number * 256 + i}")
            yield number * 256 + i, data[start:at]
        if at != len(data) and not longer:
            raise MisbehaviourError(f"{path} holds more than its {width} entries")


def _read_part(source: Source, kind: str, index: int, width: int) -> tuple[bytes, bool]:
    """A tile or bundle, and whether it goes on behind the part that was asked for.

    A log may remove the partial forms of a tile once the tile is full, which begins with the same bytes.
    """
    try:
        return source.read(_path(kind, index, width), _BUNDLE_LIMIT), False
    except MissingError as error:
        try:
            return source.read(_path(kind, index, 256), _BUNDLE_LIMIT), True
        except MissingError:
            raise error from None


def _parse_leaf(index: int, leaf: bytes) -> dict[str, str]:
    """The fields of a leaf that are texts. Only its one canonical spelling will do."""
    try:
        fields = json.loads(leaf) if len(leaf) <= _LEAF_LIMIT else None
        spelled = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        fields, spelled = None, b""
    if not isinstance(fields, dict) or spelled != leaf or type(fields.get("v")) is not int or fields.pop("v") != 1:
        raise MisbehaviourError(f"entry {index} is not an entry of version 1 in canonical JSON")
    shapes = _LEAF_FIELDS | ({"prev": r"[0-9a-f]{64}"} if "prev" in fields else {})
    for name in shapes.keys() | fields.keys():
        value = fields.get(name)
        if name not in shapes or not isinstance(value, str) or not re.fullmatch(shapes[name], value):
            raise MisbehaviourError(f"entry {index} has a malformed or unknown field {name!r}")
    return fields


def _climb(index: int, size: int, result: bytes, hashes: list[bytes]) -> bytes | None:
    """RFC 9162 section 2.1.3.2; None where the proof has the wrong length."""
    at, last = index, size - 1
    if index > last:
        return None
    for sibling in hashes:
        if last == 0:
            return None
        if at & 1 or at == last:
            result = _node(sibling, result)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            result = _node(result, sibling)
        at, last = at >> 1, last >> 1
    return result if last == 0 else None


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _path(kind: str, index: int, width: int) -> str:
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03}")
    return f"tile/{kind}/{'/'.join(groups)}" + (f".p/{width}" if width < _WIDTH else "")
