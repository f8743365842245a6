"""Random histories told to the registry itself, day by day on a clock of ours, and to the model: they answer alike.

`PYTHONPATH=. python tests/support/consent_registry.py --count 20000` runs many; differences come with seeds.

Two people own a copy each of the same content, so that whoever asks about it meets both works.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from random import Random
from uuid import UUID

import factories
from consent_histories import moment
from consent_model import LEAVES, LEVELS, SCOPES, USES, Claim, Model, Permission, Version
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from optout.catalogue.answers import Asset
from optout.consent.vocabulary import EvidenceLevel, Preference, Use
from optout.registry import accounts, claim_targets, claims, collections, grants, histories
from optout.registry.claim_terms import Terms
from optout.registry.lookups import Lookups, Question
from optout.store import db, migrate
from optout.store.models import Account, Role
from optout.store.models.base import utc_now
from optout.store.models.collections import CollectionKind
from optout.store.settings import Settings

DAYS = 6
_AT_ONCE = 500
_SEVERITY = ("disallowed", "conditional", "unknown", "allowed")
_STRICTEST = EvidenceLevel(LEVELS[-1])


class Clock:
    """What every module of the registry takes for the present moment."""

    def __init__(self) -> None:
        self.now = moment(-1)

    def __call__(self) -> datetime:
        return self.now

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Put it in the place of the real one, wherever that was imported to."""
        _replace_everywhere(utc_now, self)
        try:
            yield
        finally:
            _replace_everywhere(self, utc_now)  # also in what was first imported meanwhile


def _replace_everywhere(old: Callable[[], datetime], new: Callable[[], datetime]) -> None:
    for module in list(sys.modules.values()):
        if module is not sys.modules[__name__] and vars(module).get("utc_now") is old:
            vars(module)["utc_now"] = new


@dataclass
class Person:
    """A rightsholder with a copy of the content, in an album; `model` is what they did, for the model."""

    account: Account
    work: UUID
    album: UUID
    model: Model


@dataclass
class Asked:
    """One question; a `day` or `known` of None is left out of it."""

    use: str
    requester: str | None
    day: int | None
    known: int | None
    least: str


class Cast:
    """Who acts in every history, and the content that it is about, as a session's transaction has them."""

    def __init__(self, session: Session) -> None:
        content = b"what the histories are about"
        self.asset = Asset((factories.sha256(content),))
        self.pipelines: Mapping[str, Account] = {name: self._pipeline(session, name) for name in ("pia", "quinn")}
        self.people = [self._person(session, name, content) for name in ("ann", "bob")]

    def _pipeline(self, session: Session, name: str) -> Account:
        account = factories.make_account(session, name=name, evidence=_STRICTEST)
        factories.make_key(session, account, Role.PIPELINE)
        return account

    def _person(self, session: Session, name: str, content: bytes) -> Person:
        account = factories.make_account(session, name=name)
        work = factories.make_pending_work(session, account, data=content)
        album = collections.create(session, account_id=account.id, kind=CollectionKind.ALBUM, name="Blue")
        collections.add_works(session, collection_id=album.id, account_id=account.id, work_ids=[work.id])
        return Person(account, work.id, album.id, Model())


