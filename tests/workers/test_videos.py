"""A video by its words, its sound and its thumbnail: what is there makes it ready, what is not is looked for later."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import factories
import numpy as np
import pytest
import synthetic_media
from fake_youtube import HEARD_EN, VIDEO, Recorded, of, sound_format
from local_servers import answer, serving
from sqlalchemy import select
from synthetic_sound import melody, write_sound

from fingerprinting.extract import extract
from fingerprinting.types import Role
from optout.catalogue.answers import Asset
from optout.consent.vocabulary import Preference, Use
from optout.registry import claims, works
from optout.registry.lookups import Lookups, Question
from optout.store import jobs
from optout.store.db import reading, transaction
from optout.store.models.base import utc_now
from optout.store.models.jobs import Job, JobKind, JobState
from optout.store.models.works import Work, WorkFingerprint, WorkState
from workers import runner, youtube
from workers.network import Guard
from workers.resources import Resources

pytestmark = pytest.mark.heavy

URL = f"https://youtu.be/{VIDEO}"
LINES = synthetic_media.prose(5, 400).split(". ")
OLD = "2020-01-01"


@dataclass
class Tube:
    """YouTube with one video; `gives` is what the server of its sound answers, `fake` what YouTube does."""

    resources: Resources
    formats: list[dict[str, Any]]
    sound: bytes
    gives: bytes | None = None
    fake: Recorded | None = None
    account: UUID | None = None

    def says(self, *tracks: dict[str, Any], thumbnail: bytes | None = None, **more: Any) -> None:
        self.fake = of(*tracks, formats=self.formats, lines=LINES, **more)
        self.fake.thumbnail = thumbnail

    def register(self, *, wants_sound: bool = True, keep_media: bool = False) -> UUID:
        with transaction(self.resources.sessions) as session:
            self.account = self.account or factories.make_account(session).id
            asked = {"account_id": self.account, "url": URL}
            work = works.register_url(session, **asked, wants_sound=wants_sound, keep_media=keep_media).work
            found = jobs.enqueued(session)
        if found:
            runner.run(self.resources, found[0])
        return work.id

    def again(self) -> Job:
        """Run what was put off for later."""
        with transaction(self.resources.sessions) as session:
            job = session.scalars(select(Job).where(Job.state == JobState.WAITING)).one()
            assert job.due_at > utc_now()
            job.due_at = utc_now()
        assert runner.run(self.resources, job.id)
        with self.resources.sessions() as session:
            return session.get_one(Job, job.id)

    def stands(self, work_id: UUID) -> tuple[Work, set[str], int]:
        """The work, its algorithms, and how many jobs wait for it."""
        with self.resources.sessions() as session:
            found = session.scalars(select(WorkFingerprint.algorithm).where(WorkFingerprint.work_id == work_id))
            waiting = session.scalars(
                select(Job.id).where(Job.state == JobState.WAITING, Job.subject == str(work_id))
            ).all()
            return session.get_one(Work, work_id), set(found), len(waiting)


@pytest.fixture
def tube(resources: Resources, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Tube]:
    path = write_sound(tmp_path / "s.m4a", melody(40.0, seed=7), codec="aac", container_format="mp4", bit_rate=64_000)
    sound = path.read_bytes()
    routes: dict[str, Any] = {}
    with serving(routes) as server:
        url = f"http://rr1.googlevideo.com:{server.port}/videoplayback"
        guard = Guard(allowed=frozenset({server.pair}), resolve=lambda host, port: ["127.0.0.1"])
        opened = {name: getattr(resources, name) for name in Resources.__slots__}
        unpaced = resources.settings.model_copy(update={"youtube_seconds": 0.0})
        made = Tube(
            Resources(**{**opened, "guard": guard, "settings": unpaced}), [sound_format(url, len(sound))], sound
        )

        def say(speaker: Any) -> None:
            asked = re.search(rb"range: bytes=(\d+)-(\d+)", server.requests[-1], re.IGNORECASE)
            assert asked is not None
            first, last = int(asked[1]), int(asked[2])
            part = answer(made.sound[first : last + 1], status=206, content_range=f"bytes {first}-{last}/*")
            speaker.sendall(made.gives or part)

        routes["/videoplayback"] = say
        monkeypatch.setattr(youtube, "guarded_client", lambda guard, *domains: made.fake and made.fake.client)
        yield made


def test_words_sound_and_thumbnail_are_one_work(tube: Tube) -> None:
    picture = io.BytesIO()
    synthetic_media.natural_picture(3).save(picture, "JPEG")
    tube.says(HEARD_EN, thumbnail=picture.getvalue())

    work, algorithms, waiting = tube.stands(tube.register())

    assert (work.state, work.modality, work.identifiable, work.notes) == (WorkState.READY, "text", True, [])
    assert {"key-youtube", "shingle-3", "chromaprint-2", "landmark-1024", "pdq-256"} <= algorithms
    assert (waiting, works.lacks(work)) == (0, set())


def test_sound_is_fetched_only_if_it_is_asked_for(tube: Tube) -> None:
    tube.says(HEARD_EN)

    work, algorithms, waiting = tube.stands(tube.register(wants_sound=False))

    assert (work.state, waiting) == (WorkState.READY, 0)
    assert not {"chromaprint-2", "pdq-256"} & algorithms


def test_a_thumbnail_that_is_no_picture_harms_nothing(tube: Tube) -> None:
    tube.says(HEARD_EN, thumbnail=b"<html>no</html>" * 99)

    work, algorithms, waiting = tube.stands(tube.register(wants_sound=False))

    assert (work.state, work.notes, waiting) == (WorkState.READY, [], 0)
    assert "pdq-256" not in algorithms


def test_a_video_without_captions_is_known_by_its_sound(tube: Tube, tmp_path: Path) -> None:
    tube.says(published=OLD)
    work_id = tube.register()
    with transaction(tube.resources.sessions) as session:
        claims.file_claim(
            session, claimant_id=tube.account, work_id=work_id, preferences={Use.TRAIN_GENAI: Preference.DISALLOWED}
        )
    clip = extract(write_sound(tmp_path / "clip.wav", melody(40.0, seed=7)[11025 * 12 : 11025 * 30]), role=Role.QUERY)

    work, algorithms, waiting = tube.stands(work_id)
    with reading(tube.resources.sessions) as session:
        asked = Question(Use.TRAIN_GENAI, None)
        found = Lookups(tube.resources.sessions).answer(session, [Asset(clip.fingerprints)], asked).answers[0]

    assert (work.state, work.modality, work.media_type) == (WorkState.READY, "audio", "audio/mp4")
    assert (work.notes, waiting) == ([works.WORDS_MISSING], 0)
    assert "shingle-3" not in algorithms
    assert found.verdict is Preference.DISALLOWED
    assert found.matches[0].work == str(work_id)


def test_captions_that_come_later_are_added(tube: Tube) -> None:
    tube.says()
    work_id = tube.register()
    before = tube.stands(work_id)
    tube.says(HEARD_EN)
    tube.gives = answer(b"", status=403)  # the sound is there: nobody asks for it again

    job = tube.again()

    work, algorithms, waiting = tube.stands(work_id)
    assert (before[0].state, before[0].notes, before[2]) == (WorkState.READY, [works.WORDS_MISSING], 1)
    assert (job.kind, job.state, waiting) == (JobKind.REFINGERPRINT_WORK, JobState.DONE, 0)
    assert (work.notes, works.lacks(work)) == ([], set())
    assert {"shingle-3", "chromaprint-2"} <= algorithms


def test_captions_that_never_come_leave_the_work_as_it_is(tube: Tube) -> None:
    tube.says()
    work_id = tube.register()
    tube.says(published=OLD)

    job = tube.again()

    work, _, waiting = tube.stands(work_id)
    assert (work.state, work.notes, waiting) == (WorkState.READY, [works.WORDS_MISSING], 0)
    assert (job.state, job.error_code) == (JobState.PARKED, "youtube-captions-disabled")


def test_sound_that_comes_later_is_added(tube: Tube) -> None:
    tube.says(HEARD_EN)
    tube.gives = answer(b"", status=403)
    work_id = tube.register()
    before = tube.stands(work_id)
    tube.gives = None

    tube.again()

    work, algorithms, waiting = tube.stands(work_id)
    assert (before[0].state, before[0].notes, before[2]) == (WorkState.READY, [works.SOUND_MISSING], 1)
    assert "chromaprint-2" not in before[1]
    assert (work.notes, waiting) == ([], 0)
    assert "chromaprint-2" in algorithms


def test_sound_can_be_asked_for_afterwards(tube: Tube) -> None:
    tube.says(HEARD_EN)
    first = tube.register(wants_sound=False)

    again = tube.register()
    once_more = tube.register()

    work, algorithms, waiting = tube.stands(first)
    assert first == again == once_more
    assert {"shingle-3", "chromaprint-2"} <= algorithms
    assert (work.wants_sound, waiting) == (True, 0)


def test_sound_that_says_nothing_is_told_beside_the_words(tube: Tube, tmp_path: Path) -> None:
    path = write_sound(tmp_path / "silence.m4a", np.zeros(20 * 11025, np.int16), codec="aac", container_format="mp4")
    tube.sound = path.read_bytes()
    tube.formats[0]["contentLength"] = str(len(tube.sound))
    tube.says(HEARD_EN)

    work, _, waiting = tube.stands(tube.register())

    assert (work.identifiable, work.notes, waiting) == (True, ["audio-silent"], 0)


def test_sound_that_is_no_sound_is_not_taken(tube: Tube) -> None:
    tube.sound = b"a page of text " * 99
    tube.formats[0]["contentLength"] = str(len(tube.sound))
    tube.says(HEARD_EN)

    work, algorithms, waiting = tube.stands(tube.register())

    assert (work.state, work.notes, waiting) == (WorkState.READY, [works.SOUND_MISSING], 1)
    assert "chromaprint-2" not in algorithms


@pytest.mark.parametrize(
    ("published", "status", "state", "code"),
    [
        (OLD, 403, WorkState.PENDING, "youtube-sound-withheld"),
        (None, 403, WorkState.PENDING, "youtube-no-captions-yet"),
        (OLD, 0, WorkState.FAILED, "youtube-captions-disabled"),
    ],
    ids=["sound may come", "both may come", "neither"],
)
def test_a_video_of_which_nothing_can_be_had_is_not_ready(
    tube: Tube, published: str | None, status: int, state: WorkState, code: str
) -> None:
    tube.gives = answer(b"", status=status) if status else None
    if not status:
        tube.formats[0]["contentLength"] = str(10**12)
    tube.says(published=published)

    work, _, _ = tube.stands(tube.register())

    with tube.resources.sessions() as session:
        job = session.scalars(select(Job)).one()
        assert (work.state, work.failure_code or job.error_code) == (state, code)


def test_the_sound_is_kept_where_there_is_nothing_else_to_keep(tube: Tube) -> None:
    tube.says(published=OLD)

    work, _, _ = tube.stands(tube.register(keep_media=True))

    assert work.media_key is not None
    assert tube.resources.storage.get(work.media_key) == tube.sound
