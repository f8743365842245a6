"""Works: registered by file, by address or by fingerprints; then ready, or failed with a reason.

The exact keys that are known at once (the file's SHA-256, the address) are searchable from the registration on, in
every state: a preference stated meanwhile counts for exact copies before, and without, fingerprints of the content.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fingerprinting.errors import FingerprintingError
from fingerprinting.index import blanks, coverage
from fingerprinting.index import registry as algorithms
from fingerprinting.index.algorithm import spec_id
from fingerprinting.types import Extraction, Fingerprint, Modality
from optout.consent import identifiers, youtube_links
from optout.errors import ConflictError, InvalidInputError, NotFoundError, OptoutError
from optout.registry import claim_entries, collection_members, disputes, owned
from optout.registry import fingerprints as stored
from optout.registry.digests import fingerprint_digest
from optout.registry.texts import optional_line
from optout.store import changes, jobs
from optout.store.models.base import utc_now
from optout.store.models.changes import ChangeKind
from optout.store.models.jobs import JobKind
from optout.store.models.works import Work, WorkState

MAX_TITLE = 300
MAX_FINGERPRINTS = 200
SHA256 = "sha256"
KEY_URL = "key-url"
WORDS_MISSING = "video-words-missing"
SOUND_MISSING = "video-sound-missing"
"""The remarks that one half of what should be known of a video could not be had so far; the other counts."""
_MISSING = {WORDS_MISSING: Modality.TEXT, SOUND_MISSING: Modality.AUDIO}
MAX_PAGE = 500
_MAX_SENTENCE = 1000


@dataclass(frozen=True, slots=True)
class Registered:
    """What came of a registration.

    Attributes:
        work: new, or the one that the account has for the same content.
        created: False where the account had registered the same before.
        wants_media: the caller must store the media under `work.media_key` before it commits.
    """

    work: Work
    created: bool
    wants_media: bool = False


def media_key(work_id: UUID) -> str:
    """Where a work's media lies in storage."""
    return f"media/{work_id}"


def register_upload(
    session: Session,
    *,
    account_id: UUID,
    sha256: bytes,
    size_bytes: int,
    name: str | None,
    title: str | None = None,
    keep_media: bool = False,
) -> Registered:
    """Register a file that the caller holds. `wants_media` says whether it is needed.

    The same account and the same bytes give the same work; one that failed is tried again, and one that newer
    algorithms do not know yet is fingerprinted by them.

    Raises:
        InvalidInputError: an empty file, or a title that is too long.
    """
    if size_bytes <= 0:
        raise InvalidInputError("the file is empty", field="file")
    wanted = Work(
        account_id=account_id,
        identity=sha256,
        title=_title(title),
        file_name=_file_name(name),
        size_bytes=size_bytes,
        keep_media=keep_media,
    )
    work, created = _insert(session, wanted, identifiers.fingerprints_for(sha256=sha256))
    begun = created or _begin_again(session, work, wanted)
    if begun:
        work.media_key, work.keep_media = media_key(work.id), keep_media
        jobs.enqueue(session, JobKind.FINGERPRINT_WORK, str(work.id))
    elif lacks(work) and work.media_key is None:
        work.media_key = media_key(work.id)
        jobs.enqueue(session, JobKind.REFINGERPRINT_WORK, str(work.id))
        begun = True
    return Registered(work, created, wants_media=begun)