class Telling:
    """One history, in a transaction that its caller undoes."""

    def __init__(self, session: Session, lookups: Lookups, clock: Clock, cast: Cast, seed: int) -> None:
        self._session, self._lookups, self._clock = session, lookups, clock
        self._random = Random(seed)
        self._day = -1
        self._asset, self._pipelines = cast.asset, cast.pipelines
        self._people = [replace(person, model=Model()) for person in cast.people]

    def tell(self) -> Iterable[str]:
        """Go through the days; yield each answer in which registry and model differ."""
        for day in range(self._random.randint(1, DAYS)):
            self._day, self._clock.now = day, moment(day)
            for person in self._people:
                self._act(person)
            if self._random.random() < 0.2:
                yield from self._compare(self._question(is_now=True))
        self._day, self._clock.now = DAYS, moment(DAYS)
        for _ in range(3):
            yield from self._compare(self._question(is_now=False))

    def _act(self, person: Person) -> None:
        """File or amend, withdraw, permit, revoke; or nothing, which is what most do on most days."""
        match self._random.choice(("say", "say", "say", "withdraw", "permit", "revoke", "nothing", "nothing")):
            case "say":
                self._say(person)
            case "withdraw":
                self._withdraw(person)
            case "permit":
                self._permit(person)
            case "revoke":
                self._revoke(person)
            case _:
                pass

    def _say(self, person: Person) -> None:
        scope, level = self._random.choice(SCOPES), self._random.choice((LEVELS[0], LEVELS[-1], *LEVELS))
        live = next((one for one in person.model.claims if one.scope == scope and one.withdrawn is None), None)
        start, end = self._span(is_amendment=live is not None)
        said = {leaf: self._random.choice(_SEVERITY[:2] + _SEVERITY[3:]) for leaf in self._leaves()}
        accounts.set_evidence(self._session, account_id=person.account.id, evidence=EvidenceLevel(level))
        terms: Terms = {
            "preferences": {Use(leaf): Preference(word) for leaf, word in said.items()},
            "valid_from": moment(start),
            "valid_until": None if end is None else moment(end),
        }
        if live is None:
            about = {"work": {"work_id": person.work}, "collection": {"collection_id": person.album}}.get(scope, {})
            claims.file_claim(self._session, claimant_id=person.account.id, **about, **terms)
            person.model.claims.append(live := Claim(str(person.account.id), scope, []))
        else:
            claim_id = self._live(person, scope)
            claims.amend(self._session, claim_id=claim_id, claimant_id=person.account.id, **terms)
        live.versions.append(Version(self._day, level, said, start, end))

    def _withdraw(self, person: Person) -> None:
        live = [one for one in person.model.claims if one.withdrawn is None]
        if live:
            one = self._random.choice(live)
            claim_id = self._live(person, one.scope)
            claims.withdraw(self._session, claim_id=claim_id, claimant_id=person.account.id)
            one.withdrawn = self._day

    def _permit(self, person: Person) -> None:
        start, end = self._span(is_amendment=False)
        use, to = self._random.choice(list(USES)), self._random.choice(list(self._pipelines))
        accounts.set_evidence(self._session, account_id=person.account.id, evidence=_STRICTEST)
        works, collection_id = self._random.choice((([person.work], None), (None, person.album), (None, None)))
        grants.give(
            self._session,
            grantor_id=person.account.id,
            grantee=self._pipelines[to].pseudonym,
            uses=[Use(use)],
            works=works,
            collection_id=collection_id,
            valid_from=moment(start),
            valid_until=None if end is None else moment(end),
        )
        who = str(person.account.id)
        person.model.permissions.append(Permission(who, to, LEVELS[-1], set(USES[use]), self._day, start, end))

    def _revoke(self, person: Person) -> None:
        given = [one for one in person.model.permissions if one.revoked is None]
        if given:
            one = self._random.choice(given)
            newest_first = grants.given(self._session, grantor_id=person.account.id)
            row = newest_first[len(newest_first) - 1 - person.model.permissions.index(one)]
            grants.revoke(self._session, grant_id=row.id, grantor_id=person.account.id)
            one.revoked = self._day

    def _live(self, person: Person, scope: str) -> UUID:
        target = {"work": (person.work, None), "collection": (None, person.album)}.get(scope, (None, None))
        found = claim_targets.live_claim(self._session, claim_targets.target(person.account.id, *target))
        assert found is not None
        return found.id

    def _leaves(self) -> list[str]:
        some = [leaf for leaf in LEAVES if self._random.random() < 0.6]
        return some or [self._random.choice(LEAVES)]

    def _span(self, *, is_amendment: bool) -> tuple[int, int | None]:
        """An amendment can't begin in the future, and nothing can end before it is said."""
        start = self._random.choice((self._day, self._random.randint(-1, self._day if is_amendment else DAYS)))
        return start, self._random.choice((None, max(start, self._day) + self._random.randint(1, 4)))

    def _question(self, *, is_now: bool) -> Asked:
        moments = (None, None) if is_now else (self._some_day(), self._some_day())
        requester = self._random.choice((*self._pipelines, None))
        use, least = self._random.choice(list(USES)), self._random.choice((LEVELS[0], LEVELS[0], *LEVELS))
        return Asked(use, requester, *moments, least)

    def _some_day(self) -> int | None:
        days: tuple[int | None, ...] = (None, *range(DAYS + 1))
        return self._random.choice(days)

    def _compare(self, asked: Asked) -> Iterable[str]:
        """Both works together, for the requester; and one of them by itself, for nobody in particular."""
        known = self._day if asked.known is None else asked.known
        day = known if asked.day is None else asked.day
        at = None if asked.day is None else moment(asked.day)
        known_at = None if asked.known is None else moment(asked.known)
        least, use = EvidenceLevel(asked.least), Use(asked.use)
        requester = None if asked.requester is None else self._pipelines[asked.requester].pseudonym
        words = [one.model.answer(asked.use, asked.requester, day, known, asked.least) for one in self._people]
        expected = next(word for word in _SEVERITY if word in words)
        question = Question(use, requester, at, known_at, min_evidence=least)
        found = self._lookups.answer(self._session, [self._asset], question).answers[0].verdict
        if found != expected:
            yield f"{asked} on day {self._day}: model {expected}, registry {found}"
        person = self._random.choice(self._people)
        said = person.model.answer(asked.use, None, day, known, asked.least)
        alone = histories.applied(
            self._session,
            work_id=person.work,
            account_id=person.account.id,
            use=use,
            at=at,
            known_at=known_at,
            min_evidence=least,
        ).verdict
        if alone != said:
            yield f"{asked} on day {self._day} of one's own work: model {said}, registry {alone}"


def differences(engine: Engine, seeds: Iterable[int]) -> list[str]:
    """Where registry and model answer some histories otherwise. Nothing of them stays in the database."""
    clock, found = Clock(), []
    sessions = db.sessions(engine)
    with clock.in_force(), sessions() as session:
        cast = Cast(session)
        for seed in seeds:
            with session.begin_nested() as history:
                told = Telling(session, Lookups(sessions), clock, cast, seed).tell()
                found += [f"seed {seed}: {difference}" for difference in told]
                history.rollback()
        session.rollback()
    return found


def main() -> int:
    """Run as many histories as asked for; 1 if any differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0, help="seed of the first one")
    asked = parser.parse_args()
    began, failed = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as folder:
        engine = db.engine(Settings(data_folder=Path(folder)))
        migrate.upgrade(engine)
        for first in range(asked.first, asked.first + asked.count, _AT_ONCE):
            for difference in differences(engine, range(first, min(first + _AT_ONCE, asked.first + asked.count))):
                failed += 1
                sys.stdout.write(f"{difference}\n")
        engine.dispose()
    seconds = time.monotonic() - began
    sys.stdout.write(f"{asked.count} histories, {failed} differences, {seconds:.0f} s\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
