"""The body of a registration: one route that takes a form with a file, an address, or fingerprints."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any, Final, TypeAlias

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool

from mediamanager.api import bodies, forms
from mediamanager.schemas.works import WorkByFingerprints, WorkByUpload, WorkByUrl

Registration: TypeAlias = forms.Upload[WorkByUpload] | WorkByUrl | WorkByFingerprints


async def read_registration(request: Request) -> AsyncIterator[Registration]:
    """Read the body by its content type.

    Raises:
        HTTPException: 415 for any other content type, 400 for a broken form.
        RequestValidationError: what is in it can't be used.
    """
    kind = bodies.content_type(request)
    if kind == bodies.JSON:
        yield await run_in_threadpool(_of_json, await request.body())
    elif kind == bodies.FORM:
        async with forms.with_file(request, WorkByUpload) as upload:
            yield upload
    else:
        bodies.refuse_content_type(bodies.FORM, bodies.JSON)


RegistrationDep: TypeAlias = Annotated[Registration, Depends(read_registration)]

DOCUMENTED_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            bodies.JSON: {
                "schema": {
                    "oneOf": [
                        {"$ref": "#/components/schemas/WorkByUrl"},
                        {"$ref": "#/components/schemas/WorkByFingerprints"},
                    ]
                }
            },
            bodies.FORM: {"schema": forms.documented(WorkByUpload)},
        },
    }
}
"""For OpenAPI: FastAPI describes only bodies that it reads itself."""


def _of_json(body: bytes) -> WorkByUrl | WorkByFingerprints:
    try:
        value = bodies.parse_json(body)
    except json.JSONDecodeError as error:
        raise bodies.malformed(error) from error
    if isinstance(value, dict) and "fingerprints" in value:
        return bodies.validated(WorkByFingerprints, value)
    try:
        return bodies.validated(WorkByUrl, value)
    except RequestValidationError as error:
        raise RequestValidationError([_with_the_other_ways(one) for one in error.errors()], body=value) from error


def _with_the_other_ways(problem: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where there is no address, say what else a work can be registered by."""
    if (problem["type"], problem["loc"]) != ("missing", ("body", "url")):
        return problem
    instead = "give fingerprints made on your own device, or send a form (multipart/form-data) with a file"
    return {**problem, "type": "missing_choice", "ctx": {"instead": instead}}
