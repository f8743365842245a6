"""A registry as a source, over HTTP. Whatever is not a complete, well-formed answer is no answer."""

import time
from collections.abc import Iterator, Sequence
from typing import Final

import httpx2
from pydantic import ValidationError

from fingerprinting.index import registry as algorithms
from fingerprinting.types import Fingerprint, Strength
from mediamanager.client.checkable import CheckableSource
from mediamanager.client.errors import RegistryRefusedError, RegistryUnavailableError
from mediamanager.client.questions import Question
from mediamanager.client.source import Identity
from mediamanager.client.verdicts import SourceAnswer, Step, Unanswered
from mediamanager.schemas.fingerprints import WireFingerprint
from mediamanager.schemas.lookups import MAX_ASSETS, LookupRequest, LookupResponse, WireAnswer, WireAsset, WireMatch
from mediamanager.schemas.problems import Problem
from optout.catalogue.answers import Asset, WorkMatch
from optout.consent.vocabulary import Preference, Use

MAX_BODY_BYTES: Final = 8_000_000
"""Lookups are split so that no request is larger than this, one huge asset aside."""

_RETRY_STATUSES = {429, 502, 503, 504}
_LONGEST_WAIT_SECONDS = 10.0
_REFUSALS = {
    401: "it does not know this key: give a valid one with --key or MEDIAMANAGER_KEY",
    403: "this key lacks the role `pipeline`",
    404: "there is no registry at this address",
    405: "there is no registry at this address",
}
_SPLIT_STATUSES = {413, 422}


class Registry(CheckableSource):
    """A registry at an address. Safe to use from one thread at a time."""

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        timeout_seconds: float = 60.0,
        retries: int = 3,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._retries = retries
        headers = {"User-Agent": "mediamanager-client", "Accept": "application/json, application/problem+json"}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        try:
            self._client = httpx2.Client(headers=headers, timeout=timeout_seconds, transport=transport)
            self._lookups = httpx2.URL(f"{self._url}/v1/lookups")
        except (httpx2.InvalidURL, UnicodeEncodeError) as error:
            raise RegistryRefusedError(f"{url} is not the address of a registry, or the key is none") from error
        if self._lookups.scheme not in {"http", "https"} or not self._lookups.host:
            raise RegistryRefusedError(f"{url} is not the address of a registry: it begins with https:// or http://")
        self._catalogue_version: int | None = None
        self._log_size: int | None = None

    @property
    def name(self) -> str:
        """Its address."""
        return self._url

    def identity(self) -> Identity:
        """Name the registry, and the last of its changes that an answer took into account."""
        return {
            "kind": "registry",
            "name": self._url,
            "catalogue_version": self._catalogue_version,
            "log_size": self._log_size,
        }

    def answer(self, assets: Sequence[Asset], question: Question) -> list[SourceAnswer | Unanswered]:
        """Ask in as many requests as the limits need; a failure leaves its own request's assets unanswered."""
        answers: list[SourceAnswer | Unanswered] = []
        for part in _parts([_wire(asset) for asset in assets]):
            request = LookupRequest(
                assets=part,
                use=question.use,
                depth=question.depth,
                min_evidence=question.min_evidence,
                at=question.at,
                known_at=question.known_at,
            )
            answers += self._ask(request)
        return answers

    def _ask(self, request: LookupRequest) -> list[SourceAnswer | Unanswered]:
        try:
            response = self._post(request.model_dump_json(exclude_none=True).encode())
        except RegistryUnavailableError as error:
            return [Unanswered(str(error))] * len(request.assets)
        if response.status_code in _REFUSALS:
            raise RegistryRefusedError(f"{self._url} refuses to answer: {_REFUSALS[response.status_code]}")
        if response.status_code in _SPLIT_STATUSES and len(request.assets) > 1:
            # One asset that it can't take must not leave the others unanswered.
            half = len(request.assets) // 2
            halves = (request.assets[:half], request.assets[half:])
            return [one for part in halves for one in self._ask(request.model_copy(update={"assets": part}))]
        try:
            return list(self._read(response, request))
        except RegistryUnavailableError as error:
            return [Unanswered(str(error))] * len(request.assets)

    def _post(self, body: bytes) -> httpx2.Response:
        """Send, and send again where that may help: a lookup changes nothing."""
        for attempt in range(self._retries + 1):
            last = attempt == self._retries
            try:
                response = self._client.post(self._lookups, content=body, headers={"Content-Type": "application/json"})
            except httpx2.TimeoutException as error:
                if last:
                    raise RegistryUnavailableError(f"{self._url} did not answer in time.") from error
            except httpx2.HTTPError as error:
                if last:
                    what = str(error) or type(error).__name__
                    raise RegistryUnavailableError(f"{self._url} could not be asked: {what}.") from error
            else:
                if last or response.status_code not in _RETRY_STATUSES:
                    return response
                time.sleep(_wait_seconds(response, attempt))
                continue
            time.sleep(_wait_seconds(None, attempt))
        raise RegistryUnavailableError(f"{self._url} was not asked: the number of retries is negative.")

    def _read(self, response: httpx2.Response, request: LookupRequest) -> Iterator[SourceAnswer]:
        if response.status_code != httpx2.codes.OK:
            raise RegistryUnavailableError(
                f"{self._url} answered with status {response.status_code}{_detail(response)}"
            )
        try:
            found = LookupResponse.model_validate_json(response.content)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "the body"
            raise RegistryUnavailableError(
                f"{self._url} answered with something that is no answer ({where}: {first['msg']})."
            ) from error
        if len(found.verdicts) != len(request.assets):
            raise RegistryUnavailableError(
                f"{self._url} answered about {len(found.verdicts)} assets, and was asked about {len(request.assets)}."
            )
        for answer in found.verdicts:
            _require_sense(self._url, answer, request.use)
        self._catalogue_version, self._log_size = found.catalogue_version, found.log_size
        return map(_of_wire, found.verdicts)


