"""What applied to a work at a moment, as it was known at another."""

from datetime import datetime

from mediamanager.schemas.base import WireModel
from mediamanager.schemas.lookups import WireReason
from optout.consent.vocabulary import EvidenceLevel, Preference, Use


class ConsentAnswer(WireModel):
    """The verdict about one of your works, for somebody who holds no grant, with every step."""

    use: Use
    at: datetime
    known_at: datetime | None
    min_evidence: EvidenceLevel
    verdict: Preference
    contested: list[Use]
    deciding: list[str]
    reasons: list[WireReason]
