"""Takes the pictures of the pages for the documentation: phone and desk, light and dark, from a real registry."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from demo import copies, stage

FOLDER: Final = Path(__file__).parent / "images"
PHONE: Final = ViewportSize(width=360, height=740)
DESK: Final = ViewportSize(width=1280, height=800)
COLOURS: Final = 128


def main() -> int:
    """Walk through the pages as a creator would, taking pictures on the way."""
    FOLDER.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="mediamanager-pictures-"))
    with stage.registry(folder / "registry", keep=False) as running, browser() as chromium:
        operator = stage.Person("operator", "white")
        key = operator.types_for_json(
            "keys", "create", "--role", "creator", "--name", "Ada", "--data", folder / "registry"
        )[0]["secret"]
        copy = folder / "breakfast-blog-0417.jpg"
        copies.crop_and_recompress(copies.PICTURE, copy)
        walk(signed_in(chromium, running.url, key, PHONE, "light"), running.url, "phone-light", copy)
        for name, size, scheme in (
            ("phone-dark", PHONE, "dark"),
            ("desk-light", DESK, "light"),
            ("desk-dark", DESK, "dark"),
        ):
            page = signed_in(chromium, running.url, key, size, scheme)
            for path in ("", "works", "works/new", "check", "log", "design"):
                page.goto(f"{running.url}/{path}")
                save(page, f"{name}-{path.replace('/', '-') or 'home'}")
    shutil.rmtree(folder)
    return 0


def walk(page: Page, url: str, name: str, copy: Path) -> None:
    """Register three works, follow them, look at one, its receipt, and check a copy."""
    page.goto(url)
    save(page, f"{name}-home")
    page.goto(f"{url}/works/new")
    page.locator("#files").set_input_files([str(copies.PICTURE), str(copies.SONG), str(copies.CAPTIONS)])
    save(page, f"{name}-works-new")
    page.locator("main button.primary").click()
    page.wait_for_url("**/works/added?**")
    save(page, f"{name}-added-reading")
    page.get_by_text("3 of 3 read").wait_for(timeout=60_000)
    save(page, f"{name}-added")
    page.get_by_role("link", name=f"Receipt for {copies.PICTURE.name}").click()
    page.get_by_text("the proof is complete").wait_for(timeout=60_000)
    save(page, f"{name}-receipt")
    page.get_by_role("link", name="Back to the work").click()
    save(page, f"{name}-work")
    page.goto(f"{url}/check")
    page.locator("#file").set_input_files(str(copy))
    page.get_by_role("button", name="Check this").click()
    page.locator("#answer").wait_for()
    save(page, f"{name}-check")


def save(page: Page, name: str) -> None:
    """Keep the whole page as a picture with few colours, which a repository can hold."""
    picture = Image.open(BytesIO(page.screenshot(full_page=True)))
    reduced = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    reduced.save(FOLDER / f"{name}.png", optimize=True)
    sys.stderr.write(f"wrote docs/images/{name}.png\n")


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium as the system has it."""
    path = next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )
    if path is None:
        raise SystemExit("error: this needs Chromium: install it, or run ./run test once")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield started
        started.close()


def signed_in(chromium: Browser, url: str, key: str, size: ViewportSize, scheme: str) -> Page:
    """A fresh profile of a creator who has signed in."""
    context = chromium.new_context(viewport=size, color_scheme="dark" if scheme == "dark" else "light", locale="en-GB")
    page = context.new_page()
    page.goto(f"{url}/sign-in")
    page.locator("#key").fill(key)
    page.locator("main button.primary").click()
    page.wait_for_url("**/works")
    return page


if __name__ == "__main__":
    sys.exit(main())
