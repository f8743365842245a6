"""The moderator's desk in a real browser: what two works have in common is seen, in words and laid over each other."""

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from registry_process import RegistryProcess, wait_for

pytestmark = pytest.mark.browser

Opens = Callable[..., Page]


@pytest.fixture(scope="module")
def moderator_key(running: RegistryProcess) -> str:
    return running.key("creator", "moderator", name="Mona")


@pytest.fixture(scope="module")
def again(running: RegistryProcess, media: Path, on_a_page: Path) -> str:
    """A work that shows another's picture on a page; both owners let others see theirs."""
    made = ""
    for name, file in (("Ida", media / "strangers" / "rocket.jpg"), ("Max", on_a_page)):
        with running.http(running.key("creator", name=name)) as client:
            sent = {"file": (file.name, file.read_bytes())}
            made = str(client.post("/v1/works", files=sent, data={"show_media": "true"}).json()["id"])
            wait_for(lambda client=client, made=made: client.get(f"/v1/works/{made}").json()["state"] == "ready")
    return made


@pytest.mark.parametrize(("locale", "colours", "width"), [("en-GB", "light", 1280), ("fr-FR", "dark", 360)])
def test_axe_finds_nothing_and_both_pictures_are_laid_over_each_other(
    opens: Opens, moderator_key: str, again: str, locale: str, colours: str, width: int
) -> None:
    page = opens(locale=locale, color_scheme=colours, viewport={"width": width, "height": 800}, key=moderator_key)
    page.goto("/moderation")
    assert Axe().run(page).response["violations"] == []
    page.locator(f"a[href='/moderation/works/{again}']").first.click()

    laid = page.locator(".laid").first
    expect(laid).to_be_visible()
    for side in (".below", ".above"):
        address = laid.locator(side).get_attribute("href") or ""
        assert page.request.get(address).headers["content-type"].startswith("image/")
    laid.locator("input").nth(1).focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("getComputedStyle(document.querySelector('.laid .above')).opacity") == "1"
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_who_is_no_moderator_does_not_see_what_works_have_in_common(opens: Opens, creator_key: str, again: str) -> None:
    page = opens(key=creator_key)

    answer = page.goto(f"/moderation/works/{again}")

    assert answer is not None
    assert answer.status == 403
