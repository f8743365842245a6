"""A rightsholder's permission to one named pipeline account, for some uses, in time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from optout.consent.vocabulary import EvidenceLevel, Use


@dataclass(frozen=True, slots=True)
class Grant:
    """A permission that lifts what its grantor (and anybody with less evidence) says, for one requester alone.

    Attributes:
        id: cited in verdicts.
        grantor: pseudonymous id of the account that permits; a `source` of statements.
        grantee: pseudonymous id of the account that may.
        evidence: how well the grantor's right to speak is shown; only an authenticated grantor's grant counts.
        uses: leaf uses.
        valid_from: when it begins, aware UTC.
        valid_until: when it ends; None is open.
        recorded_at: when the registry learned of it, aware UTC.
        revoked_at: when it was taken back, which is also when that was recorded; None: it was not.
        works: ids of the works that it is for; None: all works of the grantor, later ones too.
    """

    id: str
    grantor: str
    grantee: str
    evidence: EvidenceLevel
    uses: frozenset[Use]
    valid_from: datetime
    valid_until: datetime | None
    recorded_at: datetime
    revoked_at: datetime | None = None
    works: frozenset[str] | None = None

    def covers(self, work: str, owner: str) -> bool:
        """Whether it is for this work, which has to be the grantor's: nobody permits what is another's."""
        return owner == self.grantor and (self.works is None or work in self.works)


def covering(grants: Iterable[Grant], work: str, owner: str) -> tuple[Grant, ...]:
    """Those of some grants that are for a work."""
    return tuple(grant for grant in grants if grant.covers(work, owner))
