"""Where a match lies is seen, heard and read: in a browser, with the keyboard alone, and without script."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from registry_process import RegistryProcess, wait_for
from synthetic_sound import RATE_HZ, melody, write_sound

pytestmark = pytest.mark.browser

Opens = Callable[..., Page]


@pytest.fixture(scope="module")
def clip(running: RegistryProcess, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seconds 8 to 20 of it are seconds 15 to 27 of a song that its owner lets others hear."""
    folder = tmp_path_factory.mktemp("sound")
    song = melody(40.0, seed=71)
    write_sound(folder / "song.wav", song)
    with running.http(running.key("creator", name="Ann")) as client:
        file = {"file": ("song.wav", (folder / "song.wav").read_bytes())}
        made = client.post("/v1/works", files=file, data={"show_media": "true"}).json()
        wait_for(lambda: client.get(f"/v1/works/{made['id']}").json()["state"] == "ready")
        client.post(f"/v1/works/{made['id']}/claims", json={"preferences": {"all": "disallowed"}})
    mixed = np.concatenate((melody(8.0, seed=72), song[15 * RATE_HZ : 27 * RATE_HZ]))
    return write_sound(folder / "clip.wav", mixed)


def ask(page: Page, file: Path) -> None:
    page.goto("/check")
    page.get_by_label("A file").set_input_files(str(file))
    page.get_by_role("button", name="Check this").click()
    expect(page.locator("#answer")).to_contain_text("Not allowed")


def test_the_matched_seconds_are_drawn_and_played_from_the_keyboard(opens: Opens, creator_key: str, clip: Path) -> None:
    page = opens(key=creator_key, color_scheme="dark")
    ask(page, clip)

    expect(page.locator(".places")).to_contain_text("Seconds 8 to 20 of your file are seconds 15 to 27 of the work.")
    expect(page.locator("[data-track=asset] .wave")).to_have_count(1)
    assert page.evaluate("document.activeElement.id") == "answer"
    for name in ("of your file", "of the work"):
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent").strip().endswith(name):
                break
        page.keyboard.press("Enter")
        side = "audio[data-side=asset]" if name == "of your file" else "audio[data-side=work-1]"
        begin = 7 if name == "of your file" else 14
        wait_for(lambda side=side, begin=begin: page.evaluate(f"document.querySelector('{side}').currentTime") > begin)
    assert page.evaluate("document.querySelector('audio[data-side=asset]').src").startswith("blob:")
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_without_script_the_seconds_are_told_and_the_work_is_played(opens: Opens, creator_key: str, clip: Path) -> None:
    page = opens(key=creator_key, java_script_enabled=False)
    ask(page, clip)

    expect(page.locator(".places")).to_contain_text("Seconds 8 to 20 of your file are seconds 15 to 27 of the work.")
    expect(page.locator(".places button").first).to_be_hidden()
    expect(page.get_by_label("The registered work 1")).to_be_visible()
    assert page.locator("[data-track] .found").count() == 2


def test_a_picture_stands_beside_the_work_with_its_part_outlined(
    opens: Opens, running: RegistryProcess, creator_key: str, media: Path
) -> None:
    picture = media / "strangers" / "rocket.jpg"
    with running.http(creator_key) as client:
        made = client.post("/v1/works", files={"file": ("rocket.jpg", picture.read_bytes())}).json()
        wait_for(lambda: client.get(f"/v1/works/{made['id']}").json()["state"] == "ready")
    page = opens(key=creator_key)
    page.goto("/check")
    page.get_by_label("A file").set_input_files(str(picture))
    page.get_by_role("button", name="Check this").click()

    own = page.get_by_role("img", name="Your picture")
    expect(own).to_be_visible(timeout=30_000)
    assert (own.get_attribute("src") or "").startswith("blob:")
    expect(page.locator(".sides").first).to_contain_text("Its owner does not show it.")


@pytest.fixture(scope="module")
def framed(running: RegistryProcess, media: Path, on_a_page: Path) -> Path:
    """A picture on a page; its owner lets others see it."""
    with running.http(running.key("creator", name="Eve")) as client:
        file = {"file": ("rocket.jpg", (media / "strangers" / "rocket.jpg").read_bytes())}
        made = client.post("/v1/works", files=file, data={"show_media": "true"}).json()
        wait_for(lambda: client.get(f"/v1/works/{made['id']}").json()["state"] == "ready")
        client.post(f"/v1/works/{made['id']}/claims", json={"preferences": {"all": "disallowed"}})
    return on_a_page


@pytest.mark.parametrize("width", [360, 1280])
def test_the_work_is_laid_over_the_picture_and_switched_from_the_keyboard(
    opens: Opens, creator_key: str, framed: Path, width: int
) -> None:
    page = opens(key=creator_key, viewport={"width": width, "height": 800})
    ask(page, framed)

    below, above = page.locator(".laid .below").first, page.locator(".laid .above").first
    wait_for(lambda: (below.get_attribute("href") or "").startswith("blob:"))
    seen = "getComputedStyle(document.querySelector('.laid .above')).opacity"
    assert page.evaluate(seen) == "0.5"
    page.get_by_role("radio", name="Both").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate(seen) == "1"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(seen) == "0"
    assert (above.get_attribute("href") or "").endswith("/media")
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_without_script_the_work_is_laid_over_a_small_grey_picture(
    opens: Opens, creator_key: str, framed: Path
) -> None:
    page = opens(key=creator_key, java_script_enabled=False)
    ask(page, framed)

    below = page.locator(".laid .below").first.get_attribute("href") or ""
    assert below.startswith("data:image/png;base64,")
    expect(page.get_by_role("radio", name="The work").first).to_be_visible()
