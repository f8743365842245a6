"""What applied to one work at a moment, as it was known at another."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from optout.consent import policy
from optout.consent.decisions import Decision
from optout.consent.vocabulary import EvidenceLevel, Use
from optout.registry import statements, works
from optout.registry.statements import When
from optout.store.models.base import utc_now


def applied(
    session: Session,
    *,
    work_id: UUID,
    account_id: UUID,
    use: Use,
    at: datetime | None = None,
    known_at: datetime | None = None,
    min_evidence: EvidenceLevel = EvidenceLevel.SELF_DECLARED,
) -> Decision:
    """Decide for somebody who holds no grant, about a work of one's own; now, if no moment is given.

    Raises:
        NotFoundError: there is no such work, or it is somebody else's.
        InvalidInputError: a time without zone.
    """
    works.get(session, work_id=work_id, account_id=account_id)
    when = When(at or known_at or utc_now(), known_at, is_now=at is None and known_at is None)
    said = statements.about(session, [work_id], when).statements[str(work_id)]
    return policy.decide(said, use, None, when.at, min_evidence, known_at=known_at)
