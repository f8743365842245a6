"""A real registry and a real Chromium, once for all tests of the pages."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import patience
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect, sync_playwright
from registry_process import RegistryProcess, registry

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryProcess]:
    with registry(tmp_path_factory.mktemp("pages")) as process:
        yield process


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    assert path is not None, "these tests need Chromium: ./run test installs it"
    expect.set_options(timeout=patience.MILLISECONDS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            timeout=patience.MILLISECONDS,
        )
        yield started
        started.close()


Opens = Callable[..., Page]


@pytest.fixture
def opens(browser: Browser, running: RegistryProcess) -> Iterator[Opens]:
    """Opens a page in a fresh browser profile; `key` signs in. Whatever a page logs or fails to load fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def make(*, key: str | None = None, **options: Any) -> Page:
        context = browser.new_context(base_url=running.url, **{"viewport": PHONE, "locale": "en-GB", **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(patience.MILLISECONDS)
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on(
            "response", lambda answer: complaints.append(f"{answer.status} {answer.url}") if _lost(answer) else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(f"{request.url}: {request.failure}"))
        if key is not None:
            page.goto("/sign-in")
            page.locator("#key").fill(key)
            page.locator("main button.primary").click()
            page.wait_for_url("**/works")
        return page

    yield make
    for context in contexts:
        context.close()
    # A page that is refused on purpose, and a refresh that was cut off by a change of page, are no complaints.
    fine = ("Failed to load resource", "ERR_ABORTED")
    assert [one for one in complaints if not any(words in one for words in fine)] == []


def _lost(answer: Response) -> bool:
    return answer.status >= 400 and answer.request.resource_type != "document"


@pytest.fixture
def creator_key(running: RegistryProcess) -> str:
    """A key of an account that nobody else uses."""
    return running.key("creator")


@pytest.fixture(scope="session")
def media() -> Path:
    """Real media: what the demo ships."""
    return Path(__file__).parents[2] / "demo" / "media"


@pytest.fixture(scope="session")
def on_a_page(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of them on a page, turned a little."""
    with Image.open(media / "strangers" / "rocket.jpg") as opened:
        shown = opened.convert("RGB").rotate(5, Image.Resampling.BICUBIC, expand=True)
    page = Image.new("RGB", (shown.width + 200, shown.height + 120), "white")
    page.paste(shown, (150, 80))
    path = tmp_path_factory.mktemp("page") / "page.png"
    page.save(path)
    return path
