"""What a pipeline asks about all its assets alike."""

from dataclasses import dataclass
from datetime import datetime

from fingerprinting.types import Depth
from optout.consent.vocabulary import EvidenceLevel, Use
from optout.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Question:
    """One use, and what decides about it.

    Attributes:
        use: what is to be done with the assets.
        depth: how much work the search may do.
        min_evidence: statements below this level are reported, and do not count.
        at: the moment that the verdicts are for, with time zone; `known_at` or the moment of asking, if None.
        known_at: leave out what was recorded later.
    """

    use: Use
    depth: Depth = Depth.STANDARD
    min_evidence: EvidenceLevel = EvidenceLevel.SELF_DECLARED
    at: datetime | None = None
    known_at: datetime | None = None

    def as_json(self) -> dict[str, str | None]:
        """Give all that could change a verdict, for a receipt."""
        return {
            "use": self.use,
            "depth": self.depth,
            "min_evidence": self.min_evidence,
            "at": None if self.at is None else self.at.isoformat(),
            "known_at": None if self.known_at is None else self.known_at.isoformat(),
        }


def moment(text: str | None, field: str) -> datetime | None:
    """Read a moment as people write it on a command line.

    Raises:
        InvalidInputError: it is none, or has no time zone.
    """
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.utcoffset() is None:
        raise InvalidInputError(f"`{text}` is not a moment with a time zone: write 2026-01-31T12:00:00Z", field=field)
    return found
