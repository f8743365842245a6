"""A creator does all of it on a phone: with script, without script, with the keyboard alone, in French."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from registry_process import RegistryProcess, run, wait_for

pytestmark = pytest.mark.browser

Opens = Callable[..., Page]


def register(page: Page, files: list[Path]) -> None:
    page.goto("/works/new")
    page.get_by_label("Your files").set_input_files([str(file) for file in files])
    page.get_by_label("Search yes, AI no").check()
    page.get_by_role("button", name="Register these works").click()
    page.wait_for_url("**/works/added?**")


def test_register_follow_change_withdraw_and_keep_the_proof(
    opens: Opens, creator_key: str, media: Path, tmp_path: Path
) -> None:
    page = opens(key=creator_key)
    expect(page.locator("main")).to_contain_text("Nothing here yet")

    register(page, [media / "originals" / "we-choose-to-go-to-the-moon.vtt", media / "strangers" / "cat.jpg"])

    expect(page.get_by_role("heading", level=1)).to_have_text("2 works registered")
    expect(page.locator("#added")).to_contain_text("2 of 2 read")
    expect(page.locator("#added")).to_contain_text("Search engines may show it. Nobody may use it for AI")

    page.get_by_role("link", name="Receipt for cat.jpg").click()
    expect(page.locator("#proof")).to_contain_text("the proof is complete")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the receipt").click()
    download.value.save_as(tmp_path / "receipt.json")
    assert run("audit", "receipt", str(tmp_path / "receipt.json")).returncode == 0

    page.get_by_role("link", name="Back to the work").click()
    page.get_by_role("link", name="Change what you say").click()
    page.get_by_label("Ask me first").check()
    page.get_by_role("button", name="Save what I say").click()
    expect(page.locator("main")).to_contain_text("Saved. It counts from now on.")
    expect(page.locator("main")).to_contain_text("has to ask you first")

    page.get_by_role("link", name="Withdraw this claim").click()
    expect(page.locator("main")).to_contain_text("It can't be taken out of the log")
    page.get_by_role("button", name="Withdraw this claim").click()
    expect(page.locator("main")).to_contain_text("Nothing about this work alone")


def test_all_of_it_works_without_script(opens: Opens, creator_key: str, media: Path) -> None:
    page = opens(key=creator_key, java_script_enabled=False)

    register(page, [media / "originals" / "we-choose-to-go-to-the-moon.vtt"])
    wait_for(lambda: page.reload() and "1 of 1 read" in page.locator("main").inner_text(), every=0.5)

    page.goto("/works")
    page.get_by_role("link", name="we-choose-to-go-to-the-moon.vtt").click()
    page.get_by_role("link", name="Change what you say").click()
    page.get_by_label("No AI at all").check()
    page.get_by_role("button", name="Save what I say").click()
    expect(page.locator("main")).to_contain_text("Nobody may use it for AI")


def test_all_of_it_works_with_the_keyboard_alone(opens: Opens, creator_key: str) -> None:
    page = opens(key=creator_key)
    page.goto("/works/new")

    def tab_to(identity: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id || document.activeElement.value") == identity:
                return
        pytest.fail(f"the keyboard does not reach {identity}")

    tab_to("links")
    page.keyboard.type("https://example.com/pictures/fox.png")
    tab_to("no-ai")
    page.keyboard.press("ArrowDown")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('primary')"):
            break
    page.keyboard.press("Enter")

    page.wait_for_url("**/works/added?**")
    expect(page.locator("#added")).to_contain_text("Search engines may show it")


def test_a_form_that_misses_something_says_so_and_loses_nothing(opens: Opens, creator_key: str) -> None:
    page = opens(key=creator_key)
    page.goto("/works/new")
    page.get_by_label("Ask me first").check()

    page.get_by_role("button", name="Register these works").click()

    expect(page.get_by_role("alert")).to_contain_text("Choose a file or paste a link.")
    expect(page.get_by_label("Ask me first")).to_be_checked()


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_taken(
    opens: Opens, creator_key: str, media: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    page = opens(key=creator_key)

    register(page, [tmp_path / "empty.png", media / "strangers" / "gettysburg-address.txt"])

    expect(page.get_by_role("alert")).to_contain_text("empty.png")
    expect(page.get_by_role("heading", level=1)).to_have_text("1 work registered")


def test_a_french_browser_gets_french_pages_and_can_switch(opens: Opens, creator_key: str) -> None:
    page = opens(key=creator_key, locale="fr-FR")

    page.goto("/works/new")
    expect(page.get_by_role("heading", level=1)).to_have_text("Enregistrer des œuvres")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    page.get_by_role("button", name="English").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Register works")


def test_the_printed_link_signs_in_once(opens: Opens, running: RegistryProcess) -> None:
    first, second = opens(), opens()
    first.goto(running.sign_in)
    first.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(first.get_by_role("heading", level=1)).to_have_text("Your works")

    second.goto(running.sign_in)
    second.get_by_role("main").get_by_role("button", name="Sign in").click()

    expect(second.locator("main")).to_contain_text("used already or has expired")


def test_the_page_that_checks_a_file_recognises_a_registered_text(
    opens: Opens, creator_key: str, media: Path, tmp_path: Path
) -> None:
    spoken = (media / "originals" / "we-choose-to-go-to-the-moon.vtt").read_text(encoding="utf-8")
    lines = [line for line in spoken.splitlines()[4:] if line and "-->" not in line]
    (tmp_path / "seen.txt").write_text(" ".join(lines).lower().replace(",", "").replace(".", ""), encoding="utf-8")
    page = opens(key=creator_key)
    register(page, [media / "originals" / "we-choose-to-go-to-the-moon.vtt"])
    expect(page.locator("#added")).to_contain_text("1 of 1 read")

    page.goto("/check")
    page.get_by_label("A file").set_input_files(str(tmp_path / "seen.txt"))
    page.get_by_role("button", name="Check this").click()

    expect(page.locator("#answer")).to_contain_text("Not allowed")
    # Written here: the registry is shared by all tests of the pages, and what the demo ships, one of them registers.
    stranger = tmp_path / "stranger.txt"
    stranger.write_text("A recipe that nobody registered: two onions, a spoon of flour, salt, and patience. " * 3)
    page.get_by_label("A file").set_input_files(str(stranger))
    page.get_by_role("button", name="Check this").click()
    expect(page.locator("#answer")).to_contain_text("stranger.txt")
    expect(page.locator("#answer")).to_contain_text("That is not a permission")


def test_one_creator_does_not_see_the_works_of_another(
    opens: Opens, running: RegistryProcess, creator_key: str
) -> None:
    with running.http(creator_key) as client:
        made = client.post("/v1/works", json={"url": "https://example.com/private.png"}).json()
    page = opens(key=running.key("creator", name="Eve"))

    answer = page.goto(f"/works/{made['id']}")

    assert answer is not None
    assert answer.status == 404
    assert "private.png" not in page.content()
    assert json.dumps(made["id"]) not in page.locator("main").inner_text()


@pytest.mark.parametrize("script", [True, False])
def test_works_go_into_an_album_without_a_word_of_their_own(opens: Opens, creator_key: str, *, script: bool) -> None:
    page = opens(key=creator_key, java_script_enabled=script)
    page.goto("/collections")
    page.get_by_label("Album").check()
    page.get_by_label("Its name").fill("Blue")
    page.get_by_role("button", name="Make this collection").click()
    page.get_by_role("link", name="Say what may be done with them").click()
    page.get_by_label("Ask me first").check()
    page.get_by_role("button", name="Save what I say").click()

    page.get_by_role("link", name="Register works for it").click()
    expect(page.get_by_label("As I say for collections and all my works")).to_be_checked()
    expect(page.locator("main")).to_contain_text("They go into your collection Blue.")
    page.get_by_label("Or links to them").fill("https://example.com/fox.png")
    page.get_by_role("button", name="Register these works").click()

    expect(page.locator("#added")).to_contain_text("has to ask you first")
    expect(page.locator("#added")).to_contain_text("From: Blue")
    page.get_by_role("link", name="https://example.com/fox.png").click()
    expect(page.locator("main")).to_contain_text("It comes from what you say about:")
    expect(page.get_by_role("link", name="Blue")).to_have_count(2)


@pytest.mark.parametrize("script", [True, False])
def test_works_of_a_permission_are_chosen_and_nothing_typed_is_lost(
    opens: Opens, running: RegistryProcess, creator_key: str, *, script: bool
) -> None:
    with running.http(creator_key) as client:
        for number in range(27):
            client.post("/v1/works", json={"url": f"https://example.com/{number}.png", "title": f"Fox {number}"})
    page = opens(key=creator_key, java_script_enabled=script)
    page.goto("/grants")
    page.get_by_label("Number of the pipeline's account").fill("0123abcd")
    page.get_by_label("For which use?").select_option("search")
    page.get_by_role("button", name="Choose works").click()
    page.get_by_label("Fox 26").check()
    page.get_by_role("button", name="Older works").click()
    page.get_by_label("Fox 0").check()
    page.get_by_role("button", name="Take the chosen works").click()

    expect(page.get_by_label("Only the works that I choose")).to_be_checked()
    expect(page.locator("input[name=work]:checked")).to_have_count(2)
    expect(page.get_by_label("Number of the pipeline's account")).to_have_value("0123abcd")
    page.get_by_role("button", name="Permit this").click()
    expect(page.get_by_role("alert")).to_contain_text("Only a verified account can permit.")
    expect(page.locator("input[name=work]:checked")).to_have_count(2)
    expect(page.get_by_label("For which use?")).to_have_value("search")
