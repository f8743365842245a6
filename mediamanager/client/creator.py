"""The creator's side of a registry over HTTP: register works, state preferences, keep the proof."""

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar
from uuid import UUID

import httpx2
from pydantic import BaseModel, ValidationError

from fingerprinting.index import registry as algorithms
from fingerprinting.types import Extraction
from mediamanager.client.errors import KeyRefusedError, RegistryRefusedError, RegistryUnavailableError
from mediamanager.client.sending import Message, Sender
from mediamanager.schemas.claims import ClaimReceipt, ClaimResponse
from mediamanager.schemas.works import WorkPage, WorkResponse, WorkState
from optout.consent.vocabulary import Preference, Use

_Model = TypeVar("_Model", bound=BaseModel)

_SERVER_ERROR: Final = 500
_CLIENT_ERROR: Final = 400
_CONFLICT: Final = 409
_UNKNOWN_KEY: Final = 401
_WRONG_ROLE: Final = 403
_NO_REGISTRY: Final = (404, 405)
_WORKS: Final = "/v1/works"
_ERRNO: Final = re.compile(r"^\[Errno -?\d+\] ")
_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.1
_SLOWEST_POLL_SECONDS: Final = 2.0


class RegistryConflictError(RegistryRefusedError):
    """What is there already does not allow this; the message says what to do instead."""

    code = "registry-conflict"


