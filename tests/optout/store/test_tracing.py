"""A request's id is sane, and follows it through the outbox."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from optout.store import jobs, tracing
from optout.store.models import JobKind


@pytest.mark.parametrize("offered", ["a1b2c3d4", "Trace.2026-11_24", "x" * 64])
def test_a_sane_id_is_taken(offered: str) -> None:
    assert tracing.accept(offered) == offered


@pytest.mark.parametrize(
    "offered", [None, "", "short", "x" * 65, "two words", "line\nend", "-leading", "é" * 10, "a;b;c;d;e"]
)
def test_any_other_gives_way_to_a_new_one(offered: str | None) -> None:
    made = tracing.accept(offered)

    assert made != offered
    assert tracing.accept(made) == made
    assert tracing.accept(offered) != made


@given(st.text())
def test_whatever_is_offered_fits_the_column_and_one_line(offered: str) -> None:
    made = tracing.accept(offered)

    assert len(made) <= tracing.MAX_LENGTH
    assert made.isascii()
    assert made.isprintable()


def test_a_promised_job_knows_the_request_that_promised_it_first(session: Session) -> None:
    with tracing.working_for("request-1"):
        job = jobs.enqueue(session, JobKind.PUBLISH_LOG)
    with tracing.working_for("request-2"):
        jobs.enqueue(session, JobKind.PUBLISH_LOG)
    lease = jobs.claim_due(session, job.id)

    assert lease is not None
    assert lease.request_id == job.request_id == "request-1"
    assert tracing.current() is None
