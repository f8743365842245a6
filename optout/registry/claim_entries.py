"""What happens to claims, written into the consent log: the bodies of their entries."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from optout.ledger import consentlog
from optout.proof.entries import EntryType, Json, time_text
from optout.registry import contacts, fingerprints
from optout.registry.accounts import get_account
from optout.store.models.base import utc_now
from optout.store.models.claims import Claim
from optout.store.models.log import LogEntry
from optout.store.models.works import Work, WorkState


def append(session: Session, type_: EntryType, claim: Claim, work: Work | None, at: datetime) -> LogEntry:
    """Write one entry about a claim, in the caller's transaction.

    The body names the claimant by pseudonym and the work by id; `work` is None where the claim is about more than one.
    `fingerprint_digest` is null until the work is ready; `append_fingerprinted` follows then.

    Raises:
        ConflictError: another transaction has just written about the same claim.
    """
    digest = None
    if work is not None and work.state is WorkState.READY:
        digest = fingerprints.digest_of(session, work.id).hex()
    preferences = {use.value: preference.value for use, preference in claim.preferences.items()}
    body: dict[str, Json] = {
        "claim": str(claim.id),
        "claimant": get_account(session, claim.claimant_id).pseudonym,
        "collection": None if claim.collection_id is None else str(claim.collection_id),
        "contact": contacts.of_claim(session, claim),
        "evidence": claim.evidence.value,
        "fingerprint_digest": digest,
        "languages": list(claim.languages),
        "preferences": preferences,
        "scope": claim.scope.value,
        "supersedes": None if claim.supersedes is None else str(claim.supersedes),
        "terms_url": claim.terms_url,
        "valid_from": time_text(claim.valid_from),
        "valid_until": None if claim.valid_until is None else time_text(claim.valid_until),
        "work": None if work is None else str(work.id),
    }
    return consentlog.append(
        session, type=type_, subject=claim.log_subject, body=body, recorded_at=at, person=claim.claimant_id
    )


def append_fingerprinted(session: Session, work_id: UUID) -> None:
    """Commit each live claim on a work to the fingerprints that the work has now."""
    live = session.scalars(select(Claim).where(Claim.work_id == work_id, Claim.settled_at.is_(None))).all()
    work = session.get_one(Work, work_id)
    for claim in live:
        append(session, EntryType.CLAIM_FINGERPRINTED, claim, work, utc_now())
