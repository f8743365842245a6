"""Whom to ask about a claim: sealed in the database under its claimant's key, opened here."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from optout.store import encryption
from optout.store.encryption import Place
from optout.store.models.base import Sealed
from optout.store.models.claims import Claim


def seal(session: Session, claim: Claim, contact: str) -> Sealed:
    """Seal a contact for a claim that has its id.

    Raises:
        ConflictError: the claimant was erased.
        MasterKeyError: the master key is not at hand.
    """
    key = encryption.for_writing(session, claim.claimant_id)
    return key.seal(contact.encode(), Place.of(Claim.contact, claim.id))


def of_claim(session: Session, claim: Claim) -> str | None:
    """Whom to ask about a claim; None if it names nobody, or its claimant was erased.

    Raises:
        MasterKeyError, SealedDataError: what is stored can't be opened.
    """
    return of_claims(session, [claim]).get(claim.id)


def of_claims(session: Session, claims: Sequence[Claim]) -> Mapping[UUID, str]:
    """As `of_claim`, for several: by the claim's id, without those that name nobody."""
    naming = [(claim, claim.contact) for claim in claims if claim.contact is not None]
    if not naming:
        return {}
    keys = encryption.for_reading(session, sorted({claim.claimant_id for claim, _ in naming}))
    return {
        claim.id: keys[claim.claimant_id].unseal(contact, Place.of(Claim.contact, claim.id)).decode()
        for claim, contact in naming
        if claim.claimant_id in keys
    }
