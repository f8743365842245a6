"""Sending a request until it is answered: again after a lost connection, and never done twice."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Final
from uuid import uuid4

import httpx2

RETRIES: Final = 3
FIRST_PAUSE_SECONDS: Final = 0.5
"""Before the first time that something is sent again; then twice as long each time."""

_LONGEST_PAUSE_SECONDS: Final = 10.0
_BUSY: Final = (429, 502, 503, 504)
_CONFLICT: Final = 409
_IN_FLIGHT: Final = "request-in-flight"
_CREATES: Final = ("POST", "PATCH")


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent. `file` goes with `fields` as a form: a name, and a stream that can be read from its start again."""

    method: str
    path: str
    json: Mapping[str, object] | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    file: tuple[str, BinaryIO] | None = None


class Sender:
    """Sends messages to one registry.

    Whatever creates something carries an idempotency key, the same each time that it is sent: the registry does it
    once. An address at which nothing ever answered is not tried again.
    """

    def __init__(self, http: httpx2.Client, headers: Mapping[str, str]) -> None:
        self._http = http
        self._headers = headers
        self._has_answered = False

    def send(self, message: Message) -> httpx2.Response:
        """The registry's answer, which may be an error.

        Raises:
            httpx2.HTTPError: there is none, also not when it was asked again.
        """
        headers = dict(self._headers)
        if message.method in _CREATES:
            headers["Idempotency-Key"] = str(uuid4())
        pause = FIRST_PAUSE_SECONDS
        for _ in range(RETRIES):
            try:
                answer = self._once(message, headers)
            except httpx2.TransportError as error:
                if isinstance(error, (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError)) or not self._may_answer(
                    error
                ):
                    raise
                time.sleep(pause)
            else:
                if not _may_change(answer):
                    return answer
                time.sleep(_asked_pause(answer, pause))
            pause *= 2
        return self._once(message, headers)

    def _once(self, message: Message, headers: Mapping[str, str]) -> httpx2.Response:
        if message.file is None:
            answer = self._http.request(message.method, message.path, headers=headers, json=message.json)
        else:
            message.file[1].seek(0)
            answer = self._http.request(
                message.method, message.path, headers=headers, data=message.fields, files={"file": message.file}
            )
        self._has_answered = True
        return answer

    def _may_answer(self, error: httpx2.TransportError) -> bool:
        return self._has_answered or not isinstance(error, httpx2.ConnectError)


def _may_change(answer: httpx2.Response) -> bool:
    """Whether the same request may be answered otherwise in a moment."""
    if answer.status_code != _CONFLICT:
        return answer.status_code in _BUSY
    try:
        return bool(answer.json()["code"] == _IN_FLIGHT)
    except (ValueError, KeyError, TypeError):
        return False


def _asked_pause(answer: httpx2.Response, otherwise: float) -> float:
    asked = answer.headers.get("Retry-After", "")
    return min(float(asked) if asked.isdecimal() else otherwise, _LONGEST_PAUSE_SECONDS)
