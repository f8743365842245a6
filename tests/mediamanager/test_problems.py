"""Every error has a status; every answer is RFC 9457; what is ours to mend says nothing but an id."""

import importlib
import logging
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.testclient import TestClient

import fingerprinting
import mediamanager
import optout
import workers
from fingerprinting.errors import CorruptIndexError, FingerprintingError, LimitExceededError
from mediamanager import problems
from mediamanager.problems import LastResort
from mediamanager.remedies import MAX_SHOWN, field_problems
from mediamanager.schemas.problems import Problem
from optout.errors import ConflictError, InvalidInputError, NotAuthenticatedError, OptoutError
from workers.errors import SandboxBusyError


def all_subclasses(base: type[Exception]) -> Iterator[type[Exception]]:
    for kind in base.__subclasses__():
        yield kind
        yield from all_subclasses(kind)


@pytest.fixture(scope="module")
def every_module() -> None:
    """Load all of the product, so that no error class is overlooked."""
    for package in (fingerprinting, optout, workers, mediamanager):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__") and ".migrations." not in module.name:
                importlib.import_module(module.name)


@pytest.fixture
def domain_errors(every_module: None) -> list[type[Exception]]:
    return [
        kind
        for base in (OptoutError, FingerprintingError)
        for kind in all_subclasses(base)
        if kind.__module__.partition(".")[0] in {"fingerprinting", "optout", "workers", "mediamanager"}
    ]


def test_every_domain_error_has_a_status(domain_errors: list[type[Exception]]) -> None:
    on_the_surface = {kind for kind in domain_errors if not kind.__module__.startswith("mediamanager.")}

    assert on_the_surface == set(problems.STATUS)


def test_every_error_code_is_of_one_error_only(domain_errors: list[Any]) -> None:
    codes = [kind.code for kind in domain_errors]

    assert sorted(codes) == sorted(set(codes))


def test_every_status_can_be_documented() -> None:
    assert set(problems.documented(*problems.STATUS.values())) == set(problems.STATUS.values())


def test_an_error_of_a_new_kind_answers_like_its_base() -> None:
    class VeryInvalidError(InvalidInputError):
        code = "very-invalid"

    class StrangeError(OptoutError):
        code = "strange"

    assert problems.status_of(VeryInvalidError("x")) == 422
    assert problems.status_of(StrangeError("x")) == 500


def broken(error: Exception) -> TestClient:
    """An application whose only route fails."""
    app = FastAPI()
    problems.install(app)
    app.add_middleware(LastResort)

    @app.get("/")
    def fail() -> None:
        raise error

    return TestClient(app)


def test_a_domain_error_says_its_sentence_its_field_and_its_parameters() -> None:
    answer = broken(InvalidInputError("The title is too long: shorten it.", field="title", max_length=300)).get("/")

    problem = Problem.model_validate_json(answer.content)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (problem.type, problem.title) == ("urn:mediamanager:problem:invalid-input", "Invalid input")
    assert (problem.status, problem.detail) == (422, "The title is too long: shorten it.")
    assert [(one.field, one.message) for one in problem.errors] == [("title", problem.detail)]
    assert problem.parameters == {"field": "title", "max_length": 300}


@pytest.mark.parametrize(
    ("error", "status"),
    [(ConflictError("x"), 409), (NotAuthenticatedError("x"), 401), (LimitExceededError("x"), 413)],
)
def test_the_table_decides_the_status(error: Exception, status: int) -> None:
    answer = broken(error).get("/")

    assert (answer.status_code, "www-authenticate" in answer.headers) == (status, status == 401)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ZeroDivisionError("secret"), 500, "internal-error"),
        (CorruptIndexError("secret"), 503, "corrupt-index"),
        (OperationalError("SELECT secret", {}, Exception("secret")), 503, "storage-unavailable"),
        (PoolTimeoutError("secret"), 503, "storage-unavailable"),
    ],
)
def test_what_is_ours_to_mend_is_logged_and_not_told(
    error: Exception, status: int, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "mediamanager.problems"):
        answer = broken(error).get("/")

    problem = answer.json()
    [record] = caplog.records
    assert (answer.status_code, problem["code"]) == (status, code)
    assert "secret" not in answer.text
    assert problem["instance"] == f"urn:uuid:{record.__dict__['problem_id']}"
    assert record.exc_info is not None
    assert record.exc_info[1] is error
    assert ("retry-after" in answer.headers) == (status == 503)


def test_a_crowd_is_told_to_come_back_and_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    answer = broken(SandboxBusyError("busy")).get("/")

    assert (answer.status_code, answer.json()["code"]) == (503, "decoders-busy")
    assert "retry-after" in answer.headers
    assert caplog.records == []


@pytest.mark.parametrize(("method", "path", "status"), [("get", "/nowhere", 404), ("delete", "/", 405)])
def test_what_http_itself_refuses_is_a_problem_too(method: str, path: str, status: int) -> None:
    answer = broken(ValueError()).request(method, path)

    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("allow" in answer.headers) == (status == 405)


def test_an_error_after_the_answer_began_is_not_hidden() -> None:
    async def half(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        TestClient(LastResort(half)).get("/")


def test_a_batch_that_is_wrong_in_every_row_shows_the_first_hundred() -> None:
    errors = [
        {"type": "missing", "loc": ("body", "assets", row, "url"), "msg": "m", "input": None} for row in range(500)
    ]

    shown = field_problems(errors)

    assert len(shown) == MAX_SHOWN
    assert shown[3].field == "assets.3.url"


def test_a_long_or_secret_value_is_never_repeated() -> None:
    error = {"type": "enum", "loc": ("body", "use"), "msg": "m", "input": "x" * 500, "ctx": {"expected": "'a'"}}

    assert field_problems([error])[0].message == "This is not known: use 'a'."


def test_a_kind_of_error_without_a_sentence_of_ours_keeps_pydantics() -> None:
    error = {"type": "new_in_pydantic", "loc": ("query", "limit"), "msg": "Should be prime", "input": 4}

    [shown] = field_problems([error])

    assert (shown.field, shown.message, shown.code) == ("limit", "Should be prime.", "new-in-pydantic")


def test_a_request_that_is_wrong_at_several_places_names_them_all() -> None:
    errors = [
        {"type": "missing", "loc": ("body", "assets"), "msg": "m", "input": None},
        {"type": "extra_forbidden", "loc": ("body", "asset"), "msg": "m", "input": []},
    ]

    answer = broken(RequestValidationError(errors)).get("/").json()

    assert [one["field"] for one in answer["errors"]] == ["assets", "asset"]
    assert answer["detail"] == "assets: This is missing: add it. (1 more under errors)"