def _require_sense(url: str, answer: WireAnswer, use: Use) -> None:
    """Refuse an answer that can't be right, above all a permission that nothing in it gives."""
    if answer.use is not use:
        raise RegistryUnavailableError(f"{url} answered about {answer.use}, and was asked about {use}.")
    sure = [match.verdict for match in answer.matches if match.strength is not Strength.LIKELY]
    if answer.verdict is Preference.ALLOWED and (not sure or set(sure) != {Preference.ALLOWED}):
        raise RegistryUnavailableError(f"{url} allows something without a work that allows it: this is no answer.")


def _wire(asset: Asset) -> WireAsset:
    return WireAsset(
        fingerprints=[_wire_fingerprint(one) for one in asset.fingerprints],
        identifiable=asset.identifiable,
        url=asset.location,
    )


def _wire_fingerprint(one: Fingerprint) -> WireFingerprint:
    return WireFingerprint(
        algorithm=one.algorithm,
        version=one.version,
        value=algorithms.encode(one),
        quality=one.quality,
        span=None if one.span is None else list(one.span),
    )


def _parts(assets: Sequence[WireAsset]) -> Iterator[list[WireAsset]]:
    part: list[WireAsset] = []
    size = 0
    for asset in assets:
        more = sum(len(one.value) + 120 for one in asset.fingerprints)  # 120: names and punctuation of one, in JSON
        if part and (size + more > MAX_BODY_BYTES or len(part) == MAX_ASSETS):
            yield part
            part, size = [], 0
        part.append(asset)
        size += more
    if part:
        yield part


def _wait_seconds(response: httpx2.Response | None, attempt: int) -> float:
    """Wait as long as the registry asks for, within reason; else half a second, then twice as long each time."""
    asked = "" if response is None else response.headers.get("Retry-After", "")
    return min(float(asked) if asked.isdecimal() else 0.5 * 2**attempt, _LONGEST_WAIT_SECONDS)


def _detail(response: httpx2.Response) -> str:
    try:
        return f": {Problem.model_validate_json(response.content).detail}"
    except ValidationError:
        return "."


def _of_wire(answer: WireAnswer) -> SourceAnswer:
    return SourceAnswer(
        answer.verdict,
        tuple(_match(match) for match in answer.matches),
        tuple(Step(reason.code, reason.parameters, reason.sentence) for reason in answer.reasons),
        answer.identifiable,
    )


def _match(match: WireMatch) -> WorkMatch:
    return WorkMatch(
        work=match.work,
        strength=match.strength,
        modality=match.modality,
        algorithm=match.algorithm,
        version=match.version,
        distance=match.distance,
        score=match.score,
        threshold=match.threshold,
        query_span=None if match.query_span is None else tuple(match.query_span),
        work_span=None if match.work_span is None else tuple(match.work_span),
        verdict=match.verdict,
        evidence=match.evidence,
    )
