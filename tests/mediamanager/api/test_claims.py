"""Filing, amending and withdrawing; the promise and the receipt."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import api_bodies
import pytest
from starlette.testclient import TestClient

from mediamanager.dependencies import Resources
from mediamanager.schemas.claims import ClaimReceipt, ClaimResponse
from optout.proof import promises, receipts
from optout.proof.notes import Verifier
from optout.store import db
from optout.store.models.jobs import Job, JobKind


@pytest.fixture
def work_id(client: TestClient, creator: Any, seed: int) -> str:
    answer = client.post("/v1/works", headers=creator.headers, json=api_bodies.by_fingerprints(seed))
    return str(answer.json()["id"])


def file(client: TestClient, caller: Any, work_id: str, **more: Any) -> Any:
    return client.post(f"/v1/works/{work_id}/claims", headers=caller.headers, json={**api_bodies.NO_TRAINING, **more})


def test_a_claim_is_expanded_to_six_uses_and_promised_at_once(
    client: TestClient, creator: Any, work_id: str, resources: Resources
) -> None:
    answer = file(client, creator, work_id, terms_url="https://example.org/terms")

    claim = ClaimResponse.model_validate_json(answer.content)
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/claims/{claim.id}"
    assert {use.value: said.value for use, said in claim.preferences.items()} == {
        "train-genai": "disallowed",
        "train-other": "disallowed",
        "ai-input": "unknown",
        "ai-index": "unknown",
        "search": "unknown",
        "tdm-other": "unknown",
    }
    assert (claim.state, claim.evidence, claim.terms_url) == ("active", "self-declared", "https://example.org/terms")
    promise = promises.open_promise(claim.promise, [resources.keys.promise.verifier])
    assert promise.leaf_hash.hex() == claim.log.leaf_hash
    assert client.get(f"/v1/works/{work_id}", headers=creator.headers).json()["claims"] == [str(claim.id)]


def test_a_claim_wakes_a_worker_after_its_commit(
    client: TestClient, creator: Any, work_id: str, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[JobKind] = []

    def nudge(job_ids: Any) -> None:
        with db.reading(resources.sessions) as session:  # another connection: it sees only what is committed
            seen.extend(session.get_one(Job, job_id).kind for job_id in job_ids)

    monkeypatch.setattr("workers.dispatch.nudge", nudge)

    file(client, creator, work_id)

    assert seen == [JobKind.PUBLISH_LOG]


def test_a_second_claim_on_a_work_is_a_conflict_that_names_the_first(
    client: TestClient, creator: Any, work_id: str
) -> None:
    first = file(client, creator, work_id).json()["id"]

    second = file(client, creator, work_id)

    assert (second.status_code, second.json()["code"]) == (409, "conflict")
    assert second.json()["parameters"]["claim"] == first


def test_an_amendment_replaces_the_claim_in_one_step(client: TestClient, creator: Any, work_id: str) -> None:
    old = file(client, creator, work_id).json()["id"]

    answer = client.patch(
        f"/v1/claims/{old}", headers=creator.headers, json={"preferences": {"all": "disallowed", "search": "allowed"}}
    )

    new = answer.json()
    replaced = client.get(f"/v1/claims/{old}", headers=creator.headers).json()
    assert (answer.status_code, new["supersedes"], new["preferences"]["search"]) == (200, old, "allowed")
    assert (replaced["state"], replaced["superseded_by"]) == ("superseded", new["id"])
    assert client.get(f"/v1/works/{work_id}", headers=creator.headers).json()["claims"] == [new["id"]]


def test_a_withdrawn_claim_stays_readable_and_is_withdrawn_once(
    client: TestClient, creator: Any, work_id: str, resources: Resources
) -> None:
    claim_id = file(client, creator, work_id).json()["id"]

    first, again = (client.delete(f"/v1/claims/{claim_id}", headers=creator.headers) for _ in range(2))

    assert (first.status_code, first.json()["state"]) == (200, "withdrawn")
    assert again.json()["log"] == first.json()["log"]
    assert client.get(f"/v1/works/{work_id}", headers=creator.headers).json()["claims"] == []


def test_a_receipt_comes_once_the_log_is_published_and_verifies_without_us(
    client: TestClient, creator: Any, work_id: str, publish_log: Callable[[], None]
) -> None:
    claim = file(client, creator, work_id).json()
    early_position = claim["log"]
    early = client.get(claim["receipt_url"], headers=creator.headers)

    publish_log()
    answer = client.get(claim["receipt_url"], headers=creator.headers)

    wire = ClaimReceipt.model_validate_json(answer.content)
    key = client.get("/v1/log/key").text.splitlines()[0]
    assert (early.status_code, early.json()["code"]) == (409, "conflict")
    assert wire.log_key == key
    receipts.ClaimReceipt(**wire.model_dump()).verify([Verifier.parse(key)])
    now = client.get(f"/v1/claims/{claim['id']}", headers=creator.headers).json()["log"]
    assert (now["published"], early_position["index"], now["index"] is None) == (True, None, False)


@pytest.mark.parametrize("path", ["", "/receipt"])
def test_a_claim_of_somebody_else_is_not_there(
    client: TestClient, creator: Any, stranger: Any, work_id: str, path: str
) -> None:
    claim_id = file(client, creator, work_id).json()["id"]

    theirs = client.get(f"/v1/claims/{claim_id}{path}", headers=stranger.headers)
    nobodys = client.get(f"/v1/claims/{work_id}{path}", headers=stranger.headers)

    assert (theirs.status_code, nobodys.status_code) == (404, 404)
    assert theirs.json()["detail"].replace(claim_id, "") == nobodys.json()["detail"].replace(work_id, "")


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_a_claim_of_somebody_else_can_not_be_changed(
    client: TestClient, creator: Any, stranger: Any, work_id: str, method: str
) -> None:
    claim_id = file(client, creator, work_id).json()["id"]
    body = {"json": api_bodies.NO_TRAINING} if method == "patch" else {}

    answer = client.request(method, f"/v1/claims/{claim_id}", headers=stranger.headers, **body)

    assert answer.status_code == 404
    assert client.get(f"/v1/claims/{claim_id}", headers=creator.headers).json()["state"] == "active"


def test_a_claim_on_somebody_elses_work_is_refused(client: TestClient, stranger: Any, work_id: str) -> None:
    assert file(client, stranger, work_id).status_code == 404


def test_a_claim_that_ends_before_it_begins_is_refused(client: TestClient, creator: Any, work_id: str) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()

    answer = file(client, creator, work_id, valid_until=yesterday)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "valid_until")
