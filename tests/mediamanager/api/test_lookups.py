"""Asking in batch and by file; what a claim changes; what the wire looks like."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import api_bodies
import pytest
from starlette.testclient import TestClient

from fingerprinting.extract import extract
from fingerprinting.types import Modality, Strength
from mediamanager.api.verdicts import encode
from mediamanager.schemas.lookups import LookupResponse
from optout.catalogue.answers import Answer, Reason, WorkMatch
from optout.consent.vocabulary import Preference, Use
from optout.registry.lookups import LookupResult


@pytest.fixture
def claim_id(client: TestClient, creator: Any, seed: int) -> str:
    """No training on picture `seed`."""
    work = client.post("/v1/works", headers=creator.headers, json=api_bodies.by_fingerprints(seed)).json()
    answer = client.post(f"{work['status_url']}/claims", headers=creator.headers, json=api_bodies.NO_TRAINING)
    return str(answer.json()["id"])


def ask(client: TestClient, caller: Any, *assets: dict[str, Any], **more: Any) -> LookupResponse:
    answer = client.post("/v1/lookups", headers=caller.headers, json={"assets": assets, **more})
    assert answer.status_code == 200, answer.text
    return LookupResponse.model_validate_json(answer.content)


def test_verdicts_come_in_the_order_asked_with_match_and_reasons(
    client: TestClient, pipeline: Any, claim_id: str, seed: int
) -> None:
    found = ask(client, pipeline, api_bodies.asset(2), api_bodies.asset(seed, flipped_bits=9), api_bodies.asset(3))

    assert [one.verdict for one in found.verdicts] == ["unknown", "disallowed", "unknown"]
    match = found.verdicts[1].matches[0]
    assert (match.strength, match.algorithm, match.distance, match.threshold) == ("match", "pdq-256", 9, 31)
    assert "no_reservation_found" in {reason.code for reason in found.verdicts[0].reasons}
    assert all(reason.sentence for one in found.verdicts for reason in one.reasons)


def test_a_use_that_is_not_claimed_is_unknown_and_never_allowed(
    client: TestClient, pipeline: Any, claim_id: str, seed: int
) -> None:
    found = ask(client, pipeline, api_bodies.asset(seed), use="search")

    assert found.verdicts[0].verdict == "unknown"
    assert found.verdicts[0].matches[0].verdict == "unknown"


def test_an_amendment_and_a_withdrawal_count_for_the_next_lookup(
    client: TestClient, creator: Any, pipeline: Any, claim_id: str, seed: int
) -> None:
    verdicts = [ask(client, pipeline, api_bodies.asset(seed)).verdicts[0].verdict]
    amended = client.patch(
        f"/v1/claims/{claim_id}", headers=creator.headers, json={"preferences": {"train-ai": "conditional"}}
    )
    verdicts.append(ask(client, pipeline, api_bodies.asset(seed)).verdicts[0].verdict)
    client.delete(f"/v1/claims/{amended.json()['id']}", headers=creator.headers)
    verdicts.append(ask(client, pipeline, api_bodies.asset(seed)).verdicts[0].verdict)

    assert verdicts == ["disallowed", "conditional", "unknown"]


def test_a_question_about_the_past_is_answered_as_of_then(
    client: TestClient, pipeline: Any, claim_id: str, seed: int
) -> None:
    before = (datetime.now(UTC) - timedelta(days=1)).isoformat()

    found = ask(client, pipeline, api_bodies.asset(seed), at=before)

    assert found.verdicts[0].verdict == "unknown"


def test_a_claim_below_the_evidence_asked_for_is_named_and_does_not_decide(
    client: TestClient, pipeline: Any, claim_id: str, seed: int
) -> None:
    found = ask(client, pipeline, api_bodies.asset(seed), min_evidence="verified").verdicts[0]

    assert found.verdict == "unknown"
    assert "below_min_evidence" in {reason.code for reason in found.reasons}


def test_keys_find_a_work_by_its_address_its_video_and_its_bytes(
    client: TestClient, creator: Any, pipeline: Any
) -> None:
    for url in ("https://example.org/fox.png", "https://youtu.be/dQw4w9WgXcQ"):
        work = client.post("/v1/works", headers=creator.headers, json={"url": url}).json()
        client.post(f"{work['status_url']}/claims", headers=creator.headers, json=api_bodies.NO_TRAINING)

    found = ask(
        client,
        pipeline,
        {"url": "https://EXAMPLE.org:443/fox.png"},
        {"youtube": "dQw4w9WgXcQ"},
        {"url": "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=3"},
        {"sha256": "ab" * 32},
    )

    assert [one.verdict for one in found.verdicts] == ["disallowed", "disallowed", "disallowed", "unknown"]


def test_one_file_is_looked_up_without_being_kept(
    client: TestClient, creator: Any, pipeline: Any, resources: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The sandbox has tests of its own; here it only costs a process.
    monkeypatch.setattr("workers.sandbox.extract", extract)
    work = client.post("/v1/works", headers=creator.headers, files={"file": ("fox.png", api_bodies.png())}).json()
    client.post(f"{work['status_url']}/claims", headers=creator.headers, json=api_bodies.NO_TRAINING)
    stored = sorted(one.key for one in resources.storage.list(""))

    answers = [
        client.post("/v1/lookups/media", headers=caller.headers, files={"file": (name, data)}, data={"use": "train-ai"})
        for caller, name, data in ((pipeline, "copy.bin", api_bodies.png()), (creator, "x.png", api_bodies.png(70)))
    ]

    found = [LookupResponse.model_validate_json(answer.content).verdicts[0] for answer in answers]
    assert [(one.verdict, one.use) for one in found] == [("disallowed", "train-ai"), ("unknown", "train-ai")]
    assert found[0].matches[0].strength == "exact"
    assert sorted(one.key for one in resources.storage.list("")) == stored


@pytest.mark.heavy
def test_a_batch_of_ten_thousand_is_answered(client: TestClient, pipeline: Any, claim_id: str, seed: int) -> None:
    assets = [{"sha256": f"{row:064x}"} for row in range(9_999)] + [api_bodies.asset(seed)]

    started = time.perf_counter()
    found = ask(client, pipeline, *assets)
    seconds = time.perf_counter() - started

    assert len(found.verdicts) == 10_000
    assert found.verdicts[-1].verdict == "disallowed"
    assert {one.verdict for one in found.verdicts[:-1]} == {"unknown"}
    assert seconds < 20  # about 1 s; a bound against a quadratic step, not a measurement


def answer_of(verdict: Preference) -> Answer:
    match = WorkMatch(
        work="7",
        strength=Strength.MATCH,
        modality=Modality.AUDIO,
        algorithm="chromaprint-2",
        version=1,
        distance=None,
        score=41.5,
        threshold=20.0,
        query_span=(0.0, 12.5),
        work_span=(3.0, 15.5),
        verdict=verdict,
        evidence={"offset_seconds": 3.0, "note": "é", "whole": True},
    )
    reasons = (Reason("work_found", {"work": "7", "strength": "match", "algorithm": "a", "preference": verdict}),)
    return Answer(verdict, Use.TRAIN_GENAI, (match,), reasons, identifiable=False)


def test_the_wire_has_exactly_the_fields_of_the_schema() -> None:
    result = LookupResult([answer_of(verdict) for verdict in Preference], 12, 34)

    body = json.loads(encode(result).body)

    assert LookupResponse.model_validate(body).model_dump(mode="json") == body
    assert body["verdicts"][0]["matches"][0]["query_span"] == [0.0, 12.5]


def test_a_lookup_that_fails_inside_is_never_an_answer(
    client: TestClient, pipeline: Any, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("index gone")

    monkeypatch.setattr("optout.registry.lookups.Lookups.answer", fail)

    answer = client.post("/v1/lookups", headers=pipeline.headers, json={"assets": [api_bodies.asset(seed)]})

    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    assert "verdict" not in answer.text
