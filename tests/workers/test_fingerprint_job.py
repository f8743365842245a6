"""The job that fingerprints a work: media in, fingerprints or a reason out, once, whatever happens in between."""

import hashlib
import io
import time
import wave
from collections.abc import Callable
from typing import Any
from uuid import UUID

import factories
import packed_documents
import pytest
import synthetic_media
import synthetic_sound
from local_servers import answer, serving
from sqlalchemy import select

from optout.errors import StorageUnavailableError
from optout.registry import delays, works
from optout.store import jobs
from optout.store.db import transaction
from optout.store.models.base import utc_now
from optout.store.models.jobs import Job, JobKind, JobState
from optout.store.models.works import Work, WorkFingerprint, WorkState
from workers import runner, youtube
from workers.errors import FetchFailedError
from workers.network import guard_for
from workers.resources import Resources

PROSE = "\n".join(
    f"{n} wizards brew {n * 7} strange potions in copper kettles beside the northern harbour wall" for n in range(40)
).encode()


def upload(
    resources: Resources, data: bytes, *, name: str = "prose.txt", keep_media: bool = False
) -> tuple[UUID, UUID]:
    """Register a file as the API does; the ids of work and job."""
    with transaction(resources.sessions) as session:
        account = factories.make_account(session)
        registered = works.register_upload(
            session,
            account_id=account.id,
            sha256=hashlib.sha256(data).digest(),
            size_bytes=len(data),
            name=name,
            keep_media=keep_media,
        )
        resources.storage.put(works.media_key(registered.work.id), io.BytesIO(data))
        return registered.work.id, jobs.enqueued(session)[0]


def link(resources: Resources, url: str, *, keep_media: bool = False) -> tuple[UUID, UUID]:
    with transaction(resources.sessions) as session:
        account = factories.make_account(session)
        registered = works.register_url(session, account_id=account.id, url=url, keep_media=keep_media)
        return registered.work.id, jobs.enqueued(session)[0]


def stand(resources: Resources, work_id: UUID, job_id: UUID) -> tuple[Work, Job]:
    with resources.sessions() as session:
        return session.get_one(Work, work_id), session.get_one(Job, job_id)


def algorithms(resources: Resources, work_id: UUID) -> set[str]:
    with resources.sessions() as session:
        return set(session.scalars(select(WorkFingerprint.algorithm).where(WorkFingerprint.work_id == work_id)))


def due_now(resources: Resources, job_id: UUID) -> None:
    with transaction(resources.sessions) as session:
        session.get_one(Job, job_id).due_at = utc_now()


def resources_with(resources: Resources, **settings: float) -> Resources:
    opened = {name: getattr(resources, name) for name in Resources.__slots__}
    return Resources(**{**opened, "settings": resources.settings.model_copy(update=settings)})


def with_server(resources: Resources, pair: tuple[str, int]) -> Resources:
    opened = {name: getattr(resources, name) for name in Resources.__slots__}
    return Resources(**{**opened, "guard": guard_for([f"{pair[0]}:{pair[1]}"])})


def test_an_uploaded_file_becomes_ready_and_its_media_goes(resources: Resources) -> None:
    work_id, job_id = upload(resources, PROSE)

    assert runner.run(resources, job_id)

    work, job = stand(resources, work_id, job_id)
    assert (work.state, work.media_type, job.state) == (WorkState.READY, "text/plain", JobState.DONE)
    assert {"sha256", "shingle-3"} <= algorithms(resources, work_id)
    assert not resources.storage.exists(works.media_key(work_id))


@pytest.mark.parametrize("write", [packed_documents.epub, packed_documents.pdf, packed_documents.docx])
def test_the_text_of_an_uploaded_document_is_fingerprinted(resources: Resources, write: Callable[[str], bytes]) -> None:
    work_id, job_id = upload(resources, write(PROSE.decode()), name="fox")

    assert runner.run(resources, job_id)

    work, _ = stand(resources, work_id, job_id)
    assert (work.state, work.modality, work.identifiable) == (WorkState.READY, "text", True)
    assert {"sha256", "shingle-3"} <= algorithms(resources, work_id)


