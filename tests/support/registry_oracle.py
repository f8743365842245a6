"""What holds of a registry at every moment, and once it is at rest, whatever happened to it: looked up in its rows.

`at_rest` is for a registry whose jobs have all been run and whose leftovers were cleaned away.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

import consent_oracle
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from fingerprinting.types import Fingerprint
from mediamanager.audit import reports
from mediamanager.audit.reports import Outcome
from mediamanager.audit.signatures import MissingError
from optout.catalogue.answers import Asset
from optout.consent.vocabulary import Use
from optout.errors import NotFoundError
from optout.ledger import consentlog
from optout.ledger.publish import PREFIX
from optout.proof.entries import EntryType
from optout.registry import fingerprints as stored
from optout.registry.lookups import Lookups, Question
from optout.store import db
from optout.store.models import Claim, Work
from optout.store.models.changes import Change, ChangeHead
from optout.store.models.claims import LIVE, ClaimState
from optout.store.models.jobs import Job, JobKind, JobState
from optout.store.models.log import LogEntry, LogHead
from optout.store.models.works import WorkState
from optout.store.storage import INCOMING, Storage
from workers.resources import Resources

_KEYS = ("sha256", "key-url", "key-youtube")


class StoredLog:
    """The published log as an auditor reads it, straight from a store."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def read(self, path: str, limit: int) -> bytes:
        """See mediamanager.audit.verifier.Source."""
        try:
            return self._storage.get(PREFIX + path)[: limit + 1]
        except NotFoundError as error:
            raise MissingError(f"{path} is not there") from error


def at_any_time(resources: Resources) -> None:
    """No work without its keys, its change and what it needs; no claim without its entry; no entry without a claim."""
    with db.reading(resources.sessions) as session:
        _database(session)
        works, claims = session.scalars(select(Work)).all(), session.scalars(select(Claim)).all()
        prints: dict[UUID, list[Fingerprint]] = {work.id: [] for work in works}
        for work_id, one in stored.of_works(session, list(prints)):
            prints[work_id].append(one)
        for work in works:
            _work(session, resources.storage, work, prints[work.id])
        _claims(session, claims)
    if resources.storage.exists(f"{PREFIX}checkpoint"):
        audit(resources)


def at_rest(resources: Resources) -> None:
    """As above; besides, nothing is left to do, nothing lies about, and every lookup says what the claims say."""
    at_any_time(resources)
    with db.reading(resources.sessions) as session:
        jobs = session.scalars(select(Job)).all()
        unfinished = [(job.kind, job.state, job.error_sentence) for job in jobs if job.state is not JobState.DONE]
        assert not unfinished, unfinished
        works, claims = session.scalars(select(Work)).all(), session.scalars(select(Claim)).all()
        assert WorkState.PENDING not in {work.state for work in works}
        wanted = {work.media_key for work in works if work.media_key is not None}
        kept = {one.key for one in resources.storage.list("media/")}
        assert kept == wanted, (kept, wanted)
        assert not list(resources.storage.list(INCOMING))
        _digests(session, works, claims)
        _published(session)
        _answers(session, resources, works, claims)


def audit(resources: Resources, *, receipt: str | None = None, old_note: bytes | None = None) -> None:
    """The published log, checked by the second implementation."""
    report = reports.audit_log(
        "log",
        lambda: StoredLog(resources.storage),
        vkey=resources.keys.log.verifier.vkey,
        receipt=receipt,
        old_note=old_note,
    )
    assert report.outcome is Outcome.HOLDS, report.checks


def _database(session: Session) -> None:
    if session.get_bind().dialect.name == "sqlite":
        assert session.execute(text("PRAGMA integrity_check")).scalars().all() == ["ok"]
        assert not session.execute(text("PRAGMA foreign_key_check")).all()
    numbers = session.scalars(select(Change.number).order_by(Change.number)).all()
    assert list(numbers) == list(range(1, len(numbers) + 1))
    assert session.scalar(select(ChangeHead.number)) == len(numbers)


