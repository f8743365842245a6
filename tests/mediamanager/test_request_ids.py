"""A request's id is in its answer, in its lines of the log, and in the jobs that it promised; its path is nowhere."""

import logging
import re
from collections.abc import Iterator
from uuid import UUID

import factories
import pytest
from starlette.testclient import TestClient

from mediamanager.app import create_app
from optout.store import db, tracing
from optout.store.models import Job
from optout.store.models.accounts import Role
from optout.store.settings import Settings


@pytest.fixture
def client(built: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(built)) as made:
        yield made


@pytest.fixture
def secret(client: TestClient) -> str:
    with db.transaction(client.app.state.resources.sessions) as session:  # type: ignore[attr-defined]
        return factories.make_key(session, factories.make_account(session), Role.CREATOR)[1]


class Noting(logging.Handler):
    """Keeps records with the request that they were made for."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str | None, logging.LogRecord]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append((tracing.current(), record))


@pytest.fixture
def noted(caplog: pytest.LogCaptureFixture) -> Iterator[list[tuple[str | None, logging.LogRecord]]]:
    logger, handler = logging.getLogger("mediamanager.request_ids"), Noting()
    logger.addHandler(handler)
    caplog.set_level(logging.INFO, logger.name)
    yield handler.found
    logger.removeHandler(handler)


def test_a_sane_id_comes_back_and_a_strange_one_is_replaced(client: TestClient) -> None:
    sane = client.get("/healthz", headers={"X-Request-ID": "from-the-proxy.1"}).headers["x-request-id"]
    strange = [
        client.get("/healthz", headers={"X-Request-ID": offered}).headers["x-request-id"]
        for offered in ("", "a b", "x" * 65, "<script>")
    ]

    assert sane == "from-the-proxy.1"
    assert all(re.fullmatch("[0-9a-f]{32}", made) for made in strange)
    assert len(set(strange)) == 4


@pytest.mark.parametrize("path", ["/nothing", "/v1/works", "/v1/nothing"])
def test_refusals_have_one_too(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"X-Request-ID": "refused-1"})

    assert answer.status_code >= 400
    assert answer.headers["x-request-id"] == "refused-1"


def test_the_line_about_a_request_names_its_route_and_not_its_path(
    client: TestClient, noted: list[tuple[str | None, logging.LogRecord]]
) -> None:
    client.get("/sign-in/link/s3cr3t?q=title", headers={"X-Request-ID": "request-9"})

    ((request_id, record),) = noted
    assert request_id == "request-9"
    assert record.__dict__["route"] == "/sign-in/link/{token}"
    assert record.__dict__["status"] == 200
    assert record.__dict__["ms"] > 0
    assert "s3cr3t" not in str(vars(record))
    assert "title" not in str(vars(record))


def test_a_job_carries_the_id_of_the_request_that_promised_it(client: TestClient, secret: str) -> None:
    headers = {"Authorization": f"Bearer {secret}", "X-Request-ID": "registering-1"}

    made = client.post("/v1/works", headers=headers, json={"url": "https://example.org/a.png"}).json()

    with db.reading(client.app.state.resources.sessions) as session:  # type: ignore[attr-defined]
        (job,) = session.query(Job).all()
    assert (UUID(made["id"]), job.request_id) == (UUID(job.subject), "registering-1")
