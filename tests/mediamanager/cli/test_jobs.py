"""`mediamanager jobs` shows the outbox of a data folder, and tries parked jobs again."""

import json
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from mediamanager.cli import main
from optout.store import db, job_lists, jobs, tracing
from optout.store.jobs import Retries
from optout.store.models import Job, JobKind, JobState
from optout.store.settings import Settings
from workers import dispatch

Runs = Callable[..., tuple[int, str, str]]


@pytest.fixture
def runs(settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Runs:
    monkeypatch.setattr(dispatch, "_connected", None)

    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["jobs", *words, "--data", str(settings.data_folder)])
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


def parked(sessions: sessionmaker[Session]) -> Job:
    with db.transaction(sessions) as session, tracing.working_for("request-1"):
        job = jobs.enqueue(session, JobKind.FINGERPRINT_WORK, str(uuid4()))
        lease = jobs.claim_due(session, job.id)
        assert lease is not None
        jobs.fail(session, lease, code="sandbox-unavailable", sentence="[busy]", retries=Retries(attempts=1))
        return job


def state(sessions: sessionmaker[Session], job: Job) -> JobState:
    with db.reading(sessions) as session:
        return job_lists.get(session, job.id).state


def messages(settings: Settings) -> str:
    return "".join(path.read_text() for path in (settings.data_folder / "broker").rglob("*.msg"))


def test_a_list_shows_each_job_with_its_reason(runs: Runs, live_sessions: sessionmaker[Session]) -> None:
    job = parked(live_sessions)
    with db.transaction(live_sessions) as session:
        jobs.enqueue(session, JobKind.PUBLISH_LOG)

    _status, table, _error = runs("list")
    status, lines, _error = runs("list", "--state", "parked", "--json")

    assert str(job.id) in table
    assert "sandbox-unavailable: [busy]" in table
    (line,) = [json.loads(one) for one in lines.splitlines()]
    assert status == 0
    assert (line["job"], line["state"], line["error_code"]) == (str(job.id), "parked", "sandbox-unavailable")
    assert line["request_id"] == "request-1"


def test_an_empty_list_says_so_and_a_short_one_says_how_much_is_left(
    runs: Runs, live_sessions: sessionmaker[Session]
) -> None:
    assert runs("list")[1] == "No jobs yet.\n"
    for _ in range(3):
        parked(live_sessions)

    assert "2 of 3" in runs("list", "--limit", "2")[1]
    assert runs("list", "--kind", "publish_log")[1] == "No such jobs.\n"


def test_one_job_is_shown_with_everything(runs: Runs, live_sessions: sessionmaker[Session]) -> None:
    job = parked(live_sessions)

    shown = runs("show", str(job.id))[1]

    assert "request-1" in shown
    assert json.loads(runs("show", str(job.id), "--json")[1])["attempts"] == 1


def test_a_job_that_is_not_there_is_one_line(runs: Runs, live_engine: Engine) -> None:
    status, _out, error = runs("show", str(uuid4()))

    assert (status, error.count("\n")) == (2, 1)
    assert "there is no job" in error


def test_a_parked_job_is_replayed_and_the_worker_is_told(
    runs: Runs, live_sessions: sessionmaker[Session], settings: Settings
) -> None:
    one, other = parked(live_sessions), parked(live_sessions)

    status, printed, _error = runs("replay", str(one.id))

    assert (status, printed) == (0, "tried again: 1\n")
    assert (state(live_sessions, one), state(live_sessions, other)) == (JobState.WAITING, JobState.PARKED)
    assert str(one.id) in messages(settings)


def test_all_parked_jobs_are_replayed(runs: Runs, live_sessions: sessionmaker[Session]) -> None:
    found = [parked(live_sessions) for _ in range(3)]

    lines = runs("replay", "--state", "parked", "--json")[1].splitlines()

    assert [json.loads(line)["state"] for line in lines] == ["waiting"] * 3
    assert {state(live_sessions, job) for job in found} == {JobState.WAITING}
    assert runs("replay", "--state", "parked")[1] == "No job is parked.\n"


def test_a_job_that_is_not_parked_stops_the_whole_replay(runs: Runs, live_sessions: sessionmaker[Session]) -> None:
    job = parked(live_sessions)
    with db.transaction(live_sessions) as session:
        waiting = jobs.enqueue(session, JobKind.PUBLISH_LOG)

    status, _out, error = runs("replay", str(job.id), str(waiting.id))

    assert status == 2
    assert "only a parked job" in error
    assert state(live_sessions, job) is JobState.PARKED


@pytest.mark.parametrize("words", [[], ["--state", "done"], [str(uuid4()), "--state", "parked"], ["not-an-id"]])
def test_a_replay_that_names_nothing_or_too_much_is_wrong_usage(
    runs: Runs, live_engine: Engine, words: list[str]
) -> None:
    assert runs("replay", *words)[0] == 64


def test_a_setting_that_can_not_be_used_is_named_without_its_value(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MEDIAMANAGER_JOB_ATTEMPTS", "s3cr3t")

    status, _out, error = runs("list")

    assert status == 64
    assert "MEDIAMANAGER_JOB_ATTEMPTS" in error
    assert "s3cr3t" not in error