def _work(session: Session, storage: Storage, work: Work, prints: Sequence[Fingerprint]) -> None:
    assert session.scalars(select(Change.number).where(Change.subject == work.id)).first() is not None, work.id
    if work.source_url is not None or work.size_bytes is not None:
        assert work.identity in {one.value for one in prints if one.algorithm in _KEYS}, work.id
    if work.state is WorkState.READY:
        assert work.modality is not None
        assert prints, work.id
    if work.state is WorkState.PENDING:
        states = session.scalars(
            select(Job.state).where(Job.kind == JobKind.FINGERPRINT_WORK, Job.subject == str(work.id))
        ).all()
        assert set(states) & {JobState.WAITING, JobState.RUNNING}, (work.id, states)
    if work.media_key is not None:
        media = storage.get(work.media_key)
        if work.source_url is None:
            assert hashlib.sha256(media).digest() == work.identity, work.id


def _claims(session: Session, claims: Sequence[Claim]) -> None:
    entries = {entry.id: entry for entry in session.scalars(select(LogEntry)).all()}
    live = Counter(
        (claim.scope, claim.work_id or claim.collection_id or claim.claimant_id, claim.claimant_id)
        for claim in claims
        if claim.state in LIVE
    )
    assert set(live.values()) <= {1}, live
    accounted = consent_oracle.accounted(session, list(entries.values()))
    for claim in claims:
        filed = EntryType.CLAIM_FILED if claim.supersedes is None else EntryType.CLAIM_AMENDED
        accounted[claim.entry_id] = filed
        assert _opened(session, entries[claim.entry_id]).count(str(claim.id)) == 1
        if claim.state is ClaimState.WITHDRAWN:
            assert claim.settled_entry_id is not None
            accounted[claim.settled_entry_id] = EntryType.CLAIM_WITHDRAWN
        if claim.state is ClaimState.SUPERSEDED:
            [newer] = [one for one in claims if one.supersedes == claim.id]
            assert (claim.superseded_by, claim.settled_entry_id) == (newer.id, newer.entry_id)
    about_claims = {entry.id: entry.type for entry in entries.values() if entry.type != EntryType.CLAIM_FINGERPRINTED}
    assert about_claims == accounted


def _digests(session: Session, works: Sequence[Work], claims: Sequence[Claim]) -> None:
    """What the log says last about a live claim is about the fingerprints that its work has."""
    ready = {work.id for work in works if work.state is WorkState.READY}
    for claim in claims:
        if claim.state in LIVE and claim.work_id in ready:
            newest = consentlog.latest(session, claim.log_subject)
            assert newest is not None
            assert stored.digest_of(session, claim.work_id).hex() in _opened(session, newest)


def _published(session: Session) -> None:
    indices = session.scalars(select(LogEntry.index).order_by(LogEntry.index)).all()
    assert list(indices) == list(range(len(indices)))
    head = session.scalar(select(LogHead))
    if indices:
        assert head is not None
        assert (head.size, head.signed_size, head.published_size) == (len(indices),) * 3


def _answers(session: Session, resources: Resources, works: Sequence[Work], claims: Sequence[Claim]) -> None:
    """Each work, asked for by what it was registered with."""
    live = [claim for claim in claims if claim.state in LIVE]
    said = {work.id: consent_oracle.said_about(session, work, live) for work in works}
    keys: Mapping[UUID, list[Fingerprint]] = {work.id: [] for work in works}
    for work_id, one in stored.of_works(session, list(keys)):
        if one.algorithm in _KEYS:
            keys[work_id].append(one)
    asked = [(work_id, one) for work_id, prints in keys.items() for one in prints]
    if not asked:
        return
    answers = (
        Lookups(resources.sessions)
        .answer(session, [Asset((one,)) for _work, one in asked], Question(Use.TRAIN_GENAI, None))
        .answers
    )
    for (work_id, _one), answer in zip(asked, answers, strict=True):
        assert answer.verdict is said[work_id], (work_id, answer)
    consent_oracle.granted(session, resources, {work_id: Asset((one,)) for work_id, one in asked})


def _opened(session: Session, entry: LogEntry) -> str:
    opening = consentlog.opening(session, entry)
    assert opening is not None
    return opening.body
