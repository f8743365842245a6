"""Why a video can't be read: each state of YouTube by its code, and whether anybody comes back for it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import factories
import pytest
from fake_youtube import CHANNEL, HEARD_EN, VIDEO, Recorded, of, player

from mediamanager.web.video_sentences import VIDEO_STATES
from optout.registry import delays, works
from optout.store import jobs
from optout.store.db import transaction
from optout.store.models.works import Work, WorkState
from workers import runner, youtube, youtube_states
from workers.errors import VideoNotYetError, VideoUnavailableError
from workers.resources import Resources
from workers.youtube_child import find
from workers.youtube_states import Seen, why_none

NOW = datetime(2026, 5, 1, tzinfo=UTC)
OLD, NEW = (datetime(2026, 1, 1, tzinfo=UTC).timestamp(), datetime(2026, 4, 28, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("status", "reason", "code"),
    [
        ("LOGIN_REQUIRED", "Private video. Sign in if you've been granted access to this video", "private"),
        ("LOGIN_REQUIRED", "This video is private", "private"),
        ("LOGIN_REQUIRED", "Sign in to confirm your age. This video may be inappropriate for some users.", "age-"),
        ("AGE_CHECK_REQUIRED", "", "age-restricted"),
        ("LOGIN_REQUIRED", "Sign in to confirm you\u2019re not a bot", "rate-limited"),
        ("ERROR", "This content isn't available, try again later.", "rate-limited"),
        ("ERROR", "Video unavailable", "gone"),
        ("ERROR", "This video has been removed by the uploader", "deleted"),
        ("ERROR", "This video is no longer available because the account has been terminated.", "deleted"),
        ("UNPLAYABLE", "Join this channel to get access to members-only content like this video", "members-only"),
        ("UNPLAYABLE", "This video requires payment to watch", "paid"),
        ("UNPLAYABLE", "Video unavailable. The uploader has not made this video available in your country", "region"),
        ("LIVE_STREAM_OFFLINE", "This live event will begin in 3 hours.", "upcoming"),
        ("LIVE_STREAM_OFFLINE", "Premieres in 2 days", "upcoming"),
    ],
)
def test_what_youtube_says_is_a_state(status: str, reason: str, code: str) -> None:
    found = why_none(Seen(status, reason), now=NOW)

    assert found is not None
    assert found.startswith(f"youtube-{code}")


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Seen("OK", published=NEW), "youtube-no-captions-yet"),
        (Seen("OK"), "youtube-no-captions-yet"),
        (Seen("OK", published=OLD), "youtube-captions-disabled"),
        (Seen("OK", published=OLD, tracks=1), "youtube-captions-withheld"),
        (Seen("OK", live="is_live"), "youtube-live"),
        (Seen("OK", live="post_live", published=OLD), "youtube-live"),
        (Seen("OK", live="was_live", published=NEW), "youtube-no-captions-yet"),
        (Seen("UNPLAYABLE", "Something that nobody foresaw"), None),
        (Seen(), None),
    ],
)
def test_no_captions_yet_is_told_from_none_at_all(seen: Seen, code: str | None) -> None:
    assert why_none(seen, now=NOW) == code


def test_every_state_says_what_to_do_or_that_we_come_back() -> None:
    for code, state in youtube_states.STATES.items():
        error = youtube_states.error(code, VIDEO)
        assert (isinstance(error, VideoNotYetError), isinstance(error, VideoUnavailableError)) == (
            state.wait is not None,
            state.wait is None,
        )
        assert error.code == code
        assert "egister" in str(error) or "come back" in str(error)
    assert set(VIDEO_STATES) == set(youtube_states.STATES)


def test_we_come_back_to_a_broadcast_after_it_began() -> None:
    begins = datetime.now(UTC) + timedelta(hours=20)
    error = youtube_states.error("youtube-upcoming", VIDEO, begins=begins.timestamp())

    assert error.retry_after is not None
    assert timedelta(hours=25) < error.retry_after < timedelta(hours=27)


def test_the_real_extractor_reads_date_and_broadcast() -> None:
    _, video = find(VIDEO, of(HEARD_EN, published="2026-04-28", isLive=True, isLiveContent=True))

    assert (video["status"], video["live"], video["channel"], video["tracks"]) == ("OK", "is_live", CHANNEL, 1)
    assert video["published"] == NEW


class Refusing(Recorded):
    """A YouTube that answers nothing but this."""

    def __init__(self, **reply: Any) -> None:
        super().__init__({})
        self.reply = reply

    def __call__(self, request: Any) -> Any:
        self.asked.append(request["url"])
        return self.reply


def with_captions(data: bytes) -> Recorded:
    """A YouTube whose captions are these bytes."""
    fake = of(HEARD_EN)
    fake.captions = data
    return fake


CONSENT = {"url": "https://consent.youtube.com/m?continue=x", "media_type": "text/html", "body": "PGh0bWw+"}


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("fake", "state", "code"),
    [
        (of(status="LOGIN_REQUIRED"), WorkState.FAILED, "youtube-private"),
        (of(status="ERROR", reason="Video unavailable"), WorkState.FAILED, "youtube-gone"),
        (of(status="ERROR", reason="This video has been removed by the uploader"), WorkState.FAILED, "youtube-deleted"),
        (of(status="LOGIN_REQUIRED", reason="Sign in to confirm your age"), WorkState.FAILED, "youtube-age-restricted"),
        (of(status="UNPLAYABLE", reason="Join this channel to get access"), WorkState.FAILED, "youtube-members-only"),
        (of(status="UNPLAYABLE", reason="This video requires payment to watch"), WorkState.FAILED, "youtube-paid"),
        (of(status="UNPLAYABLE", reason="It is not available in your country"), WorkState.FAILED, "youtube-region"),
        (of(isLive=True, isLiveContent=True), WorkState.PENDING, "youtube-live"),
        (of(status="LIVE_STREAM_OFFLINE", reason="Premieres in 2 days"), WorkState.PENDING, "youtube-upcoming"),
        (of(status="LOGIN_REQUIRED", reason="Sign in to confirm you're not a bot"), WorkState.PENDING, "youtube-rate"),
        (with_captions(b'{"wireMagic": "pb3", "events": ['), WorkState.PENDING, "youtube-captions-withheld"),
        (with_captions(b"<html>Sorry...</html>"), WorkState.PENDING, "youtube-captions-withheld"),
        (with_captions(b"[" * 100_000), WorkState.PENDING, "youtube-captions-withheld"),
        (with_captions(b'{"wireMagic": "pb3", "events": []}'), WorkState.FAILED, "unreadable-media"),
        (of(published="2020-01-01"), WorkState.FAILED, "youtube-captions-disabled"),
        (of(), WorkState.PENDING, "youtube-no-captions-yet"),
        (Recorded({"/youtubei/v1/player": player(HEARD_EN), "/api/timedtext": None}), WorkState.PENDING, "youtube-cap"),
        (Refusing(error="The server answered with status 429.", status=429), WorkState.PENDING, "youtube-rate-limited"),
        (Refusing(**CONSENT), WorkState.PENDING, "youtube-consent-page"),
        (Refusing(error="it rains"), WorkState.PENDING, "fetch-failed"),
    ],
)
def test_a_work_says_which_state_its_video_is_in(
    resources: Resources, monkeypatch: pytest.MonkeyPatch, fake: Recorded, state: WorkState, code: str
) -> None:
    monkeypatch.setattr(youtube, "guarded_client", lambda guard, *domains: fake.client)
    with transaction(resources.sessions) as session:
        account = factories.make_account(session).id
        work = works.register_url(session, account_id=account, url=f"https://youtu.be/{VIDEO}").work.id
        job = jobs.enqueued(session)[0]

    assert runner.run(resources, job)

    with resources.sessions() as session:
        found = session.get_one(Work, work)
        assert found.state is state
        if state is WorkState.FAILED:
            assert (found.failure_code or "").startswith(code)
        else:
            delay = delays.of_works(session, [found])[UUID(str(work))]
            assert delay.code.startswith(code)
            assert delay.next_attempt_at is None or delay.code != "fetch-failed"
