"""One audit from beginning to end: which checks are made, in which order, and what they found."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum

from mediamanager.audit import verifier
from mediamanager.audit.signatures import NOTE_LIMIT, Key, MisbehaviourError, MissingError, UndecidedError, parse_key
from mediamanager.audit.verifier import Source, Walked


class Outcome(IntEnum):
    """What an audit comes to; its number is the exit status."""

    HOLDS = 0
    BROKEN = 1
    UNDECIDED = 2


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked: what it came to, and a sentence for people."""

    name: str
    outcome: Outcome
    detail: str


@dataclass(slots=True)
class Report:
    """Everything an audit found. The checks end with the first that does not hold: what follows would rest on it.

    Attributes:
        entries: how many of each type the log holds.
        body: what a receipt says, canonical JSON; None until it is shown that its log entry commits to it.
    """

    source: str
    origin: str | None = None
    size: int | None = None
    root: str | None = None
    key: Key | None = None
    entries: Mapping[str, int] = field(default_factory=dict)
    body: str | None = None
    checks: list[Check] = field(default_factory=list)

    @property
    def outcome(self) -> Outcome:
        """The gravest outcome of all checks; broken is graver than undecided."""
        found = {check.outcome for check in self.checks}
        return next((one for one in (Outcome.BROKEN, Outcome.UNDECIDED) if one in found), Outcome.HOLDS)

    def as_json(self) -> dict[str, object]:
        """Return the report as one JSON object."""
        return {
            "source": self.source,
            "outcome": self.outcome.name.lower(),
            "origin": self.origin,
            "size": self.size,
            "root": self.root,
            "key": self.key.vkey if self.key else None,
            "key_given": self.key.given if self.key else None,
            "entries": dict(sorted(self.entries.items())),
            "body": self.body,
            "checks": [
                {"check": check.name, "outcome": check.outcome.name.lower(), "detail": check.detail}
                for check in self.checks
            ],
        }


def audit_log(
    name: str,
    open_source: Callable[[], Source],
    *,
    vkey: str | None = None,
    receipt: str | None = None,
    old_note: bytes | None = None,
    progress: Callable[[int, int], None] = lambda done, size: None,  # noqa: ARG005
) -> Report:
    """Check a whole log: signature, every entry and tile, the rules of replay; then a receipt and an older checkpoint.

    Args:
        name: of the source, for the report.
        open_source: opens it.
        vkey: the key that the log must be signed with; without it the operator's word is taken for it.
        receipt: a claim's receipt, JSON.
        old_note: a checkpoint kept from an earlier time.
        progress: called with the entries done and the entries there are.
    """
    report = Report(name)
    try:
        _audit(report, open_source(), vkey, receipt, old_note, progress)
    except MisbehaviourError as error:
        report.checks.append(Check("log", Outcome.BROKEN, str(error)))
    except UndecidedError as error:
        report.checks.append(Check("log", Outcome.UNDECIDED, str(error)))
    return report


def audit_receipt(name: str, text: str, vkey: str | None = None) -> Report:
    """Check a claim's receipt with no network: its entry is in a log signed by this key, and says what the body says.

    Without a key the one in the receipt is taken, which only shows that the receipt holds in itself.
    """
    report = Report(name)
    try:
        report.key = parse_key(vkey, given=True) if vkey else verifier.receipt_key(text)
        _receipt_checks(report, verifier.open_receipt(text, report.key))
    except MisbehaviourError as error:
        report.checks.append(Check("receipt", Outcome.BROKEN, str(error)))
    except UndecidedError as error:
        report.checks.append(Check("receipt", Outcome.UNDECIDED, str(error)))
    return report


