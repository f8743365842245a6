"""What of a work is registered besides: told to its owner and the moderator, with both places, and to nobody else."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import factories
import numpy as np
import pytest
from signed_in import Signed
from sqlalchemy.orm import Session
from synthetic_sound import RATE_HZ, melody, write_sound

from fingerprinting.extract import extract
from fingerprinting.types import Extraction
from optout.registry import works
from optout.store.models import Account, Role

Signs = Callable[..., Signed]


def registered(owner: Signed, extraction: Extraction) -> str:
    def register(session: Session) -> UUID:
        return works.register_fingerprints(session, account_id=owner.account, extraction=extraction).work.id

    return str(owner.within(register))


@pytest.fixture
def songs(tmp_path: Path) -> tuple[Extraction, Extraction]:
    """A song, and a recording of which seconds 6 to 18 are its seconds 20 to 32."""
    song = melody(60.0, seed=81)
    mixed = np.concatenate((melody(6.0, seed=82), song[20 * RATE_HZ : 32 * RATE_HZ], melody(20.0, seed=83)))
    return tuple(  # type: ignore[return-value]  # two of them
        extract(write_sound(tmp_path / f"{name}.wav", sound)) for name, sound in (("song", song), ("mixed", mixed))
    )


def test_both_owners_are_told_which_seconds_they_share(signs: Signs, songs: tuple[Extraction, Extraction]) -> None:
    ann, bob = signs(), signs()
    first, second = registered(ann, songs[0]), registered(bob, songs[1])

    (found,) = bob.client.get(f"/v1/works/{second}/overlaps", headers=bob.headers).json()["overlaps"]
    assert (found["work"], found["yours"], found["earlier"], found["whole"]) == (first, False, True, False)
    assert found["seconds"] == pytest.approx(12, abs=1)
    (place,) = found["places"]
    assert [*place["here"], *place["there"]] == pytest.approx([6, 18, 20, 32], abs=1)
    assert "already registered by another account" in bob.look(f"/works/{second}")
    assert "déjà enregistrées par un autre compte" in bob.look(f"/works/{second}", "fr")
    assert "registered later by another account" in ann.look(f"/works/{first}")
    bob.look(f"/works/{first}", status=404)


def test_the_same_twice_is_said_of_ones_own_and_of_others(signs: Signs) -> None:
    ann, bob = signs(), signs()
    picture = factories.picture(91)
    again = Extraction(
        picture.modality, picture.media_type, (factories.sha256(b"again"), factories.pdq(91, flipped_bits=4))
    )
    one, two = registered(ann, picture), registered(ann, again)
    theirs = registered(bob, picture)

    assert "You registered the same or nearly the same twice." in ann.look(f"/works/{two}")
    assert "was registered later by another account" in ann.look(f"/works/{one}")
    assert "was registered before by another account" in bob.look(f"/works/{theirs}")


def test_the_moderator_sees_both_places_by_number(signs: Signs, songs: tuple[Extraction, Extraction]) -> None:
    ann, bob = signs(), signs()
    first, second = registered(ann, songs[0]), registered(bob, songs[1])

    def make(session: Session) -> str:
        return factories.make_key(session, session.get_one(Account, ann.account), Role.MODERATOR)[1]

    moderator = Signed(ann.client, ann.resources, ann.account, {"Authorization": f"Bearer {ann.within(make)}"})

    assert f"/moderation/works/{second}" in moderator.look("/moderation")
    page = moderator.look(f"/moderation/works/{second}")
    assert f"/moderation/works/{first}" in page
    assert "of this work are seconds" in page
    moderator.look(f"/moderation/works/{ann.account}", status=404)
