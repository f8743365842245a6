"""A request with an idempotency key is done once: repeated, changed, at once, after a failure, in any order."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import api_bodies
import httpx2
import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from sqlalchemy import func, select
from starlette.testclient import TestClient

from mediamanager.api.once import HEADER, REPLAYED
from mediamanager.client import sending
from mediamanager.client.creator import Creator
from mediamanager.dependencies import Resources
from optout.consent.vocabulary import Preference, Use
from optout.errors import RequestInFlightError
from optout.registry import works
from optout.store import db, idempotency
from optout.store.models import Claim, IdempotencyKey, Job, Work
from optout.store.models.log import LogEntry

WORKS: Final = "/v1/works"
FOX: Final = {"url": "https://example.org/fox.png", "title": "Fox"}


@pytest.fixture
def key() -> dict[str, str]:
    return {HEADER: str(uuid4())}


@pytest.fixture
def count(resources: Resources) -> Callable[[], Mapping[str, int]]:
    def rows() -> Mapping[str, int]:
        with db.reading(resources.sessions) as session:
            found = {
                table.__tablename__: session.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (Work, Claim, Job, LogEntry, IdempotencyKey)
            }
        return {**found, "files": len(list(resources.storage.list("")))}

    return rows


def upload(data: bytes, title: str = "Fox", name: str = "fox.png") -> dict[str, Any]:
    return {"files": {"file": (name, data)}, "data": {"title": title}}


@pytest.mark.parametrize(
    "body",
    [{"json": FOX}, {"json": api_bodies.by_fingerprints(77, title="x")}, upload(api_bodies.png(3))],
    ids=["address", "fingerprints", "file"],
)
def test_the_same_again_gets_the_same_answer_and_does_nothing(
    client: TestClient, creator: Any, key: dict[str, str], count: Any, body: dict[str, Any]
) -> None:
    first = client.post(WORKS, headers={**creator.headers, **key}, **body)
    after_first = count()
    # The form of each call is divided by another random boundary.
    second = client.post(WORKS, headers={**creator.headers, **key}, **body)

    assert first.status_code in {201, 202}
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert second.headers["location"] == first.headers["location"]
    assert second.headers["content-type"] == first.headers["content-type"]
    assert (REPLAYED in first.headers, second.headers[REPLAYED]) == (False, "true")
    assert count() == after_first


def test_without_a_key_nothing_is_kept(client: TestClient, creator: Any, count: Any) -> None:
    before = count()["idempotency_keys"]

    client.post(WORKS, headers=creator.headers, json=FOX)

    assert count()["idempotency_keys"] == before


@pytest.mark.parametrize(
    ("first", "other"),
    [
        ({"json": FOX}, {"json": {**FOX, "title": "Wolf"}}),
        (upload(api_bodies.png(4)), upload(api_bodies.png(5))),
        (upload(api_bodies.png(6)), upload(api_bodies.png(6), title="Wolf")),
        (upload(api_bodies.png(8)), upload(api_bodies.png(8), name="wolf.png")),
        (upload(api_bodies.png(9)), {"json": FOX}),
    ],
)
def test_the_same_key_with_another_request_is_refused_and_does_nothing(
    client: TestClient, creator: Any, key: dict[str, str], count: Any, first: dict[str, Any], other: dict[str, Any]
) -> None:
    client.post(WORKS, headers={**creator.headers, **key}, **first)
    before = count()

    answer = client.post(WORKS, headers={**creator.headers, **key}, **other)

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-mismatch")
    assert answer.json()["errors"][0]["field"] == HEADER
    assert count() == before


def test_a_key_is_of_one_account_and_one_route(
    client: TestClient, creator: Any, stranger: Any, key: dict[str, str]
) -> None:
    mine = client.post(WORKS, headers={**creator.headers, **key}, json=FOX)
    theirs = client.post(WORKS, headers={**stranger.headers, **key}, json=FOX)
    claim = client.post(
        f"{mine.headers['location']}/claims", headers={**creator.headers, **key}, json=api_bodies.NO_TRAINING
    )

    assert [one.status_code for one in (mine, theirs, claim)] == [202, 202, 201]
    assert mine.json()["id"] != theirs.json()["id"]
    assert not any(REPLAYED in one.headers for one in (mine, theirs, claim))


def test_a_claim_on_another_work_is_another_request(client: TestClient, creator: Any, key: dict[str, str]) -> None:
    places = [
        client.post(WORKS, headers=creator.headers, json={"url": f"https://example.org/{n}"}).headers["location"]
        for n in range(2)
    ]

    answers = [
        client.post(f"{place}/claims", headers={**creator.headers, **key}, json=api_bodies.NO_TRAINING)
        for place in places
    ]

    assert [one.status_code for one in answers] == [201, 422]


def test_filing_and_amending_again_change_nothing(
    client: TestClient, creator: Any, key: dict[str, str], count: Any
) -> None:
    headers = {**creator.headers, **key}
    place = client.post(WORKS, headers=creator.headers, json=FOX).headers["location"]
    filed = [client.post(f"{place}/claims", headers=headers, json=api_bodies.NO_TRAINING) for _ in range(2)]
    claim = f"/v1/claims/{filed[0].json()['id']}"
    asks = {"preferences": {"train-ai": "conditional"}}

    amended = [client.patch(claim, headers=headers, json=asks)]
    before = count()
    amended.append(client.patch(claim, headers=headers, json=asks))

    assert [one.status_code for one in (*filed, *amended)] == [201, 201, 200, 200]
    assert filed[0].content == filed[1].content
    assert amended[0].content == amended[1].content
    assert count() == before


def test_what_failed_is_not_kept_and_can_be_sent_again(
    client: TestClient, creator: Any, key: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {**creator.headers, **key}
    wrong = client.post(WORKS, headers=headers, json={"url": "nonsense"})
    with monkeypatch.context() as broken:
        broken.setattr(works, "register_url", lambda *_, **__: 1 / 0)
        failed = client.post(WORKS, headers=headers, json=FOX)

    right = client.post(WORKS, headers=headers, json=FOX)

    assert [one.status_code for one in (wrong, failed, right)] == [422, 500, 202]
    assert REPLAYED not in right.headers


def test_an_answer_that_can_not_be_kept_takes_its_effect_along(
    client: TestClient, creator: Any, key: dict[str, str], count: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def somebody_was_faster(*_: object, **__: object) -> None:
        raise RequestInFlightError("x")

    before = count()
    monkeypatch.setattr(idempotency, "record", somebody_was_faster)

    answer = client.post(WORKS, headers={**creator.headers, **key}, **upload(api_bodies.png(11)))

    assert (answer.status_code, answer.headers["retry-after"]) == (409, "1")
    assert {**count(), "files": 0} == {**before, "files": 0}


def test_the_same_request_while_the_first_is_under_way_is_a_409(
    client: TestClient, creator: Any, key: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {**creator.headers, **key}
    entered, go_on = threading.Event(), threading.Event()
    really = works.register_url

    def slowly(*positional: Any, **named: Any) -> Any:
        entered.set()
        assert go_on.wait(20)
        return really(*positional, **named)

    monkeypatch.setattr(works, "register_url", slowly)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.post, WORKS, headers=headers, json=FOX)
        assert entered.wait(20)
        second = client.post(WORKS, headers=headers, json=FOX)
        go_on.set()
        answered = first.result(20)
    third = client.post(WORKS, headers=headers, json=FOX)

    assert (second.status_code, second.json()["code"]) == (409, "request-in-flight")
    assert second.headers["retry-after"] == "1"
    assert (answered.status_code, third.status_code, third.content) == (202, 202, answered.content)


@pytest.mark.parametrize("what", ["work", "claim", "amendment"])
def test_many_at_once_have_one_effect(
    client: TestClient, creator: Any, key: dict[str, str], count: Any, seed: int, what: str
) -> None:
    headers = {**creator.headers, **key}
    # Content of its own: what others said about the same would be contested, and that is logged too.
    place = client.post(WORKS, headers=creator.headers, json=api_bodies.by_fingerprints(seed)).headers["location"]
    method, path, body = "POST", WORKS, api_bodies.by_fingerprints(hash(key[HEADER]) % 10**9)
    if what != "work":
        path, body = f"{place}/claims", api_bodies.NO_TRAINING
    if what == "amendment":
        claim = client.post(path, headers=creator.headers, json=body).json()["id"]
        method, path, body = "PATCH", f"/v1/claims/{claim}", {"preferences": {"all": "disallowed"}}
    before = count()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.request(method, path, headers=headers, json=body), range(16)))

    done = [one for one in answers if one.status_code < 300]
    assert {one.status_code for one in answers} - {done[0].status_code} <= {409}
    assert {one.json()["code"] for one in answers if one.status_code == 409} <= {"request-in-flight"}
    assert len({one.content for one in done}) == 1
    assert sum(REPLAYED not in one.headers for one in done) == 1
    after = count()
    assert after["idempotency_keys"] - before["idempotency_keys"] == 1
    assert after["works"] - before["works"] == (what == "work")
    assert after["claims"] - before["claims"] == (what != "work")
    assert after["log_entries"] - before["log_entries"] == (what != "work")


@pytest.mark.parametrize("wrong", ["", "x" * 256, "é"])
def test_a_key_that_can_not_be_used_is_named(client: TestClient, creator: Any, count: Any, wrong: str) -> None:
    before = count()

    answer = client.post(WORKS, headers={**creator.headers, HEADER: wrong.encode("latin-1")}, json=FOX)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, HEADER)
    assert count() == before


def test_two_keys_are_refused_and_quotes_are_not_part_of_one(client: TestClient, creator: Any) -> None:
    token = creator.headers["Authorization"]
    two = client.post(WORKS, headers=[("Authorization", token), (HEADER, "a"), (HEADER, "b")], json=FOX)
    plain, quoted = (client.post(WORKS, headers={**creator.headers, HEADER: one}, json=FOX) for one in ("q", '"q"'))

    assert (two.status_code, two.json()["errors"][0]["field"]) == (422, HEADER)
    assert (plain.status_code, quoted.headers[REPLAYED]) == (202, "true")


def test_a_creator_who_lost_every_first_answer_registered_and_claimed_once(
    client: TestClient, creator: Any, count: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lost: set[str] = set()
    really = client.request

    def losing(method: str, url: str, **more: Any) -> Any:
        answer = really(method, url, **more)
        sent = more["headers"].get(HEADER, "")
        if sent and sent not in lost:
            lost.add(sent)
            raise httpx2.ReadError("the connection was lost after the commit")
        return answer

    monkeypatch.setattr(client, "request", losing)
    monkeypatch.setattr(sending, "FIRST_PAUSE_SECONDS", 0.0)
    picture = tmp_path / "fox.png"
    picture.write_bytes(api_bodies.png(12))
    there = Creator("http://testserver", key=creator.secret, http=client)
    before = count()

    work = there.register_file(picture, title="Fox")
    claim = there.prefer(work, {Use.TRAIN_AI: Preference.DISALLOWED})
    amended = there.amend(claim.id, {Use.ALL: Preference.DISALLOWED})

    after = count()
    assert (len(lost), amended.supersedes) == (3, claim.id)
    assert {name: after[name] - before[name] for name in ("works", "claims", "log_entries")} == {
        "works": 1,
        "claims": 2,
        "log_entries": 2,
    }


class Client(RuleBasedStateMachine):
    """Somebody who sends a few requests under a few keys, in any order, with a model of what has to be answered."""

    http: TestClient
    headers: Mapping[str, str]

    def __init__(self) -> None:
        super().__init__()
        self.run = uuid4().hex
        self.answers: dict[str, tuple[str, bytes]] = {}

    @rule(key=st.sampled_from("ab"), name=st.sampled_from(["fox", "wolf", "crow"]))
    def register(self, key: str, name: str) -> None:
        url = f"https://example.org/{self.run}/{name}"
        headers = {**self.headers, HEADER: f"{self.run}{key}"}

        answer = self.http.post(WORKS, headers=headers, json={"url": url})

        known = self.answers.get(key)
        if known is None:
            assert answer.status_code in {200, 202}
            assert REPLAYED not in answer.headers
            self.answers[key] = (name, answer.content)
        elif known[0] == name:
            assert (answer.headers[REPLAYED], answer.content) == ("true", known[1])
        else:
            assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-mismatch")

    @rule(name=st.sampled_from(["fox", "wolf"]))
    def register_without_a_key(self, name: str) -> None:
        answer = self.http.post(WORKS, headers=self.headers, json={"url": f"https://example.org/{self.run}/{name}"})

        assert answer.status_code in {200, 202}
        assert REPLAYED not in answer.headers


@pytest.mark.heavy
def test_any_order_of_requests_is_answered_as_the_model_says(client: TestClient, creator: Any) -> None:
    Client.http, Client.headers = client, creator.headers

    run_state_machine_as_test(Client, settings=hypothesis_settings(max_examples=15, stateful_step_count=10))
