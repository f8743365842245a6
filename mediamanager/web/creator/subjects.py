"""What a claim is about, as the pages name it: a work, a collection, or all works of an account."""

from dataclasses import dataclass

from babel.support import NullTranslations
from sqlalchemy.orm import Session

from mediamanager.web.creator.rows import row
from optout.registry import collections
from optout.store.models.claims import Claim


@dataclass(frozen=True, slots=True)
class Subject:
    """Its name in the reader's language, and the page that shows it."""

    name: str
    address: str


def of_claim(session: Session, claim: Claim, words: NullTranslations) -> Subject:
    """Name what a claim is about, to its claimant."""
    owner = claim.claimant_id
    if claim.work_id is not None:
        name = row(session, work_id=claim.work_id, account_id=owner, words=words).name
    elif claim.collection_id is not None:
        name = collections.get(session, collection_id=claim.collection_id, account_id=owner).name
    else:
        name = words.gettext("all your works")
    return Subject(name, address_of(claim))


def address_of(claim: Claim) -> str:
    """The page that shows what a claim is about."""
    if claim.work_id is not None:
        return f"/works/{claim.work_id}"
    return "/account/change" if claim.collection_id is None else f"/collections/{claim.collection_id}"
