"""The operator's page of jobs: who may see it, what it says, and trying again."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import factories
import pytest
from starlette.testclient import TestClient

from mediamanager.app import create_app
from optout.store import db, job_lists, jobs
from optout.store.jobs import Retries
from optout.store.models import Job, JobKind, JobState, Role
from optout.store.models.base import utc_now
from optout.store.settings import Settings

ONCE = Retries(attempts=1)
HEADERS = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def client(built: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(built), follow_redirects=False, headers=HEADERS) as made:
        yield made


@pytest.fixture
def admin(client: TestClient) -> TestClient:
    return signed_in(client, Role.ADMIN)


def signed_in(client: TestClient, role: Role) -> TestClient:
    with db.transaction(client.app.state.resources.sessions) as session:  # type: ignore[attr-defined]
        secret = factories.make_key(session, factories.make_account(session), role)[1]
    assert client.post("/sign-in", data={"key": secret, "next": "/"}).status_code == 303
    return client


def parked(client: TestClient, count: int = 1, code: str = "sandbox-unavailable") -> list[UUID]:
    found = []
    with db.transaction(client.app.state.resources.sessions) as session:  # type: ignore[attr-defined]
        for _ in range(count):
            job = jobs.enqueue(session, JobKind.FINGERPRINT_WORK, str(uuid4()))
            lease = jobs.claim_due(session, job.id)
            assert lease is not None
            jobs.fail(session, lease, code=code, sentence="no <b>bubblewrap</b>", retries=ONCE)
            found.append(job.id)
    return found


def states(client: TestClient, *ids: UUID) -> list[JobState]:
    with db.reading(client.app.state.resources.sessions) as session:  # type: ignore[attr-defined]
        return [job_lists.get(session, one).state for one in ids]


def test_only_an_admin_sees_it_and_its_link(client: TestClient) -> None:
    (job,) = parked(client)
    stranger = client.get("/jobs")
    creator = signed_in(client, Role.CREATOR)
    refused = [creator.get("/jobs"), creator.post("/jobs/replay"), creator.post(f"/jobs/{job}/replay")]

    assert (stranger.status_code, stranger.headers["location"]) == (303, "/sign-in?next=/jobs")
    assert [one.status_code for one in refused] == [403, 403, 403]
    assert 'href="/jobs"' not in creator.get("/").text
    assert states(client, job) == [JobState.PARKED]
    assert 'href="/jobs"' in signed_in(client, Role.ADMIN).get("/").text


def test_an_empty_list_says_what_comes_next(admin: TestClient) -> None:
    page = admin.get("/jobs").text

    assert "Nothing here yet" in page
    assert "<table" not in page


def test_a_failed_job_shows_state_kind_attempts_and_its_reason_in_plain_words(admin: TestClient) -> None:
    (job,) = parked(admin)

    page = admin.get("/jobs").text

    assert str(job)[:8] in page
    assert "Failed" in page
    assert "Read a work" in page
    assert "1 of 8" in page
    assert "The program that reads media could not be started" in page
    assert "no &lt;b&gt;bubblewrap" in page
    assert "1 job has failed too often" in page


def test_a_reason_is_told_in_french_too(admin: TestClient) -> None:
    parked(admin)

    page = admin.get("/jobs", headers={"Accept-Language": "fr"}).text

    assert "Le programme qui lit les fichiers" in page
    assert "Échouée" in page


def test_a_reason_without_words_of_its_own_is_shown_as_the_worker_said_it(admin: TestClient) -> None:
    parked(admin, code="a-new-code")

    assert "a-new-code" in admin.get("/jobs").text


def test_the_filter_is_kept_from_page_to_page(admin: TestClient) -> None:
    parked(admin, 51)
    with db.transaction(admin.app.state.resources.sessions) as session:  # type: ignore[attr-defined]
        jobs.enqueue(session, JobKind.PUBLISH_LOG).created_at = utc_now() - timedelta(days=1)

    first = admin.get("/jobs", params={"state": "parked", "kind": "fingerprint_work"}).text
    second = admin.get("/jobs", params={"state": "parked", "kind": "fingerprint_work", "page": 2}).text
    other = admin.get("/jobs", params={"state": "", "kind": "publish_log"}).text

    assert (first.count("<tr>"), second.count("<tr>"), other.count("<tr>")) == (51, 2, 2)
    assert "/jobs?state=parked&amp;kind=fingerprint_work&amp;page=2" in first
    assert "51 jobs, newest first" in first
    assert "There are no more jobs" in admin.get("/jobs", params={"page": 9}).text
    assert "No job is like that" in admin.get("/jobs", params={"state": "running"}).text


@pytest.mark.parametrize("query", ["state=broken", "kind=x", "page=0", "page=x"])
def test_a_query_that_makes_no_sense_is_a_page_and_not_an_error_of_ours(admin: TestClient, query: str) -> None:
    assert admin.get(f"/jobs?{query}").status_code == 422


def test_a_job_is_tried_again_and_the_page_says_so(admin: TestClient) -> None:
    job, other = parked(admin, 2)

    sent = admin.post(f"/jobs/{job}/replay", data={"state": "parked"})

    assert (sent.status_code, sent.headers["location"]) == (303, "/jobs?state=parked&replayed=1")
    assert states(admin, job, other) == [JobState.WAITING, JobState.PARKED]
    assert "1 job is tried again." in admin.get(sent.headers["location"]).text
    assert admin.post(f"/jobs/{job}/replay").status_code == 409
    assert admin.post(f"/jobs/{uuid4()}/replay").status_code == 404


def test_all_of_them_are_tried_again_at_once(admin: TestClient) -> None:
    found = parked(admin, 3)

    sent = admin.post("/jobs/replay")

    assert sent.headers["location"] == "/jobs?state=&replayed=3"
    assert set(states(admin, *found)) == {JobState.WAITING}


def test_another_site_can_not_press_the_button(admin: TestClient) -> None:
    (job,) = parked(admin)

    sent = admin.post(f"/jobs/{job}/replay", headers={"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"})

    assert sent.status_code == 403
    assert states(admin, job) == [JobState.PARKED]


def test_every_word_of_the_outbox_has_words_on_the_page(admin: TestClient) -> None:
    with db.transaction(admin.app.state.resources.sessions) as session:  # type: ignore[attr-defined]
        for kind in JobKind:
            for state in JobState:
                session.add(Job(kind=kind, subject=f"{kind}{state}", state=state))

    page = admin.get("/jobs").text

    assert [word for word in JobKind if f"> {word} <" in page or f">{word}<" in page] == []
