"""A claim that ends says so before and after, one that is to come says that, on each page and in both languages."""

from collections.abc import Callable
from datetime import timedelta
from html import unescape
from uuid import UUID

import factories
import pytest
from signed_in import Signed
from sqlalchemy.orm import Session

from optout.registry import claims
from optout.store.models import Claim
from optout.store.models.base import utc_now

NBSP = "\N{NO-BREAK SPACE}"
ENDS = ("This ends soon:", f"Cela prend bientôt fin{NBSP}:")
GO_ON = ("let it go on without end.", "laissez-le continuer sans fin.")
ENDED = ("This holds no longer. It ended:", f"Cela n'a plus d'effet. Fin{NBSP}:")
TO_COME = ("This does not count yet. It begins:", f"Cela ne compte pas encore. Début{NBSP}:")
LANGUAGES = ("en", "fr")

Signs = Callable[..., Signed]


@pytest.fixture
def ann(signs: Signs) -> Signed:
    return signs()


@pytest.fixture(params=["work", "collection", "default"])
def page(ann: Signed, request: pytest.FixtureRequest) -> str:
    """The page of something on which there is a claim that ends in three days."""
    work = ann.work(1)
    album = ann.album("Blue", work)
    path, about = {
        "work": (f"/works/{work}", {"work_id": UUID(work)}),
        "collection": (f"/collections/{album}", {"collection_id": UUID(album)}),
        "default": ("/account/change", {}),
    }[request.param]
    until = utc_now() + timedelta(days=3)
    ann.within(
        lambda session: claims.file_claim(
            session, claimant_id=ann.account, preferences=factories.NO_TRAINING, valid_until=until, **about
        )
    )
    return path


def shift(ann: Signed, *, begins: int, ends: int | None) -> None:
    """Move the claim in time, in days from now: nobody waits for that long."""

    def move(session: Session) -> None:
        now, day = utc_now(), timedelta(days=1)
        (claim,) = [one for one in session.query(Claim) if one.settled_at is None]
        claim.valid_from, claim.valid_until = now + begins * day, None if ends is None else now + ends * day

    ann.within(move)


def form_of(page: str) -> str:
    return page if page.endswith("/change") else f"{page}/change"


@pytest.mark.parametrize(
    ("begins", "ends", "says"),
    [
        (-9, 3, ENDS),
        (-9, 3, GO_ON),
        (-9, -1, ENDED),
        (5, None, TO_COME),
        (5, 9, TO_COME),
        (-9, None, None),
        (-9, 60, None),
    ],
)
def test_each_page_says_how_a_claim_stands_in_time(
    ann: Signed, page: str, begins: int, ends: int | None, says: tuple[str, str] | None
) -> None:
    shift(ann, begins=begins, ends=ends)

    for path in {page, form_of(page)}:
        for at, language in enumerate(LANGUAGES):
            shown = unescape(ann.look(path, language))
            told = {one[at] for one in (ENDS, ENDED, TO_COME) if one[at] in shown}
            if says is None:
                assert told == set(), (path, language)
            else:
                assert says[at] in shown, (path, language)
                assert told <= {says[at], ENDS[at]} if says is not ENDED else told == {says[at]}


def test_saying_it_again_keeps_the_end_unless_it_is_to_go_on(ann: Signed, page: str) -> None:
    form = form_of(page)
    said = {"preset": "no-ai"}
    ann.sent(form, **said)
    assert ENDS[0] in ann.look(page)

    ann.sent(form, **said, without_end="yes")
    assert ENDS[0] not in ann.look(page)
    assert 'name="without_end"' not in ann.look(form)


def test_what_has_ended_begins_again_without_an_end(ann: Signed, page: str) -> None:
    shift(ann, begins=-9, ends=-1)
    assert 'name="without_end"' not in ann.look(form_of(page))
    ann.sent(form_of(page), preset="no-ai")

    shown = ann.look(page)
    assert ENDED[0] not in shown
    assert ENDS[0] not in shown


def test_the_choice_to_go_on_survives_a_mistake(ann: Signed, page: str) -> None:
    answer = ann.send(form_of(page), preset="no-ai", without_end="yes", contact="call me")

    assert answer.status_code == 422
    assert 'name="without_end" value="yes" checked' in answer.text


def test_a_work_says_that_what_it_gets_from_elsewhere_ends(ann: Signed, page: str) -> None:
    listed = ann.look("/works")
    work = listed.partition('href="/works/')[2].partition('class="name" href="/works/')[2].partition('"')[0]

    assert ENDS[0] in ann.look(f"/works/{work}")
    shift(ann, begins=-9, ends=-1)
    shown = ann.look(f"/works/{work}")
    assert "Nothing counts for it" in shown
