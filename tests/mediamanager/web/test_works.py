"""The pages of a creator's works: what is said while a work is not read yet, and where nothing was named."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import factories
import pytest
from starlette.testclient import TestClient

from mediamanager.app import create_app
from optout.registry import video_facts, works
from optout.store import db, jobs
from optout.store.jobs import Retries
from optout.store.models import Role
from optout.store.settings import Settings

LATER = Retries(first_backoff=timedelta(minutes=5))
HEADERS = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def client(built: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(built), follow_redirects=False, headers=HEADERS) as made:
        yield made


def unreachable(client: TestClient) -> UUID:
    """A work of somebody who is signed in, whose address did not deliver; tried again in five minutes."""
    with db.transaction(client.app.state.resources.sessions) as session:  # type: ignore[attr-defined]
        account = factories.make_account(session)
        secret = factories.make_key(session, account, Role.CREATOR)[1]
        work = works.register_url(session, account_id=account.id, url="https://fox.invalid/").work
        lease = jobs.claim_due(session, jobs.enqueued(session)[0])
        assert lease is not None
        jobs.fail(session, lease, code="fetch-failed", sentence="The name fox.invalid was not found.", retries=LATER)
        work_id = work.id
    assert client.post("/sign-in", data={"key": secret, "next": "/"}).status_code == 303
    return work_id


@pytest.mark.parametrize("address", ["/works/{id}", "/works/added?work={id}"])
def test_a_work_that_is_not_read_yet_says_why_and_when_it_is_tried_again(client: TestClient, address: str) -> None:
    page = address.format(id=unreachable(client))

    english = client.get(page).text
    french = client.get(page, headers={"Accept-Language": "fr"}).text

    assert "The name fox.invalid was not found. Next attempt: <time" in english
    assert "in 5 minutes" in english
    assert "Nous n&#39;avons pas encore pu joindre cette adresse." in french
    assert "dans 5 minutes" in french


def test_the_page_of_a_registration_without_one_leads_to_the_list(client: TestClient) -> None:
    unreachable(client)

    answer = client.get("/works/added")

    assert answer.status_code == 200
    assert "All your works are in the list" in answer.text
    assert 'href="/works"' in answer.text


@pytest.mark.parametrize(("permitted", "shown"), [(["all"], "anybody"), (["none"], "nobody"), (["a & b"], "a &amp; b")])
def test_what_youtube_says_of_a_video_is_shown_with_its_work(
    client: TestClient, permitted: list[str], shown: str
) -> None:
    work_id = unreachable(client)
    with db.transaction(client.app.state.resources.sessions) as session:  # type: ignore[attr-defined]
        said = {"channel": "UC" + "x" * 22, "channel_title": "Ada <b>", "duration_seconds": 3725.0, "licence": "CC"}
        video_facts.note(session, work_id, **said, trainability=permitted)

    page = client.get(f"/works/{work_id}").text

    assert f'href="https://www.youtube.com/channel/UC{"x" * 22}"' in page
    assert "Ada &lt;b&gt;" in page
    assert "1:02:05" in page
    assert "<bdi>CC</bdi>" in page
    assert f"<dd>{shown}" in page or f"<bdi>{shown}</bdi>" in page