def register_url(
    session: Session,
    *,
    account_id: UUID,
    url: str,
    title: str | None = None,
    keep_media: bool = False,
    wants_sound: bool = False,
    due_at: datetime | None = None,
) -> Registered:
    """Register what lies at an address; a worker fetches it, not before `due_at`. Spellings of one give one work.

    Of a video of YouTube the captions and the thumbnail are read, and its sound if that is wanted. Of any other page
    its words are, or if the sound is wanted the video or recording on it.

    Raises:
        InvalidInputError: not a web address, a channel or playlist of YouTube (`listings.register` takes these), or a
            title that is too long.
    """
    if youtube_links.source_of(url) is not None:
        raise InvalidInputError("this is a channel or playlist: register it as a list of videos", field="url")
    canonical = identifiers.canonical_url(url)
    wanted = Work(
        account_id=account_id,
        identity=identifiers.key("url", canonical),
        title=_title(title),
        source_url=url.strip(),
        keep_media=keep_media,
        wants_sound=wants_sound,
    )
    work, created = _insert(session, wanted, identifiers.fingerprints_for(url=url))
    work.wants_sound = work.wants_sound or wants_sound
    if created or _begin_again(session, work, wanted):
        work.keep_media = keep_media
        jobs.enqueue(session, JobKind.FINGERPRINT_WORK, str(work.id), due_at=due_at)
    elif lacks(work):
        jobs.enqueue(session, JobKind.REFINGERPRINT_WORK, str(work.id), due_at=due_at)
    return Registered(work, created)


def register_fingerprints(
    session: Session, *, account_id: UUID, extraction: Extraction, title: str | None = None
) -> Registered:
    """Register by fingerprints that were made elsewhere: the work is ready at once, its media was never here.

    A SHA-256 among them makes it the same work as an upload of that file, the key of an address the same as one that
    was registered by that. Where that is ready, fingerprints of newer algorithms are added to it.

    Raises:
        InvalidInputError: no fingerprint, too many, two SHA-256, or a title that is too long.
        InvalidFingerprintError: one of them is not well-formed, or would fit a multitude of works.
    """
    hashes = {one.value for one in extraction.fingerprints if one.algorithm == SHA256}
    addresses = {one.value for one in extraction.fingerprints if one.algorithm == KEY_URL}
    if (
        not extraction.fingerprints
        or len(extraction.fingerprints) > MAX_FINGERPRINTS
        or max(len(hashes), len(addresses)) > 1
    ):
        raise InvalidInputError(
            f"give 1 to {MAX_FINGERPRINTS} fingerprints, at most one of them a {SHA256} and one a {KEY_URL}",
            field="fingerprints",
        )
    for one in extraction.fingerprints:
        algorithms.validate(one)
        blanks.refuse_blank(one)
    identity = next(iter(hashes or addresses)) if hashes or addresses else fingerprint_digest(extraction.fingerprints)
    wanted = Work(account_id=account_id, identity=identity, title=_title(title))
    work, created = _insert(session, wanted, ())
    if created or work.state is WorkState.FAILED:
        _become_ready(session, work, extraction, complete=False)
    elif work.state is WorkState.READY:
        add_fingerprints(session, work, extraction, complete=False)
    return Registered(work, created)


def record_fingerprints(session: Session, work_id: UUID, extraction: Extraction) -> Work:
    """Store what was computed from a work's media. Running it twice is harmless: a ready work is left alone.

    `media_key` is None afterwards unless the media is to be kept; the caller removes it from storage after the commit.

    Raises:
        NotFoundError: there is no such work.
        ConflictError: the media is not the file that was registered.
        InvalidFingerprintError: a fingerprint is not well-formed.
    """
    work = _locked(session, work_id)
    if work.state is WorkState.READY:
        return work
    for one in extraction.fingerprints:
        algorithms.validate(one)
        registered_as_file = work.source_url is None
        if one.algorithm == SHA256 and registered_as_file and one.value != work.identity:
            raise ConflictError(f"the media of work {work_id} is not the file that was registered", work=str(work_id))
    _become_ready(session, work, extraction, complete=True)
    if not work.keep_media:
        work.media_key = None
    return work


def lacks(work: Work) -> AbstractSet[str]:
    """The algorithms of today (`pdq-256.v1`) that a ready work was not given to yet; none of any other work."""
    if work.state is not WorkState.READY or work.modality is None:
        return frozenset()
    beside = {Modality.AUDIO} if work.wants_sound else set()
    beside |= {Modality.TEXT} if WORDS_MISSING in work.notes else set()
    return coverage.missing(work.modality, work.applied, beside=beside)


