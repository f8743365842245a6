"""What an operator relies on: one id through all logs, an end in order, a broker that may be wiped, a doctor."""

import json
import shutil
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from local_servers import serving
from registry_process import RegistryProcess, registry, run, wait_for

from optout.store import db, job_lists
from optout.store.models import Job, JobState
from optout.store.settings import Settings

pytestmark = pytest.mark.flow

WORDS = "words that nobody wrote before about a broker in a kettle "


def lines(served: RegistryProcess) -> list[dict[str, Any]]:
    return [json.loads(line) for line in served.log.read_text().splitlines() if line.startswith("{")]


def register(served: RegistryProcess, key: str, text: str, request_id: str = "a-request") -> str:
    with served.http(key) as http:
        sent = {"file": ("secret-title.txt", (text * 30).encode())}
        answer = http.post("/v1/works", files=sent, headers={"X-Request-ID": request_id})
    assert answer.status_code == 202, answer.text
    assert answer.headers["x-request-id"] == request_id
    return str(answer.json()["id"])


def state(served: RegistryProcess, key: str, work: str) -> str:
    with served.http(key) as http:
        return str(http.get(f"/v1/works/{work}").json()["state"])


def jobs(data: Path) -> list[Job]:
    engine = db.engine(Settings(data_folder=data))
    try:
        with db.reading(db.sessions(engine)) as session:
            return list(job_lists.page(session, limit=100).jobs)
    finally:
        engine.dispose()


def test_one_id_leads_from_the_answer_through_the_outbox_to_the_worker(tmp_path: Path) -> None:
    with registry(tmp_path / "data", MEDIAMANAGER_LOG_FORMAT="json") as served:
        served.stop()
        served.start("--log-level", "info")
        key = served.key("creator")
        work = register(served, key, WORDS, "traced-request-1")
        wait_for(lambda: state(served, key, work) == "ready", 40)
        wait_for(lambda: [one for one in lines(served) if one["message"] == "a job is done"])

        traced = [one for one in lines(served) if one.get("request_id") == "traced-request-1"]

        assert [(one["process"], one["message"]) for one in traced] == [
            ("api", "a request was answered"),
            ("worker", "a job is done"),
        ]
        assert (traced[0]["route"], traced[0]["status"]) == ("/v1/works", 202)
        assert traced[1]["kind"] == "fingerprint_work"
        log = served.log.read_text()
        assert key not in log
        assert "secret-title" not in log


def test_a_broker_whose_folder_is_removed_in_mid_work_costs_a_sweep(tmp_path: Path) -> None:
    with registry(tmp_path / "data", MEDIAMANAGER_SWEEP_SECONDS="1") as served:
        key = served.key("creator")
        served.worker()
        works = []
        for number in range(6):
            works.append(register(served, key, f"{WORDS} {number} "))
            shutil.rmtree(served.data / "broker", ignore_errors=True)

        wait_for(lambda: {state(served, key, work) for work in works} == {"ready"}, 40)

    done = [job for job in jobs(tmp_path / "data") if job.subject in works]
    assert [(job.state, job.attempts) for job in done] == [(JobState.DONE, 1)] * 6


def test_a_request_in_flight_is_answered_before_the_end(tmp_path: Path) -> None:
    with registry(tmp_path / "data") as served:
        key = served.key("creator")
        body = json.dumps({"url": "https://example.org/fox.png"}).encode()
        head = (
            f"POST /v1/works HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", int(served.url.rpartition(":")[2])), timeout=30) as sending:
            sending.sendall(head.encode() + body[:10])
            time.sleep(0.5)
            assert served.process is not None
            served.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            assert served.process.poll() is None
            sending.sendall(body[10:])
            answered = sending.recv(65_536)

        assert answered.startswith(b"HTTP/1.1 202"), answered
        assert served.process.wait(40) == 0
    assert len(jobs(tmp_path / "data")) == 1


def test_a_job_in_flight_at_the_end_is_given_back_and_done_by_the_next_worker(tmp_path: Path) -> None:
    fetched, stopped = threading.Event(), threading.Event()
    prose = (WORDS * 30).encode()

    def slow_then_quick(connection: socket.socket) -> None:
        first = not fetched.is_set()
        fetched.set()
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(prose)}\r\n\r\n".encode() + prose[:10])
        if first:
            stopped.wait(60)
        connection.sendall(prose[10:])

    with serving({"/a.txt": slow_then_quick}) as server:
        allowed = {"MEDIAMANAGER_FETCH_ALLOWED_NETWORKS": f"127.0.0.1:{server.port}", "MEDIAMANAGER_STOP_SECONDS": "1"}
        with registry(tmp_path / "data", **allowed) as served:
            key = served.key("creator")
            served.worker()
            with served.http(key) as http:
                work = str(http.post("/v1/works", json={"url": server.url("/a.txt")}).json()["id"])
            assert fetched.wait(30)
            assert served.stop() == 0
            stopped.set()

            (given_back,) = jobs(served.data)
            assert (given_back.state, given_back.lease_until) == (JobState.WAITING, None)
            served.start()
            wait_for(lambda: state(served, key, work) == "ready", 40)


def test_the_doctor_finds_a_running_registry_well_and_names_what_is_broken(tmp_path: Path) -> None:
    with registry(tmp_path / "data") as served:
        served.worker()

        def examined() -> dict[str, str]:
            done = run("doctor", "--data", str(served.data), "--json")
            found = [json.loads(line) for line in done.stdout.splitlines()]
            assert done.returncode == (1 if "failed" in {one["grade"] for one in found} else 0), done.stdout
            return {one["check"]: one["grade"] for one in found}

        with served.http() as http:
            wait_for(lambda: all(part["state"] != "failed" and "no worker" not in str(part["reason"])
                                 for part in http.get("/readyz").json()["parts"]), 40)  # fmt: skip
        well = examined()
        assert {name: grade for name, grade in well.items() if grade not in {"ok", "warning"}} == {}
        assert well["public address"] == "ok"

        (served.data / "keys" / "promise.key").chmod(0o644)
        assert examined()["log keys"] == "failed"
