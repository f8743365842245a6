"""Reading request bodies strictly: JSON without duplicate keys or NaN, and forms with one file."""

import json
import math
from typing import Any, Final, NoReturn, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette import status
from starlette.exceptions import HTTPException
from starlette.requests import Request

M = TypeVar("M", bound=BaseModel)

JSON: Final = "application/json"
FORM: Final = "multipart/form-data"


def content_type(request: Request) -> str:
    """The media type of a request's body in lower case, without parameters; empty if it has none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def refuse_content_type(*accepted: str) -> NoReturn:
    """Answer 415 and name what is accepted."""
    raise HTTPException(
        status.HTTP_415_UNSUPPORTED_MEDIA_TYPE, f"This kind of body is not accepted here: send {' or '.join(accepted)}."
    )


def parse_json(body: bytes) -> Any:
    """Read JSON as RFC 8259 has it, and not what Python makes of it.

    Two readers may take different ones of duplicate keys: a preference that only one of them sees would be dangerous.

    Raises:
        json.JSONDecodeError: the one error that FastAPI answers as malformed JSON; it says what is wrong and where.
    """
    text = ""
    try:
        text = body.decode("utf-8")
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError:
        raise
    except UnicodeDecodeError as error:
        readable = body[: error.start].decode("utf-8")
        raise json.JSONDecodeError("it is not UTF-8", readable, len(readable)) from error
    except _RefusedError as error:
        raise json.JSONDecodeError(str(error), text, max(text.find(error.token), 0)) from error
    except RecursionError as error:
        raise json.JSONDecodeError("it is nested too deeply", text, 0) from error
    except ValueError as error:
        # Python reads no integer of more than 4,300 digits.
        raise json.JSONDecodeError("it holds a number of too many digits", text, 0) from error


def malformed(error: json.JSONDecodeError) -> RequestValidationError:
    """The error that FastAPI makes of malformed JSON, for a body that it does not read itself."""
    problem = {"type": "json_invalid", "loc": ("body", error.pos), "msg": "JSON decode error", "input": {}}
    return RequestValidationError([{**problem, "ctx": {"error": error.msg}}], body=error.doc)


def validated(model: type[M], value: object) -> M:
    """Make a wire model of parsed JSON or form fields.

    Raises:
        RequestValidationError: with one entry a field, as FastAPI itself raises it.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems = [{**problem, "loc": ("body", *problem["loc"])} for problem in error.errors(include_url=False)]
        raise RequestValidationError(problems, body=value) from error


class _RefusedError(ValueError):
    """JSON that Python would read and we do not; `token` is where in the text to point."""

    def __init__(self, message: str, token: str) -> None:
        super().__init__(message)
        self.token = token


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _RefusedError(f"the key {json.dumps(key)} stands twice in one object", json.dumps(key))
            seen.add(key)
    return made


def _no_constant(name: str) -> NoReturn:
    raise _RefusedError(f"{name} is not a JSON number", name)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _RefusedError(f"{text} is too large a number", text)
    return value