def add_fingerprints(session: Session, work: Work, extraction: Extraction, *, complete: bool) -> bool:
    """Add what algorithms found that a ready work was not given to before; False: there are none.

    Fingerprints that it has stay as they are. Live claims commit to the new ones by an entry of their own.

    Args:
        session: the caller's transaction; the work is locked in it.
        work: ready.
        extraction: of the same content, which the caller has made sure of.
        complete: it was made by every algorithm of today.

    Raises:
        InvalidFingerprintError: one of them is not well-formed.
    """
    new = coverage.applied(extraction, complete=complete) - set(work.applied)
    if not new:
        return False
    found = [one for one in extraction.fingerprints if spec_id(one.algorithm, one.version) in new]
    for one in found:
        algorithms.validate(one)
    stored.add(session, work.id, found)
    jobs.forget_parked(session, JobKind.REFINGERPRINT_WORK, str(work.id))
    work.applied = sorted({*work.applied, *new})
    work.identifiable = work.identifiable or extraction.identifiable
    if complete:
        work.notes = _remarked(work.notes, extraction)
    _announce(session, work)
    return True


def _remarked(notes: Sequence[str], extraction: Extraction) -> list[str]:
    """What is remarked of a work after more of it was looked at: of each kind of remark, the latest."""
    looked_at = {extraction.modality, *extraction.beside}
    over = {note for note, modality in _MISSING.items() if modality in looked_at}
    over |= {note.partition(":")[0] for note in extraction.notes}
    return [*(note for note in notes if note.partition(":")[0] not in over), *extraction.notes]


def record_failure(session: Session, work_id: UUID, error: FingerprintingError | OptoutError) -> Work:
    """Say that a work's media can't be read, and why. A ready work is left alone.

    Its media is not kept: registering the same again brings it again.
    """
    work = _locked(session, work_id)
    if work.state is not WorkState.READY:
        work.state = WorkState.FAILED
        work.failure_code, work.failure_sentence = error.code, str(error)[:_MAX_SENTENCE]
        work.media_key = None
        session.flush()
    return work


def become_pending(work: Work) -> None:
    """A failed work is read once more: its caller promises the job."""
    work.state = WorkState.PENDING
    work.failure_code = work.failure_sentence = None


def get(session: Session, *, work_id: UUID, account_id: UUID, lock: bool = False) -> Work:
    """An account's own work.

    Raises:
        NotFoundError: there is none, or it is somebody else's.
    """
    query = select(Work).where(Work.id == work_id, Work.account_id == account_id)
    return owned.get(session, query, "work", work_id, lock=lock)


def of_ids(session: Session, work_ids: Sequence[UUID], *, account_id: UUID) -> Sequence[Work]:
    """Those of some works that are an account's own, in no order."""
    found: list[Work] = []
    for start in range(0, len(work_ids), MAX_PAGE):
        some = Work.id.in_(work_ids[start : start + MAX_PAGE])
        found += session.scalars(select(Work).where(Work.account_id == account_id, some))
    return found


@dataclass(frozen=True, slots=True)
class WorkPage:
    """Some of an account's works, newest first; `next_after` continues, None says that there are no more."""

    works: Sequence[Work]
    total: int
    next_after: UUID | None


