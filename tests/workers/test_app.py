"""How the Celery application is set for each broker."""

import time
from uuid import uuid4

import pytest
from services import free_port

from optout.store.settings import Settings
from workers import dispatch
from workers.app import is_embedded, make


@pytest.fixture(autouse=True)
def _forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test leaves the process connected to its broker."""
    for name in ("_connected", "_last_look", "_quiet_until"):
        monkeypatch.setattr(dispatch, name, getattr(dispatch, name))


def test_messages_of_a_dead_worker_come_back_when_its_lease_has_run_out() -> None:
    options = make(Settings(broker_url="redis://somewhere/0", job_lease_seconds=7)).conf.broker_transport_options

    assert options["visibility_timeout"] == 7
    assert options["unacked_restore_interval"] * options["unacked_restore_throttle"] <= 2


def test_registries_that_share_a_redis_share_no_key() -> None:
    one, other = (make(Settings(broker_url="redis://somewhere/0", broker_queue=name)).conf for name in ("a", "b"))

    assert one.task_default_queue != other.task_default_queue
    assert one.broker_transport_options["global_keyprefix"] != other.broker_transport_options["global_keyprefix"]


@pytest.mark.parametrize("url", ["redis://127.0.0.1:{}/0", "amqp://guest:guest@127.0.0.1:{}//"])
def test_a_request_does_not_wait_for_a_broker_that_is_away(url: str, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(broker_url=url.format(free_port()))
    assert not is_embedded(settings)
    dispatch.connect(settings)

    began = time.monotonic()
    dispatch.nudge([uuid4()])
    dispatch.nudge([uuid4()])

    assert time.monotonic() - began < 3
    assert len([record for record in caplog.records if "nudge failed" in record.message]) == 1


def test_a_broker_that_is_back_is_nudged_again(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    dispatch.connect(settings)
    (settings.data_folder / "broker").write_text("not a folder")
    dispatch.nudge([uuid4()])
    (settings.data_folder / "broker").unlink()

    dispatch.nudge([uuid4()])
    assert not (settings.data_folder / "broker").exists()

    monkeypatch.setattr(dispatch, "_quiet_until", time.monotonic() - 1)
    dispatch.nudge([uuid4()])
    assert len(list((settings.data_folder / "broker" / settings.broker_queue).glob("*.msg"))) == 1
