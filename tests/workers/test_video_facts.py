"""What YouTube says about a video, noted beside its work: channel, length, licence, who may train by its setting."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import factories
import pytest
from fake_youtube import CHANNEL, COMMONS, HEARD_EN, VIDEO, Recorded, beside, of
from local_servers import LocalServer, answer, serving

from optout.registry import video_facts, works
from optout.store import jobs
from optout.store.db import transaction
from optout.store.models.works import Work, WorkState
from workers import runner, youtube, youtube_trainability
from workers.network import Guard
from workers.resources import Resources

KEY = "AIza-of-a-test"
LINES = [f"{n} wizards brew {n * 7} strange potions in copper kettles beside the harbour wall" for n in range(40)]


def setting(*permitted: str, video: str = VIDEO) -> bytes:
    """As YouTube's Data API answers."""
    said = {"kind": "youtube#videoTrainability", "etag": "J1c", "videoId": video, "permitted": list(permitted)}
    return answer(json.dumps(said).encode(), content_type="application/json; charset=UTF-8")


@contextmanager
def data_api(response: bytes) -> Iterator[tuple[LocalServer, Guard, str]]:
    """A server that is YouTube's Data API; a guard that leads to it, and its address."""
    with serving({f"/youtube/v3/videoTrainability?id={VIDEO}": response}) as server:
        guard = Guard(allowed=frozenset({server.pair}), resolve=lambda host, port: ["127.0.0.1"])
        yield server, guard, f"http://youtube.googleapis.com:{server.port}/youtube/v3/videoTrainability"


def ask(response: bytes) -> tuple[str, ...] | None:
    with data_api(response) as (_server, guard, address):
        return youtube_trainability.ask(VIDEO, key=KEY, guard=guard, address=address)


def read(resources: Resources, fake: Recorded, monkeypatch: pytest.MonkeyPatch) -> Work:
    """Register the video of the fake, and run its job."""
    monkeypatch.setattr(youtube, "guarded_client", lambda guard, *domains: fake.client)
    with transaction(resources.sessions) as session:
        account = factories.make_account(session).id
        work: UUID = works.register_url(session, account_id=account, url=f"https://youtu.be/{VIDEO}").work.id
        job = jobs.enqueued(session)[0]
    assert runner.run(resources, job)
    with resources.sessions() as session:
        return session.get_one(Work, work)


def test_who_may_train_is_asked_with_the_key_and_at_that_service_alone() -> None:
    with data_api(setting("openai.com", "meta.com")) as (server, guard, address):
        found = youtube_trainability.ask(VIDEO, key=KEY, guard=guard, address=address)
        elsewhere = youtube_trainability.ask(VIDEO, key=KEY, guard=guard, address=server.url("/youtube/v3"))

    assert (found, elsewhere) == (("openai.com", "meta.com"), None)
    assert len(server.requests) == 1
    assert f"X-Goog-Api-Key: {KEY}".encode() in server.requests[0]
    assert KEY.encode() not in server.requests[0].splitlines()[0]


@pytest.mark.parametrize("permitted", ["all", "none"])
def test_all_and_none_are_told_as_they_are(permitted: str) -> None:
    assert ask(setting(permitted)) == (permitted,)


@pytest.mark.parametrize(
    "response",
    [
        setting("all", video="aaaaaaaaaaa"),
        setting(),
        setting(""),
        answer(b'{"videoId": "dQw4w9WgXcQ", "permitted": "all"}'),
        answer(b"not json"),
        answer(b'{"error": {"code": 403, "status": "PERMISSION_DENIED"}}', status=403),
        answer(b"", status=503),
        answer(b"", status=302, location="https://evil.example/"),
    ],
)
def test_what_says_nothing_is_not_taken_for_a_setting(response: bytes) -> None:
    assert ask(response) is None


def test_a_refused_key_is_told_to_the_operator_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert ask(answer(b"{}", status=403)) is None

    [record] = caplog.records
    assert vars(record)["status"] == 403
    assert KEY not in caplog.text


@pytest.mark.heavy
def test_a_work_shows_what_youtube_says_of_its_video(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = of(HEARD_EN, lines=LINES)
    fake.answers = {**fake.answers, "/youtubei/v1/next": beside(channel="Ada\0 \n talks", licence=COMMONS)}

    work = read(resources, fake, monkeypatch)

    assert (work.state, work.channel, work.channel_title) == (WorkState.READY, CHANNEL, "Ada talks")
    assert (work.duration_seconds, work.licence, work.trainability) == (60.0, COMMONS, None)


@pytest.mark.heavy
def test_facts_of_a_video_without_captions_are_known_too(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    work = read(resources, of(published="2020-01-01", author="Ada talks"), monkeypatch)

    assert (work.state, work.channel_title, work.duration_seconds) == (WorkState.FAILED, "Ada talks", 60.0)


@pytest.mark.heavy
def test_with_a_key_the_work_says_who_may_train(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    with data_api(setting("none")) as (_server, guard, address):
        monkeypatch.setattr(youtube_trainability.ask, "__kwdefaults__", {"address": address})
        keyed = resources.settings.model_copy(update={"youtube_api_key": KEY})
        opened = {name: getattr(resources, name) for name in Resources.__slots__}
        work = read(Resources(**{**opened, "settings": keyed, "guard": guard}), of(HEARD_EN, lines=LINES), monkeypatch)

    assert (work.state, work.trainability) == (WorkState.READY, ["none"])


def test_what_was_not_said_this_time_stays_as_it_was(resources: Resources) -> None:
    with transaction(resources.sessions) as session:
        account = factories.make_account(session).id
        work = works.register_url(session, account_id=account, url=f"https://youtu.be/{VIDEO}").work
        video_facts.note(session, work.id, channel_title="Ada", duration_seconds=9.5, licence="x", trainability=["all"])
        video_facts.note(session, work.id, licence="y" * 999)

        assert (work.channel_title, work.duration_seconds, work.trainability) == ("Ada", 9.5, ["all"])
        assert work.licence == "y" * video_facts.MAX_LICENCE