def audit_proof(name: str, text: str, leaf_hash: bytes, vkey: str) -> Report:
    """Check a `.tlog-proof` file with no network: the entry with this leaf hash is in a log signed by this key."""
    report = Report(name)
    try:
        report.key = parse_key(vkey, given=True)
        index, checkpoint = verifier.open_proof(text, leaf_hash, report.key)
        report.origin, report.size, report.root = checkpoint.origin, checkpoint.size, checkpoint.root.hex()
        report.checks.append(
            Check("inclusion", Outcome.HOLDS, f"entry {index:,} is in the log of {checkpoint.size:,} entries")
        )
    except MisbehaviourError as error:
        report.checks.append(Check("proof", Outcome.BROKEN, str(error)))
    except UndecidedError as error:
        report.checks.append(Check("proof", Outcome.UNDECIDED, str(error)))
    return report


def _audit(
    report: Report,
    source: Source,
    vkey: str | None,
    receipt: str | None,
    old_note: bytes | None,
    progress: Callable[[int, int], None],
) -> None:
    key = report.key = parse_key(vkey, given=True) if vkey else verifier.operator_key(source)
    checkpoint = verifier.open_checkpoint(_newest_note(source), key)
    report.origin, report.size, report.root = checkpoint.origin, checkpoint.size, checkpoint.root.hex()
    signed_by = f"signed by {key.name} (key {key.key_id.hex()})"
    size = checkpoint.size
    _holds(
        report,
        "signature",
        f"{signed_by}, {_count(size, 'entry', 'entries')}" if size else f"an empty log, {signed_by}",
    )

    kept = verifier.open_receipt(receipt, key) if receipt is not None else None
    old = verifier.open_checkpoint(old_note, key) if old_note is not None else None
    earlier: dict[int, bytes] = {}
    for signed in ([kept.checkpoint] if kept else []) + ([old] if old else []):
        if earlier.setdefault(signed.size, signed.root) != signed.root:
            raise MisbehaviourError(
                f"two different logs of {signed.size} entries were signed by {key.name}: a split view"
            )
    walked = verifier.read_log(source, checkpoint, earlier, progress)
    report.entries = walked.types
    _walk_checks(report, walked, checkpoint.size)
    if kept:
        _receipt_checks(report, kept)
    if old:
        _holds(
            report, "consistency", f"it extends the checkpoint of {old.size:,} entries, which is still its beginning"
        )


def _newest_note(source: Source) -> bytes:
    try:
        return source.read("checkpoint", NOTE_LIMIT)
    except MissingError as error:
        raise UndecidedError(f"{error}: nothing is published there yet, or it is no log") from error


def _walk_checks(report: Report, walked: Walked, size: int) -> None:
    _holds(report, "entries", f"{_count(size, 'entry', 'entries')} hashed anew; the tree has the signed root")
    _holds(report, "tiles", f"{_count(walked.tiles, 'tile', 'tiles')} compared with the entries, byte for byte")
    if not size:
        _holds(report, "order", "an empty log breaks no rule")
        return
    first, last = (time[:19].replace("T", " ") for time in (walked.first, walked.last))
    histories = f"{_count(walked.subjects, 'history', 'histories')} without a gap"
    _holds(report, "order", f"recorded in order, {first} to {last} UTC; {histories}")
    ahead = datetime.fromisoformat(walked.last) - datetime.now(UTC)
    if ahead > verifier.MAX_LATENESS:
        report.checks.append(
            Check(
                "clock", Outcome.UNDECIDED, f"the newest entry is dated {walked.last}, later than this machine's clock"
            )
        )


def _receipt_checks(report: Report, kept: verifier.Receipt) -> None:
    report.origin = kept.checkpoint.origin
    where = f"entry {kept.index:,} ({kept.entry['type']}, {kept.entry['rec']})"
    _holds(report, "receipt", f"{where} is in the log of {kept.checkpoint.size:,} entries")
    _holds(report, "opening", "that entry commits to every word of the following, and to nothing else")
    report.body = kept.body


def _holds(report: Report, name: str, detail: str) -> None:
    report.checks.append(Check(name, Outcome.HOLDS, detail))


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
