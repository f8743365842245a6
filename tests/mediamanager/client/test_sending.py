"""What is lost on the way is sent again, whole, under the same idempotency key; what was answered is not."""

import io
import json
from collections.abc import Callable

import httpx2
import pytest

from mediamanager.client import sending
from mediamanager.client.sending import RETRIES, Message, Sender

Answer = httpx2.Response | Exception


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    made: list[float] = []
    monkeypatch.setattr(sending.time, "sleep", made.append)
    return made


class Wire:
    """A registry that gives the answers it was told to, one after the other, and keeps what it was sent."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = iter(answers)
        self.requests: list[httpx2.Request] = []
        http = httpx2.Client(base_url="http://registry", transport=httpx2.MockTransport(self._answer))
        self.sender = Sender(http, {"Authorization": "Bearer crk_live_x"})

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        self.requests.append(request)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def keys(self) -> list[str | None]:
        return [request.headers.get("Idempotency-Key") for request in self.requests]


def lost() -> Exception:
    return httpx2.ReadError("connection reset")


def ok() -> httpx2.Response:
    return httpx2.Response(201, json={})


POST = Message("POST", "/v1/works", {"url": "https://example.org"})


@pytest.mark.parametrize("failure", [lost, lambda: httpx2.ReadTimeout("slow"), lambda: httpx2.WriteError("broken")])
def test_what_is_lost_is_sent_again_under_the_same_key(failure: Callable[[], Exception]) -> None:
    wire = Wire(failure(), failure(), ok())

    assert wire.sender.send(POST).status_code == 201
    assert len(wire.requests) == 3
    assert wire.keys[0] is not None
    assert len(set(wire.keys)) == 1
    assert len({request.content for request in wire.requests}) == 1
    assert {request.headers["Authorization"] for request in wire.requests} == {"Bearer crk_live_x"}


def test_another_request_has_another_key_and_reading_needs_none() -> None:
    wire = Wire(ok(), ok(), ok(), ok())

    for message in (POST, POST, Message("PATCH", "/v1/claims/1", {}), Message("GET", "/v1/works")):
        wire.sender.send(message)

    assert len(set(wire.keys[:3])) == 3
    assert wire.keys[3] is None


def test_a_file_is_sent_whole_each_time() -> None:
    wire = Wire(lost(), ok())

    wire.sender.send(Message("POST", "/v1/works", fields={"title": "Fox"}, file=("fox.txt", io.BytesIO(b"quick" * 50))))

    assert [request.content.count(b"quick") for request in wire.requests] == [50, 50]
    assert len(set(wire.keys)) == 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_registry_that_is_busy_is_asked_again_when_it_says(status: int, pauses: list[float]) -> None:
    wire = Wire(httpx2.Response(status, headers={"Retry-After": "3"}), httpx2.Response(status), ok())

    assert wire.sender.send(POST).status_code == 201
    assert pauses == [3.0, 1.0]


def test_a_request_that_is_still_being_done_is_asked_about_again() -> None:
    wire = Wire(lost(), httpx2.Response(409, json={"code": "request-in-flight"}, headers={"Retry-After": "1"}), ok())

    assert wire.sender.send(POST).status_code == 201


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(409, json={"code": "conflict"}),
        httpx2.Response(409, content=b"nonsense"),
        httpx2.Response(500),
        httpx2.Response(422, json={"code": "idempotency-mismatch"}),
        httpx2.Response(200, content=json.dumps({})),
    ],
)
def test_an_answer_is_an_answer(answer: httpx2.Response, pauses: list[float]) -> None:
    wire = Wire(answer)

    assert wire.sender.send(POST) is answer
    assert pauses == []


def test_it_gives_up_in_the_end() -> None:
    wire = Wire(*[lost() for _ in range(RETRIES + 1)])
    with pytest.raises(httpx2.ReadError):
        wire.sender.send(POST)
    busy = Wire(*[httpx2.Response(503) for _ in range(RETRIES + 1)])

    assert busy.sender.send(POST).status_code == 503
    assert len(wire.requests) == len(busy.requests) == RETRIES + 1


def test_an_address_where_nobody_ever_answered_is_told_at_once_and_one_that_did_is_waited_for() -> None:
    nobody = Wire(httpx2.ConnectError("refused"))
    with pytest.raises(httpx2.ConnectError):
        nobody.sender.send(POST)
    restarting = Wire(ok(), httpx2.ConnectError("refused"), ok())
    restarting.sender.send(POST)

    assert restarting.sender.send(POST).status_code == 201
    assert (len(nobody.requests), len(restarting.requests)) == (1, 3)
