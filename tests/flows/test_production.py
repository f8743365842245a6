"""The commands of compose.yaml, run natively: PostgreSQL, Redis and S3, two APIs, two workers, one beat."""

import hashlib
import json
import re
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import compose
import pytest
import services
from production import Process, Production, production
from registry_process import run

pytestmark = pytest.mark.flow

TEXT = "\n".join(
    f"{n} ferries carry {n * 3} lanterns past the quiet lighthouse before the autumn fog" for n in range(40)
)


@pytest.fixture(scope="module")
def environment(
    tmp_path_factory: pytest.TempPathFactory,
    postgresql_server: services.PostgreSql,
    object_store: services.ObjectStore,
) -> Iterator[dict[str, str]]:
    """The environment of compose.yaml, with the servers of this machine in place of its services."""
    folder = tmp_path_factory.mktemp("production")
    name = f"mediamanager_test_{secrets.token_hex(6)}"
    with ExitStack() as stack:
        redis_url = stack.enter_context(services.redis_server(folder))
        given = {
            "POSTGRES_PASSWORD": "unused-where-everyone-is-trusted",
            "REDIS_PASSWORD": redis_url.partition("@")[0].rpartition(":")[2],
            "S3_ACCESS_KEY_ID": object_store.access_key_id,
            "S3_SECRET_ACCESS_KEY": object_store.secret_access_key,
            "MASTER_KEY": secrets.token_hex(32),
            "PUBLIC_URL": "https://registry.example.org",
            "LOG_ORIGIN": "registry.example.org/log1",
            "OPERATOR_NAME": "Example",
        }
        postgresql_server.create(name)
        stack.callback(postgresql_server.drop, name)
        local = {
            r"^postgresql://.*/mediamanager$": postgresql_server.url_of(name),
            r"@redis:6379": f"@{redis_url.partition('@')[2].partition('/')[0]}",
            r"^http://s3:8333$": object_store.url,
            r"^s3://mediamanager/": f"s3://production-{secrets.token_hex(4)}/",
            r"^/data$": str(folder / "data"),
        }
        yield {
            variable: _replaced(str(value), local)
            for variable, value in compose.read(given)["services"]["api"]["environment"].items()
        }


def _replaced(value: str, local: dict[str, str]) -> str:
    for pattern, instead in local.items():
        value = re.sub(pattern, instead, value)
    return value


def command(service: str) -> list[str]:
    """The command of a service, but for its port and its ready file, which each process here has of its own."""
    words = compose.read(dict.fromkeys(compose.required(), "x"))["services"][service]["command"]
    kept = [word for at, word in enumerate(words) if "--ready-file" not in {word, words[at - 1]}]
    return ["0" if at and kept[at - 1] == "--port" else word for at, word in enumerate(kept)]


@pytest.fixture(scope="module")
def served(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    with production(tmp_path_factory.mktemp("processes"), environment) as made:
        yield made


def ask(api: Process, key: str) -> str:
    with api.http(key) as http:
        body = {"assets": [{"sha256": hashlib.sha256(TEXT.encode()).hexdigest()}], "use": "train-genai"}
        return str(http.post("/v1/lookups", json=body).json()["verdicts"][0]["verdict"])


def test_nothing_starts_before_the_migration(served: Production) -> None:
    refused = run(*command("worker"), **served.environment)

    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1].startswith(
        "error: the database is not up to date: run `mediamanager migrate`"
    )
    assert "Traceback" not in refused.stderr


def test_the_main_job_with_two_apis_and_two_workers(served: Production, tmp_path: Path) -> None:
    served.migrate(*command("migrate"))
    started = [served.start(*command(name)) for name in ("api", "api", "worker", "worker", "beat")]
    creator, pipeline = served.key("creator"), served.key("pipeline")
    first, second, one_worker, other_worker, beat = [process.wait() for process in started]
    work = tmp_path / "work.txt"
    work.write_text(TEXT)

    at_first, at_second = (("--registry", api.url, "--key", creator) for api in (first, second))
    done = run("register", str(work), "--prefer", "train-ai=disallowed", *at_first, "--json")
    assert done.returncode == 0, done.stdout + done.stderr + served.logs()
    said = json.loads(done.stdout)
    assert said["state"] == "ready"

    for api in (first, second):
        with api.http() as http:
            assert http.get("/readyz").json()["status"] == "ok", http.get("/readyz").text
        assert ask(api, pipeline) == "disallowed"

    receipt = tmp_path / "receipt.json"
    kept = run("claims", "receipt", said["claim"], *at_second, "--output", str(receipt))
    assert kept.returncode == 0, kept.stderr
    verified = run("audit", "verify", second.url, "--receipt", str(receipt))
    assert verified.returncode == 0, verified.stdout + verified.stderr

    # One API and one worker gone: the registry goes on, and what one process writes every other one sees.
    first.kill()
    one_worker.kill()
    withdrawn = run("claims", "withdraw", said["claim"], *at_second, "--json")
    assert json.loads(withdrawn.stdout)["state"] == "withdrawn"
    assert ask(second, pipeline) == "unknown"

    assert [process.stop() for process in (second, other_worker, beat)] == [0, 0, 0]
    assert "Traceback" not in served.logs()
    assert_no_secret_is_told(served)


def test_migrating_again_changes_nothing_and_another_machine_needs_the_keys(served: Production, tmp_path: Path) -> None:
    again = run(*command("migrate"), **served.environment)
    assert again.returncode == 0, again.stderr
    assert "is there" in again.stdout

    elsewhere = run(*command("migrate"), **{**served.environment, "MEDIAMANAGER_DATA_FOLDER": str(tmp_path)})
    assert elsewhere.returncode == 2
    assert "bring them back" in elsewhere.stderr

    keys = Path(served.environment["MEDIAMANAGER_DATA_FOLDER"]) / "keys"
    as_text = {
        "MEDIAMANAGER_DATA_FOLDER": str(tmp_path),
        "MEDIAMANAGER_LOG_KEY": (keys / "log.key").read_text(),
        "MEDIAMANAGER_PROMISE_KEY": (keys / "promise.key").read_text(),
    }
    given = run(*command("migrate"), **{**served.environment, **as_text})
    assert given.returncode == 0, given.stderr
    assert not (tmp_path / "keys").exists()


def assert_no_secret_is_told(served: Production) -> None:
    told = served.logs()
    for name in ("MEDIAMANAGER_MASTER_KEY", "MEDIAMANAGER_S3_SECRET_ACCESS_KEY"):
        assert served.environment[name] not in told
    assert served.environment["MEDIAMANAGER_BROKER_URL"].partition("@")[0].rpartition(":")[2] not in told
