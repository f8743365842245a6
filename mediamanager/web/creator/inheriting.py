"""The choice to say nothing about new works alone: what is said about their collections and all works counts then."""

from dataclasses import dataclass
from uuid import UUID

from babel.support import NullTranslations
from sqlalchemy.orm import Session

from mediamanager.web.creator import choice, sources
from optout.consent import explain
from optout.consent.explain import Language
from optout.registry import claim_targets, collections
from optout.store.models.collections import Collection, CollectionKind


@dataclass(frozen=True, slots=True)
class Inheriting:
    """The choice as a form offers it.

    Attributes:
        card: its value, its name, and the sentence that says what would count then, also when nothing would.
        is_first: something would count, so that this is what is chosen at first.
        collection: that the new works go into; None: none was named.
    """

    card: tuple[str, str, str]
    is_first: bool
    collection: Collection | None


def offered(
    session: Session, *, account_id: UUID, collection_id: UUID | None, language: Language, words: NullTranslations
) -> Inheriting:
    """The choice for works that an account registers now.

    Raises:
        NotFoundError: no such collection, or somebody else's.
    """
    collection = None
    if collection_id is not None:
        collection = collections.get(session, collection_id=collection_id, account_id=account_id)
    found = sources.of_a_new_work(session, account_id=account_id, collection_id=collection_id, words=words)
    if found.sources:
        said = words.gettext("This counts for them, from what you say about %(names)s: %(sentence)s") % {
            "names": ", ".join(one.name for one in found.sources),
            "sentence": explain.choice(found.preferences, language),
        }
    else:
        said = words.gettext("Nothing counts for them then: those who ask are told that no reservation was found.")
    if _some_join_by_themselves(session, account_id):
        more = words.gettext("For those that join one of your websites or channels, what you say about that counts.")
        said = f"{said} {more}"
    name = words.gettext("As I say for collections and all my works")
    return Inheriting((choice.INHERIT, name, said), bool(found.sources), collection)


def _some_join_by_themselves(session: Session, account_id: UUID) -> bool:
    """Whether there is a claim on a collection that new works may turn out to be of."""
    said = claim_targets.live_claims_of_collections(session, account_id)
    mine = collections.list_collections(session, account_id=account_id) if said else ()
    return any(one.id in said and one.kind is not CollectionKind.ALBUM for one in mine)
