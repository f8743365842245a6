"""What counts for a work, of all scopes together, and which claims it comes from."""

from datetime import timedelta

import pytest
from factories import NO_TRAINING, make_account, make_claim, make_work
from sqlalchemy.orm import Session

from optout.consent.vocabulary import LEAVES, Preference, Scope, Use
from optout.errors import NotFoundError
from optout.registry import claims, collections, histories, origins
from optout.registry.origins import Origins
from optout.store.models import Account, Claim, Collection, Work
from optout.store.models.base import utc_now
from optout.store.models.collections import CollectionKind

NO, ASK, YES, SILENT = Preference.DISALLOWED, Preference.CONDITIONAL, Preference.ALLOWED, Preference.UNKNOWN


def album(session: Session, account: Account, name: str, *works: Work) -> Collection:
    made = collections.create(session, account_id=account.id, kind=CollectionKind.ALBUM, name=name)
    if works:
        ids = [work.id for work in works]
        collections.add_works(session, collection_id=made.id, account_id=account.id, work_ids=ids)
    return made


def on(session: Session, collection: Collection, preferences: dict[Use, Preference]) -> Claim:
    return claims.file_claim(
        session, collection_id=collection.id, claimant_id=collection.account_id, preferences=preferences
    )


def of(session: Session, work: Work) -> Origins:
    return origins.of_works(session, [work.id])[work.id]


def test_nothing_said_comes_from_nowhere(session: Session, account: Account, work: Work) -> None:
    claims.file_claim(session, claimant_id=make_account(session).id, preferences=NO_TRAINING)

    assert of(session, work) == Origins(dict.fromkeys(LEAVES, SILENT), [])
    assert origins.of_a_new_work(session, account_id=account.id) == Origins(dict.fromkeys(LEAVES, SILENT), [])


def test_use_by_use_the_narrower_speaks_and_of_two_collections_the_stricter(
    session: Session, account: Account, work: Work
) -> None:
    default = claims.file_claim(session, claimant_id=account.id, preferences={Use.AI_ALL: YES})
    blue = on(session, album(session, account, "Blue", work), {Use.TRAIN_AI: ASK})
    red = on(session, album(session, account, "Red", work), {Use.TRAIN_GENAI: NO})
    on(session, album(session, account, "Empty"), {Use.ALL: NO})
    alone = make_claim(session, work, preferences={Use.AI_INDEX: NO})
    found = of(session, work)

    assert found.claims == [alone, blue, red, default]
    assert found.preferences == {
        Use.TRAIN_GENAI: NO, Use.TRAIN_OTHER: ASK, Use.AI_INPUT: YES, Use.AI_INDEX: NO,
        Use.SEARCH: SILENT, Use.TDM_OTHER: SILENT,
    }  # fmt: skip


def test_who_is_not_heard_is_no_origin(session: Session, account: Account, work: Work) -> None:
    now = utc_now()
    claims.file_claim(session, claimant_id=account.id, preferences=NO_TRAINING)
    hidden = make_claim(session, work, preferences={Use.TRAIN_AI: ASK})
    assert of(session, work).claims == [hidden]

    claims.withdraw(session, claim_id=hidden.id, claimant_id=account.id)
    to_come = claims.file_claim(
        session, work_id=work.id, claimant_id=account.id, preferences={Use.ALL: NO}, valid_from=now + timedelta(hours=1)
    )
    assert [one.scope for one in of(session, work).claims] == [Scope.ACCOUNT]
    to_come.valid_from, to_come.valid_until = now - timedelta(hours=2), now - timedelta(hours=1)
    session.flush()
    assert [one.scope for one in of(session, work).claims] == [Scope.ACCOUNT]


def test_what_is_foretold_of_a_new_work_comes_true(session: Session, account: Account) -> None:
    claims.file_claim(session, claimant_id=account.id, preferences={Use.AI_ALL: NO})
    blue = album(session, account, "Blue")
    on(session, blue, {Use.SEARCH: NO, Use.TRAIN_AI: ASK})
    foretold = origins.of_a_new_work(session, account_id=account.id, collection_id=blue.id)
    alone = origins.of_a_new_work(session, account_id=account.id)
    work = make_work(session, account, seed=5)

    assert of(session, work) == alone
    collections.add_works(session, collection_id=blue.id, account_id=account.id, work_ids=[work.id])
    assert of(session, work) == foretold != alone
    for leaf in LEAVES:
        decided = histories.applied(session, work_id=work.id, account_id=account.id, use=leaf)
        assert decided.verdict is foretold.preferences[leaf]


def test_somebody_elses_collection_foretells_nothing(session: Session, account: Account) -> None:
    theirs = album(session, make_account(session), "Theirs")

    with pytest.raises(NotFoundError):
        origins.of_a_new_work(session, account_id=account.id, collection_id=theirs.id)


def test_the_collections_of_a_work_are_those_that_it_is_in_now(session: Session, account: Account, work: Work) -> None:
    blue, red = album(session, account, "Blue", work), album(session, account, "Red", work)
    album(session, account, "Empty")
    assert origins.collections_of(session, work.id) == [blue, red]

    collections.remove_work(session, collection_id=blue.id, account_id=account.id, work_id=work.id)
    assert origins.collections_of(session, work.id) == [red]
    collections.add_works(session, collection_id=blue.id, account_id=account.id, work_ids=[work.id])
    assert origins.collections_of(session, work.id) == [blue, red]
