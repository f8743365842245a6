"""One preference found somewhere, with who said it, how, and when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from optout.consent.vocabulary import Carrier, EvidenceLevel, Preference, Use


@dataclass(frozen=True, slots=True)
class Statement:
    """What one source says about some uses of one work.

    Attributes:
        id: of the claim (or other carrier) that it was read from.
        source: a pseudonymous id of who speaks; two statements of one source replace one another, never two sources'.
        carrier: where it was found.
        evidence: how well the source's right to speak is shown.
        uses: a preference per leaf use; a leaf that is missing is UNKNOWN. Never holds an aggregate.
        valid_from: when it begins to apply, aware UTC.
        valid_until: when it ends; None is open.
        recorded_at: when the registry learned of it, aware UTC.
        terms_url: where licence terms can be read, for a `conditional` preference.
    """

    id: str
    source: str
    carrier: Carrier
    evidence: EvidenceLevel
    uses: Mapping[Use, Preference]
    valid_from: datetime
    valid_until: datetime | None
    recorded_at: datetime
    terms_url: str | None = None
