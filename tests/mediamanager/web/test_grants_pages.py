"""Permissions on the pages: for all works, for a collection, for works that are chosen; what is wrong is named."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from uuid import uuid4

import factories
import pytest
from signed_in import Signed
from sqlalchemy.orm import Session

from optout.consent.vocabulary import EvidenceLevel
from optout.registry import grants
from optout.store.models import Role

Signs = Callable[..., Signed]


@pytest.fixture
def ann(signs: Signs) -> Signed:
    return signs(evidence=EvidenceLevel.VERIFIED)


@pytest.fixture
def pia(ann: Signed) -> str:
    """The number of a verified pipeline's account."""

    def make(session: Session) -> str:
        account = factories.make_account(session, evidence=EvidenceLevel.VERIFIED)
        factories.make_key(session, account, Role.PIPELINE)
        return account.pseudonym

    return str(ann.within(make))


def given(ann: Signed) -> Any:
    """The grant that was given last: its scope, collection and works."""

    def read(session: Session) -> Any:
        one = grants.given(session, grantor_id=ann.account)[0]
        return one.scope, None if one.collection_id is None else str(one.collection_id), list(one.works)

    return ann.within(read)


def chosen(page: str) -> list[str]:
    """The works that are ticked."""
    return re.findall(r'name="work" value="([0-9a-f-]+)" checked', page)


def test_a_permission_is_for_all_works_a_collection_or_some(ann: Signed, pia: str) -> None:
    works = [ann.work(1), ann.work(2)]
    album = ann.album("Blue", *works)
    asks = {"grantee": pia, "use": "train-ai"}

    ann.sent("/grants", about="all", collection=album, work=works, **asks)
    assert given(ann) == ("account", None, [])
    ann.sent("/grants", about="collection", collection=album, work=works, **asks)
    assert given(ann) == ("collection", album, [])
    ann.sent("/grants", about="works", collection=album, work=works[1], **asks)
    assert given(ann) == ("work", None, [works[1]])
    page = ann.look("/grants")
    assert "all, later ones too" in page
    assert f'href="/collections/{album}"><bdi>Blue</bdi>' in page
    assert f'href="/works/{works[1]}"' in page
    assert f'href="/works/{works[0]}"' not in page


def test_a_work_and_a_collection_lead_to_a_form_that_is_filled_in(ann: Signed) -> None:
    work = ann.work(1)
    album = ann.album("Blue", work)

    assert f'href="/grants?work={work}"' in ann.look(f"/works/{work}")
    assert f'href="/grants?collection={album}"' in ann.look(f"/collections/{album}")
    of_work, of_album = ann.look(f"/grants?work={work}"), ann.look(f"/grants?collection={album}")
    assert chosen(of_work) == [work]
    assert 'value="works" checked' in of_work
    assert 'value="collection" checked' in of_album
    assert f'value="{album}" selected' in of_album
    assert 'value="all" checked' in ann.look("/grants")


def test_works_are_chosen_from_pages_and_nothing_typed_is_lost(ann: Signed, pia: str) -> None:
    works = [ann.work(seed) for seed in range(1, 28)]
    typed = f"grantee={pia}&use=search&until=2999-01-01&about=works"
    first = ann.look(f"/grants/works?{typed}")
    assert chosen(first) == []
    older = re.search(r'formaction="/grants/works" name="after" value="([0-9a-f-]+)"', first)
    assert older is not None
    second = ann.look(f"/grants/works?{typed}&work={works[-1]}&after={older[1]}")

    assert "Chosen before" in second
    assert chosen(second) == [works[-1]]
    assert set(re.findall(r'id="work-([0-9a-f-]+)"', second)) == {works[-1], works[0], works[1]}
    page = ann.look(f"/grants?{typed}&work={works[-1]}&work={works[0]}")
    assert chosen(page) == [works[-1], works[0]]
    for told in (f'value="{pia}"', 'value="2999-01-01"', '<option value="search" selected>'):
        assert told in page
    hidden = dict(
        re.findall(
            r'type="hidden" name="([a-z]+)" value="([^"]*)"', second.partition("<main")[2].partition("</main>")[0]
        )
    )
    assert hidden == {"grantee": pia, "use": "search", "until": "2999-01-01", "about": "works"}


