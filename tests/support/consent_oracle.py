"""What holds of collections, grants and wrong matches, looked up in rows: a part of `registry_oracle`."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from optout.catalogue.answers import Asset
from optout.consent.vocabulary import Preference, Scope, Use
from optout.ledger import consentlog
from optout.proof.entries import EntryType
from optout.registry import collection_members
from optout.registry.lookups import Lookups, Question
from optout.store.models import Account, Claim, Work
from optout.store.models.collections import Collection
from optout.store.models.grants import Grant
from optout.store.models.log import LogEntry
from optout.store.models.non_matches import NonMatch, NonMatchPeriod, NonMatchState
from workers.resources import Resources

_ABOUT_MATCHES = {
    NonMatchState.REPORTED: EntryType.MATCH_DISPUTED,
    NonMatchState.CONFIRMED: EntryType.MATCH_REJECTED,
    NonMatchState.REFUSED: EntryType.MATCH_UPHELD,
}


def accounted(session: Session, entries: Sequence[LogEntry]) -> dict[str, str]:
    """The log's entries about what this module knows, by id: each row says what they say, and has them all."""
    found: dict[str, str] = {}
    for grant in session.scalars(select(Grant)):
        found[grant.entry_id] = EntryType.GRANT_ISSUED
        if grant.revoked_entry_id is not None:
            found[grant.revoked_entry_id] = EntryType.GRANT_REVOKED
    for collection in session.scalars(select(Collection)):
        about = [one for one in entries if one.subject == collection.log_subject.hex]
        about.sort(key=lambda one: one.number)
        assert [one.type for one in about] == ["collection.created", *["collection.changed"] * (len(about) - 1)]
        assert about[-1].id == collection.entry_id
        inside: set[str] = set()
        for body in (_body(session, one) for one in about):
            inside = (inside | set(body["added"])) - set(body["removed"])
        assert inside == {str(work) for work in collection_members.members(session, collection.id)}
        found.update({one.id: one.type for one in about})
    for report in session.scalars(select(NonMatch)):
        about = [one for one in entries if one.subject == report.log_subject.hex]
        newest = max(about, key=lambda one: one.number)
        assert (newest.id, newest.type) == (report.entry_id, _ABOUT_MATCHES[report.state])
        periods = session.scalars(select(NonMatchPeriod).where(NonMatchPeriod.non_match_id == report.id)).all()
        assert any(one.ended_at is None for one in periods) == (report.state is NonMatchState.CONFIRMED)
        found.update({one.id: one.type for one in about})
    return found


def said_about(session: Session, work: Work, live: Sequence[Claim]) -> Preference:
    """What its owner's claims say about training on a work: of the narrowest scope that says anything."""
    by_scope = {claim.scope: claim for claim in live if _is_about(session, claim, work)}
    for scope in (Scope.WORK, Scope.COLLECTION, Scope.ACCOUNT):
        if scope in by_scope:
            return by_scope[scope].preferences[Use.TRAIN_GENAI]
    return Preference.UNKNOWN


def granted(session: Session, resources: Resources, assets: Mapping[UUID, Asset]) -> None:
    """Whoever holds a grant on some works is answered `allowed` about them, until it is revoked."""
    for account in session.scalars(select(Account)):
        standing = select(Grant).where(Grant.grantee_id == account.id, Grant.revoked_at.is_(None))
        works = {UUID(work) for grant in session.scalars(standing) for work in grant.works}
        asked = sorted(works & assets.keys())
        question = Question(Use.TRAIN_GENAI, account.pseudonym)
        answers = Lookups(resources.sessions).answer(session, [assets[work] for work in asked], question).answers
        assert {answer.verdict for answer in answers} <= {Preference.ALLOWED}, (account.id, answers)
        every = [assets[work] for work in sorted(assets.keys() - works)]
        others = Lookups(resources.sessions).answer(session, every, question).answers
        assert Preference.ALLOWED not in {answer.verdict for answer in others}, (account.id, others)


def _is_about(session: Session, claim: Claim, work: Work) -> bool:
    if claim.scope is Scope.ACCOUNT:
        return claim.claimant_id == work.account_id
    if claim.collection_id is not None:
        return work.id in collection_members.members(session, claim.collection_id)
    return claim.work_id == work.id


def _body(session: Session, entry: LogEntry) -> dict[str, Any]:
    opening = consentlog.opening(session, entry)
    assert opening is not None
    read: dict[str, Any] = json.loads(opening.body)
    return read