class Creator:
    """A registry, as a creator with a key sees it.

    Every method raises RegistryUnavailableError when the registry does not answer as it should, KeyRefusedError when
    it does not take the key, and RegistryRefusedError, with the registry's own sentence, when it refuses. What is lost
    on the way is sent again, and done once.
    """

    def __init__(self, url: str, *, key: str | None, http: httpx2.Client | None = None) -> None:
        """`http` is a client to use instead, for instance one that runs an application in this process.

        Raises:
            RegistryUnavailableError: `url` is no address.
            KeyRefusedError: `key` can't be one.
        """
        if key is not None and not (key.isascii() and key.isprintable()):
            raise KeyRefusedError("this is not an API key: it looks like crk_live_… (--key or MEDIAMANAGER_KEY)")
        with _answering(url):
            self._http = http or httpx2.Client(base_url=url.rstrip("/"), timeout=_SECONDS)
        if http is None and (self._http.base_url.scheme not in ("http", "https") or not self._http.base_url.host):
            raise RegistryUnavailableError(
                f"{url} is not the address of a registry: it begins with https:// or http://"
            )
        self._url = url.rstrip("/")
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._sender = Sender(self._http, self._headers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._http.close()

    def register_file(self, path: Path, *, title: str | None = None, keep_media: bool = False) -> WorkResponse:
        """Upload a file. Raises OSError where it can't be read."""
        fields = {"keep_media": "true" if keep_media else "false"}
        if title is not None:
            fields["title"] = readable(title)
        with path.open("rb") as file, _answering(self._url):
            response = self._sender.send(Message("POST", _WORKS, fields=fields, file=(readable(path.name), file)))
        return self._read(WorkResponse, response)

    def register_url(
        self, url: str, *, title: str | None = None, keep_media: bool = False, sound: bool = False
    ) -> WorkResponse:
        """Register what lies at an address; the registry fetches it: of a video its sound, too, if that is asked."""
        body = {"url": url, "title": title, "keep_media": keep_media, **({"sound": True} if sound else {})}
        return self._ask(WorkResponse, "POST", _WORKS, body)

    def register_fingerprints(self, extraction: Extraction, *, title: str | None = None) -> WorkResponse:
        """Register by fingerprints that were made here; the media stays where it is."""
        body = {
            "modality": extraction.modality,
            "media_type": extraction.media_type,
            "identifiable": extraction.identifiable,
            "notes": list(extraction.notes),
            "title": None if title is None else readable(title),
            "fingerprints": [
                {
                    "algorithm": one.algorithm,
                    "version": one.version,
                    "value": algorithms.encode(one),
                    "quality": one.quality,
                    "span": None if one.span is None else list(one.span),
                }
                for one in extraction.fingerprints
            ],
        }
        return self._ask(WorkResponse, "POST", _WORKS, body)

    def work(self, work_id: UUID) -> WorkResponse:
        """How a work stands."""
        return self._ask(WorkResponse, "GET", f"/v1/works/{work_id}")

    def works(self) -> Iterator[WorkResponse]:
        """All works of the account, newest first."""
        after: UUID | None = None
        while True:
            page = self._ask(WorkPage, "GET", _WORKS + ("" if after is None else f"?after={after}"))
            yield from page.works
            after = page.next_after
            if after is None:
                return

    def wait(self, work_id: UUID, *, seconds: float) -> WorkResponse:
        """Wait until a work is ready, failed or put off, or the time is over; how it stands then."""
        until, pause = time.monotonic() + seconds, _POLL_SECONDS
        while True:
            work = self.work(work_id)
            left = until - time.monotonic()
            if work.state is not WorkState.PENDING or is_put_off(work, seconds=left) or pause > left:
                return work
            time.sleep(pause)
            pause = min(pause * 1.5, _SLOWEST_POLL_SECONDS)

    def prefer(self, work: WorkResponse, preferences: Mapping[Use, Preference]) -> ClaimResponse:
        """State preferences on a work, whether or not something was stated before: the last word counts.

        A claim that says just this already is left as it is.
        """
        if work.claims:
            return self._say_again(work.claims[0], preferences)
        try:
            return self._ask(ClaimResponse, "POST", f"/v1/works/{work.id}/claims", {"preferences": preferences})
        except RegistryConflictError:
            # Somebody with the same account was faster: theirs is amended.
            claims = self.work(work.id).claims
            if not claims:
                raise
            return self._say_again(claims[0], preferences)

    def claim(self, claim_id: UUID) -> ClaimResponse:
        """How a claim stands."""
        return self._ask(ClaimResponse, "GET", f"/v1/claims/{claim_id}")

    def amend(
        self, claim_id: UUID, preferences: Mapping[Use, Preference], terms: Mapping[str, object] | None = None
    ) -> ClaimResponse:
        """Replace a claim, all of it; the answer is the new one. `terms` are the further fields of a claim."""
        body = {"preferences": preferences, **(terms or {})}
        return self._ask(ClaimResponse, "PATCH", f"/v1/claims/{claim_id}", body)

    def withdraw(self, claim_id: UUID) -> ClaimResponse:
        """Take a claim back."""
        return self._ask(ClaimResponse, "DELETE", f"/v1/claims/{claim_id}")

    def ask(self, model: type[_Model], method: str, path: str, body: Mapping[str, object] | None = None) -> _Model:
        """Send one request about what is the account's own, and read the answer.

        Raises:
            RegistryRefusedError: with the registry's own sentence.
            RegistryUnavailableError: it does not answer, or not sensibly.
        """
        return self._ask(model, method, path, body)

    def receipt(self, claim_id: UUID, *, seconds: float = 0.0) -> ClaimReceipt:
        """The proof that a claim is in the log; waits so long for its entry to be published.

        Raises:
            RegistryConflictError: it is not published yet.
        """
        until = time.monotonic() + seconds
        while True:
            try:
                return self._ask(ClaimReceipt, "GET", f"/v1/claims/{claim_id}/receipt")
            except RegistryConflictError:
                if time.monotonic() >= until:
                    raise
                time.sleep(_POLL_SECONDS)

    def _say_again(self, claim_id: UUID, preferences: Mapping[Use, Preference]) -> ClaimResponse:
        from optout.consent.preferences import expand  # noqa: PLC0415 - only a second claim needs it

        said = self.claim(claim_id)
        return said if said.preferences == expand(preferences) else self.amend(claim_id, preferences)

    def _ask(self, model: type[_Model], method: str, path: str, body: Mapping[str, object] | None = None) -> _Model:
        with _answering(self._url):
            response = self._sender.send(Message(method, path, body))
        return self._read(model, response)

    def _read(self, model: type[_Model], response: httpx2.Response) -> _Model:
        if response.status_code in _NO_REGISTRY and response.request.url.path.endswith(_WORKS):
            raise RegistryUnavailableError(f"there is no registry at {self._url}: check the address")
        if response.status_code == _UNKNOWN_KEY and not self._headers:
            raise KeyRefusedError("this needs your API key: give it with --key, or set MEDIAMANAGER_KEY")
        if response.status_code >= _CLIENT_ERROR:
            raise _refusal(response)
        try:
            return model.model_validate_json(response.content)
        except ValidationError as error:
            raise RegistryUnavailableError(f"{self._url} answered with something that is no answer") from error


def readable(name: str) -> str:
    """A name as text that can be sent: what is no UTF-8 in a file name becomes the sign for what is unreadable."""
    return os.fsencode(name).decode("utf-8", "replace")


def is_put_off(work: WorkResponse, *, seconds: float) -> bool:
    """Whether a work is looked at again only after so many seconds: its video is live, or has no captions yet."""
    at = None if work.delay is None else work.delay.next_attempt_at
    return at is not None and at > datetime.now(UTC) + timedelta(seconds=seconds)


@contextmanager
def _answering(url: str) -> Iterator[None]:
    try:
        yield
    except httpx2.HTTPError as error:
        what = _ERRNO.sub("", str(error)) or type(error).__name__
        raise RegistryUnavailableError(f"the registry does not answer at {url}: {what}") from error
    except httpx2.InvalidURL as error:
        raise RegistryUnavailableError(f"{url} is not the address of a registry: {error}") from error


def _refusal(response: httpx2.Response) -> RegistryRefusedError | RegistryUnavailableError:
    """The registry's own sentence, where there is one."""
    try:
        detail = str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        detail = f"it answered with status {response.status_code}"
    if response.status_code >= _SERVER_ERROR:
        return RegistryUnavailableError(f"the registry can't answer: {detail}")
    if response.status_code == _CONFLICT:
        return RegistryConflictError(detail)
    if response.status_code == _UNKNOWN_KEY:
        return KeyRefusedError(f"the registry does not take this key (--key or MEDIAMANAGER_KEY): {detail}")
    if response.status_code == _WRONG_ROLE:
        return KeyRefusedError(detail)
    return RegistryRefusedError(detail)
