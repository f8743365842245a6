"""Forms with one file: read strictly, like JSON, so that a misspelt or doubled field is never ignored."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Generic, NoReturn, TypeVar

from fastapi.exceptions import RequestValidationError
from starlette import status
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from mediamanager.api import bodies
from mediamanager.problems import RefusedRequestError
from mediamanager.schemas.base import WireModel

F = TypeVar("F", bound=WireModel)

FILE: Final = "file"
_MAX_FIELD_BYTES: Final = 10_000
_REMEDY: Final = f"send one part named `{FILE}` with a file of a short name, and the fields of this address besides."


@dataclass(frozen=True, slots=True)
class Upload(Generic[F]):
    """A form with a file. The file is gone when the request has been answered."""

    file: UploadFile
    fields: F


@asynccontextmanager
async def with_file(request: Request, fields: type[F]) -> AsyncIterator[Upload[F]]:
    """Read a form of a file and some fields. Large files wait on disk, never in memory.

    Raises:
        HTTPException: 415 for any other content type; 400 for a broken form, or one with more than it may have.
        RequestValidationError: a field can't be used, is doubled, unknown or missing.
    """
    if bodies.content_type(request) != bodies.FORM:
        bodies.refuse_content_type(bodies.FORM)
    # One field more than there are, so that a surplus one is named by the validation below.
    most = len(fields.model_fields) + 2
    try:
        form = await request.form(max_files=1, max_fields=most, max_part_size=_MAX_FIELD_BYTES)
    except RefusedRequestError as error:
        if error.status_code == status.HTTP_400_BAD_REQUEST:
            error.detail = f"{error.detail.rstrip('.')}: {_REMEDY}"
        raise
    try:
        yield _upload(form, fields)
    finally:
        await form.close()


def documented(fields: type[WireModel]) -> dict[str, Any]:
    """The OpenAPI schema of such a form."""
    schema = fields.model_json_schema(ref_template="#/components/schemas/{model}")
    return {
        "type": "object",
        "required": [FILE],
        "additionalProperties": False,
        "properties": {
            FILE: {"type": "string", "format": "binary"},
            **{name: _without_null(field) for name, field in schema["properties"].items()},
        },
    }


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    """The schema of a field of a form: there is no null in one, a field is left out instead."""
    kinds = [kind for kind in field.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return field
    return {**{name: said for name, said in field.items() if name not in {"anyOf", "default"}}, **kinds[0]}


def _upload(form: FormData, model: type[F]) -> Upload[F]:
    items = form.multi_items()
    fields = dict(items)
    if len(fields) != len(items):
        doubled = next(name for name, _ in items if len(form.getlist(name)) > 1)
        _refuse(doubled, "value_error", {"error": "This stands twice: send it once"})
    file = fields.pop(FILE, None)
    if not isinstance(file, UploadFile):
        _refuse(FILE, "missing", {})
    return Upload(file, bodies.validated(model, fields))


def _refuse(field: str, kind: str, context: dict[str, str]) -> NoReturn:
    raise RequestValidationError(
        [{"type": kind, "loc": ("body", field), "msg": "Refused", "input": None, "ctx": context}]
    )
