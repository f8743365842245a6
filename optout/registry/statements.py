"""What was said about works, read from rows as the policy wants it: as of a moment, as known at another."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from optout.consent import moments
from optout.consent.statements import Statement
from optout.consent.vocabulary import Carrier, Scope
from optout.registry import claim_versions, collection_members, contacts
from optout.store.models.accounts import Account
from optout.store.models.claims import Claim, ClaimState
from optout.store.models.collections import CollectionWork
from optout.store.models.works import Work

PARSER: Final = "claim/1"
_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Said:
    """What was said about some works, each by its id, and whose they are (pseudonyms)."""

    statements: Mapping[str, Sequence[Statement]] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class When:
    """The moments that are asked about.

    Attributes:
        at: that the verdict is for.
        known_at: what was recorded later is left out; None: nothing is.
        is_now: `at` is the moment of asking. Then what is committed counts, whatever the clock of the host says that
            wrote it: it has been recorded, and has begun unless it names a later start.

    Raises:
        InvalidInputError: a time without zone, or beyond the calendar.
    """

    at: datetime
    known_at: datetime | None = None
    is_now: bool = False

    def __post_init__(self) -> None:
        """Refuse moments that can't be compared, before a database is asked about them."""
        moments.require(self.at, "at")
        moments.require(self.known_at, "known_at")

    @property
    def since(self) -> datetime:
        """What was settled by then counts for nothing."""
        return self.at if self.known_at is None else min(self.at, self.known_at)

    def start(self, valid_from: datetime, recorded_at: datetime) -> datetime:
        """When something begins that names a start or, by default, begins as it is recorded."""
        return min(valid_from, self.at) if self.is_now and valid_from <= recorded_at else valid_from

    @property
    def is_member(self) -> ColumnElement[bool]:
        """The condition on `CollectionWork` that a work is covered then."""
        return collection_members.is_member() if self.is_now else collection_members.is_member(self.at, self.known_at)


def about(session: Session, works: Sequence[UUID], when: When) -> Said:
    """Read what may count about some works at a moment, as known at another.

    Versions of a claim that surely do not speak then are left out. About now, only live claims are read, by indexes
    that hold no others: a claim that was amended very often costs no more than one that was not.
    """
    said: dict[str, list[Statement]] = defaultdict(list)
    owners: dict[str, str] = {}
    of_accounts: dict[UUID, Sequence[Statement]] = {}
    for start in range(0, len(works), _BATCH):
        some = works[start : start + _BATCH]
        rows = session.execute(
            select(Work.id, Work.account_id, Account.pseudonym)
            .join(Account, Account.id == Work.account_id)
            .where(Work.id.in_(some))
        ).all()
        owners.update({str(work): pseudonym for work, _, pseudonym in rows})
        new = sorted({account for _, account, _ in rows} - of_accounts.keys())
        _add_accounts(session, new, of_accounts, when)
        for work, account, _ in rows:
            said[str(work)].extend(of_accounts[account])
        for one in _read(session, Scope.WORK, some, when):
            said[str(one.subject)].append(one)
        _add_collections(session, some, said, when)
    return Said(said, owners)


def _add_accounts(
    session: Session,
    accounts: Sequence[UUID],
    found: dict[UUID, Sequence[Statement]],
    when: When,
) -> None:
    by_account: dict[str, list[Statement]] = defaultdict(list)
    for one in _read(session, Scope.ACCOUNT, accounts, when) if accounts else ():
        by_account[str(one.subject)].append(one)
    found.update({account: by_account[str(account)] for account in accounts})


def _add_collections(
    session: Session,
    works: Sequence[UUID],
    said: dict[str, list[Statement]],
    when: When,
) -> None:
    members = session.execute(
        select(CollectionWork.collection_id, CollectionWork.work_id)
        .where(CollectionWork.work_id.in_(works), when.is_member)
        .distinct()
    ).all()
    if not members:
        return
    by_collection: dict[str, list[Statement]] = defaultdict(list)
    # A work may be in a thousand collections, and a statement has only so many places for parameters.
    wanted = sorted({collection for collection, _ in members})
    for start in range(0, len(wanted), _BATCH):
        for one in _read(session, Scope.COLLECTION, wanted[start : start + _BATCH], when):
            by_collection[str(one.subject)].append(one)
    for collection, work in members:
        said[str(work)].extend(by_collection[str(collection)])


def _read(session: Session, scope: Scope, things: Sequence[UUID], when: When) -> list[Statement]:
    query = select(Claim, Account.pseudonym).join(Account, Account.id == Claim.claimant_id)
    if when.is_now:
        query = query.where(claim_versions.now_in_force(scope, things))
    else:
        query = query.where(claim_versions.may_speak(session, scope, things, when.at, when.known_at))
    rows = session.execute(query.order_by(Claim.filed_at, Claim.id)).all()
    whom = contacts.of_claims(session, [claim for claim, _ in rows])
    return [of_claim(claim, pseudonym, whom.get(claim.id), when) for claim, pseudonym in rows]


def of_claim(claim: Claim, pseudonym: str, contact: str | None, when: When | None = None) -> Statement:
    """A claim as a statement of its claimant, for a question about some moment."""
    return Statement(
        id=str(claim.id),
        source=pseudonym,
        carrier=Carrier.CLAIM,
        evidence=claim.evidence,
        uses=claim.preferences,
        valid_from=claim.valid_from if when is None else when.start(claim.valid_from, claim.filed_at),
        valid_until=claim.valid_until,
        recorded_at=claim.filed_at,
        terms_url=claim.terms_url,
        contact=contact,
        languages=tuple(claim.languages),
        scope=claim.scope,
        subject=str(claim.work_id or claim.collection_id or claim.claimant_id),
        series=str(claim.log_subject),
        withdrawn_at=claim.settled_at if claim.state is ClaimState.WITHDRAWN else None,
        parser=PARSER,
    )
