"""The description of the API is true: what it does not describe is neither taken nor answered."""

import json
import os
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from fingerprinting.extract import extract
from mediamanager.dependencies import Resources
from mediamanager.policy import POLICY
from optout.store.models.accounts import Role

EXAMPLES = int(os.environ.get("MEDIAMANAGER_TEST_EXAMPLES", "6"))
"""For each operation and mode with every role. More find more; 300 are for a quiet evening."""

CALLERS = [(), *((role,) for role in Role), tuple(Role)]
"""Nobody; a key of each role; and one with every role, with which what is generated always gets past the door."""

CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]


@pytest.fixture(scope="module")
def described(resources: Resources, app: FastAPI) -> Any:
    """The running application by its own description."""
    return schemathesis.openapi.from_asgi("/v1/openapi.json", app)


@pytest.mark.heavy
@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("roles", CALLERS, ids=lambda roles: "+".join(roles) or "nobody")
def test_what_is_answered_is_what_is_described(
    described: Any,
    call_as: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    mode: GenerationMode,
    roles: tuple[Role, ...],
) -> None:
    # In process: a child for each example would take minutes, and the sandbox has tests of its own.
    monkeypatch.setattr("workers.sandbox.extract", extract)
    headers = call_as(*roles).headers if roles else {}
    # Who has one role, or none, is mostly refused whatever was sent: what is sent matters less.
    examples = EXAMPLES if roles == CALLERS[-1] else max(1, EXAMPLES // 3)
    operations = [found.ok() for found in described.get_all_operations()]
    assert len(operations) > 10

    for operation in operations:
        takes_nothing = not any(True for _ in operation.iter_parameters()) and not operation.body
        if mode is GenerationMode.NEGATIVE and takes_nothing:
            continue  # what has no input has no wrong input

        @settings(
            max_examples=examples,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(operation.as_strategy(generation_mode=mode))
        def answers_as_described(case: schemathesis.Case) -> None:
            answer = case.call(headers=headers)
            case.validate_response(answer, headers=headers, checks=CHECKS)

        answers_as_described()


def test_every_operation_has_a_name_of_its_own_and_says_what_it_does(app: FastAPI) -> None:
    operations = [one for methods in app.openapi()["paths"].values() for one in methods.values()]

    names = [one["operationId"] for one in operations]
    assert sorted(names) == sorted(set(names))
    assert all(len(one["description"].split()) > 5 for one in operations)


def test_every_reference_leads_somewhere(app: FastAPI) -> None:
    described_models = app.openapi()["components"]["schemas"]

    def references(part: Any) -> set[str]:
        if isinstance(part, dict):
            own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
            return own.union(*(references(inner) for inner in part.values()))
        return set().union(*(references(inner) for inner in part)) if isinstance(part, list) else set()

    wanted = {one.removeprefix("#/components/schemas/") for one in references(app.openapi())}
    assert wanted <= set(described_models)
    assert {"Problem", "WorkByUrl", "WorkByFingerprints", "LookupRequest"} <= wanted


def test_no_field_of_a_form_is_null_as_a_form_has_no_null(app: FastAPI) -> None:
    contents = [
        operation["requestBody"]["content"]
        for methods in app.openapi()["paths"].values()
        for operation in methods.values()
        if "requestBody" in operation
    ]
    fields = [one["multipart/form-data"]["schema"]["properties"] for one in contents if "multipart/form-data" in one]

    assert len(fields) == 2
    assert {field["title"]["maxLength"] for field in fields if "title" in field} == {300}
    assert [one for one in fields if "null" in json.dumps(one)] == []


def test_every_operation_that_needs_a_key_says_so(app: FastAPI) -> None:
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            roles = POLICY[(method.upper(), path)].roles
            is_open = roles is None
            assert operation.get("x-roles", []) == sorted(roles or ())
            assert ("security" in operation) == (not is_open), path
            assert ({"401", "403"} <= set(operation["responses"])) == (not is_open), path


def test_every_problem_is_described_as_one(app: FastAPI) -> None:
    for path, methods in app.openapi()["paths"].items():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                # A readiness probe answers with what each part says, also when one has failed.
                if status >= "400" and path != "/readyz":
                    assert list(response["content"]) == ["application/problem+json"], (path, status)
