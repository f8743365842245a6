"""The operator's page of jobs in a real browser: readable by everybody, filtered and pressed without script."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from registry_process import RegistryProcess

from optout.store import db, jobs
from optout.store.jobs import Retries
from optout.store.models import Job, JobKind
from optout.store.settings import Settings

pytestmark = pytest.mark.browser

Opens = Callable[..., Page]


@pytest.fixture
def admin_key(running: RegistryProcess) -> str:
    return running.key("creator", "admin", name="Olga")


@pytest.fixture
def parked(running: RegistryProcess) -> Iterator[Job]:
    """A job about a work that is not there: it failed too often, and succeeds at once when it is tried again."""
    engine = db.engine(Settings(data_folder=running.data))
    with db.transaction(db.sessions(engine)) as session:
        job = jobs.enqueue(session, JobKind.FINGERPRINT_WORK, str(uuid4()))
        lease = jobs.claim_due(session, job.id)
        assert lease is not None
        jobs.fail(session, lease, code="sandbox-unavailable", sentence="x" * 300, retries=Retries(attempts=1))
    yield job
    with db.transaction(db.sessions(engine)) as session:
        session.delete(session.get_one(Job, job.id))
    engine.dispose()


@pytest.mark.parametrize(("locale", "colours"), [("en-GB", "light"), ("fr-FR", "dark")])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    opens: Opens, admin_key: str, parked: Job, locale: str, colours: str
) -> None:
    page = opens(locale=locale, color_scheme=colours, viewport={"width": 320, "height": 640}, key=admin_key)
    found: dict[str, object] = {}
    for address in ("/jobs", "/jobs?state=parked&replayed=2", "/jobs?state=running&kind=publish_log", "/design"):
        page.goto(address)
        broken = Axe().run(page).response["violations"]
        if broken:
            found[address] = [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in broken]
        if page.evaluate("document.documentElement.scrollWidth") > 320:
            found[f"{address} scrolls sideways"] = page.evaluate("document.documentElement.scrollWidth")

    assert found == {}


def test_a_failed_job_is_found_and_tried_again_without_script(opens: Opens, admin_key: str, parked: Job) -> None:
    page = opens(key=admin_key, java_script_enabled=False)
    page.get_by_role("link", name="Jobs").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Jobs")

    page.get_by_label("State").select_option("Failed")
    page.get_by_role("button", name="Show these jobs").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody")).to_contain_text("The program that reads media could not be started")
    page.get_by_role("button", name=f"Try {str(parked.id)[:8]} again").click()

    expect(page.get_by_role("status")).to_contain_text("1 job is tried again.")
    expect(page.locator("main")).to_contain_text("No job is like that")


def test_who_is_no_admin_sees_neither_the_link_nor_the_page(opens: Opens, creator_key: str) -> None:
    page = opens(key=creator_key)
    expect(page.get_by_role("link", name="Jobs")).to_have_count(0)

    answer = page.goto("/jobs")

    assert answer is not None
    assert answer.status == 403
