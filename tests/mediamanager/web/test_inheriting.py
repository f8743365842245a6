"""Registering without a word about the works alone; and what a work's page says of where its preference comes from."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID

import api_bodies
import factories
import pytest
from signed_in import Signed
from sqlalchemy.orm import Session

from mediamanager.dependencies import Resources
from optout.consent.vocabulary import LEAVES
from optout.registry import claims, works
from optout.store import db
from optout.store.models.base import utc_now

FOX = "https://example.org/fox.png"
BY_USE = {"preset": "details", **{f"use-{use}": "unknown" for use in LEAVES}, "use-search": "disallowed"}
NOTHING = "those who ask are told that no reservation was found"

Signs = Callable[..., Signed]


@pytest.fixture
def ann(signs: Signs) -> Signed:
    return signs()


def chosen(page: str) -> str:
    found = re.findall(r'name="preset" value="([a-z-]+)"[^>]* checked', page)
    assert len(found) == 1, found
    return str(found[0])


def panel(page: str, heading: str) -> str:
    """What stands below a heading, until the next one, as text."""
    part = page.partition(f"<h2>{heading}</h2>")[2].partition("<h2>")[0]
    assert part, page
    return re.sub(r"\s+(?=:|$)", "", re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", part)))).strip()


def said_about(resources: Resources, account: Any, address: str) -> tuple[str, list[Any]]:
    """The work that a form registered, and the claims on it."""
    work = address.partition("work=")[2].partition("&")[0]
    with db.reading(resources.sessions) as session:
        found = works.get(session, work_id=UUID(work), account_id=account)
        return work, list(claims.for_work(session, found.id))


def test_who_said_nothing_yet_is_asked_as_ever_and_may_say_nothing(ann: Signed, resources: Resources) -> None:
    page = ann.look("/works/new")

    assert chosen(page) == "no-ai"
    assert f"Nothing counts for them then: {NOTHING}." in page
    address = ann.sent("/works/new", preset="inherit", links=FOX)
    work, filed = said_about(resources, ann.account, address)
    assert filed == []
    for path in (address, f"/works/{work}"):
        assert f"Nothing counts for it: {NOTHING}." in ann.look(path)
        assert "qu'aucune réserve n'a été trouvée" in unescape(ann.look(path, "fr"))
    assert "What you said counts from now on" not in ann.look(address)
    assert "Nothing yet" in ann.look("/works")


def test_who_has_a_default_registers_under_it_unless_they_choose_otherwise(ann: Signed, resources: Resources) -> None:
    ann.sent("/account/change", preset="no-ai")
    page = ann.look("/works/new")

    assert chosen(page) == "inherit"
    assert "This counts for them, from what you say about all your works: Nobody may use it for AI" in page
    french = unescape(ann.look("/works/new", "fr"))
    assert "selon ce que vous dites de toutes vos œuvres\N{NO-BREAK SPACE}: Personne ne peut l'utiliser" in french
    address = ann.sent("/works/new", preset="inherit", links=FOX)
    work, filed = said_about(resources, ann.account, address)
    assert filed == []
    assert "What you said counts from now on" in ann.look(address)
    assert "From: all your works" in " ".join(re.sub(r"<[^>]+>", "", ann.look(address)).split())
    assert "It comes from what you say about: all your works Nobody may use it" in panel(
        ann.look(f"/works/{work}"), "What counts for it now"
    )
    other = said_about(resources, ann.account, ann.sent("/works/new", preset="ask-first", links=f"{FOX}?2"))
    assert len(other[1]) == 1


@pytest.mark.parametrize(("begins", "ends", "first"), [(0, 2, "inherit"), (0, -1, "no-ai"), (1, 2, "no-ai")])
def test_only_a_default_that_holds_now_is_chosen_at_first(ann: Signed, begins: int, ends: int, first: str) -> None:
    def file(session: Session) -> None:
        hour, now = timedelta(hours=1), utc_now()
        claim = claims.file_claim(
            session, claimant_id=ann.account, preferences=factories.NO_TRAINING, valid_until=now + 3 * hour
        )
        claim.valid_from, claim.valid_until = now - 2 * hour + begins * 3 * hour, now + ends * hour

    ann.within(file)

    assert chosen(ann.look("/works/new")) == first


def test_a_default_that_was_taken_back_is_not_what_is_chosen(ann: Signed) -> None:
    ann.sent("/account/change", preset="no-ai")
    ann.sent("/account/change", withdraw="yes")

    assert chosen(ann.look("/works/new")) == "no-ai"


def test_works_go_into_the_collection_that_they_are_registered_for(ann: Signed, resources: Resources) -> None:
    album = ann.album("Blue & Co")
    page = f"/works/new?collection={album}"
    assert f'href="{page}"' in ann.look(f"/collections/{album}")
    assert chosen(ann.look(page)) == "no-ai"
    assert "They go into your collection Blue &amp; Co." in ann.look(page)

    ann.sent(f"/collections/{album}/change", preset="ask-first")
    assert chosen(ann.look(page)) == "inherit"
    assert "from what you say about Blue &amp; Co: Whoever wants to use it for AI" in ann.look(page)
    address = ann.sent("/works/new", preset="inherit", collection=album, links=FOX)
    work, filed = said_about(resources, ann.account, address)

    assert filed == []
    assert f'/works/{work}"' in ann.look(f"/collections/{album}")
    shown = ann.look(f"/works/{work}")
    assert f'<a class="name" href="/collections/{album}"><bdi>Blue &amp; Co</bdi></a>' in shown
    assert "Blue & Co (Album)" in panel(shown, "Its collections")


def test_the_narrower_word_is_said_back_first_use_by_use(ann: Signed) -> None:
    work = ann.work(1)
    album = ann.album("Blue", work)
    ann.sent("/account/change", preset="no-ai")
    ann.sent(f"/collections/{album}/change", **BY_USE)
    about = panel(ann.look(f"/works/{work}"), "What counts for it now")

    assert "search engines" in about.partition("It comes from")[0]
    assert about.index("Blue") < about.index("all your works")
    assert "a single work goes before its collections" in about
    ann.sent(f"/works/{work}/change", preset="all-welcome")
    about = panel(ann.look(f"/works/{work}"), "What counts for it now")
    assert about == "What you say about this work alone, and nothing else."
    assert "It is in none." in ann.look(f"/works/{ann.work(2)}")


def test_a_website_that_new_works_may_join_is_mentioned(ann: Signed, resources: Resources) -> None:
    site = ann.sent("/collections", kind="domain", name="example.org").partition("?")[0]
    assert "For those that join one of your websites" not in ann.look("/works/new")
    ann.sent(f"{site}/change", preset="no-ai")

    assert "For those that join one of your websites" in ann.look("/works/new")
    work, filed = said_about(resources, ann.account, ann.sent("/works/new", preset="inherit", links=FOX))
    assert filed == []
    assert "example.org Nobody may use it for AI" in panel(ann.look(f"/works/{work}"), "What counts for it now")


def test_how_to_ask_is_not_lost_where_nothing_is_said(ann: Signed) -> None:
    answer = ann.send("/works/new", preset="inherit", links=FOX, contact="ann@example.org")

    assert answer.status_code == 422
    assert answer.text.count("How to ask you goes with a choice of its own") == 2
    assert 'href="#preset"' in answer.text
    assert chosen(answer.text) == "inherit"
    assert 'value="ann@example.org"' in answer.text


@pytest.mark.parametrize("path", ["/account/change", "/works/{work}/change", "/collections/{album}/change"])
def test_only_a_registration_may_say_nothing(ann: Signed, path: str) -> None:
    where = path.format(work=ann.work(1), album=ann.album("Blue"))

    assert 'value="inherit"' not in ann.look(where)
    assert ann.send(where, preset="inherit").status_code == 422


def test_somebody_elses_collection_is_none(ann: Signed, signs: Signs) -> None:
    theirs = signs().album("Theirs")
    before = ann.look("/works")

    ann.look(f"/works/new?collection={theirs}", status=404)
    ann.look("/works/new?collection=nonsense", status=422)
    for collection in (theirs, "nonsense"):
        assert ann.send("/works/new", preset="no-ai", links=FOX, collection=collection).status_code == 404
    assert "1 work" not in before + ann.look("/works")


def test_a_work_that_said_something_keeps_it(ann: Signed, resources: Resources) -> None:
    ann.sent("/works/new", preset="no-ai", links=FOX)

    _, filed = said_about(resources, ann.account, ann.sent("/works/new", preset="inherit", links=FOX))
    assert [one.state for one in filed] == ["active"]


def test_a_file_goes_the_same_way(ann: Signed, resources: Resources) -> None:
    album = ann.album("Blue")
    files = [("files", ("fox.png", api_bodies.png()))]
    form = {"preset": "inherit", "collection": album}
    answer = ann.client.post("/works/new", data=form, files=files, headers=ann.headers)

    work, filed = said_about(resources, ann.account, answer.headers["location"])
    assert filed == []
    assert f'/works/{work}"' in ann.look(f"/collections/{album}")
