"""The processes of `mediamanager serve`: what dies is started again, and nothing outlives its parent."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pausing import pause
from registry_process import (
    COMMAND,
    RegistryProcess,
    children,
    clean_environment,
    descendants,
    is_gone,
    registry,
    run,
    wait_for,
)

pytestmark = pytest.mark.flow


def upload(served: RegistryProcess, key: str, text: str) -> str:
    with served.http(key) as http:
        answered = http.post("/v1/works", files={"file": ("a.txt", text.encode())})
    assert answered.status_code == 202, answered.text
    return str(answered.json()["id"])


def state(served: RegistryProcess, key: str, work: str) -> str:
    with served.http(key) as http:
        return str(http.get(f"/v1/works/{work}").json()["state"])


def test_a_worker_that_dies_is_started_again_and_its_work_is_done(tmp_path: Path) -> None:
    with registry(tmp_path / "data") as served:
        key = served.key("creator")
        first = served.worker()
        pause(first, served.data)
        work = upload(served, key, "words that wait for a worker " * 30)
        os.kill(first, signal.SIGKILL)

        wait_for(lambda: state(served, key, work) == "ready", 40)
        assert served.worker() != first


def test_a_broker_that_is_wiped_costs_one_sweep(tmp_path: Path) -> None:
    with registry(tmp_path / "data", MEDIAMANAGER_SWEEP_SECONDS="1") as served:
        key = served.key("creator")
        worker = served.worker()
        broker = served.data / "broker" / "mediamanager"
        wait_for(broker.is_dir)
        pause(worker, served.data)
        work = upload(served, key, "words that no message tells of " * 30)
        for message in broker.iterdir():
            message.unlink()
        assert state(served, key, work) == "pending"
        os.kill(worker, signal.SIGCONT)

        wait_for(lambda: state(served, key, work) == "ready", 30)


def test_when_the_registry_is_killed_nothing_of_it_lives_on(tmp_path: Path) -> None:
    with registry(tmp_path / "data") as served:
        served.worker()
        below = descendants(served.pid)
        assert below
        served.kill()

        wait_for(lambda: all(is_gone(pid) for pid in below), 20)


def test_it_stops_in_order_when_told_to(tmp_path: Path) -> None:
    with registry(tmp_path / "data") as served:
        served.worker()
        below = descendants(served.pid)

        assert served.stop() == 0
        assert all(is_gone(pid) for pid in below)
        assert "Traceback" not in served.log.read_text()


def test_ctrl_c_stops_it_too(tmp_path: Path) -> None:
    with registry(tmp_path / "data") as served:
        served.worker()
        assert served.process is not None
        served.process.send_signal(signal.SIGINT)

        assert served.process.wait(30) == 130
        assert "Traceback" not in served.log.read_text()


def test_a_second_registry_on_the_same_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    with (tmp_path / "serve.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as the first one holds it
        second = run("serve", "--data", str(tmp_path), "--port", "0")

    assert second.returncode == 2
    assert second.stderr.startswith("error: another registry already serves")
    assert len(second.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["serve.lock"]


def test_a_port_in_use_is_one_line_and_writes_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", "--data", str(tmp_path / "data"), "--port", str(port))

    assert done.returncode == 2
    assert f"can't listen on 127.0.0.1:{port}" in done.stderr
    assert not (tmp_path / "data").exists()


def test_the_sign_in_link_is_good_once_and_leads_to_the_pages(served: RegistryProcess) -> None:
    with served.http() as http:
        path = served.sign_in.removeprefix(served.url)
        headers = {"Origin": served.url}

        assert http.get(path).status_code == 200
        assert http.post(path, headers=headers).status_code == 303
        assert http.get("/works").status_code == 200
        assert http.post(path, headers=headers).status_code == 401


def test_a_worker_without_a_parent_ends(tmp_path: Path) -> None:
    """The second way, for systems whose kernel does not tell: the end of the pipe."""
    order = {"parent": os.getpid(), "log_level": "INFO", "settings": {"data_folder": str(tmp_path / "data")}}
    prepared = run("keys", "list", "--data", str(tmp_path / "data"))
    assert prepared.returncode == 0, prepared.stderr
    worker = subprocess.Popen(
        [sys.executable, "-m", "workers.embedded"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=Path(COMMAND[0]).parent,
        env=clean_environment({"PYTHONPATH": os.pathsep.join(sys.path)}),
    )
    assert worker.stdin is not None
    assert worker.stderr is not None
    worker.stdin.write(json.dumps(order).encode() + b"\n")
    worker.stdin.flush()
    wait_for(lambda: b"ready" in worker.stderr.readline(), 30)  # type: ignore[union-attr]
    worker.stdin.close()

    assert worker.wait(20) == 0
    worker.stderr.close()
    assert not children(worker.pid)
