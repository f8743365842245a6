"""One preference found somewhere, with who said it, about what, how it was found, and when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from optout.consent.vocabulary import Carrier, EvidenceLevel, Preference, Scope, Use


@dataclass(frozen=True, slots=True)
class SourceToken:
    """A word of an opt-out standard as it stood in the source.

    Attributes:
        standard: its name in `optout.consent.standards`.
        version: of the standard that it was read by.
        text: verbatim.
    """

    standard: str
    version: str
    text: str


@dataclass(frozen=True, slots=True)
class Statement:
    """What one source says about some uses of one work.

    Attributes:
        id: of the claim (or other carrier) that it was read from.
        source: a pseudonymous id of who speaks.
        carrier: where it was found.
        evidence: how well the source's right to speak is shown.
        uses: a preference per leaf use; a leaf that is missing is UNKNOWN. Never holds an aggregate.
        valid_from: when it begins to apply, aware UTC.
        valid_until: when it ends; None is open.
        recorded_at: when the registry learned of it, aware UTC.
        terms_url: where licence terms can be read, for a `conditional` preference.
        contact: whom to ask, an address of any kind; None: nobody in particular.
        languages: in which to ask, as BCP 47 tags, the preferred one first.
        scope: what the claim is about; the narrower of one claimant's wins, leaf by leaf.
        subject: id of the work or collection that it is about; None where the statement stands beside its work.
        series: names the versions of one claim. The one recorded last replaces the others from its start on, wholly
            and for good. None: it has one version.
        withdrawn_at: when it was taken back, which is also when that was recorded; None: it was not.
        location: the canonical address that it is bound to: it counts only for an asset that was got there. None: it
            is bound to the content, and follows it everywhere.
        unread: why the source could not be understood, a stable word. Such a statement says nothing itself, and keeps
            others from permitting: what could not be read may have been a reservation.
        tokens: verbatim what `uses` was read from.
        raw_sha256: of the bytes that it was read from, hex.
        parser: name and version of what read it.
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
    contact: str | None = None
    languages: tuple[str, ...] = ()
    scope: Scope = Scope.WORK
    subject: str | None = None
    series: str | None = None
    withdrawn_at: datetime | None = None
    location: str | None = None
    unread: str | None = None
    tokens: tuple[SourceToken, ...] = ()
    raw_sha256: str | None = None
    parser: str | None = None
