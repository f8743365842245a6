"""The kept file of a work: for its owner, for others only as long as its owner shows it, in parts, never run."""

from collections.abc import Callable
from io import BytesIO
from uuid import UUID

import factories
import pytest
from signed_in import Signed
from sqlalchemy.orm import Session

from fingerprinting.types import Modality
from optout.registry import works
from optout.store.models import Account, Work

Signs = Callable[..., Signed]


def kept(owner: Signed, media_type: str = "audio/mpeg", *, keep: bool = True) -> str:
    """A ready work of somebody, whose file is kept."""

    def make(session: Session) -> UUID:
        work: Work = factories.make_work(session, session.get_one(Account, owner.account))
        work.keep_media, work.media_key = keep, works.media_key(work.id) if keep else None
        work.media_type, work.modality = media_type, Modality(media_type.partition("/")[0])
        return work.id

    work = owner.within(make)
    owner.resources.storage.put(works.media_key(work), BytesIO(b"0123456789"))
    return str(work)


def test_others_get_the_file_only_while_its_owner_shows_it(signs: Signs) -> None:
    ann, bob = signs(), signs()
    work = kept(ann)

    assert ann.look(f"/works/{work}/media") == "0123456789"
    bob.look(f"/works/{work}/media", status=404)
    ann.sent(f"/works/{work}/showing", shown="yes")
    assert bob.look(f"/works/{work}/media") == "0123456789"
    assert "Show it to nobody else" in ann.look(f"/works/{work}")
    ann.sent(f"/works/{work}/showing", shown="no")
    bob.look(f"/works/{work}/media", status=404)
    assert bob.send(f"/works/{work}/showing", shown="yes").status_code == 404


def test_a_player_may_begin_anywhere(signs: Signs) -> None:
    ann = signs()
    headers = {**ann.headers, "Range": "bytes=3-5"}

    answer = ann.client.get(f"/works/{kept(ann)}/media", headers=headers)

    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (206, b"345", "audio/mpeg")
    assert answer.headers["content-range"] == "bytes 3-5/10"
    assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    ("media_type", "served"), [("image/png", "image/png"), ("image/svg+xml", "application/octet-stream")]
)
def test_what_could_run_is_never_served_as_what_it_is(signs: Signs, media_type: str, served: str) -> None:
    ann = signs()

    answer = ann.client.get(f"/works/{kept(ann, media_type)}/media", headers=ann.headers)

    assert answer.headers["content-type"] == served


def test_a_file_that_is_not_kept_is_said_to_be_so(signs: Signs) -> None:
    ann = signs()
    work = kept(ann, keep=False)

    ann.look(f"/works/{work}/media", status=409)
    assert ann.send(f"/works/{work}/showing", shown="yes").status_code == 409
