"""What holds for every page: axe finds nothing, nothing scrolls sideways, the first page is light, no third party."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from registry_process import RegistryProcess, wait_for

pytestmark = pytest.mark.browser

Opens = Callable[..., Page]


@pytest.fixture
def addresses(running: RegistryProcess, creator_key: str, media: Path) -> list[str]:
    """Every page, with a work, a claim and a log entry to show."""
    with running.http(creator_key) as client:
        file = {"file": ("cat.jpg", (media / "strangers" / "cat.jpg").read_bytes(), "image/jpeg")}
        work = client.post("/v1/works", files=file).json()
        said = {"preferences": {"all": "allowed", "train-ai": "disallowed"}}
        claim = client.post(f"/v1/works/{work['id']}/claims", json=said).json()
        album = client.post("/v1/collections", json={"kind": "album", "name": "Cats"}).json()
        client.post(f"/v1/collections/{album['id']}/works", json={"works": [work["id"]]})
        asking = {"terms_url": "https://example.org/terms", "contact": "ada@example.org", "languages": ["fr", "en"]}
        whole = client.post(f"/v1/collections/{album['id']}/claims", json={**said, **asking}).json()
        soon = (datetime.now(UTC) + timedelta(days=3)).isoformat()
        client.post("/v1/account/claims", json={"preferences": {"search": "disallowed"}, "valid_until": soon})
    return [
        "/",
        "/sign-in",
        "/works",
        "/works/new",
        f"/works/new?collection={album['id']}",
        "/works/added",
        f"/works/added?work={work['id']}",
        f"/works/{work['id']}",
        f"/works/{work['id']}/change",
        f"/works/{work['id']}/applied?at=2026-01-01T12:00",
        "/account/change",
        "/collections",
        f"/collections/{album['id']}",
        f"/collections/{album['id']}/change",
        f"/collections/{album['id']}/add",
        f"/claims/{whole['id']}/withdraw",
        "/grants",
        f"/grants?work={work['id']}",
        f"/grants/works?work={work['id']}",
        "/reports",
        f"/claims/{claim['id']}/receipt",
        f"/claims/{claim['id']}/withdraw",
        "/check",
        "/log",
        "/design",
        f"/works/{claim['id']}",
    ]


@pytest.mark.parametrize(("locale", "colours"), [("en-GB", "light"), ("fr-FR", "dark")])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    opens: Opens, creator_key: str, addresses: list[str], locale: str, colours: str
) -> None:
    page = opens(locale=locale, color_scheme=colours, viewport={"width": 320, "height": 640})
    page.goto("/sign-in")
    page.locator("#key").fill(creator_key)
    page.locator("main button.primary").click()
    found: dict[str, object] = {}
    for address in addresses:
        # The last one is somebody else's, or nobody's: an error page, which the browser reports as a failed load.
        page.goto(address)
        broken = Axe().run(page).response["violations"]
        if broken:
            found[address] = [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in broken]
        if page.evaluate("document.documentElement.scrollWidth") > 320:
            found[f"{address} scrolls sideways"] = page.evaluate("document.documentElement.scrollWidth")

    assert found == {}


def test_the_first_page_is_light_and_asks_nobody_else(opens: Opens, running: RegistryProcess) -> None:
    page = opens()
    sizes: dict[str, int] = {}
    page.on("response", lambda response: sizes.update({response.url: len(response.body())}))

    page.goto("/")
    page.wait_for_load_state("networkidle")

    assert all(url.startswith(running.url) for url in sizes)
    assert len(sizes) <= 8
    assert sum(sizes.values()) < 100_000


def test_the_log_can_be_read_by_anyone(opens: Opens, addresses: list[str]) -> None:
    page = opens()
    page.goto("/log")
    wait_for(lambda: page.reload() and page.locator("tbody tr").count(), every=0.5)

    page.locator("tbody a").first.click()

    expect(page.locator("main")).to_contain_text("Proof that it is in the log")
    expect(page.locator("main")).to_contain_text('"type":"claim.')
    assert addresses


def test_an_address_with_nothing_behind_it_is_a_page_for_people(opens: Opens) -> None:
    page = opens()

    answer = page.goto("/nothing-here")

    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing at this address")


@pytest.mark.parametrize("locale", ["en-GB", "fr-FR"])
def test_a_phone_shows_a_short_header_and_breaks_the_longest_title(
    opens: Opens, running: RegistryProcess, creator_key: str, locale: str
) -> None:
    with running.http(creator_key) as client:
        work = client.post("/v1/works", json={"url": "https://example.com/long.png", "title": "Fox" * 100}).json()
    page = opens(key=creator_key, locale=locale)

    for address in ("/works", f"/works/{work['id']}", f"/works/added?work={work['id']}"):
        page.goto(address)
        assert page.locator("header.top").bounding_box()["height"] < 100  # type: ignore[index]
        assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.locator("h2 .name").bounding_box()["height"] < 120  # type: ignore[index]