def test_the_pages_of_an_uploaded_comic_are_fingerprinted_in_the_sandbox(resources: Resources) -> None:
    page = synthetic_media.encoded(synthetic_media.natural_picture(5, (300, 400)), "JPEG")
    work_id, job_id = upload(resources, packed_documents.comic(page, page), name="fox.cbz")

    assert runner.run(resources, job_id)

    work, _ = stand(resources, work_id, job_id)
    assert (work.state, work.modality, work.media_type) == (WorkState.READY, "pages", "application/vnd.comicbook+zip")
    assert {"sha256", "pages-dct-256"} <= algorithms(resources, work_id)
    assert not works.lacks(work)


def test_media_is_kept_where_that_was_asked(resources: Resources, in_process: None) -> None:
    work_id, job_id = upload(resources, PROSE, keep_media=True)

    runner.run(resources, job_id)

    assert stand(resources, work_id, job_id)[0].media_key == works.media_key(work_id)
    assert resources.storage.get(works.media_key(work_id)) == PROSE


@pytest.mark.parametrize("path", ["/page", "/song.wav"])
def test_the_video_on_a_page_is_read_where_its_sound_is_wanted(resources: Resources, path: str) -> None:
    song = io.BytesIO()
    with wave.open(song, "wb") as written:
        written.setparams((1, 2, synthetic_sound.RATE_HZ, 0, "NONE", "NONE"))
        written.writeframes(synthetic_sound.melody(8).tobytes())
    page = b"<!doctype html><title>Fox</title><p>Words.</p><audio src=song.wav></audio>"
    routes = {
        "/page": answer(page, content_type="text/html"),
        "/song.wav": answer(song.getvalue(), content_type="audio/wav"),
    }
    with serving(routes) as server:
        with transaction(resources.sessions) as session:
            account = factories.make_account(session)
            work = works.register_url(session, account_id=account.id, url=server.url(path), wants_sound=True).work
            work_id = work.id
            job_id = session.scalars(select(Job.id).where(Job.subject == str(work_id))).one()
        runner.run(with_server(resources, server.pair), job_id)

    work, _ = stand(resources, work_id, job_id)
    assert (work.state, work.modality) == (WorkState.READY, "audio")
    assert "chromaprint-2" in algorithms(resources, work_id)
    assert not works.lacks(work)


def test_running_a_job_twice_changes_nothing(resources: Resources, in_process: None) -> None:
    work_id, job_id = upload(resources, PROSE)
    runner.run(resources, job_id)
    before = algorithms(resources, work_id), stand(resources, work_id, job_id)[0].ready_at

    assert not runner.run(resources, job_id)
    with transaction(resources.sessions) as session:
        again = jobs.enqueue(session, JobKind.FINGERPRINT_WORK, str(work_id)).id
    assert runner.run(resources, again)

    assert (algorithms(resources, work_id), stand(resources, work_id, again)[0].ready_at) == before
    assert stand(resources, work_id, again)[1].state is JobState.DONE


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"%PDF-1.7 and no more", "paper.pdf", "unreadable-media"),
        (b"7z\xbc\xaf\x27\x1c", "papers.7z", "unsupported-media"),
        (b"\x89PNG\r\n\x1a\n broken", "cut.png", "unreadable-media"),
        (bytes(range(256)) * 20, "captions.vtt", "unreadable-media"),
        (b'{"wireMagic": "pb3", "events": [{"segs": [', "cut.json3", "unreadable-media"),
        (b'<timedtext format="3"><body><p t="1">cut', "cut.srv3", "unreadable-media"),
        (
            "1\n00:00:01,000 --> 00:00:02,000\n\u0104\u017euol\u0173 k\u0173\u0161\n".encode("cp1257"),
            "a.srt",
            "unreadable-media",
        ),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\n\n", "empty.vtt", "unreadable-media"),
    ],
)
def test_what_can_never_be_read_fails_with_a_reason_and_is_not_tried_again(
    resources: Resources, data: bytes, name: str, code: str
) -> None:
    work_id, job_id = upload(resources, data, name=name)

    runner.run(resources, job_id)

    work, job = stand(resources, work_id, job_id)
    assert (work.state, work.failure_code, job.state) == (WorkState.FAILED, code, JobState.DONE)
    assert work.failure_sentence is not None
    assert "Error" not in work.failure_sentence
    assert not resources.storage.exists(works.media_key(work_id))


