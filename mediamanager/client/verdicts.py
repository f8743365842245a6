"""What a pipeline gets back: a verdict an asset, with matches and reasons, or why it could not be checked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from optout.catalogue.answers import WorkMatch
from optout.consent.explain import sentence
from optout.consent.reasons import Code, Parameter, Reason
from optout.consent.remarks import Remark
from optout.consent.vocabulary import Preference, Use

JsonObject: TypeAlias = dict[str, object]


class Verdict(StrEnum):
    """The registry's words, and one of the client's own for what could not be checked."""

    ALLOWED = "allowed"
    CONDITIONAL = "conditional"
    DISALLOWED = "disallowed"
    UNKNOWN = "unknown"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class Step:
    """One reason, with its sentence: a newer registry may give a code that only it can explain."""

    code: str
    parameters: Mapping[str, Parameter]
    sentence: str

    @classmethod
    def of(cls, reason: Reason) -> "Step":
        """Explain a reason in English."""
        return cls(str(reason.code), reason.parameters, sentence(reason))


@dataclass(frozen=True, slots=True)
class SourceAnswer:
    """What one registry or catalogue answers about one asset."""

    verdict: Preference
    matches: tuple[WorkMatch, ...]
    reasons: tuple[Step, ...]
    identifiable: bool


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Why one registry or catalogue has no answer about one asset; a sentence."""

    error: str


@dataclass(frozen=True, slots=True)
class SourceVerdict:
    """What one registry or catalogue said about one asset, for the record.

    Attributes:
        source: its address or folder.
        verdict: UNCHECKED where it could not answer.
        error: why, then.
    """

    source: str
    verdict: Verdict
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """One asset, checked or not.

    Attributes:
        path: as the asset was named by whoever asked.
        verdict: UNCHECKED where no source could answer, or one that had to.
        matches: best first.
        identifiable: False says that a copy of it could not have been recognised by what it looks or sounds like.
        error: what went wrong, if anything did; a verdict beside it stands in spite of it.
        sha256: of the file's bytes, hex, where they were read.
        asset_key: 32 bytes, hex, that name the asset in a receipt; None where nothing is known of it.
        sources: what each that was asked said, in the order in which they were given.
        remarks: what can't be recognised of it, and why; of a file that was fingerprinted here.
    """

    path: str
    verdict: Verdict
    use: Use
    matches: tuple[WorkMatch, ...] = ()
    reasons: tuple[Step, ...] = ()
    identifiable: bool = False
    error: str | None = None
    sha256: str | None = None
    asset_key: str | None = None
    sources: tuple[SourceVerdict, ...] = ()
    remarks: tuple[Remark, ...] = ()

    @classmethod
    def unchecked(
        cls,
        path: str,
        use: Use,
        error: str,
        *,
        identifiable: bool = False,
        sources: tuple[SourceVerdict, ...] = (),
    ) -> "Checked":
        """Say that an asset could not be checked, and why."""
        reason = Step.of(Reason(Code.NOT_CHECKED, {"error": error}))
        return cls(
            path, Verdict.UNCHECKED, use, reasons=(reason,), identifiable=identifiable, error=error, sources=sources
        )

    def as_json(self) -> JsonObject:
        """Give the line that `check --json` prints."""
        return {
            "path": self.path,
            "verdict": self.verdict,
            "use": self.use,
            "matches": [match_as_json(match) for match in self.matches],
            "reasons": [
                {"code": step.code, "parameters": dict(step.parameters), "sentence": step.sentence}
                for step in self.reasons
            ],
            "identifiable": self.identifiable,
            "error": self.error,
            "sha256": self.sha256,
            "asset_key": self.asset_key,
            "sources": [{"source": one.source, "verdict": one.verdict, "error": one.error} for one in self.sources],
            "remarks": [
                {"code": one.code, "sentence": one.sentence, "span": list(one.span) if one.span else None}
                for one in self.remarks
            ],
        }


def match_as_json(match: WorkMatch) -> JsonObject:
    """Give one element of `matches`."""
    return {
        "work": match.work,
        "strength": match.strength,
        "modality": match.modality,
        "algorithm": match.algorithm,
        "version": match.version,
        "distance": match.distance,
        "score": match.score,
        "threshold": match.threshold,
        "query_span": None if match.query_span is None else list(match.query_span),
        "work_span": None if match.work_span is None else list(match.work_span),
        "verdict": match.verdict,
        "evidence": dict(match.evidence),
    }


EXIT_NOTHING_RESERVED = 0
EXIT_RESERVED = 1
EXIT_UNCHECKED = 2


def exit_status(verdicts: Iterable[Checked], *, unknown_is_reserved: bool = False) -> int:
    """Read all: 0 when nothing is reserved, 1 when something is, 2 when something is unchecked (which outweighs 1)."""
    reserved = {Verdict.DISALLOWED, Verdict.CONDITIONAL} | ({Verdict.UNKNOWN} if unknown_is_reserved else set())
    status = EXIT_NOTHING_RESERVED
    for checked in verdicts:
        if checked.error is not None or checked.verdict is Verdict.UNCHECKED:
            status = EXIT_UNCHECKED
        elif checked.verdict in reserved:
            status = max(status, EXIT_RESERVED)
    return status