def list_works(session: Session, *, account_id: UUID, limit: int = 50, after: UUID | None = None) -> WorkPage:
    """One page of an account's works, newest first.

    Raises:
        InvalidInputError: a limit outside 1 to 500.
        NotFoundError: `after` is no work of this account.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidInputError(f"a page has 1 to {MAX_PAGE} works", field="limit")
    mine = select(Work).where(Work.account_id == account_id)
    total = session.execute(select(func.count()).select_from(mine.subquery())).scalar_one()
    if after is not None:
        last = get(session, work_id=after, account_id=account_id)
        mine = mine.where(tuple_(Work.registered_at, Work.id) < tuple_(last.registered_at, last.id))
    rows = session.scalars(mine.order_by(Work.registered_at.desc(), Work.id.desc()).limit(limit + 1)).all()
    page = rows[:limit]
    return WorkPage(page, total, page[-1].id if len(rows) > limit else None)


def media_in_use(session: Session, keys: Sequence[str]) -> set[str]:
    """Which of these storage keys a work still needs; the others are left over and can go."""
    used = session.scalars(select(Work.media_key).where(Work.media_key.in_(keys)))
    return {key for key in used if key is not None}


def _insert(session: Session, wanted: Work, keys: Sequence[Fingerprint]) -> tuple[Work, bool]:
    """The account's work of this identity, locked; True if it was made just now."""
    same = select(Work).where(Work.account_id == wanted.account_id, Work.identity == wanted.identity)
    same = same.with_for_update(key_share=True).execution_options(populate_existing=True)
    # Everybody's works of this content, for the claim that may follow: works are locked before changes, everywhere.
    everybodys = disputes.lock_content(session, wanted)
    existing = next((one for one in everybodys if one.account_id == wanted.account_id), None)
    if existing is not None:
        return existing, False
    if wanted.source_url is not None:
        collection_members.hold(session, wanted.account_id)
    wanted.applied = sorted({spec_id(one.algorithm, one.version) for one in keys})
    try:
        with session.begin_nested():
            session.add(wanted)
    except IntegrityError:
        # Another request made it between our look and our insert. If it is not that, the error stands.
        existing = session.scalars(same).one_or_none()
        if existing is None:
            raise
        return existing, False
    collection_members.seen(session, wanted)  # before the change: it locks collections, and that comes first everywhere
    if keys:
        stored.add(session, wanted.id, keys)
        changes.record(session, ChangeKind.WORK, wanted.id)
    return wanted, True


def _begin_again(session: Session, work: Work, wanted: Work) -> bool:
    """Give a failed work another try, under what it is called now. False: it has not failed."""
    if work.state is not WorkState.FAILED:
        return False
    jobs.forget_parked(session, JobKind.FINGERPRINT_WORK, str(work.id))
    become_pending(work)
    work.title, work.file_name = wanted.title or work.title, wanted.file_name
    return True


def _become_ready(session: Session, work: Work, extraction: Extraction, *, complete: bool) -> None:
    jobs.forget_parked(session, JobKind.FINGERPRINT_WORK, str(work.id))
    stored.add(session, work.id, extraction.fingerprints)
    work.state, work.ready_at = WorkState.READY, utc_now()
    work.failure_code = work.failure_sentence = None
    work.modality, work.media_type = extraction.modality, extraction.media_type
    work.identifiable, work.notes = extraction.identifiable, list(extraction.notes)
    work.applied = sorted({*work.applied, *coverage.applied(extraction, complete=complete)})
    _announce(session, work)


def _announce(session: Session, work: Work) -> None:
    """Let lookups know of new fingerprints, and live claims commit to them."""
    session.flush()
    changes.record(session, ChangeKind.WORK, work.id)
    claim_entries.append_fingerprinted(session, work.id)


def _locked(session: Session, work_id: UUID) -> Work:
    work = session.get(Work, work_id, with_for_update={"key_share": True}, populate_existing=True)
    if work is None:
        raise NotFoundError(f"there is no work {work_id}", work=str(work_id))
    return work


def _title(title: str | None) -> str | None:
    return optional_line(title, field="title", max_length=MAX_TITLE)


def _file_name(name: str | None) -> str | None:
    """The last part of a path of any system; it is only a hint at the kind of text in the file."""
    if name is None:
        return None
    last = name.replace("\\", "/").rpartition("/")[2]
    return last.replace("\0", "")[-MAX_TITLE:] or None
