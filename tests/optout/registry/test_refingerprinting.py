"""Works that a newer algorithm does not know yet are found, mended where that can be, and stay found meanwhile."""

import hashlib
from datetime import timedelta
from uuid import UUID

import pytest
from factories import make_account, make_claim, sha256
from newer_algorithms import bring_second_version, by_both, prose, retire_first_version, second
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from fingerprinting.media import DEFAULT_LIMITS
from fingerprinting.text.fingerprints import fingerprint_text
from fingerprinting.types import Depth, Extraction, Fingerprint, Modality
from optout.errors import ConflictError
from optout.ledger import consentlog
from optout.registry import fingerprints, refingerprinting, works
from optout.registry.live_index import LiveIndex
from optout.registry.refingerprinting import NOT_KEPT, Way
from optout.store import jobs
from optout.store.jobs import Retries
from optout.store.models import Account, Job, JobKind, JobState, Work
from optout.store.models.base import utc_now

PROSE = prose(1)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Extraction:
    """What fingerprinting gave before the update."""
    path = tmp_path_factory.mktemp("text") / "prose.txt"
    path.write_bytes(PROSE)
    found = fingerprint_text(path, "text/plain", DEFAULT_LIMITS)
    return Extraction(Modality.TEXT, "text/plain", (sha256(PROSE), *found.fingerprints))


def uploaded(session: Session, account: Account, extraction: Extraction, *, keep_media: bool) -> Work:
    """A work by upload, ready."""
    work = works.register_upload(
        session,
        account_id=account.id,
        sha256=hashlib.sha256(PROSE).digest(),
        size_bytes=len(PROSE),
        name="prose.txt",
        title="Prose",
        keep_media=keep_media,
    ).work
    return works.record_fingerprints(session, work.id, extraction)


def at_address(session: Session, account: Account, extraction: Extraction) -> Work:
    work = works.register_url(session, account_id=account.id, url="https://example.org/prose.txt").work
    return works.record_fingerprints(session, work.id, extraction)


def ids_of(session: Session, work: Work) -> set[str]:
    return {f"{one.algorithm}.v{one.version}" for _work, one in fingerprints.of_works(session, [work.id])}


def waiting(session: Session, work: Work) -> list[JobKind]:
    return list(session.scalars(select(Job.kind).where(Job.subject == str(work.id), Job.state == JobState.WAITING)))


def settle(session: Session, work: Work) -> None:
    """As if a worker had taken every job about the work and left it."""
    for job in session.scalars(select(Job).where(Job.subject == str(work.id))):
        job.state = JobState.DONE
    session.flush()


def park(session: Session, work: Work) -> None:
    job = session.scalars(select(Job).where(Job.kind == JobKind.REFINGERPRINT_WORK)).one()
    lease = jobs.claim_due(session, job.id, now=utc_now() + timedelta(days=1))
    assert lease is not None
    jobs.fail(session, lease, code="content-changed", sentence="x", retries=Retries(attempts=1))
    session.flush()


def test_nothing_is_missing_while_the_algorithms_stay_the_same(
    session: Session, account: Account, before: Extraction
) -> None:
    work = uploaded(session, account, before, keep_media=True)

    assert refingerprinting.find(session).stale == []
    assert works.lacks(work) == set()


