"""The job that gives a work the fingerprints of newer algorithms leaves it ready, whatever happens."""

import hashlib
import io
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import factories
import pytest
from local_servers import LocalServer, answer, serving
from newer_algorithms import bring_second_version, by_both, prose, second
from sqlalchemy import select

from fingerprinting.extract import extract
from fingerprinting.media import Limits
from optout.registry import fingerprints, refingerprinting, works
from optout.registry.refingerprinting import Way
from optout.store import jobs
from optout.store.db import transaction
from optout.store.models.base import utc_now
from optout.store.models.jobs import Job, JobKind, JobState
from optout.store.models.works import Work, WorkState
from workers import runner, sandbox
from workers.network import guard_for
from workers.resources import Resources

PROSE = prose(1)
PATH = "/prose.txt"


@pytest.fixture
def update(monkeypatch: pytest.MonkeyPatch, in_process: None) -> pytest.MonkeyPatch:
    """Call `bring` on it to update: until then fingerprinting knows the first version only."""
    return monkeypatch


def bring(update: pytest.MonkeyPatch) -> None:
    bring_second_version(update)

    def both(path: Path, *, name: str | None = None, limits: Limits) -> object:
        return by_both(extract(path, name=name, limits=limits), path.read_bytes())

    update.setattr(sandbox, "extract", both)


def ready_upload(resources: Resources, *, keep_media: bool) -> UUID:
    with transaction(resources.sessions) as session:
        registered = works.register_upload(
            session,
            account_id=factories.make_account(session).id,
            sha256=hashlib.sha256(PROSE).digest(),
            size_bytes=len(PROSE),
            name="prose.txt",
            keep_media=keep_media,
        )
        resources.storage.put(works.media_key(registered.work.id), io.BytesIO(PROSE))
        job = jobs.enqueued(session)[0]
    assert runner.run(resources, job)
    return registered.work.id


def ready_link(resources: Resources, url: str) -> UUID:
    with transaction(resources.sessions) as session:
        work = works.register_url(session, account_id=factories.make_account(session).id, url=url).work
        job = jobs.enqueued(session)[0]
    assert runner.run(resources, job)
    return work.id


def reindex(resources: Resources) -> Job:
    """What `mediamanager reindex` promises, and a worker that runs it; how the job ended."""
    with transaction(resources.sessions) as session:
        refingerprinting.begin(session, refingerprinting.find(session).stale, due_at=utc_now() - timedelta(hours=1))
        job_id = session.scalars(select(Job.id).where(Job.kind == JobKind.REFINGERPRINT_WORK)).one()
    assert runner.run(resources, job_id)
    with resources.sessions() as session:
        return session.get_one(Job, job_id)


def stands(resources: Resources, work_id: UUID) -> tuple[WorkState, bool, Way | None]:
    """The work's state, whether the second version knows it, and what is left to do."""
    with resources.sessions() as session:
        known = second(PROSE) in [one for _work, one in fingerprints.of_works(session, [work_id])]
        stale = refingerprinting.find(session).stale
        return session.get_one(Work, work_id).state, known, stale[0].way if stale else None


def with_server(resources: Resources, server: LocalServer) -> Resources:
    opened = {name: getattr(resources, name) for name in Resources.__slots__}
    return Resources(**{**opened, "guard": guard_for([f"127.0.0.1:{server.port}"])})


def test_kept_media_is_computed_anew_and_stays(resources: Resources, update: pytest.MonkeyPatch) -> None:
    work_id = ready_upload(resources, keep_media=True)
    bring(update)

    job = reindex(resources)

    assert job.state is JobState.DONE
    assert stands(resources, work_id) == (WorkState.READY, True, None)
    assert resources.storage.exists(works.media_key(work_id))


def test_media_that_an_owner_brought_again_goes_afterwards(resources: Resources, update: pytest.MonkeyPatch) -> None:
    work_id = ready_upload(resources, keep_media=False)
    bring(update)
    with transaction(resources.sessions) as session:
        owner = session.get_one(Work, work_id).account_id
        again = works.register_upload(
            session, account_id=owner, sha256=hashlib.sha256(PROSE).digest(), size_bytes=len(PROSE), name="prose.txt"
        )
        assert again.wants_media
        resources.storage.put(works.media_key(work_id), io.BytesIO(PROSE))
        job_id = jobs.enqueued(session)[0]

    runner.run(resources, job_id)

    assert stands(resources, work_id) == (WorkState.READY, True, None)
    assert not resources.storage.exists(works.media_key(work_id))


def test_what_lies_at_an_address_is_fetched_again(resources: Resources, update: pytest.MonkeyPatch) -> None:
    with serving({PATH: answer(PROSE, content_type="text/plain")}) as server:
        opened = with_server(resources, server)
        work_id = ready_link(opened, f"http://127.0.0.1:{server.port}{PATH}")
        bring(update)

        job = reindex(opened)

    assert job.state is JobState.DONE
    assert stands(resources, work_id) == (WorkState.READY, True, None)


def test_an_address_that_shows_something_else_by_now_adds_nothing_and_its_owner_is_asked(
    resources: Resources, update: pytest.MonkeyPatch
) -> None:
    shown = {PATH: answer(PROSE, content_type="text/plain")}
    with serving(shown) as server:
        opened = with_server(resources, server)
        work_id = ready_link(opened, f"http://127.0.0.1:{server.port}{PATH}")
        bring(update)
        shown[PATH] = answer(prose(2), content_type="text/plain")

        job = reindex(opened)

    assert (job.state, job.error_code, job.attempts) == (JobState.PARKED, "content-changed", 1)
    assert stands(resources, work_id) == (WorkState.READY, False, Way.OWNER)


def test_kept_media_that_is_gone_leaves_the_work_as_it_is(resources: Resources, update: pytest.MonkeyPatch) -> None:
    work_id = ready_upload(resources, keep_media=True)
    bring(update)
    resources.storage.delete(works.media_key(work_id))

    job = reindex(resources)

    assert (job.state, job.error_code) == (JobState.PARKED, "not-found")
    assert stands(resources, work_id) == (WorkState.READY, False, Way.OWNER)


def test_running_it_twice_is_harmless(resources: Resources, update: pytest.MonkeyPatch) -> None:
    work_id = ready_upload(resources, keep_media=True)
    bring(update)
    reindex(resources)
    with transaction(resources.sessions) as session:
        again = jobs.enqueue(session, JobKind.REFINGERPRINT_WORK, str(work_id)).id

    assert runner.run(resources, again)

    with resources.sessions() as session:
        assert session.get_one(Job, again).state is JobState.DONE
        had = [one for _work, one in fingerprints.of_works(session, [work_id])]
    assert had.count(second(PROSE)) == 1
