"""Pages about all works at once, permissions, wrong matches, and what applied when; in both languages."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import factories
import pytest
from starlette.testclient import TestClient

from mediamanager.dependencies import Resources
from optout.consent.vocabulary import EvidenceLevel
from optout.registry import claims, non_matches
from optout.store import db
from optout.store.models import Account, Role, Work


@pytest.fixture
def ann(resources: Resources) -> tuple[Account, Work, dict[str, str]]:
    """A verified creator with a work, and her key as headers."""
    with db.transaction(resources.sessions) as session:
        account = factories.make_account(session, evidence=EvidenceLevel.VERIFIED)
        work = factories.make_work(session, account, seed=1)
        secret = factories.make_key(session, account, Role.CREATOR)[1]
        return account, work, {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def pia(resources: Resources) -> Account:
    with db.transaction(resources.sessions) as session:
        account = factories.make_account(session, evidence=EvidenceLevel.VERIFIED)
        factories.make_key(session, account, Role.PIPELINE)
        return account


Look = Callable[..., str]


@pytest.fixture
def look(client: TestClient, ann: tuple[Account, Work, dict[str, str]]) -> Look:
    def get(path: str, language: str = "en", **query: str) -> str:
        answer = client.get(path, params=query, headers={**ann[2], "Accept-Language": language})
        assert answer.status_code == 200, answer.text
        return answer.text

    return get


def test_all_works_at_once_are_said_back_and_taken_back(client: TestClient, ann: Any, look: Look) -> None:
    sent = client.post("/account/change", data={"preset": "no-ai"}, headers=ann[2])

    assert sent.headers["location"] == "/account/change?done=saved"
    assert "Nobody may use it for AI" in look("/account/change")
    assert "Personne" in look("/account/change", "fr")
    assert client.post("/account/change", data={}, headers=ann[2]).status_code == 422
    client.post("/account/change", data={"withdraw": "yes"}, headers=ann[2])
    assert "At the moment you say" not in look("/account/change")


def test_a_permission_is_given_shown_and_taken_back(
    client: TestClient, ann: Any, pia: Account, look: Look, resources: Resources
) -> None:
    form = {"grantee": pia.pseudonym, "use": "train-ai", "until": "2999-01-01", "about": "all"}
    assert client.post("/grants", data=form, headers=ann[2]).headers["location"] == "/grants?done=given"
    page = look("/grants", "fr")
    action = page.split('action="/grants/')[1].split('"')[0]

    assert pia.pseudonym[:8] in page
    client.post(f"/grants/{action}", headers=ann[2])
    assert "Taken back" in look("/grants")


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"grantee": "nobody", "use": "train-ai"}, "no verified pipeline account"),
        ({"grantee": "nobody", "use": "train-ai", "until": "2020-01-01"}, "no verified pipeline account"),
        ({"grantee": "nobody", "use": "train-ai", "until": "soon"}, "Choose a day"),
        ({"grantee": "nobody", "use": "train-everything"}, "Choose one of the uses in the list."),
    ],
)
def test_a_permission_that_can_not_be_given_says_why(
    client: TestClient, ann: Any, form: dict[str, str], says: str
) -> None:
    answer = client.post("/grants", data={"about": "all", **form}, headers=ann[2])

    assert answer.status_code == 422
    assert says in answer.text


def test_a_wrong_match_is_settled_by_its_owner(
    client: TestClient, ann: Any, pia: Account, look: Look, resources: Resources
) -> None:
    _, work, headers = ann
    with db.transaction(resources.sessions) as session:
        report = non_matches.report(session, work_id=work.id, asset_key=b"k" * 32, reporter_id=pia.id)

    assert "Waits for the owner" in look("/reports")
    client.post(f"/reports/{report.id}", data={"confirm": "yes"}, headers=headers)
    assert "Not the same" in look("/reports")
    own = client.post("/reports", data={"work": str(work.id), "asset_key": "ab" * 32}, headers=headers)
    assert own.headers["location"] == "/reports?done=confirmed"
    for wrong in ({}, {"work": str(work.id), "asset_key": "zz"}, {"work": str(work.id), "asset_key": "ab"}):
        assert client.post("/reports", data=wrong, headers=headers).status_code == 422


def test_what_applied_is_shown_for_two_days(
    client: TestClient, ann: Any, look: Look, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, work, headers = ann
    start = datetime.now(UTC) - timedelta(days=20)
    with db.transaction(resources.sessions) as session:
        claims.file_claim(
            session,
            work_id=work.id,
            claimant_id=account.id,
            preferences=factories.NO_TRAINING,
            valid_from=start,
            valid_until=datetime.now(UTC) + timedelta(days=3),
        )
    path, day = f"/works/{work.id}/applied", f"{start + timedelta(days=1):%Y-%m-%dT%H:%M}"

    assert 'class="verdict disallowed"' in look(path)
    assert 'class="verdict disallowed"' in look(path, "fr", at=day)
    assert 'class="verdict unknown"' in look(path, at=day, known_at=day)
    for name, text in (("at", "soon"), ("known_at", "9999-12-31T23:59:59-14:00"), ("use", "everything")):
        refused = client.get(path, params={name: text}, headers=headers)
        assert (refused.status_code, "Show what applied" in refused.text) == (422, True), name
        assert 'class="verdict' not in refused.text
    assert "This ends soon" in look(f"/works/{work.id}")
    monkeypatch.setattr(claims, "utc_now", lambda: datetime.now(UTC) + timedelta(days=5))
    assert "This holds no longer" in look(f"/works/{work.id}")
