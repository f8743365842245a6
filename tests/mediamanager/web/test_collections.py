"""Pages of a creator's collections: making one, its works, what is said about it; and how to ask, on every form."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import api_bodies
import factories
import pytest
from starlette.testclient import TestClient

from mediamanager.dependencies import Resources
from optout.registry import claim_targets, claims, collection_members
from optout.store import db
from optout.store.models import Account, Role, Work

CHANNEL = "UC" + "x" * 22
ASK_FIRST = {"preset": "ask-first"}
HOW = {"terms_url": "https://ann.example/terms", "contact": "ann@example.org", "languages": "fr, en"}


@pytest.fixture
def ann(resources: Resources, client: TestClient) -> tuple[Account, Work]:
    """A creator with a work, who is signed in."""
    with db.transaction(resources.sessions) as session:
        account = factories.make_account(session)
        work = factories.make_work(session, account, seed=1)
        client.headers["Authorization"] = f"Bearer {factories.make_key(session, account, Role.CREATOR)[1]}"
        return account, work


Make = Callable[..., str]


@pytest.fixture
def make(client: TestClient, ann: Any) -> Make:
    """Makes a collection by the form; the address of its page."""

    def send(kind: str = "album", name: str = "Blue") -> str:
        sent = client.post("/collections", data={"kind": kind, "name": name})
        assert sent.status_code == 303, sent.text
        return str(sent.headers["location"]).partition("?")[0]

    return send


def look(client: TestClient, path: str, language: str = "en", status: int = 200) -> str:
    answer = client.get(path, headers={"Accept-Language": language})
    assert answer.status_code == status, answer.text
    return answer.text


def test_who_has_no_collection_is_told_how_to_begin(client: TestClient, ann: Any) -> None:
    assert "Make your first collection" in look(client, "/collections")
    assert "Créez votre première collection" in look(client, "/collections", "fr")
    assert 'href="/collections"' in look(client, "/works")


@pytest.mark.parametrize(
    ("kind", "typed", "name"),
    [
        ("album", " Blue ", "Blue"),
        ("domain", "EXAMPLE.org", "example.org"),
        ("channel", f"https://www.youtube.com/channel/{CHANNEL}", CHANNEL),
    ],
)
def test_a_collection_is_made_and_listed(client: TestClient, make: Make, kind: str, typed: str, name: str) -> None:
    page = make(kind, typed)

    assert f"<h1><bdi>{name}</bdi></h1>" in look(client, page)
    assert name in look(client, "/collections")
    assert "Nothing in it yet" in look(client, page)
    assert make(kind, name) == page


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"name": "Blue"}, "Choose what holds it together."),
        ({"kind": "shelf", "name": "Blue"}, "Choose what holds it together."),
        ({"kind": "channel", "name": "@somebody"}, "both have UC in them"),
        ({"kind": "domain", "name": "my site"}, "like example.org."),
        ({"kind": "album", "name": " "}, "a title of at most 300 characters"),
    ],
)
def test_what_can_not_be_made_says_why_and_keeps_what_was_typed(
    client: TestClient, ann: Any, form: dict[str, str], says: str
) -> None:
    answer = client.post("/collections", data=form)

    assert answer.status_code == 422
    assert says in answer.text
    assert f'value="{form["name"]}"' in answer.text


def test_works_are_put_in_and_taken_out(client: TestClient, make: Make, ann: Any, resources: Resources) -> None:
    page, work = make(), ann[1]

    def inside() -> list[UUID]:
        with db.reading(resources.sessions) as session:
            return list(collection_members.members(session, UUID(page.rpartition("/")[2])))

    assert f'value="{work.id}"' in look(client, f"{page}/add")
    assert client.post(f"{page}/works", data={"work": str(work.id)}).headers["location"] == f"{page}?done=added"
    assert inside() == [work.id]
    assert "is in it" in look(client, f"{page}/add")
    assert f"/works/{work.id}/remove" in look(client, page)
    assert client.post(f"{page}/works/{work.id}/remove").headers["location"] == f"{page}?done=removed"
    assert inside() == []


@pytest.mark.parametrize("form", [{}, {"work": "nonsense"}])
def test_nothing_chosen_is_asked_again(client: TestClient, make: Make, form: dict[str, str]) -> None:
    answer = client.post(f"{make()}/works", data=form)

    assert answer.status_code == 422
    assert "Choose at least one work." in answer.text


def test_what_is_said_about_a_collection_is_said_back_proven_and_withdrawn(
    client: TestClient, make: Make, ann: Any, resources: Resources
) -> None:
    page = make()

    assert client.post(f"{page}/change", data={"preset": "no-ai"}).headers["location"] == f"{page}?done=saved"
    shown = look(client, page)
    assert "Nobody may use it for AI" in shown
    assert "Nobody may use it for AI" in look(client, "/collections")
    assert "Personne" in look(client, f"{page}/change", "fr")
    claim = shown.split('href="/claims/')[1].split("/")[0]
    assert "Receipt for Blue" in look(client, f"/claims/{claim}/receipt")
    assert f'href="{page}"' in look(client, f"/claims/{claim}/withdraw")
    assert client.post(f"/claims/{claim}/withdraw").headers["location"] == f"{page}?done=withdrawn"
    assert "Nothing at the moment" in look(client, page)
    assert client.post(f"{page}/change", data={}).status_code == 422


def test_a_collection_of_many_works_has_pages(client: TestClient, make: Make, ann: Any, resources: Resources) -> None:
    with db.transaction(resources.sessions) as session:
        account = session.get_one(Account, ann[0].id)
        for seed in range(2, 53):
            factories.make_work(session, account, seed=seed)
    page = make()
    chosen = []
    after = ""
    while True:
        listed = look(client, f"{page}/add{after}")
        chosen += [part.split('"')[0] for part in listed.split('name="work" value="')[1:]]
        if "?after=" not in listed:
            break
        after = "?after=" + listed.split("?after=")[1].split('"')[0]
    for start in range(0, len(chosen), 25):
        assert client.post(f"{page}/works", data={"work": chosen[start : start + 25]}).status_code == 303

    assert len(set(chosen)) == 52
    assert "52 works" in look(client, page)
    assert look(client, page).count("/remove") == 50
    assert look(client, f"{page}?page=2").count("/remove") == 2


@pytest.fixture
def forms(make: Make, ann: Any) -> list[str]:
    """Every form that asks what may be done."""
    return [f"/works/{ann[1].id}/change", "/account/change", f"{make()}/change"]


def test_every_form_takes_how_to_ask_and_shows_it_again(client: TestClient, forms: list[str]) -> None:
    for path in forms:
        assert client.post(path, data={**ASK_FIRST, **HOW}).status_code == 303
        again = look(client, path)
        for field, value in HOW.items():
            assert f'name="{field}" value="{value}"' in again, path
        assert client.post(path, data=ASK_FIRST).status_code == 303
        assert "ann@example.org" not in look(client, path)


def test_how_to_ask_is_shown_where_the_claim_is(client: TestClient, forms: list[str]) -> None:
    for path in forms:
        client.post(path, data={**ASK_FIRST, **HOW})
        page = look(client, path.removesuffix("/change") if "account" not in path else path, "fr")
        assert "ann@example.org" in page
        assert "https://ann.example/terms" in page


WRONG = {
    "terms_url": ("ann.example/terms", "Copy the address of your terms"),
    "contact": ("call me", "Give an e-mail address like"),
    "languages": ("english please!", "Write at most ten languages"),
}


def test_what_can_not_be_used_is_named_at_its_field_and_nothing_is_lost(client: TestClient, forms: list[str]) -> None:
    typed = {field: value for field, (value, _) in WRONG.items()}
    for path in [*forms, "/works/new"]:
        answer = client.post(path, data={**ASK_FIRST, "links": "https://example.org/fox.png", **typed})

        assert answer.status_code == 422, path
        assert 'value="ask-first"' in answer.text.split(" checked")[0][-400:]
        for field, (value, says) in WRONG.items():
            assert answer.text.count(says) == 2, (path, field)
            assert f'href="#{field}"' in answer.text
            assert f'name="{field}" value="{value}"' in answer.text
            assert f'id="{field}-wrong"' in answer.text


def test_a_registration_says_how_to_ask_and_one_without_keeps_it(
    client: TestClient, ann: Any, resources: Resources
) -> None:
    def said() -> Any:
        with db.reading(resources.sessions) as session:
            target = claim_targets.target(ann[0].id, work_id=UUID(work))
            claim = claim_targets.live_claim(session, target)
            assert claim is not None
            return claim.id, claims.asking_of(session, claim)

    form: dict[str, Any] = {**ASK_FIRST, "links": "https://example.org/fox.png"}
    work = client.post("/works/new", data={**form, **HOW}).headers["location"].split("work=")[1]
    first = said()
    assert client.post("/works/new", data=form).status_code == 303

    assert said() == first
    assert first[1] == {
        "terms_url": HOW["terms_url"],
        "contact": HOW["contact"],
        "languages": ["fr", "en"],
    }


def test_files_that_a_browser_forgets_are_asked_for_again(client: TestClient, ann: Any) -> None:
    files = [("files", ("fox.png", api_bodies.png()))]

    answer = client.post("/works/new", data={**ASK_FIRST, "contact": "call me"}, files=files)

    assert answer.status_code == 422
    assert "Choose your files once more" in answer.text
