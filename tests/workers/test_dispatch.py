"""From the outbox to the broker: ids only, nothing lost, nothing raised at a request."""

import io
import json
import os
import shutil
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import factories
import pytest

from optout.errors import InvalidInputError
from optout.registry import works
from optout.store import heartbeats, jobs
from optout.store.db import reading, transaction
from optout.store.models import Heartbeat
from optout.store.models.base import utc_now
from optout.store.models.jobs import Job, JobKind, JobState
from optout.store.settings import Settings
from workers import dispatch, runner, tasks
from workers.app import RUN_JOB, is_embedded, make
from workers.network import guard_for
from workers.resources import Resources


@pytest.fixture(autouse=True)
def _forgetful() -> Any:
    """No test leaves the process connected to its broker."""
    yield
    dispatch._connected = None


def messages(settings: Settings) -> list[dict[str, Any]]:
    folder = settings.data_folder / "broker" / settings.broker_queue
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.msg"))]


def promised(resources: Resources) -> str:
    with transaction(resources.sessions) as session:
        return str(jobs.enqueue(session, JobKind.PUBLISH_LOG).id)


def test_a_nudge_is_a_message_with_the_id_and_nothing_else(resources: Resources) -> None:
    job = UUID(promised(resources))
    dispatch.connect(resources.settings)

    dispatch.nudge([job])

    (message,) = messages(resources.settings)
    assert message["headers"]["task"] == RUN_JOB
    assert message["content-type"] == "application/json"
    assert str(job) in message["headers"]["argsrepr"]


def test_a_nudge_never_raises(resources: Resources, caplog: pytest.LogCaptureFixture) -> None:
    job = UUID(promised(resources))
    dispatch.nudge([job])  # not connected: the sweep moves it
    dispatch.connect(resources.settings)
    (resources.settings.data_folder / "broker").write_text("not a folder")

    dispatch.nudge([job, job])

    assert len([record for record in caplog.records if "nudge failed" in record.message]) == 1


def test_a_sweep_sends_what_is_due_and_not_what_is_leased_done_or_later(resources: Resources) -> None:
    app = make(resources.settings)
    with transaction(resources.sessions) as session:
        account = factories.make_account(session)
        found = [jobs.enqueue(session, JobKind.FINGERPRINT_WORK, f"{n}").id for n in range(4)]
        assert account
        jobs.claim_due(session, found[0])
        lease = jobs.claim_due(session, found[1])
        assert lease is not None
        jobs.finish(session, lease)
        session.get_one(Job, found[2]).due_at = utc_now() + timedelta(hours=1)

    assert dispatch.sweep(resources, app) == 1
    assert str(found[3]) in messages(resources.settings)[0]["headers"]["argsrepr"]


def test_leases_of_a_dead_worker_end_when_the_next_one_starts(resources: Resources) -> None:
    job = UUID(promised(resources))
    with transaction(resources.sessions) as session:
        assert jobs.claim_due(session, job) is not None
    assert dispatch.sweep(resources, make(resources.settings)) == 0

    with transaction(resources.sessions) as session:
        jobs.release_leases(session)

    assert dispatch.sweep(resources, make(resources.settings)) == 1


def test_cleaning_removes_old_media_without_a_work_and_nothing_else(resources: Resources) -> None:
    storage = resources.storage
    with transaction(resources.sessions) as session:
        work = factories.make_pending_work(session, factories.make_account(session))
    used = works.media_key(work.id)
    for key in (used, "media/left-over", "media/young", "incoming/broken-off", "incoming/young", "log/checkpoint"):
        storage.put(key, io.BytesIO(b"x"))
    old = time.time() - 3600 * (resources.settings.incoming_hours + 1)
    for key in (used, "media/left-over", "incoming/broken-off", "log/checkpoint"):
        os.utime(Path(resources.settings.data_folder) / "storage" / key, (old, old))

    assert dispatch.clean(resources) == 2

    left = {key for key in (used, "media/young", "incoming/young", "log/checkpoint") if storage.exists(key)}
    assert left == {used, "media/young", "incoming/young", "log/checkpoint"}
    assert not storage.exists("media/left-over")
    assert not storage.exists("incoming/broken-off")


