"""Channels and playlists, through yt-dlp's real reader in its sandbox: pages, a kill in between, a schedule, a stop."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import factories
import pytest
from fake_youtube import CHANNEL
from fake_youtube_lists import FakeList, video_id
from sqlalchemy import select
from sqlalchemy.orm import Session

from optout.consent.vocabulary import Preference
from optout.registry import abandoned, claim_targets, collection_members, collections, listing_progress, listings, works
from optout.store import jobs
from optout.store.db import transaction
from optout.store.models.base import utc_now
from optout.store.models.collections import Collection, CollectionKind
from optout.store.models.jobs import Job, JobKind, JobState
from optout.store.models.listings import Listing, ListingState
from optout.store.models.works import Work
from workers import listing as listing_job
from workers import runner, youtube_list, youtube_list_child
from workers.resources import Resources

pytestmark = [pytest.mark.rows, pytest.mark.heavy]

HANDLE = "https://www.youtube.com/@ada"
PLAYLIST = "https://www.youtube.com/playlist?list=PL" + "p" * 32


@pytest.fixture
def account(resources: Resources) -> UUID:
    with transaction(resources.sessions) as session:
        return factories.make_account(session).id


@pytest.fixture
def youtube(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeList], FakeList]:
    def use(fake: FakeList) -> FakeList:
        monkeypatch.setattr(youtube_list, "guarded_client", lambda guard: fake.client)
        return fake

    return use


def register(resources: Resources, account: UUID, url: str, *, follow: bool = True) -> UUID:
    with transaction(resources.sessions) as session:
        registered = listings.register(
            session, account_id=account, url=url, preferences=factories.NO_TRAINING, follow=follow
        )
        return registered.listing.id


def run(resources: Resources, listing: UUID) -> Listing:
    """Run the waiting job of a list, whenever it is due; the list afterwards."""
    with transaction(resources.sessions) as session:
        waiting = select(Job).where(Job.subject == str(listing), Job.state == JobState.WAITING)
        job = session.scalars(waiting).one()
        job.due_at = utc_now()
        job_id = job.id
    assert runner.run(resources, job_id)
    return stand(resources, listing)


def stand(resources: Resources, listing: UUID) -> Listing:
    with resources.sessions() as session:
        return session.get_one(Listing, listing)


def titles(resources: Resources, listing: Listing) -> list[str | None]:
    assert listing.collection_id is not None
    with resources.sessions() as session:
        found = collection_members.works_of(session, listing.collection_id, limit=1000)
        return sorted((one.title for one in found), key=str)


def test_a_channel_by_its_handle_becomes_a_work_a_video_in_its_collection(
    resources: Resources, account: UUID, youtube: Callable[[FakeList], FakeList]
) -> None:
    fake = youtube(FakeList(25, page=10))
    listing = register(resources, account, "youtube.com/@Ada/videos")

    found = run(resources, listing)

    assert (found.state, found.seen, found.made, found.expected, found.title) == (
        ListingState.DONE,
        25,
        25,
        25,
        "Talks",
    )
    assert found.next_at is not None
    assert fake.pages_asked == [1, 2]
    assert titles(resources, found) == sorted(f"Talk {n}" for n in range(25))
    with resources.sessions() as session:
        collection = session.get_one(Collection, found.collection_id)
        assert (collection.kind, collection.name) == (CollectionKind.CHANNEL, CHANNEL)
        claim = claim_targets.live_claim(session, claim_targets.target(account, collection_id=collection.id))
        assert claim is not None
        assert Preference.DISALLOWED in claim.preferences.values()
        due = session.scalars(select(Job.due_at).where(Job.kind == JobKind.FINGERPRINT_WORK).order_by(Job.due_at)).all()
        assert len(due) == 25
        assert timedelta(seconds=5 * 24) <= due[-1] - due[0] < timedelta(seconds=5 * 26)
        assert listing_progress.of(session, found).pending == 25
    with resources.sessions() as session:
        assert {one.channel for one in session.scalars(select(Work))} == {CHANNEL}


def test_a_list_goes_on_from_its_last_page_after_a_kill(
    resources: Resources, account: UUID, youtube: Callable[[FakeList], FakeList]
) -> None:
    fake = youtube(FakeList(50, page=10))
    fake.broken_at = 3
    listing = register(resources, account, PLAYLIST)
    broken = run(resources, listing)
    assert (broken.state, broken.seen, broken.position) == (ListingState.READING, 30, "page-3")
    with resources.sessions() as session:
        assert listing_progress.of(session, broken).delay_code == "fetch-failed"

    fake.broken_at, fake.pages_asked = None, []
    found = run(resources, listing)

    assert fake.pages_asked == [3, 4]
    assert (found.state, found.seen, found.made) == (ListingState.DONE, 50, 50)
    assert len(titles(resources, found)) == 50
    with resources.sessions() as session:
        collection = session.get_one(Collection, found.collection_id)
        assert (collection.kind, collection.name) == (CollectionKind.ALBUM, "Talks")


def test_new_uploads_are_found_on_schedule_and_what_is_there_is_not_doubled(
    resources: Resources, account: UUID, youtube: Callable[[FakeList], FakeList], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = youtube(FakeList(30, page=10))
    with transaction(resources.sessions) as session:
        url = f"https://youtu.be/{video_id(3)}"
        mine = works.register_url(session, account_id=account, url=url, title="Mine").work.id
    listing = register(resources, account, f"https://www.youtube.com/channel/{CHANNEL}")
    first = run(resources, listing)
    assert (first.seen, first.made) == (30, 29)
    with transaction(resources.sessions) as session:
        assert first.collection_id is not None
        collections.remove_work(session, collection_id=first.collection_id, account_id=account, work_id=mine)
        assert listings.wake(session) == 0
        assert listings.wake(session, now=utc_now() + timedelta(hours=25)) == 1

    fake.numbers.insert(0, 99)
    fake.pages_asked = []
    found = run(resources, listing)

    assert (found.state, found.made) == (ListingState.DONE, 30)
    assert fake.pages_asked == [1], "it stops where nothing is new"
    assert "Mine" not in titles(resources, found), "what its owner took out stays out"
    assert len(titles(resources, found)) == 30


def test_sound_is_asked_for_of_all_videos_also_of_those_that_are_known_already(
    resources: Resources, account: UUID, youtube: Callable[[FakeList], FakeList], monkeypatch: pytest.MonkeyPatch
) -> None:
    youtube(FakeList(30, page=10))
    monkeypatch.setattr(listing_job, "_PAGES", 1)
    listing = register(resources, account, HANDLE)
    assert run(resources, listing).seen == 10

    with transaction(resources.sessions) as session:
        again = listings.register(session, account_id=account, url=HANDLE, wants_sound=True)
        assert (again.listing.id, again.created) == (listing, False)
    while (found := run(resources, listing)).state is ListingState.READING:
        pass

    assert (found.seen, found.made, found.wants_sound) == (30, 30, True)
    with resources.sessions() as session:
        assert {one.wants_sound for one in session.scalars(select(Work))} == {True}
    with transaction(resources.sessions) as session:
        assert listings.register(session, account_id=account, url=HANDLE, wants_sound=True).listing.state == "done"


def test_a_pass_stops_where_somebody_wants_the_list_from_its_beginning(
    resources: Resources, account: UUID, youtube: Callable[[FakeList], FakeList], monkeypatch: pytest.MonkeyPatch
) -> None:
    youtube(FakeList(30, page=10))
    listing = register(resources, account, HANDLE)
    take = listings.take

    def taken(session: Session, *args: Any, **more: Any) -> int:
        monkeypatch.setattr(listings, "take", take)
        new = take(session, *args, **more)
        listings.register(session, account_id=account, url=HANDLE, wants_sound=True)
        return new

    monkeypatch.setattr(listings, "take", taken)
    first = run(resources, listing)
    assert (first.state, first.position, first.seen) == (ListingState.READING, None, 0)

    found = run(resources, listing)

    assert (found.state, found.made) == (ListingState.DONE, 30)
    with resources.sessions() as session:
        assert {one.wants_sound for one in session.scalars(select(Work))} == {True}


def test_a_list_that_its_owner_stopped_is_read_no_further(
    resources: Resources, account: UUID, youtube: Callable[[FakeList], FakeList], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = youtube(FakeList(50, page=10))
    monkeypatch.setattr(listing_job, "_PAGES", 2)
    listing = register(resources, account, HANDLE)
    part = run(resources, listing)
    assert (part.state, part.seen, part.position) == (ListingState.READING, 20, "page-2")

    with transaction(resources.sessions) as session:
        listings.stop(session, listing_id=listing, account_id=account)
    stopped = run(resources, listing)
    assert (stopped.state, stopped.seen, stopped.next_at) == (ListingState.STOPPED, 20, None)

    with transaction(resources.sessions) as session:
        listings.resume(session, listing_id=listing, account_id=account)
    fake.pages_asked = []
    on = run(resources, listing)
    assert (on.seen, fake.pages_asked) == (40, [2, 3])


def test_a_list_that_is_too_long_is_cut_with_a_word(
    resources: Resources, account: UUID, youtube: Callable[[FakeList], FakeList], monkeypatch: pytest.MonkeyPatch
) -> None:
    youtube(FakeList(50, page=10))
    monkeypatch.setattr(listings, "MOST_VIDEOS", 20)

    found = run(resources, register(resources, account, HANDLE))

    assert (found.state, found.seen, found.made, found.is_cut) == (ListingState.DONE, 20, 20, True)


def test_a_list_of_thousands_is_read_in_passes_and_each_video_once() -> None:
    fake = FakeList(4000)
    seen: list[str] = []
    place: list[str | None] = [None]

    def say(line: Mapping[str, Any]) -> None:
        if "page" in line:
            seen.extend(video["id"] for video in line["page"]["videos"])
            place.append(line["page"]["next"])

    passes = 0
    while passes == 0 or place[-1] is not None:
        youtube_list_child.read(PLAYLIST, place[-1], 10, fake, say)
        passes += 1

    assert passes == 4
    assert seen == [video_id(number) for number in fake.numbers]


def test_too_many_requests_hold_everybody_back(
    resources: Resources, account: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = {"error": "The server answered with status 429.", "status": 429}
    monkeypatch.setattr(youtube_list, "guarded_client", lambda guard: lambda request, deadline: refused)
    listing = register(resources, account, HANDLE)
    with transaction(resources.sessions) as session:
        works.register_url(session, account_id=account, url=f"https://youtu.be/{video_id(1)}")
        other = jobs.enqueued(session)[0]

    found = run(resources, listing)
    with resources.sessions() as session:
        assert listing_progress.of(session, found).delay_code == "youtube-rate-limited"
    assert runner.run(resources, other)

    with resources.sessions() as session:
        job = session.get_one(Job, other)
        assert (job.state, job.attempts) == (JobState.WAITING, 0)
        assert job.due_at > utc_now() + timedelta(minutes=55)


def test_a_list_whose_job_is_given_up_says_so_and_goes_on_when_it_is_replayed(
    resources: Resources, account: UUID
) -> None:
    listing = register(resources, account, HANDLE)
    with transaction(resources.sessions) as session:
        job = session.scalars(select(Job).where(Job.subject == str(listing))).one().id
        lease = jobs.claim_due(session, job)
        assert lease is not None
        jobs.fail(session, lease, code="x", sentence="x", retries=jobs.Retries(attempts=1))
        abandoned.tell_works(session)
    assert (stand(resources, listing).state, stand(resources, listing).failure_code) == (
        ListingState.FAILED,
        abandoned.CODE,
    )

    with transaction(resources.sessions) as session:
        abandoned.replay(session, job)
    assert stand(resources, listing).state is ListingState.READING


def test_a_list_that_is_gone_says_so(resources: Resources, account: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = {"error": "The server answered with status 404.", "status": 404}
    monkeypatch.setattr(youtube_list, "guarded_client", lambda guard: lambda request, deadline: gone)

    found = run(resources, register(resources, account, PLAYLIST))

    assert (found.state, found.failure_code) == (ListingState.FAILED, "youtube-list-gone")
    with transaction(resources.sessions) as session:
        again = listings.register(session, account_id=account, url=PLAYLIST)
        assert (again.created, again.listing.state) == (False, ListingState.READING)
