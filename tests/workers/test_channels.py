"""What a job reads about a video's YouTube channel, and the channel collection that the work joins by that."""

from uuid import UUID, uuid4

import factories
import pytest
from fake_youtube import CHANNEL, HEARD_EN, VIDEO, Recorded, of

from optout.catalogue.answers import Asset
from optout.consent.identifiers import fingerprints_for
from optout.consent.vocabulary import Preference, Use
from optout.registry import claims, collection_members, collections, works
from optout.registry.lookups import Lookups, Question
from optout.store import jobs
from optout.store.db import reading, transaction
from optout.store.models.collections import CollectionKind
from optout.store.models.works import Work, WorkState
from workers import runner, youtube
from workers.resources import Resources

LINES = [f"{n} wizards brew {n * 7} strange potions in copper kettles beside the harbour wall" for n in range(40)]
OTHER = "UC" + "y" * 22


@pytest.fixture
def account(resources: Resources) -> UUID:
    with transaction(resources.sessions) as session:
        return factories.make_account(session).id


def video(resources: Resources, account: UUID) -> tuple[UUID, UUID]:
    """Register the video of the fake; the ids of work and job."""
    with transaction(resources.sessions) as session:
        url = f"https://youtu.be/{VIDEO}"
        return works.register_url(session, account_id=account, url=url).work.id, jobs.enqueued(session)[0]


def channel(resources: Resources, account: UUID, name: str = CHANNEL) -> UUID:
    """Forbid training on a channel; the id of its collection."""
    with transaction(resources.sessions) as session:
        made = collections.create(session, account_id=account, kind=CollectionKind.CHANNEL, name=name)
        claims.file_claim(session, claimant_id=account, collection_id=made.id, preferences=factories.NO_TRAINING)
        return made.id


def read(resources: Resources, job: UUID, fake: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(youtube, "guarded_client", lambda guard, *domains: fake.client)
    assert runner.run(resources, job)


def members(resources: Resources, collection: UUID) -> list[UUID]:
    with reading(resources.sessions) as session:
        return list(collection_members.members(session, collection))


def verdict(resources: Resources) -> Preference:
    """What a pipeline is told about the video's address."""
    with reading(resources.sessions) as session:
        asset = Asset(fingerprints_for(youtube=VIDEO))
        return Lookups(resources.sessions).answer(session, [asset], Question(Use.TRAIN_GENAI, None)).answers[0].verdict


def stand(resources: Resources, work: UUID) -> Work:
    with resources.sessions() as session:
        return session.get_one(Work, work)


def test_a_video_joins_its_channel_as_soon_as_it_is_read(
    resources: Resources, account: UUID, in_process: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = channel(resources, account), channel(resources, account, OTHER)
    work, job = video(resources, account)
    assert (members(resources, mine), verdict(resources)) == ([], Preference.UNKNOWN)

    read(resources, job, of(HEARD_EN, lines=LINES), monkeypatch)

    found = stand(resources, work)
    assert (found.channel, found.state) == (CHANNEL, WorkState.READY)
    assert (members(resources, mine), members(resources, other)) == ([work], [])
    assert verdict(resources) is Preference.DISALLOWED


def test_a_video_without_captions_joins_its_channel_all_the_same(
    resources: Resources, account: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = channel(resources, account)
    work, job = video(resources, account)

    read(resources, job, of(), monkeypatch)

    assert stand(resources, work).state is WorkState.PENDING
    assert members(resources, mine) == [work]
    assert verdict(resources) is Preference.DISALLOWED


def test_a_collection_that_comes_later_has_the_videos_that_were_read(
    resources: Resources, account: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, job = video(resources, account)
    read(resources, job, of(), monkeypatch)

    assert members(resources, channel(resources, account)) == [work]


def test_somebody_elses_channel_collection_does_not_get_it(
    resources: Resources, account: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction(resources.sessions) as session:
        elsewhere = factories.make_account(session).id
    theirs = channel(resources, elsewhere)
    _, job = video(resources, account)

    read(resources, job, of(), monkeypatch)

    assert members(resources, theirs) == []


def test_a_work_that_its_owner_took_out_stays_out(
    resources: Resources, account: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = channel(resources, account)
    work, job = video(resources, account)
    read(resources, job, of(), monkeypatch)

    with transaction(resources.sessions) as session:
        collections.remove_work(session, collection_id=mine, account_id=account, work_id=work)
        collection_members.seen_on_channel(session, work, CHANNEL)

    assert members(resources, mine) == []


def test_a_work_that_is_gone_joins_nothing(resources: Resources) -> None:
    with transaction(resources.sessions) as session:
        collection_members.seen_on_channel(session, uuid4(), CHANNEL)