def test_publishing_makes_every_committed_entry_public_and_settles_its_job(resources: Resources) -> None:
    with transaction(resources.sessions) as session:
        work = factories.make_work(session, factories.make_account(session))
        factories.make_claim(session, work)
        (job,) = jobs.enqueued(session)

    assert runner.run(resources, job)
    assert not runner.run(resources, job)

    size = resources.storage.get("log/checkpoint").decode().splitlines()[1]
    assert int(size) >= 1
    with resources.sessions() as session:
        assert session.get_one(Job, job).state is JobState.DONE


def test_the_task_is_the_function(resources: Resources) -> None:
    app = make(resources.settings)
    tasks.register(app, resources)
    job = promised(resources)

    app.tasks[RUN_JOB](job)

    with resources.sessions() as session:
        assert session.get_one(Job, UUID(job)).state is JobState.DONE


def test_nobody_can_run_code_through_the_broker(settings: Settings) -> None:
    conf = make(settings).conf

    assert list(conf.accept_content) == ["json"]
    assert conf.task_serializer == "json"
    assert conf.worker_enable_remote_control is False


def test_another_broker_is_used_as_it_is_named(settings: Settings) -> None:
    elsewhere = settings.model_copy(update={"broker_url": "redis://localhost:6379/0"})

    assert not is_embedded(elsewhere)
    assert make(elsewhere).conf.broker_url == "redis://localhost:6379/0"
    assert make(settings).conf.broker_url.startswith("folder://")


@pytest.mark.parametrize("pair", ["localhost:80", "127.0.0.1", "127.0.0.1:", ":80", "127.0.0.1:http"])
def test_a_misspelt_pair_of_the_settings_is_an_error(pair: str) -> None:
    with pytest.raises((ValueError, InvalidInputError)):
        guard_for([pair])


def test_pairs_of_the_settings_are_read_in_both_families() -> None:
    assert guard_for(["127.0.0.1:8080", "[::1]:81"]).allowed == {("127.0.0.1", 8080), ("::1", 81)}


def test_a_backlog_does_not_double_itself_with_every_sweep(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "_MOST_WAITING", 5)
    app = make(resources.settings)
    with transaction(resources.sessions) as session:
        for n in range(8):
            jobs.enqueue(session, JobKind.FINGERPRINT_WORK, f"{n}")

    sent = [dispatch.sweep(resources, app) for _turn in range(4)]

    assert sent == [5, 0, 0, 0]
    assert len(messages(resources.settings)) == 5


def test_a_broker_whose_folder_is_gone_is_filled_again_by_the_next_sweep(resources: Resources) -> None:
    app = dispatch.connect(resources.settings)
    jobs_promised = {promised(resources)}
    dispatch.sweep(resources, app)
    shutil.rmtree(resources.settings.data_folder / "broker")

    assert dispatch.sweep(resources, app) == 1

    (message,) = messages(resources.settings)
    assert {job for job in jobs_promised if job in message["headers"]["argsrepr"]} == jobs_promised


def test_a_sweep_leaves_word_that_it_came_by(resources: Resources) -> None:
    with reading(resources.sessions) as session:
        assert heartbeats.last_seen(session, heartbeats.SWEEP) is None

    dispatch.sweep(resources, make(resources.settings))

    with reading(resources.sessions) as session:
        assert heartbeats.last_seen(session, heartbeats.SWEEP) is not None


def test_cleaning_forgets_jobs_done_long_ago_and_the_long_dead(resources: Resources) -> None:
    with transaction(resources.sessions) as session:
        old = jobs.enqueue(session, JobKind.PUBLISH_LOG)
        lease = jobs.claim_due(session, old.id)
        assert lease is not None
        jobs.finish(session, lease, now=utc_now() - timedelta(days=resources.settings.jobs_kept_days + 1))
        heartbeats.beat(session, "dead", heartbeats.WORKER)
        session.flush()
        session.get_one(Heartbeat, "dead").seen_at = utc_now() - timedelta(days=2)

    dispatch.clean(resources)

    with reading(resources.sessions) as session:
        assert session.get(Job, old.id) is None
        assert session.get(Heartbeat, "dead") is None
