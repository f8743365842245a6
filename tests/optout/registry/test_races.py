"""What two transactions do at one moment, neither seeing the other: nothing is missed, and neither is refused."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from factories import NO_TRAINING, make_account, make_claim, make_pending_work
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from optout.consent import policy
from optout.consent.vocabulary import Preference, Use
from optout.registry import claim_targets, claims, collection_members, collections, statements, works
from optout.registry.statements import When
from optout.store import db
from optout.store.models import Claim, ClaimState
from optout.store.models.collections import CollectionKind

pytestmark = pytest.mark.database("postgresql")  # SQLite has one writer at a time

Step: TypeAlias = Callable[[Session], object]

URL = "https://img.example.org/a.png"
CHANNEL = "UC" + "a" * 22
PATIENCE_SECONDS = 10


class Registry:
    """An account with a work on a video, and what may happen to it."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self.sessions = sessions
        with db.transaction(sessions) as session:
            self.account = make_account(session).id
            video = works.register_url(session, account_id=self.account, url="https://youtu.be/dQw4w9WgXcQ")
            self.video = video.work.id

    def register(self, session: Session) -> UUID:
        return works.register_url(session, account_id=self.account, url=URL).work.id

    def see_channel(self, session: Session) -> UUID:
        collection_members.seen_on_channel(session, self.video, CHANNEL)
        return self.video

    def collect_domain(self, session: Session) -> None:
        self._collect(session, CollectionKind.DOMAIN, "example.org")

    def collect_channel(self, session: Session) -> None:
        self._collect(session, CollectionKind.CHANNEL, CHANNEL)

    def _collect(self, session: Session, kind: CollectionKind, name: str) -> None:
        made = collections.create(session, account_id=self.account, kind=kind, name=name)
        claims.file_claim(session, claimant_id=self.account, collection_id=made.id, preferences=NO_TRAINING)

    def interleaved(self, first: Step, second: Step) -> tuple[object, object]:
        """Begin the second while the first is not committed; commit the first once the second waits or is through."""
        with ThreadPoolExecutor(1) as pool:
            with db.transaction(self.sessions) as session:
                one = first(session)
                other = pool.submit(self.run, second)
                self.wait_for(other)
            return one, other.result(timeout=PATIENCE_SECONDS)

    def run(self, step: Step) -> object:
        with db.transaction(self.sessions) as session:
            return step(session)

    def wait_for(self, other: Future[object]) -> None:
        """Until it waits for a lock, or is done."""
        here = "datname = current_database()"
        waiting = text(f"SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND {here}")
        end = time.monotonic() + PATIENCE_SECONDS
        while not other.done() and time.monotonic() < end:
            with db.reading(self.sessions) as session:
                if session.scalar(waiting):
                    return
            time.sleep(0.01)

    def verdict(self, work: UUID) -> Preference:
        now = datetime.now(UTC)
        with db.reading(self.sessions) as session:
            said = statements.about(session, [work], When(now, is_now=True)).statements[str(work)]
        return policy.decide(said, Use.TRAIN_GENAI, None, now).verdict


@pytest.fixture
def registry(live_sessions: sessionmaker[Session]) -> Registry:
    return Registry(live_sessions)


@pytest.mark.parametrize("collection_first", [False, True])
@pytest.mark.parametrize(("seeing", "collecting"), [("register", "collect_domain"), ("see_channel", "collect_channel")])
def test_a_work_and_a_collection_that_appear_at_one_moment_meet(
    registry: Registry, seeing: str, collecting: str, *, collection_first: bool
) -> None:
    see, collect = getattr(registry, seeing), getattr(registry, collecting)

    steps = registry.interleaved(collect, see) if collection_first else registry.interleaved(see, collect)

    (work,) = (one for one in steps if isinstance(one, UUID))
    assert registry.verdict(work) is Preference.DISALLOWED


def test_two_works_that_appear_at_one_moment_are_both_in_their_domain(registry: Registry) -> None:
    with db.transaction(registry.sessions) as session:
        registry.collect_domain(session)

    def another(session: Session) -> UUID:
        return works.register_url(session, account_id=registry.account, url=f"{URL}?2").work.id

    found = registry.interleaved(registry.register, another)

    assert {registry.verdict(work) for work in found if isinstance(work, UUID)} == {Preference.DISALLOWED}


@pytest.mark.parametrize("scope", ["account", "collection", "work"])
def test_what_is_claimed_about_is_locked_and_rows_that_only_name_it_are_not_held_up(
    registry: Registry, scope: str
) -> None:
    """A claim locks what it is about, then the changes: whoever has these must not wait for that."""
    with db.transaction(registry.sessions) as session:
        work, named = registry.register(session), [registry.video]
        domain = collections.create(
            session, account_id=registry.account, kind=CollectionKind.DOMAIN, name="example.org"
        )
    about = {"collection": (None, domain.id), "work": (registry.video, None)}.get(scope, (None, None))

    with db.transaction(registry.sessions) as holding:
        claim_targets.lock(holding, claim_targets.target(registry.account, *about))
        with db.transaction(registry.sessions) as session:
            session.execute(text("SET LOCAL lock_timeout TO '2s'"))
            claims.file_claim(session, claimant_id=registry.account, work_id=work, preferences=NO_TRAINING)
            if scope == "work":
                album = collections.create(session, account_id=registry.account, kind=CollectionKind.ALBUM, name="Blue")
                collections.add_works(session, collection_id=album.id, account_id=registry.account, work_ids=named)


def test_who_registers_and_claims_what_another_account_claims_at_this_moment_is_not_refused(registry: Registry) -> None:
    """Neither holds what the other one waits for; the database would end one of them."""
    with db.transaction(registry.sessions) as session:
        theirs = make_pending_work(session, make_account(session), data=b"both have it")

    with ThreadPoolExecutor(1) as pool, db.transaction(registry.sessions) as session:
        mine = make_pending_work(session, make_account(session), data=b"both have it")
        other = pool.submit(registry.run, lambda session: make_claim(session, theirs))
        registry.wait_for(other)
        make_claim(session, mine, preferences={Use.ALL: Preference.CONDITIONAL})

    assert isinstance(other.result(timeout=PATIENCE_SECONDS), Claim)
    with db.reading(registry.sessions) as session:
        assert set(session.scalars(select(Claim.state))) == {ClaimState.CONTESTED}


def test_a_preference_that_moves_from_the_work_to_all_works_is_found_by_who_reads_meanwhile(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    with db.transaction(registry.sessions) as session:
        claim = claims.file_claim(
            session, claimant_id=registry.account, work_id=registry.video, preferences=NO_TRAINING
        ).id
    read_accounts = statements._add_accounts

    def and_then_it_moves(*arguments: Any) -> None:
        read_accounts(*arguments)
        with db.transaction(registry.sessions) as session:
            claims.file_claim(session, claimant_id=registry.account, preferences=NO_TRAINING)
        with db.transaction(registry.sessions) as session:
            claims.withdraw(session, claim_id=claim, claimant_id=registry.account)

    monkeypatch.setattr(statements, "_add_accounts", and_then_it_moves)

    assert registry.verdict(registry.video) is Preference.DISALLOWED
    monkeypatch.undo()
    assert registry.verdict(registry.video) is Preference.DISALLOWED