def test_each_work_goes_its_way(
    session: Session, account: Account, before: Extraction, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = uploaded(session, account, before, keep_media=True)
    other = make_account(session)
    gone = uploaded(session, other, before, keep_media=False)
    linked = at_address(session, account, before)
    bring_second_version(monkeypatch)

    found = {one.work: one for one in refingerprinting.find(session).stale}

    assert {work: (one.way, one.reason) for work, one in found.items()} == {
        kept.id: (Way.MEDIA, None),
        linked.id: (Way.ADDRESS, None),
        gone.id: (Way.OWNER, NOT_KEPT),
    }
    assert {one.missing for one in found.values()} == {("shingle-3.v4",)}
    assert (found[gone.id].account, found[gone.id].title) == (other.id, "Prose")


def test_a_job_is_promised_once_and_not_before_its_turn(
    session: Session, account: Account, before: Extraction, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploaded(session, account, before, keep_media=True)
    bring_second_version(monkeypatch)
    turn = utc_now() + timedelta(minutes=5)

    refingerprinting.begin(session, refingerprinting.find(session).stale, due_at=turn)

    job = session.scalars(select(Job).where(Job.kind == JobKind.REFINGERPRINT_WORK)).one()
    assert job.due_at == turn
    assert [one.way for one in refingerprinting.find(session).stale] == [Way.UNDER_WAY]


def test_what_is_computed_anew_stands_beside_what_was_there(
    session: Session, account: Account, before: Extraction, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = uploaded(session, account, before, keep_media=True)
    old = [one for _work, one in fingerprints.of_works(session, [work.id])]
    bring_second_version(monkeypatch)

    for _twice in range(2):
        refingerprinting.record(session, work.id, by_both(before, PROSE))

    assert [one for _work, one in fingerprints.of_works(session, [work.id])] == [*old, second(PROSE)]
    assert refingerprinting.find(session).stale == []
    assert work.media_key is not None


def test_a_live_claim_commits_to_the_new_fingerprints(
    session: Session, account: Account, before: Extraction, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = uploaded(session, account, before, keep_media=True)
    claim = make_claim(session, work)
    bring_second_version(monkeypatch)

    refingerprinting.record(session, work.id, by_both(before, PROSE))

    newest = consentlog.latest(session, claim.log_subject)
    assert newest is not None
    assert newest.type == "claim.fingerprinted"
    opening = consentlog.opening(session, newest)
    assert opening is not None
    assert fingerprints.digest_of(session, work.id).hex() in opening.body


def test_lookups_find_a_work_by_either_version_and_by_the_new_one_after_the_old_is_retired(
    sessions: sessionmaker[Session], before: Extraction, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found_by(index: LiveIndex, one: Fingerprint) -> list[UUID]:
        with sessions() as session:
            return [work for work, _match in index.refresh(session).search([[one]], Depth.STANDARD)]

    with sessions() as session:
        work = uploaded(session, make_account(session), before, keep_media=True)
        session.commit()
    old = before.fingerprints[1]
    bring_second_version(monkeypatch)
    index = LiveIndex(sessions)
    assert (found_by(index, old), found_by(index, second(PROSE))) == ([work.id], [])

    with sessions() as session:
        refingerprinting.record(session, work.id, by_both(before, PROSE))
        session.commit()

    assert (found_by(index, old), found_by(index, second(PROSE))) == ([work.id], [work.id])
    retire_first_version(monkeypatch)
    assert found_by(LiveIndex(sessions), second(PROSE)) == [work.id]


def test_kept_media_that_is_not_the_file_any_more_adds_nothing(
    session: Session, account: Account, before: Extraction, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = uploaded(session, account, before, keep_media=True)
    bring_second_version(monkeypatch)
    other = Extraction(Modality.TEXT, "text/plain", (sha256(b"other"), second(b"other")))

    with pytest.raises(ConflictError, match="not the file"):
        refingerprinting.record(session, work.id, other)

    assert "shingle-3.v4" not in ids_of(session, work)


def test_a_work_whose_job_was_parked_is_its_owners_to_mend(
    session: Session, account: Account, before: Extraction, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = at_address(session, account, before)
    bring_second_version(monkeypatch)
    refingerprinting.begin(session, refingerprinting.find(session).stale, due_at=utc_now())
    park(session, work)

    one = refingerprinting.find(session).stale[0]

    assert (one.way, one.reason) == (Way.OWNER, "content-changed")
    refingerprinting.record(session, work.id, by_both(before, PROSE))
    assert refingerprinting.find(session).stale == []
    assert session.scalars(select(Job).where(Job.state == JobState.PARKED)).all() == []


def test_an_owner_who_uploads_the_file_again_gives_it_to_the_new_algorithm(
    session: Session, account: Account, before: Extraction, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = uploaded(session, account, before, keep_media=False)
    settle(session, work)
    again = {
        "account_id": account.id,
        "sha256": hashlib.sha256(PROSE).digest(),
        "size_bytes": len(PROSE),
        "name": "prose.txt",
    }
    assert not works.register_upload(session, **again).wants_media  # type: ignore[arg-type]  # names as above
    bring_second_version(monkeypatch)

    registered = works.register_upload(session, **again)  # type: ignore[arg-type]

    assert (registered.work.id, registered.created, registered.wants_media) == (work.id, False, True)
    assert work.media_key == works.media_key(work.id)
    assert waiting(session, work) == [JobKind.REFINGERPRINT_WORK]
    assert not works.register_upload(session, **again).wants_media  # type: ignore[arg-type]
    refingerprinting.record(session, work.id, by_both(before, PROSE))
    assert work.media_key is None


def test_an_owner_who_registers_the_address_again_has_it_fetched_again(
    session: Session, account: Account, before: Extraction, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = at_address(session, account, before)
    settle(session, work)
    bring_second_version(monkeypatch)

    works.register_url(session, account_id=account.id, url="https://example.org/prose.txt")

    assert waiting(session, work) == [JobKind.REFINGERPRINT_WORK]


def test_an_owner_who_fingerprints_again_adds_what_is_new_and_changes_nothing_else(
    session: Session, account: Account, before: Extraction, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = works.register_fingerprints(session, account_id=account.id, extraction=before).work
    bring_second_version(monkeypatch)
    other = Extraction(Modality.TEXT, "text/plain", (before.fingerprints[0], second(PROSE)))

    registered = works.register_fingerprints(session, account_id=account.id, extraction=other)

    assert (registered.work.id, registered.created) == (work.id, False)
    assert ids_of(session, work) == {"sha256.v1", "shingle-3.v3", "shingle-3.v4"}
    changed = Extraction(Modality.TEXT, "text/plain", (before.fingerprints[0], second(b"other")))
    works.register_fingerprints(session, account_id=account.id, extraction=changed)
    assert [one for _w, one in fingerprints.of_works(session, [work.id])][-1] == second(PROSE)


def test_pages_go_through_every_work_once(
    session: Session, before: Extraction, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {uploaded(session, make_account(session), before, keep_media=True).id for _ in range(5)}
    bring_second_version(monkeypatch)

    found: list[UUID] = []
    after: UUID | None = None
    while True:
        page = refingerprinting.find(session, after=after, limit=2)
        found += [one.work for one in page.stale]
        after = page.next_after
        if after is None:
            break

    assert sorted(found) == sorted(made)


def test_content_is_the_same_by_bytes_or_by_a_match_and_not_otherwise(before: Extraction) -> None:
    resaved = Extraction(Modality.TEXT, "text/plain", (sha256(b"resaved"), before.fingerprints[1]))
    stranger = Extraction(Modality.TEXT, "text/plain", (sha256(b"stranger"),))

    assert refingerprinting.is_same_content([before.fingerprints[0]], before)
    assert refingerprinting.is_same_content(before.fingerprints, resaved)
    assert not refingerprinting.is_same_content(before.fingerprints, stranger)
    assert not refingerprinting.is_same_content([], before)
