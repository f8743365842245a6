"""Forms with one file: read strictly, like JSON, so that a misspelt or doubled field is never ignored."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Generic, NoReturn, TypeVar

from fastapi.exceptions import RequestValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartParser
from starlette.requests import Request

from mediamanager.api import bodies
from mediamanager.schemas.base import WireModel

F = TypeVar("F", bound=WireModel)

FILE: Final = "file"
_MAX_FIELD_BYTES: Final = 10_000

# How much of a file waits in memory before it goes to disk. Starlette takes it from nowhere else, and its own 1 MiB is
# half a gigabyte once as many upload at the same time as may.
MultiPartParser.spool_max_size = 64 * 1024


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
    async with request.form(max_files=1, max_fields=most, max_part_size=_MAX_FIELD_BYTES) as form:
        yield _upload(form, fields)


def documented(fields: type[WireModel]) -> dict[str, Any]:
    """The OpenAPI schema of such a form."""
    schema = fields.model_json_schema(ref_template="#/components/schemas/{model}")
    return {
        "type": "object",
        "required": [FILE],
        "additionalProperties": False,
        "properties": {FILE: {"type": "string", "format": "binary"}, **schema["properties"]},
    }


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
