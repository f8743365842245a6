"""What the pages tell people to type holds, and what people are called can be as long as they like."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from registry_process import RegistryProcess, run

pytestmark = pytest.mark.browser

Opens = Callable[..., Page]


@pytest.fixture
def work(running: RegistryProcess, creator_key: str) -> dict[str, str]:
    """A work with a name that can't be broken at a blank, and a claim on it."""
    with running.http(creator_key) as client:
        made: dict[str, str] = client.post("/v1/works", files={"file": ("L" * 240 + ".txt", b"la la la " * 40)}).json()
        said = {"preferences": {"all": "allowed", "train-ai": "disallowed"}}
        claim = client.post(f"/v1/works/{made['id']}/claims", json=said).json()
    return {"work": made["id"], "claim": claim["id"]}


def typed(page: Page, folder: Path) -> list[list[str]]:
    """The commands of a page, without the name of the program, each word that is a file in a folder."""
    lines = [line for text in page.locator("pre code").all_text_contents() for line in text.splitlines()]
    commands = [shlex.split(line)[1:] for line in lines if line.startswith("mediamanager ")]
    return [[str(folder / word) if word.startswith(("receipt-", "log-")) else word for word in one] for one in commands]


def test_the_commands_that_the_log_page_shows_verify_the_log(
    opens: Opens, work: dict[str, str], creator_key: str, tmp_path: Path
) -> None:
    page = opens(key=creator_key)
    page.goto(f"/claims/{work['claim']}/receipt")
    expect(page.locator("#proof")).to_contain_text("the proof is complete")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the receipt").click()
    download.value.save_as(tmp_path / download.value.suggested_filename)
    page.get_by_text("How to check it without us").click()
    [receipt] = typed(page, tmp_path)
    page.goto("/log")
    [copy, verify] = typed(page, tmp_path)

    for command in (receipt, copy, verify):
        done = run(*command)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "it came from where the log came from" not in done.stdout


@pytest.mark.parametrize("width", [360, 1280])
def test_a_name_without_a_blank_pushes_no_column_out_of_sight(
    opens: Opens, work: dict[str, str], creator_key: str, width: int
) -> None:
    page = opens(key=creator_key, viewport={"width": width, "height": 800})
    page.goto("/works")

    expect(page.get_by_role("link", name="LLLL")).to_be_visible()
    assert work["work"] in (page.get_by_role("link", name="LLLL").get_attribute("href") or "")
    hidden = page.evaluate("[...document.querySelectorAll('.scroll')].map(one => one.scrollWidth - one.clientWidth)")
    assert hidden == [0]
    assert page.evaluate("document.querySelector('caption').clientHeight") < 50  # one line, not a column of words