def test_more_works_than_a_form_takes_are_named_with_the_remedy(ann: Signed) -> None:
    works = [ann.work(seed) for seed in range(1, 32)]
    query = "&".join(f"work={one}" for one in works)

    for path in (f"/grants?{query}", f"/grants/works?{query}"):
        page = ann.look(path, status=422)
        assert page.count("Choose at most 30 works, or put them into a collection") == 2
        assert 'href="#works"' in page
    assert "au plus 30 œuvres" in ann.look(f"/grants?{query}", "fr", status=422)


@pytest.mark.parametrize(
    ("form", "field", "says", "french"),
    [
        ({"about": "works"}, "works", "Choose at least one work.", "Choisissez au moins une œuvre."),
        (
            {"about": "works", "work": "nonsense"},
            "works",
            "Choose at least one work.",
            "Choisissez au moins une œuvre.",
        ),
        ({"about": "collection"}, "collection", "Choose a collection of yours", "Choisissez une de vos collections"),
        ({"about": "everything"}, "about", "Choose for which works", "Choisissez pour quelles œuvres"),
        ({}, "about", "Choose for which works", "Choisissez pour quelles œuvres"),
        ({"about": "all", "use": "x"}, "use", "Choose one of the uses in the list.", "un des usages de la liste"),
    ],
)
def test_what_is_wrong_is_named_at_its_field_and_gives_nothing(
    ann: Signed, pia: str, form: dict[str, str], field: str, says: str, french: str
) -> None:
    ann.album("Blue")
    sent = {"grantee": pia, "use": "train-ai", **form}
    answer = ann.send("/grants", **sent)

    assert answer.status_code == 422
    assert answer.text.count(says) == 2
    assert f'href="#{field}"' in answer.text
    assert f'id="{field}"' in answer.text
    assert f'value="{pia}"' in answer.text
    assert "You have permitted nothing to anybody yet." in answer.text
    ann.headers["Accept-Language"] = "fr"
    assert unescape(ann.send("/grants", **sent).text).count(french) == 2


def test_works_and_collections_of_others_are_none(ann: Signed, pia: str, signs: Signs) -> None:
    other = signs()
    work, album = other.work(1), other.album("Theirs")
    asks = {"grantee": pia, "use": "train-ai"}

    for theirs in (work, str(uuid4())):
        ann.look(f"/grants?work={theirs}", status=404)
        ann.look(f"/grants/works?work={theirs}", status=404)
        assert ann.send("/grants", about="works", work=theirs, **asks).status_code == 404
    for theirs in (album, str(uuid4())):
        ann.look(f"/grants?collection={theirs}", status=404)
        assert ann.send("/grants", about="collection", collection=theirs, **asks).status_code == 404
    assert "You have permitted nothing to anybody yet." in ann.look("/grants")
    for nonsense in ("/grants?work=fox", "/grants?collection=fox", "/grants/works?after=fox"):
        ann.look(nonsense, status=422)


def test_who_is_not_verified_is_told_before_they_try(ann: Signed, signs: Signs) -> None:
    told = "Only a verified account can permit."

    assert told in signs().look("/grants")
    assert told not in ann.look("/grants")


def test_who_has_no_collection_is_led_to_one(ann: Signed) -> None:
    page = ann.look("/grants")

    assert "You have no collection yet." in page
    assert re.search(r'value="collection"\s+disabled', page)


def test_too_many_permissions_for_one_account_say_what_to_do(
    ann: Signed, pia: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grants, "MAX_GRANTS", 1)
    asks = {"grantee": pia, "use": "train-ai", "about": "all"}
    ann.sent("/grants", **asks)
    answer = ann.send("/grants", **asks)

    assert answer.status_code == 422
    assert answer.text.count("You have given this account 1 permissions, which is the most. Take some back first.") == 2
    assert 'href="#grantee"' in answer.text
    ann.headers["Accept-Language"] = "fr"
    assert "Retirez-en d'abord." in unescape(ann.send("/grants", **asks).text)
