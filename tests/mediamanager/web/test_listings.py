"""Channels and playlists on the pages and in the API: a link pasted, how far it has come, a stop."""

from typing import Any
from uuid import UUID

import factories
import pytest
from starlette.testclient import TestClient

from mediamanager.dependencies import Resources
from optout.registry import claim_targets, listings
from optout.store import db
from optout.store.models import Account, Listing, Role

CHANNEL = "UC" + "x" * 22
BY_ID = f"https://www.youtube.com/channel/{CHANNEL}"
HANDLE = "https://www.youtube.com/@ada"
VIDEO = "https://youtu.be/dQw4w9WgXcQ"


@pytest.fixture
def ann(resources: Resources, client: TestClient) -> Account:
    with db.transaction(resources.sessions) as session:
        account = factories.make_account(session)
        client.headers["Authorization"] = f"Bearer {factories.make_key(session, account, Role.CREATOR)[1]}"
        return account


def paste(client: TestClient, *links: str, preset: str = "no-ai") -> str:
    sent = client.post("/works/new", data={"links": "\n".join(links), "preset": preset})
    assert sent.status_code == 303, sent.text
    return str(sent.headers["location"])


def look(client: TestClient, path: str, language: str = "en") -> str:
    answer = client.get(path, headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    return answer.text


def test_a_pasted_channel_counts_at_once_and_shows_how_far_it_is(
    client: TestClient, ann: Account, resources: Resources
) -> None:
    place = paste(client, BY_ID)

    page = look(client, place)
    assert "The list is being read" in page
    assert "La liste est en cours de lecture" in look(client, place, "fr")
    with db.transaction(resources.sessions) as session:
        listing = session.get_one(Listing, UUID(place.rpartition("/")[2]))
        target = claim_targets.target(ann.id, collection_id=listing.collection_id)
        assert claim_targets.live_claim(session, target) is not None
        listing.seen, listing.expected, listing.made = 300, 1200, 299
    assert "300 of 1,200 videos listed" in look(client, place)
    assert f'href="{place}"' in look(client, f"/collections/{listing.collection_id}")


def test_a_handle_counts_once_youtube_told_whose_it_is(client: TestClient, ann: Account, resources: Resources) -> None:
    place = paste(client, HANDLE)

    assert "as soon as YouTube has told us" in look(client, place)
    with db.transaction(resources.sessions) as session:
        listing = session.get_one(Listing, UUID(place.rpartition("/")[2]))
        listings.name(session, listing, channel=CHANNEL, title="Ada")
        target = claim_targets.target(ann.id, collection_id=listing.collection_id)
        assert claim_targets.live_claim(session, target) is not None
        assert listing.preferences is None
    assert "as soon as YouTube has told us" not in look(client, place)


def test_channels_and_videos_can_be_pasted_together(client: TestClient, ann: Account) -> None:
    page = look(client, paste(client, VIDEO, HANDLE, "https://www.youtube.com/playlist?list=WL"))

    assert "1 work registered" in page
    assert "its videos are being registered" in page
    assert "list=WL" in page


def test_its_owner_stops_it_and_lets_it_go_on(client: TestClient, ann: Account) -> None:
    place = paste(client, HANDLE)

    client.post(place, data={"stopped": "yes"})
    assert "Stopped" in look(client, place)
    client.post(place, data={"stopped": "no"})
    assert "The list is being read" in look(client, place)


def test_why_a_list_failed_and_where_it_was_cut_is_told(client: TestClient, ann: Account, resources: Resources) -> None:
    place = paste(client, HANDLE)
    with db.transaction(resources.sessions) as session:
        listing = session.get_one(Listing, UUID(place.rpartition("/")[2]))
        listings.fail(listing, code="youtube-list-gone", sentence="YouTube shows no list of videos there.")
        listing.is_cut = True

    page = look(client, place)
    assert "YouTube shows no list of videos there." in page
    assert "more than 20,000 videos" in page
    assert "ne montre aucune liste" in look(client, place, "fr")


def test_the_api_registers_lists_and_stops_them(client: TestClient, ann: Account) -> None:
    body: dict[str, Any] = {"url": BY_ID, "preferences": {"train-genai": "disallowed"}}
    first = client.post("/v1/listings", json=body)
    again = client.post("/v1/listings", json={**body, "url": f"http://m.youtube.com/channel/{CHANNEL}/videos"})

    assert (first.status_code, again.status_code) == (202, 202)
    told = first.json()
    assert again.json()["id"] == told["id"]
    assert (told["state"], told["kind"], told["seen"]) == ("reading", "channel", 0)
    assert told["collection"] is not None
    assert [one["id"] for one in client.get("/v1/listings").json()["listings"]] == [told["id"]]
    stopped = client.patch(told["status_url"], json={"stopped": True}).json()
    assert (stopped["state"], client.get(told["status_url"]).json()["state"]) == ("stopped", "stopped")


def test_a_channel_sent_as_a_work_is_refused_with_the_other_way(client: TestClient, ann: Account) -> None:
    refused = client.post("/v1/works", json={"url": HANDLE})
    assert refused.status_code == 422
    assert "list of videos" in refused.json()["detail"]

    wrong = client.post("/v1/listings", json={"url": VIDEO})
    assert wrong.status_code == 422
    assert "channel" in wrong.json()["detail"]


def test_the_sound_of_links_is_asked_for_by_a_tick(client: TestClient, ann: Account) -> None:
    links = f"{VIDEO}\nhttps://example.org/film\n{BY_ID}"
    sent = client.post("/works/new", data={"links": links, "preset": "no-ai", "sound": "yes"})
    again = client.post("/works/new", data={"links": "", "preset": "no-ai", "sound": "yes"})

    works = [part.partition("&")[0] for part in sent.headers["location"].split("work=")[1:]]
    told = ["read, too, as you asked for" in look(client, f"/works/{work}") for work in works]
    assert told == [True, True]  # of a page, it is that of the video on it
    assert 'name="sound" value="yes" checked' in again.text