@pytest.mark.parametrize("form", ["{}", "WEBVTT\n\n00:01.000 --> 00:02.000\n{}\n"], ids=["text", "captions"])
def test_a_transcript_of_one_word_is_ready_and_says_that_it_is_too_short(
    resources: Resources, in_process: None, form: str
) -> None:
    work_id, job_id = upload(resources, form.format("Hello").encode(), name="one.vtt" if "\n" in form else "one.txt")

    runner.run(resources, job_id)

    work, _ = stand(resources, work_id, job_id)
    assert (work.state, work.identifiable, work.notes) == (WorkState.READY, False, ["text-too-short"])
    assert algorithms(resources, work_id) == {"sha256"}


def test_a_storage_that_is_away_costs_an_attempt_and_nothing_else(
    resources: Resources, in_process: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    work_id, job_id = upload(resources, PROSE)

    def away(key: str) -> Any:
        raise StorageUnavailableError("the storage does not answer")

    with monkeypatch.context() as broken:
        broken.setattr(resources.storage, "open", away)
        runner.run(resources, job_id)
    work, job = stand(resources, work_id, job_id)
    assert (work.state, job.state, job.error_code) == (WorkState.PENDING, JobState.WAITING, "storage-unavailable")

    due_now(resources, job_id)
    runner.run(resources, job_id)
    assert stand(resources, work_id, job_id)[0].state is WorkState.READY


def test_a_bug_parks_the_job_after_its_attempts_and_keeps_the_media(
    resources: Resources, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def bug(resources: Resources, lease: jobs.Lease) -> None:
        raise ZeroDivisionError("secret detail")

    work_id, job_id = upload(resources, PROSE)
    monkeypatch.setattr(runner, "BODIES", {JobKind.FINGERPRINT_WORK: bug})
    for _ in range(resources.settings.job_attempts):
        due_now(resources, job_id)
        assert runner.run(resources, job_id)

    work, job = stand(resources, work_id, job_id)
    assert (work.state, job.state, job.attempts) == (WorkState.FAILED, JobState.PARKED, 8)
    assert job.error_sentence == "ZeroDivisionError: see the log of the worker"
    assert resources.storage.exists(works.media_key(work_id))
    assert "secret detail" in caplog.text


def test_media_that_vanished_says_register_again(resources: Resources) -> None:
    work_id, job_id = upload(resources, PROSE)
    resources.storage.delete(works.media_key(work_id))

    runner.run(resources, job_id)

    work, _ = stand(resources, work_id, job_id)
    assert (work.state, work.failure_code) == (WorkState.FAILED, "not-found")


def test_an_address_is_fetched_and_its_media_kept_only_if_asked(resources: Resources, in_process: None) -> None:
    with serving({"/a.txt": answer(PROSE, content_type="text/plain")}) as server:
        opened = with_server(resources, server.pair)
        kept, kept_job = link(opened, server.url("/a.txt"), keep_media=True)
        runner.run(opened, kept_job)
        gone, gone_job = link(opened, server.url("/a.txt?2"))
        runner.run(opened, gone_job)

    assert {"key-url", "sha256", "shingle-3"} <= algorithms(resources, kept)
    assert stand(resources, kept, kept_job)[0].media_key == works.media_key(kept)
    assert resources.storage.get(works.media_key(kept)) == PROSE
    # The second address answered 404: refused for good, and told so.
    assert stand(resources, gone, gone_job)[0].failure_code == "fetch-refused"


def test_a_private_address_fails_with_a_reason(resources: Resources) -> None:
    work_id, job_id = link(resources, "http://169.254.169.254/latest/meta-data/")

    runner.run(resources, job_id)

    work, _ = stand(resources, work_id, job_id)
    assert work.failure_code == "fetch-refused"
    assert "not on the public internet" in str(work.failure_sentence)


def test_an_address_that_does_not_answer_is_tried_again_and_fails_in_the_end(
    resources: Resources, caplog: pytest.LogCaptureFixture
) -> None:
    with serving({"/": answer(b"", status=503)}) as server:
        opened = with_server(resources, server.pair)
        work_id, job_id = link(opened, server.url("/"))
        for attempt in range(1, 9):
            assert stand(resources, work_id, job_id)[0].state is WorkState.PENDING, attempt
            due_now(resources, job_id)
            assert runner.run(opened, job_id)

    work, job = stand(resources, work_id, job_id)
    assert (work.state, work.failure_code, job.state) == (WorkState.FAILED, "fetch-failed", JobState.DONE)
    assert len(server.seen) == 8


def test_meanwhile_its_owner_is_told_what_is_wrong_and_when_it_is_tried_again(resources: Resources) -> None:
    opened = resources_with(resources, job_backoff_seconds=60.0)
    work_id, job_id = link(opened, "https://nowhere.invalid/fox.png")
    with resources.sessions() as session:
        assert delays.of_works(session, [session.get_one(Work, work_id)]) == {}

    assert runner.run(opened, job_id)

    with resources.sessions() as session:
        work, job = session.get_one(Work, work_id), session.get_one(Job, job_id)
        delay = delays.of_works(session, [work])[work_id]
        assert (work.state, delay.code, delay.next_attempt_at) == (WorkState.PENDING, "fetch-failed", job.due_at)
        assert delay.sentence.startswith("The name nowhere.invalid was not found. Check its spelling")
        job.due_at = utc_now()
        assert delays.of_works(session, [work])[work_id].next_attempt_at is None
        # What went wrong on our side is for the operator.
        job.error_code, job.error_sentence = "internal-error", "KeyError: see the log of the worker"
        assert delays.of_works(session, [work])[work_id].sentence == delays.OURS_SENTENCE


def test_a_youtube_link_gives_the_words_of_its_captions_and_its_title(
    resources: Resources, in_process: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ",".join(
        f'{{"tStartMs": {n * 1000}, "segs": [{{"utf8": "{line.decode()}"}}]}}'
        for n, line in enumerate(PROSE.split(b"\n"))
    )
    data = f'{{"wireMagic": "pb3", "events": [{words}]}}'.encode()
    asked: list[str] = []

    def look(video_id: str, **_named: object) -> youtube.Video:
        asked.append(video_id)
        return youtube.Video(video_id, "A\0 talk", captions=youtube.Captions("en", automatic=True, data=data))

    monkeypatch.setattr(youtube, "look", look)
    work_id, job_id = link(resources, "https://youtu.be/dQw4w9WgXcQ?t=3")
    runner.run(resources, job_id)

    work, _ = stand(resources, work_id, job_id)
    assert (asked, work.state, work.title) == (["dQw4w9WgXcQ"], WorkState.READY, "A talk")
    assert {"key-youtube", "key-url", "shingle-3"} <= algorithms(resources, work_id)


def test_missing_captions_are_asked_for_again(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(video_id: str, **_named: object) -> youtube.Video:
        return youtube.Video(video_id, trouble=FetchFailedError("YouTube gives no captions"))

    monkeypatch.setattr(youtube, "look", none)
    work_id, job_id = link(resources, "https://www.youtube.com/watch?v=dQw4w9WgXcQ")
    runner.run(resources, job_id)

    work, job = stand(resources, work_id, job_id)
    assert (work.state, job.state) == (WorkState.PENDING, JobState.WAITING)
    assert "key-youtube" in algorithms(resources, work_id)


def test_a_lease_is_kept_alive_while_the_work_lasts(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a lease of one second, work of two seconds is not taken away by another worker."""
    opened = {name: getattr(resources, name) for name in Resources.__slots__}
    quick = Resources(**{**opened, "settings": resources.settings.model_copy(update={"job_lease_seconds": 1})})
    stolen: list[object] = []

    def slow(resources: Resources, lease: jobs.Lease) -> None:
        for _ in range(4):
            time.sleep(0.4)
            with transaction(resources.sessions) as session:
                stolen.append(jobs.claim_due(session, lease.job_id))
        with transaction(resources.sessions) as session:
            assert jobs.finish(session, lease)

    _, job_id = upload(resources, PROSE)
    monkeypatch.setattr(runner, "BODIES", {JobKind.FINGERPRINT_WORK: slow})
    runner.run(quick, job_id)

    assert stolen == [None] * 4
