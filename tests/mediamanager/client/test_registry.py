import json
import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from fingerprinting.types import Depth, Fingerprint
from mediamanager.client import registry as client
from mediamanager.client.errors import RegistryRefusedError
from mediamanager.client.questions import Question
from mediamanager.client.registry import Registry
from mediamanager.client.verdicts import SourceAnswer, Unanswered
from optout.catalogue.answers import Asset
from optout.consent.vocabulary import EvidenceLevel, Preference, Use

Handler = Callable[[httpx2.Request], httpx2.Response]
UNKNOWN = {"verdict": "unknown", "use": "search", "matches": [], "reasons": [], "identifiable": True}


def assets(count: int) -> list[Asset]:
    return [Asset((Fingerprint("sha256", 1, number.to_bytes(32, "big")),)) for number in range(count)]


def asked(request: httpx2.Request) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(request.content)["assets"]
    return found


def answering(request: httpx2.Request) -> httpx2.Response:
    """Say `disallowed` about even numbers, so that order can be seen."""
    verdicts = []
    for asset in asked(request):
        even = int(asset["fingerprints"][0]["value"], 16) % 2 == 0
        verdicts.append({**UNKNOWN, "verdict": "disallowed" if even else "unknown"})
    return httpx2.Response(200, json={"verdicts": verdicts, "catalogue_version": 7, "log_size": 5})


def ask(handler: Handler, count: int = 1, **options: Any) -> list[SourceAnswer | Unanswered]:
    registry = Registry("http://registry.test/", transport=httpx2.MockTransport(handler), **options)
    return registry.answer(assets(count), Question(Use.SEARCH, Depth.FAST, EvidenceLevel.ACCOUNT))


def test_what_is_asked_and_who_asks_are_in_the_request() -> None:
    seen: list[httpx2.Request] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return answering(request)

    ask(handler, key="crk_live_x")

    [request] = seen
    assert str(request.url) == "http://registry.test/v1/lookups"
    assert request.headers["Authorization"] == "Bearer crk_live_x"
    body = json.loads(request.content)
    assert (body["use"], body["depth"], body["min_evidence"]) == ("search", "fast", "account")
    assert body["assets"][0]["fingerprints"][0]["value"] == "00" * 32


def test_answers_come_in_the_order_asked_over_several_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_ASSETS", 3)
    sizes: list[int] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        sizes.append(len(asked(request)))
        return answering(request)

    answers = ask(handler, 8)

    assert sizes == [3, 3, 2]
    expected = [Preference.DISALLOWED, Preference.UNKNOWN] * 4
    assert [one.verdict for one in answers if isinstance(one, SourceAnswer)] == expected


def test_large_fingerprints_are_spread_over_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_BODY_BYTES", 400)

    def handler(request: httpx2.Request) -> httpx2.Response:
        assert len(asked(request)) <= 2
        return answering(request)

    assert len(ask(handler, 5)) == 5


@pytest.mark.parametrize("status", [413, 422])
def test_one_asset_that_is_refused_leaves_the_others_answered(status: int) -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        if any(int(asset["fingerprints"][0]["value"], 16) == 3 for asset in asked(request)):
            problem = {"type": "x", "title": "x", "status": status, "detail": "This one is wrong.", "code": "x"}
            return httpx2.Response(status, json=problem)
        return answering(request)

    answers = ask(handler, 8)

    [(place, refused)] = [(number, one) for number, one in enumerate(answers) if isinstance(one, Unanswered)]
    assert place == 3
    assert "This one is wrong." in refused.error


def test_a_registry_that_is_busy_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    answers = iter([httpx2.Response(503, headers={"Retry-After": "2"}), httpx2.Response(502), None])

    def handler(request: httpx2.Request) -> httpx2.Response:
        return next(answers) or answering(request)

    [one] = ask(handler)

    assert isinstance(one, SourceAnswer)
    assert waited == [2.0, 1.0]


def test_a_registry_can_not_make_us_wait_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)

    [one] = ask(lambda _: httpx2.Response(503, headers={"Retry-After": "86400"}), retries=2)

    assert isinstance(one, Unanswered)
    assert waited == [10.0, 10.0]


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_a_registry_that_will_answer_nothing_ends_the_run(status: int) -> None:
    with pytest.raises(RegistryRefusedError, match=r"http://registry\.test"):
        ask(lambda _: httpx2.Response(status))


@pytest.mark.parametrize("url", ["", "registry.test", "ftp://registry.test", "http://", "http://[::1"])
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(RegistryRefusedError):
        Registry(url)


def test_a_key_with_a_line_break_is_refused_and_not_printed() -> None:
    with pytest.raises(RegistryRefusedError) as caught:
        Registry("http://registry.test", key="sécret")

    assert "cret" not in str(caught.value)


def test_a_receipt_names_the_last_change_that_was_taken_into_account() -> None:
    registry = Registry("http://registry.test", transport=httpx2.MockTransport(answering))
    assert registry.identity()["catalogue_version"] is None

    registry.answer(assets(1), Question(Use.SEARCH, Depth.FAST, EvidenceLevel.ACCOUNT))

    assert registry.identity() == {
        "kind": "registry",
        "name": "http://registry.test",
        "catalogue_version": 7,
        "log_size": 5,
    }
