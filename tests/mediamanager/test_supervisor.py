"""The supervisor: a worker that keeps dying is started again, each time later, and stopping is prompt."""

import itertools
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mediamanager import supervisor
from mediamanager.supervisor import Supervisor
from optout.store.settings import Settings


def instead(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(supervisor, "_COMMAND", (sys.executable, "-c", program))


def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_worker_that_dies_at_once_is_started_again_with_growing_pauses(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervisor, "_FIRST_WAIT_SECONDS", 0.05)
    instead(monkeypatch, f"import time; open({str(tmp_path / 'starts')!r}, 'a').write(f'{{time.monotonic()}}\\n')")
    watched = Supervisor(settings)
    watched.start()
    until(lambda: watched.starts >= 4)
    watched.stop()

    moments = [float(line) for line in (tmp_path / "starts").read_text().split()]
    pauses = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert pauses[2] > 0.3  # 0.1, 0.2, 0.4 and what a start takes


def test_settings_reach_the_worker_through_the_pipe_and_not_its_command_line(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    instead(
        monkeypatch,
        f"import sys; line = sys.stdin.readline(); open({str(told)!r}, 'w').write(line); sys.stdin.read()",
    )
    watched = Supervisor(settings, log_level="ERROR")
    watched.start()
    until(lambda: told.exists() and told.read_text().endswith("\n"))
    pid = watched.worker_pid
    assert pid is not None
    shown = Path(f"/proc/{pid}/cmdline").read_text() + Path(f"/proc/{pid}/environ").read_text()
    watched.stop()

    order = json.loads(told.read_text())
    assert Settings(**order["settings"]) == settings
    assert order["log_level"] == "ERROR"
    assert str(settings.data_folder) not in shown
    assert watched.worker_pid is None


def test_a_worker_that_does_not_stop_is_killed(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervisor, "GRACE_SECONDS", 0.3)
    instead(monkeypatch, "import time; time.sleep(60)")
    watched = Supervisor(settings.model_copy(update={"stop_seconds": 0}))
    watched.start()
    until(lambda: watched.worker_pid is not None)

    watched.stop()

    assert watched.worker_pid is None
    assert "did not stop in time" in caplog.text


def test_a_program_that_is_missing_is_tried_again_and_can_be_stopped(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervisor, "_COMMAND", ("/nonexistent/python",))
    watched = Supervisor(settings)
    watched.start()
    until(lambda: "could not be started" in caplog.text)

    watched.stop()

    assert watched.starts == 0
