"""From the domain to the wire: the answers of a lookup as JSON, quick enough for 10,000 assets."""

from typing import TypeAlias

from fastapi.responses import Response
from pydantic_core import to_json

from optout.catalogue.answers import Answer, WorkMatch
from optout.consent import explain
from optout.consent.reasons import Reason
from optout.registry.lookups import LookupResult

_Json: TypeAlias = dict[str, object]


def encode(result: LookupResult, *, explain: bool = True) -> Response:
    """Write a lookup's result as the body of a `LookupResponse`, with or without its reasons.

    Plain dictionaries instead of the models: constructing 10,000 of those takes five times as long (0.5 s instead of
    0.1 s of processor time), and the values come from our own typed code. A test compares the two, field by field.
    """
    body = {
        "verdicts": [_answer(answer, explain) for answer in result.answers],
        "catalogue_version": result.catalogue_version,
        "log_size": result.log_size,
    }
    return Response(to_json(body), media_type="application/json")


def _answer(answer: Answer, with_reasons: bool) -> _Json:  # noqa: FBT001 - passed on
    return {
        "verdict": answer.verdict,
        "use": answer.use,
        "matches": [_match(match) for match in answer.matches],
        "reasons": [_reason(reason) for reason in answer.reasons] if with_reasons else [],
        "identifiable": answer.identifiable,
        "asset_key": answer.asset_key.hex(),
    }


def _match(match: WorkMatch) -> _Json:
    return {
        "work": match.work,
        "strength": match.strength,
        "modality": match.modality,
        "algorithm": match.algorithm,
        "version": match.version,
        "distance": match.distance,
        "score": match.score,
        "threshold": match.threshold,
        "query_span": match.query_span,
        "work_span": match.work_span,
        "verdict": match.verdict,
        "evidence": dict(match.evidence),
    }


def _reason(reason: Reason) -> _Json:
    return {"code": reason.code, "parameters": dict(reason.parameters), "sentence": explain.sentence(reason)}
