"""What counts for works as their owner reads it: all that they say together, and where it comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from babel.support import NullTranslations
from sqlalchemy.orm import Session

from mediamanager.web.creator import subjects
from optout.consent.vocabulary import Preference, Scope, Use
from optout.registry import claims, collections, origins
from optout.registry.origins import Origins
from optout.store.models.claims import Claim


@dataclass(frozen=True, slots=True)
class Source:
    """One claim of several that speak for a work: what it is about, in the reader's language, and its page."""

    claim: Claim
    name: str
    address: str
    ends_soon: bool


@dataclass(frozen=True, slots=True)
class Counting:
    """What counts for one work; without `sources` nothing does."""

    preferences: Mapping[Use, Preference]
    sources: Sequence[Source]

    @property
    def only_its_own(self) -> bool:
        """Whether all of it is said about the work alone."""
        return all(one.claim.scope is Scope.WORK for one in self.sources)


def of_works(
    session: Session, works: Sequence[UUID], *, account_id: UUID, words: NullTranslations
) -> Mapping[UUID, Counting]:
    """What counts for some works of an account."""
    found = origins.of_works(session, works)
    names = _collection_names(session, found, account_id)
    return {work: _counting(one, names, words) for work, one in found.items()}


def of_a_new_work(
    session: Session, *, account_id: UUID, collection_id: UUID | None, words: NullTranslations
) -> Counting:
    """What would count for a work that an account registers without a word about it alone.

    Raises:
        NotFoundError: no such collection, or somebody else's.
    """
    found = origins.of_a_new_work(session, account_id=account_id, collection_id=collection_id)
    names = {}
    if collection_id is not None:
        names = {collection_id: collections.get(session, collection_id=collection_id, account_id=account_id).name}
    return _counting(found, names, words)


def _collection_names(session: Session, found: Mapping[UUID, Origins], account_id: UUID) -> Mapping[UUID, str]:
    if not any(claim.collection_id for one in found.values() for claim in one.claims):
        return {}
    return {one.id: one.name for one in collections.list_collections(session, account_id=account_id)}


def _counting(found: Origins, names: Mapping[UUID, str], words: NullTranslations) -> Counting:
    return Counting(found.preferences, [_source(claim, names, words) for claim in found.claims])


def _source(claim: Claim, names: Mapping[UUID, str], words: NullTranslations) -> Source:
    if claim.collection_id is not None:
        name = names[claim.collection_id]
    else:
        name = words.gettext("this work alone") if claim.work_id else words.gettext("all your works")
    return Source(claim, name, subjects.address_of(claim), claims.ends_soon(claim))
