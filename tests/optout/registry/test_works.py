"""Registering works: the same again is the same work, and bad input leaves nothing behind."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from factories import make_account, make_claim, make_pending_work, make_work, pdq, picture, sha256
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from fingerprinting.errors import InvalidFingerprintError, UnreadableMediaError
from fingerprinting.types import Extraction, Fingerprint, Modality
from optout.consent import identifiers
from optout.errors import ConflictError, InvalidInputError, NotFoundError
from optout.ledger import consentlog
from optout.registry import fingerprints, works
from optout.registry.works import Registered
from optout.store import db, jobs
from optout.store.models import Account, Change, Job, JobKind, LogEntry, Work, WorkState

DATA = b"a picture"
DIGEST = hashlib.sha256(DATA).digest()


def upload(session: Session, account: Account, **changed: object) -> Registered:
    wanted = {"sha256": DIGEST, "size_bytes": len(DATA), "name": "cat.png", "title": "Cat"} | changed
    return works.register_upload(session, account_id=account.id, **wanted)  # type: ignore[arg-type]  # a test's shorthand


def algorithms_of(session: Session, work: Work) -> list[str]:
    return [one.algorithm for _work, one in fingerprints.of_works(session, [work.id])]


def count(session: Session, table: type[Work | Job | Change]) -> int:
    return session.execute(select(func.count()).select_from(table)).scalar_one()


def test_an_upload_waits_to_be_read_and_is_known_by_its_bytes_at_once(session: Session, account: Account) -> None:
    registered = upload(session, account, keep_media=True)

    work = registered.work
    assert (registered.created, registered.wants_media) == (True, True)
    assert (work.state, work.title, work.file_name) == (WorkState.PENDING, "Cat", "cat.png")
    assert (work.media_key, work.keep_media) == (f"media/{work.id}", True)
    assert algorithms_of(session, work) == ["sha256"]
    (job_id,) = jobs.due(session)
    job = session.get_one(Job, job_id)
    assert (job.kind, job.subject) == (JobKind.FINGERPRINT_WORK, str(work.id))


def test_the_same_bytes_of_the_same_account_are_the_same_work(session: Session, account: Account) -> None:
    first = upload(session, account)
    again = upload(session, account, title="Another title")

    assert again.work.id == first.work.id
    assert (again.created, again.wants_media) == (False, False)
    assert count(session, Job) == 1
    assert count(session, Change) == 1


def test_another_account_has_a_work_of_its_own(session: Session, account: Account) -> None:
    mine = upload(session, account).work
    other = make_account(session)

    theirs = upload(session, other).work

    assert theirs.id != mine.id
    with pytest.raises(NotFoundError):
        works.get(session, work_id=theirs.id, account_id=account.id)
    assert works.get(session, work_id=theirs.id, account_id=other.id) is theirs


def test_absent_and_foreign_works_can_not_be_told_apart(session: Session, account: Account) -> None:
    foreign = upload(session, make_account(session)).work.id
    messages = []
    for work_id in (foreign, uuid4()):
        with pytest.raises(NotFoundError) as caught:
            works.get(session, work_id=work_id, account_id=account.id)
        messages.append(str(caught.value).replace(str(work_id), "…"))

    assert messages[0] == messages[1]


@pytest.mark.parametrize(
    ("changed", "field"), [({"size_bytes": 0}, "file"), ({"title": "x" * 301}, "title"), ({"title": "a\0"}, "title")]
)
def test_a_bad_upload_leaves_nothing(
    session: Session, account: Account, changed: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        upload(session, account, **changed)

    assert caught.value.parameters["field"] == field
    assert count(session, Work) == 0
    assert count(session, Job) == 0


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, None),
        ("C:\\My Pictures\\cat.png", "cat.png"),
        ("/etc/x.vtt", "x.vtt"),
        ("../", None),
        ("a\0.srt", "a.srt"),
    ],
)
def test_of_a_file_name_only_the_last_part_is_kept(
    session: Session, account: Account, given: str | None, kept: str | None
) -> None:
    assert upload(session, account, name=given).work.file_name == kept


def test_an_account_that_is_not_there_is_an_error_and_no_work(session: Session) -> None:
    with pytest.raises(IntegrityError):
        works.register_upload(session, account_id=uuid4(), sha256=DIGEST, size_bytes=1, name=None)


def test_spellings_of_one_address_are_one_work(session: Session, account: Account) -> None:
    first = works.register_url(session, account_id=account.id, url="https://Example.org/a?utm_source=x")
    again = works.register_url(session, account_id=account.id, url="http://example.org:80/a#top")

    assert again.work.id == first.work.id
    assert (first.created, again.created) == (True, False)
    assert first.work.source_url == "https://Example.org/a?utm_source=x"
    assert algorithms_of(session, first.work) == ["key-url"]


def test_a_video_is_known_by_its_id_and_its_address(session: Session, account: Account) -> None:
    work = works.register_url(session, account_id=account.id, url="https://youtu.be/dQw4w9WgXcQ").work

    assert sorted(algorithms_of(session, work)) == ["key-url", "key-youtube"]


def test_what_is_no_address_is_refused(session: Session, account: Account) -> None:
    with pytest.raises(InvalidInputError):
        works.register_url(session, account_id=account.id, url="file:///etc/passwd")


def test_fingerprints_made_elsewhere_are_ready_at_once_and_need_no_job(session: Session, account: Account) -> None:
    registered = works.register_fingerprints(session, account_id=account.id, extraction=picture(1), title="Cat")

    work = registered.work
    assert (work.state, work.modality, work.media_type) == (WorkState.READY, Modality.IMAGE, "image/png")
    assert work.ready_at is not None
    assert algorithms_of(session, work) == ["sha256", "pdq-256"]
    assert count(session, Job) == 0
    assert count(session, Change) == 1


def test_fingerprints_of_a_file_that_was_uploaded_are_the_same_work(session: Session, account: Account) -> None:
    uploaded = upload(session, account).work

    registered = works.register_fingerprints(session, account_id=account.id, extraction=picture(1, data=DATA))

    assert registered.work.id == uploaded.id
    assert registered.created is False


def test_fingerprints_without_exact_bytes_are_known_by_their_digest(session: Session, account: Account) -> None:
    def register(*prints: Fingerprint) -> UUID:
        extraction = Extraction(Modality.IMAGE, "image/png", prints)
        return works.register_fingerprints(session, account_id=account.id, extraction=extraction).work.id

    assert register(pdq(1), pdq(2)) == register(pdq(2), pdq(1))
    assert register(pdq(1)) != register(pdq(2))


def test_fingerprints_with_the_key_of_an_address_are_the_work_that_was_registered_by_it(
    session: Session, account: Account
) -> None:
    url = "https://youtu.be/dQw4w9WgXcQ"
    linked = works.register_url(session, account_id=account.id, url=url).work
    keys = identifiers.fingerprints_for(url="https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=3")

    extraction = Extraction(Modality.IMAGE, "image/png", (*keys, pdq(1)))
    registered = works.register_fingerprints(session, account_id=account.id, extraction=extraction)

    assert (registered.work.id, registered.created) == (linked.id, False)


@pytest.mark.parametrize("prints", [(), (sha256(b"a"), sha256(b"b")), (pdq(1),) * 201])
def test_too_few_or_too_many_fingerprints_are_refused(
    session: Session, account: Account, prints: tuple[Fingerprint, ...]
) -> None:
    with pytest.raises(InvalidInputError):
        works.register_fingerprints(
            session, account_id=account.id, extraction=Extraction(Modality.IMAGE, "image/png", prints)
        )
    assert count(session, Work) == 0


@pytest.mark.parametrize(
    "bad", [Fingerprint("sha257", 1, bytes(32)), Fingerprint("pdq-256", 9, bytes(32)), Fingerprint("pdq-256", 1, b"x")]
)
def test_a_malformed_fingerprint_leaves_nothing(session: Session, account: Account, bad: Fingerprint) -> None:
    with pytest.raises(InvalidFingerprintError):
        works.register_fingerprints(
            session, account_id=account.id, extraction=Extraction(Modality.IMAGE, "image/png", (pdq(1), bad))
        )
    assert count(session, Work) == 0


def test_a_fingerprint_of_a_blank_picture_is_refused_with_the_reason(session: Session, account: Account) -> None:
    blank = Fingerprint("pdq-256", 1, bytes(32))

    with pytest.raises(InvalidFingerprintError, match="identifies nothing: all bits of it are equal"):
        works.register_fingerprints(
            session, account_id=account.id, extraction=Extraction(Modality.IMAGE, "image/png", (pdq(1), blank))
        )
    assert count(session, Work) == 0


def test_a_read_work_is_ready_and_its_media_is_given_up(session: Session, account: Account) -> None:
    work = upload(session, account).work

    works.record_fingerprints(session, work.id, picture(1, data=DATA))

    assert (work.state, work.media_key, work.identifiable) == (WorkState.READY, None, True)
    assert algorithms_of(session, work) == ["sha256", "pdq-256"]
    assert works.media_in_use(session, [works.media_key(work.id)]) == set()


def test_media_is_kept_if_that_was_asked(session: Session, account: Account) -> None:
    work = upload(session, account, keep_media=True).work

    works.record_fingerprints(session, work.id, picture(1, data=DATA))

    assert works.media_in_use(session, [f"media/{work.id}", "media/other"]) == {f"media/{work.id}"}


def test_recording_twice_changes_nothing(session: Session, account: Account) -> None:
    work = upload(session, account).work
    works.record_fingerprints(session, work.id, picture(1, data=DATA))
    ready_at = work.ready_at

    works.record_fingerprints(session, work.id, picture(2, data=DATA))
    works.record_failure(session, work.id, UnreadableMediaError("too late"))

    assert (work.state, work.ready_at, work.failure_code) == (WorkState.READY, ready_at, None)
    assert algorithms_of(session, work) == ["sha256", "pdq-256"]


def test_other_media_than_was_registered_is_refused(session: Session, account: Account) -> None:
    work = upload(session, account).work

    with pytest.raises(ConflictError):
        works.record_fingerprints(session, work.id, picture(1, data=b"something else"))

    assert work.state is WorkState.PENDING


def test_what_lies_at_an_address_may_be_any_file(session: Session, account: Account) -> None:
    work = works.register_url(session, account_id=account.id, url="https://example.org/a.png").work

    works.record_fingerprints(session, work.id, picture(1))

    assert algorithms_of(session, work) == ["key-url", "sha256", "pdq-256"]


def test_a_failed_work_says_why_and_is_tried_again_when_registered_again(session: Session, account: Account) -> None:
    work = upload(session, account).work
    works.record_failure(session, work.id, UnreadableMediaError("the picture breaks off in the middle"))
    assert (work.state, work.failure_code) == (WorkState.FAILED, "unreadable-media")
    assert work.failure_sentence == "the picture breaks off in the middle"
    assert work.media_key is None
    job = session.scalars(select(Job)).one()
    lease = jobs.claim_due(session, job.id)
    assert lease is not None
    jobs.finish(session, lease)

    again = upload(session, account, title="Better")

    assert (again.work.id, again.created, again.wants_media) == (work.id, False, True)
    assert (work.state, work.failure_code, work.title) == (WorkState.PENDING, None, "Better")
    assert len(jobs.due(session)) == 1


def test_recording_about_no_work_is_an_error(session: Session) -> None:
    with pytest.raises(NotFoundError):
        works.record_fingerprints(session, uuid4(), picture(1))
    with pytest.raises(NotFoundError):
        works.record_failure(session, uuid4(), UnreadableMediaError("x"))


def said(session: Session, entry: LogEntry) -> str:
    opening = consentlog.opening(session, entry)
    assert opening is not None
    return opening.body


def test_a_claim_filed_while_the_work_was_read_commits_to_its_fingerprints_afterwards(
    session: Session, account: Account
) -> None:
    work = make_pending_work(session, account, data=DATA)
    claim = make_claim(session, work)

    works.record_fingerprints(session, work.id, picture(1, data=DATA))

    newest = consentlog.latest(session, claim.log_subject)
    assert newest is not None
    assert newest.type == "claim.fingerprinted"
    assert fingerprints.digest_of(session, work.id).hex() in said(session, newest)
    filed = session.scalars(select(LogEntry).where(LogEntry.id == claim.entry_id)).one()
    assert '"fingerprint_digest":null' in said(session, filed)


def test_pages_are_newest_first_and_end(session: Session, account: Account) -> None:
    registered = [make_work(session, account).id for _ in range(5)]
    make_work(session, make_account(session))
    seen: list[UUID] = []
    after = None
    for _page in range(3):
        page = works.list_works(session, account_id=account.id, limit=2, after=after)
        assert page.total == 5
        seen += [work.id for work in page.works]
        after = page.next_after

    assert seen == registered[::-1]
    assert after is None


@pytest.mark.parametrize("limit", [0, 501])
def test_a_page_has_a_bounded_size(session: Session, account: Account, limit: int) -> None:
    with pytest.raises(InvalidInputError):
        works.list_works(session, account_id=account.id, limit=limit)


def test_summaries_have_a_line_per_algorithm(session: Session, account: Account) -> None:
    many = Extraction(Modality.IMAGE, "image/png", (pdq(1), replace(pdq(2), quality=50.0), sha256(b"a")))
    work = works.register_fingerprints(session, account_id=account.id, extraction=many).work

    found = fingerprints.summaries(session, [work.id])[work.id]

    assert [(one.algorithm, one.quality) for one in found] == [("pdq-256", 100.0), ("sha256", 100.0)]


def test_fingerprints_come_back_as_they_went_in(session: Session, account: Account) -> None:
    cropped = replace(pdq(1), quality=81.5, span=(0.0, 0.0, 10.0, 20.0))
    extraction = Extraction(Modality.IMAGE, "image/png", (sha256(b"a"), pdq(1), cropped))
    work = works.register_fingerprints(session, account_id=account.id, extraction=extraction).work

    assert tuple(one for _work, one in fingerprints.of_works(session, [work.id])) == extraction.fingerprints


def test_many_who_register_the_same_at_once_get_one_work(live_sessions: sessionmaker[Session]) -> None:
    with db.transaction(live_sessions) as session:
        account = make_account(session)
    found: list[tuple[UUID, bool]] = []

    def register(kind: Callable[[Session], Registered]) -> None:
        with db.transaction(live_sessions) as session:
            registered = kind(session)
        found.append((registered.work.id, registered.created))

    threads = [threading.Thread(target=register, args=(lambda s: upload(s, account),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert len({work_id for work_id, _created in found}) == 1
    assert [created for _work_id, created in found].count(True) == 1
