"""Scopes, grants, wrong matches and what applied when, over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import api_bodies
import pytest
from starlette.testclient import TestClient

from mediamanager.dependencies import Resources
from optout.consent.vocabulary import EvidenceLevel
from optout.proof import grant_files
from optout.registry.accounts import set_evidence
from optout.store import db
from optout.store.models.accounts import Role
from optout.store.models.claims import Claim

NO = {"preferences": {"all": "disallowed"}}


def verify(resources: Resources, caller: Any) -> None:
    with db.transaction(resources.sessions) as session:
        set_evidence(session, account_id=caller.account_id, evidence=EvidenceLevel.VERIFIED)


@pytest.fixture
def ann(creator: Any, resources: Resources) -> Any:
    verify(resources, creator)
    return creator


@pytest.fixture
def pia(call_as: Any, resources: Resources) -> Any:
    caller = call_as(Role.PIPELINE)
    verify(resources, caller)
    return caller


@pytest.fixture
def account(client: TestClient, pia: Any) -> str:
    """The id by which rightsholders name Pia."""
    return str(client.get("/v1/grants/received", headers=pia.headers).json()["account"])


def post(client: TestClient, caller: Any, path: str, body: Any) -> Any:
    return client.post(f"/v1/{path}", headers=caller.headers, json=body)


def register(client: TestClient, caller: Any, seed: int) -> str:
    return str(post(client, caller, "works", api_bodies.by_fingerprints(seed)).json()["id"])


def ask(client: TestClient, caller: Any, seed: int, **more: Any) -> Any:
    body = {"assets": [api_bodies.asset(seed, flipped_bits=7)], "use": "train-genai", **more}
    return post(client, caller, "lookups", body).json()["verdicts"][0]


def test_an_account_default_and_an_album_cover_later_works(client: TestClient, ann: Any, pia: Any, seed: int) -> None:
    default = post(client, ann, "account/claims", NO)
    work = register(client, ann, seed)

    assert (default.status_code, default.json()["scope"]) == (201, "account")
    assert default.json()["says"].startswith("Nobody may use it")
    assert ask(client, pia, seed)["verdict"] == "disallowed"
    album = post(client, ann, "collections", {"kind": "album", "name": "Blue"}).json()
    post(client, ann, f"collections/{album['id']}/works", {"works": [work]})
    said = {"preferences": {"all": "conditional"}, "contact": "ann@example.org", "languages": ["fr"]}
    claim = post(client, ann, f"collections/{album['id']}/claims", said).json()
    answer = ask(client, pia, seed)
    reason = next(one for one in answer["reasons"] if one["code"] == "statement_conditional")

    assert answer["verdict"] == "conditional"
    assert (reason["parameters"]["contact"], reason["parameters"]["languages"]) == ("ann@example.org", "fr")
    assert "narrower_said" in {one["code"] for one in answer["reasons"]}
    (listed,) = client.get("/v1/collections", headers=ann.headers).json()["collections"]
    assert (listed["works"], listed["claim"]) == ([work], claim["id"])


def test_a_grant_changes_one_accounts_verdict_until_it_is_revoked(
    client: TestClient, ann: Any, pia: Any, account: str, call_as: Any, seed: int
) -> None:
    work = register(client, ann, seed)
    post(client, ann, f"works/{work}/claims", NO)
    grant = post(client, ann, "grants", {"grantee": account, "uses": ["train-ai"], "works": [work]})

    assert grant.status_code == 201, grant.text
    assert ask(client, pia, seed)["verdict"] == "allowed"
    assert ask(client, call_as(Role.PIPELINE), seed)["verdict"] == "disallowed"
    assert ask(client, pia, seed, use="ai-input")["verdict"] == "disallowed"
    revoked = client.delete(f"/v1/grants/{grant.json()['id']}", headers=ann.headers)
    assert revoked.json()["revoked_at"] is not None
    assert ask(client, pia, seed)["verdict"] == "disallowed"
    (listed,) = client.get("/v1/grants", headers=ann.headers).json()["grants"]
    assert listed["id"] == grant.json()["id"]


def test_grants_come_as_a_signed_file_for_one_account(
    client: TestClient, ann: Any, pia: Any, account: str, resources: Resources
) -> None:
    post(client, ann, "grants", {"grantee": account, "uses": ["search"]})

    received = client.get("/v1/grants/received", headers=pia.headers).json()
    opened = grant_files.open_file(received["note"], [resources.keys.promise.verifier], at=datetime.now(UTC))

    assert (opened.account, len(opened.grants), received["count"]) == (account, 1, 1)


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"grantee": "0" * 32}, 422, "grantee"),
        ({"uses": ["train-everything"]}, 422, "uses.0"),
        ({"uses": []}, 422, "uses"),
        ({"valid_until": "2026-01-01T00:00:00"}, 422, "valid_until"),
        ({"valid_until": "2020-01-01T00:00:00Z"}, 422, "valid_until"),
        ({"works": [str(uuid4())]}, 404, None),
        ({"works": []}, 422, "works"),  # none is not all
        ({"valid_until": "9999-12-31T23:59:59-05:00"}, 422, "valid_until"),
    ],
)
def test_a_grant_that_can_not_be_given_says_why(
    client: TestClient, ann: Any, account: str, change: dict[str, Any], status: int, field: str | None
) -> None:
    answer = post(client, ann, "grants", {"grantee": account, "uses": ["search"], **change})

    assert answer.status_code == status, answer.text
    if field is not None:
        assert answer.json()["errors"][0]["field"] == field


def test_what_applied_is_answered_for_any_pair_of_moments(client: TestClient, ann: Any, seed: int) -> None:
    work = register(client, ann, seed)
    claim = post(client, ann, f"works/{work}/claims", {"preferences": {"all": "allowed"}}).json()
    known = datetime.now(UTC)
    backdated = {**NO, "valid_from": (known - timedelta(days=9)).isoformat()}
    client.patch(f"/v1/claims/{claim['id']}", headers=ann.headers, json=backdated)

    def applied(**moments: datetime) -> str:
        query = {name: moment.isoformat() for name, moment in moments.items()}
        answer = client.get(f"/v1/works/{work}/verdict", headers=ann.headers, params=query)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["verdict"])

    assert applied() == applied(at=known) == "disallowed"
    assert applied(known_at=known) == "allowed"
    assert applied(at=known - timedelta(days=3)) == "disallowed"
    assert applied(at=known - timedelta(days=3), known_at=known) == "unknown"
    history = client.get(f"/v1/works/{work}/claims", headers=ann.headers).json()["claims"]
    assert [one["state"] for one in history] == ["active", "superseded"]
    for text in ("2026-01-01T00:00:00", "2026-01-01", "1767225600"):
        no_moment = client.get(f"/v1/works/{work}/verdict", headers=ann.headers, params={"at": text})
        assert no_moment.status_code == 422, text


def test_a_moment_beyond_the_calendar_is_a_mistake_of_who_asks(
    client: TestClient, ann: Any, pia: Any, seed: int
) -> None:
    beyond = "9999-12-31T23:59:59-05:00"
    work = register(client, ann, seed)

    for name in ("at", "known_at"):
        asked = client.get(f"/v1/works/{work}/verdict", headers=ann.headers, params={name: beyond})
        looked_up = post(client, pia, "lookups", {"assets": [api_bodies.asset(seed)], name: beyond})
        assert (asked.status_code, looked_up.status_code) == (422, 422)
    for name in ("valid_from", "valid_until"):
        filed = post(client, ann, f"works/{work}/claims", {**NO, name: beyond})
        assert (filed.status_code, filed.json()["errors"][0]["field"]) == (422, name)


def test_a_batch_is_answered_as_it_was_known(client: TestClient, ann: Any, pia: Any, seed: int) -> None:
    work = register(client, ann, seed)
    before = datetime.now(UTC).isoformat()
    post(client, ann, f"works/{work}/claims", NO)

    assert ask(client, pia, seed)["verdict"] == "disallowed"
    assert ask(client, pia, seed, known_at=before)["verdict"] == "unknown"


def test_of_two_amendments_at_once_one_is_told_of_the_other(client: TestClient, ann: Any, seed: int) -> None:
    work = register(client, ann, seed)
    claim = post(client, ann, f"works/{work}/claims", NO).json()["id"]

    first = client.patch(f"/v1/claims/{claim}", headers=ann.headers, json={"preferences": {"search": "allowed"}})
    second = client.patch(f"/v1/claims/{claim}", headers=ann.headers, json=NO)

    assert second.status_code == 409
    assert second.json()["parameters"]["claim"] == first.json()["id"]
    assert "amend it" in second.json()["detail"]


def test_a_wrong_match_is_reported_by_the_key_of_the_answer(client: TestClient, ann: Any, pia: Any, seed: int) -> None:
    work = register(client, ann, seed)
    post(client, ann, f"works/{work}/claims", NO)
    key = ask(client, pia, seed)["asset_key"]
    made = post(client, pia, "non-matches", {"work": work, "asset_key": key}).json()
    waiting = client.get("/v1/non-matches", headers=ann.headers).json()["about_your_works"]

    assert (made["state"], [one["id"] for one in waiting]) == ("reported", [made["id"]])
    assert ask(client, pia, seed)["verdict"] == "disallowed"
    client.patch(f"/v1/non-matches/{made['id']}", headers=ann.headers, json={"confirm": True})
    answer = ask(client, pia, seed)
    assert (answer["verdict"], answer["reasons"][-1]["code"]) == ("unknown", "match_rejected")


def test_a_time_with_another_zone_is_answered_in_utc(client: TestClient, ann: Any, account: str, seed: int) -> None:
    work, end = register(client, ann, seed), {"valid_until": "2999-12-10T00:00:00+01:00"}

    claim = post(client, ann, f"works/{work}/claims", {**NO, **end}).json()
    grant = post(client, ann, "grants", {"grantee": account, "uses": ["search"], **end}).json()

    assert claim["valid_until"] == grant["valid_until"] == "2999-12-09T23:00:00Z"


def test_a_claim_that_ends_says_so_before_it_does(client: TestClient, ann: Any, seed: int) -> None:
    work = register(client, ann, seed)
    soon = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    claim = post(client, ann, f"works/{work}/claims", {**NO, "valid_until": soon}).json()
    later = (datetime.now(UTC) + timedelta(days=90)).isoformat()
    amended = client.patch(f"/v1/claims/{claim['id']}", headers=ann.headers, json={**NO, "valid_until": later})

    assert (claim["ends_soon"], amended.json()["ends_soon"]) == (True, False)
    assert (claim["has_ended"], amended.json()["has_ended"]) == (False, False)


@pytest.mark.parametrize("where", ["works/{work}", "collections/{album}", "account"])
def test_a_claim_that_has_ended_says_so(
    client: TestClient, ann: Any, resources: Resources, seed: int, where: str
) -> None:
    work = register(client, ann, seed)
    album = post(client, ann, "collections", {"kind": "album", "name": "Blue"}).json()["id"]
    soon = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    path = where.format(work=work, album=album)
    claim = post(client, ann, f"{path}/claims", {**NO, "valid_until": soon}).json()
    with db.transaction(resources.sessions) as session:  # nobody waits for three days
        row = session.get_one(Claim, UUID(claim["id"]))
        row.valid_from, row.valid_until = (datetime.now(UTC) - timedelta(hours=hours) for hours in (2, 1))

    again = client.get(f"/v1/claims/{claim['id']}", headers=ann.headers).json()

    assert (claim["ends_soon"], claim["has_ended"]) == (True, False)
    assert (again["ends_soon"], again["has_ended"], again["state"]) == (False, True, "active")


def test_a_verdict_says_when_it_will_end_and_when_it_ended(client: TestClient, ann: Any, pia: Any, seed: int) -> None:
    work = register(client, ann, seed)
    post(client, ann, f"works/{work}/claims", {**NO, "valid_until": "2998-01-01T00:00:00Z"})
    before, after = ask(client, pia, seed), ask(client, pia, seed, at="2999-01-01T00:00:00Z")

    assert "This ends on 1 January 2998." in " ".join(one["sentence"] for one in before["reasons"])
    assert after["verdict"] == "unknown"
    assert "until 1 January 2998." in " ".join(one["sentence"] for one in after["reasons"])


@pytest.mark.parametrize("theirs", ["works/{work}", "collections/{album}", "account"])
@pytest.mark.parametrize("mine", ["works/{work}", "collections/{album}", "account"])
def test_claims_of_any_scope_are_contested_where_they_differ_about_a_work(
    client: TestClient, ann: Any, call_as: Any, seed: int, mine: str, theirs: str
) -> None:
    claims = {}
    for caller, where, says in ((ann, mine, "disallowed"), (call_as(Role.CREATOR), theirs, "allowed")):
        work = register(client, caller, seed)
        album = post(client, caller, "collections", {"kind": "album", "name": "Blue"}).json()["id"]
        post(client, caller, f"collections/{album}/works", {"works": [work]})
        path = where.format(work=work, album=album)
        claims[caller] = post(client, caller, f"{path}/claims", {"preferences": {"all": says}}).json()

    def states() -> list[str]:
        asked = [client.get(f"/v1/claims/{claims[one]['id']}", headers=one.headers).json() for one in claims]
        return [one["state"] for one in asked]

    assert [one["state"] for one in claims.values()] == ["active", "contested"]
    assert states() == ["contested", "contested"]
    other = list(claims)[1]
    client.delete(f"/v1/claims/{claims[other]['id']}", headers=other.headers)
    assert states() == ["active", "withdrawn"]
    if mine == "account":
        (listed,) = client.get("/v1/account/claims", headers=ann.headers).json()["claims"]
        assert listed["state"] == "active"
