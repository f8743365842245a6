"""Real servers for tests: PostgreSQL, Redis, RabbitMQ and an S3-compatible store, running ones or ones of our own.

A server of our own lies in a temporary folder, listens on a free local port, keeps nothing safe from a power cut, and
ends with the test run. Where the tests run as root, PostgreSQL and RabbitMQ refuse to: they run as `nobody` then.
`MEDIAMANAGER_TEST_POSTGRESQL_URL` and `MEDIAMANAGER_TEST_AMQP_URL` name servers to use. Else PostgreSQL is our own if
it is installed, because a running one waits for its disk at each of hundreds of databases that are made and dropped;
of RabbitMQ, which takes long to start, the one on its usual local port is tried first, unless
`MEDIAMANAGER_TEST_OWN_SERVERS=1` is set.
"""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import amqp
import boto3
import psycopg
import pytest_socket
import redis
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from psycopg import sql

POSTGRESQL = "MEDIAMANAGER_TEST_POSTGRESQL_URL"
AMQP = "MEDIAMANAGER_TEST_AMQP_URL"
OWN_SERVERS = "MEDIAMANAGER_TEST_OWN_SERVERS"

_LOCAL_POSTGRESQL = "postgresql://postgres@127.0.0.1:5432/postgres"
_LOCAL_AMQP = "amqp://guest:guest@127.0.0.1:5672//"
_PATIENCE_SECONDS = 60.0
_OTHER_USER = "nobody"


@dataclass(frozen=True)
class PostgreSql:
    """A server on which databases can be made. `url` leads to its maintenance database."""

    url: str

    def create(self, name: str, *, template: str = "template0") -> str:
        """An empty database, or a copy of another one that nobody is connected to; its URL."""
        command = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(command)
        return self.url_of(name)

    def url_of(self, name: str) -> str:
        """The URL of a database on this server."""
        return f"{self.url.rpartition('/')[0]}/{name}"

    def drop(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@dataclass(frozen=True)
class ObjectStore:
    """An S3-compatible server and the key to it."""

    url: str
    access_key_id: str
    secret_access_key: str


@contextlib.contextmanager
def postgresql(folder: Path) -> Iterator[PostgreSql]:
    """The server that the environment names, one of our own, or the local one where PostgreSQL is not installed."""
    pytest_socket.enable_socket()
    if named := os.environ.get(POSTGRESQL):
        yield PostgreSql(named)
        return
    programs = _postgresql_programs()
    if programs is None:
        assert _makes_databases(_LOCAL_POSTGRESQL), "PostgreSQL is not installed; `./run test` installs it"
        yield PostgreSql(_LOCAL_POSTGRESQL)
        return
    port, data = free_port(), folder / "postgresql"
    data.mkdir()
    _give_away(data)
    made = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    subprocess.run(made, check=True, capture_output=True, cwd="/", **_as_other_user())
    quick = [word for name in ("fsync", "synchronous_commit", "full_page_writes") for word in ("-c", f"{name}=off")]
    command = [programs / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", data, *quick]
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    # "Immediate" shutdown: whoever is still connected is cut off, and nothing is written for a next start.
    with _running(command, folder / "postgresql.log", lambda: _makes_databases(url), stop=signal.SIGQUIT, other=True):
        yield PostgreSql(url)


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """A Redis of our own that keeps nothing and wants a password; its URL."""
    pytest_socket.enable_socket()
    port, password = free_port(), secrets.token_hex(8)
    command = [_program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder),
               "--requirepass", password]  # fmt: skip
    url = f"redis://:{password}@127.0.0.1:{port}/0"

    def answers() -> bool:
        with contextlib.suppress(redis.RedisError), contextlib.closing(redis.Redis.from_url(url)) as client:
            return bool(client.ping())
        return False

    with _running(command, folder / "redis.log", answers):
        yield url


@contextlib.contextmanager
def rabbitmq(folder: Path) -> Iterator[str]:
    """The URL of the server that the environment names, of the local one, or of one of our own."""
    pytest_socket.enable_socket()
    named = os.environ.get(AMQP)
    if named or (not os.environ.get(OWN_SERVERS) and _speaks_amqp(_LOCAL_AMQP)):
        yield named or _LOCAL_AMQP
        return
    (port, distribution, mapper), data = free_ports(3), folder / "rabbitmq"
    data.mkdir()
    _give_away(data)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(data),
        "RABBITMQ_NODENAME": f"test-{secrets.token_hex(4)}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(distribution),
        "ERL_EPMD_PORT": str(mapper),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_MNESIA_BASE": str(data),
        "RABBITMQ_LOG_BASE": str(data),
        "RABBITMQ_PID_FILE": str(data / "pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(data / "enabled_plugins"),
        "RABBITMQ_CONF_ENV_FILE": str(data / "none"),
        "RABBITMQ_CONFIG_FILE": str(data / "none"),
    }
    url = f"amqp://guest:guest@127.0.0.1:{port}//"
    command = [_program("rabbitmq-server", "/usr/lib/rabbitmq/bin/rabbitmq-server")]
    log = folder / "rabbitmq.log"
    with _running(command, log, lambda: _speaks_amqp(url), environment=environment, other=True):
        yield url


@contextlib.contextmanager
def object_store(folder: Path) -> Iterator[ObjectStore]:
    """SeaweedFS with its S3 gateway, and a key that it was given."""
    pytest_socket.enable_socket()
    data = folder / "objects"
    data.mkdir(exist_ok=True)
    names = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc",
             "filer.port", "filer.port.grpc", "s3.port.grpc", "s3.port")  # fmt: skip
    ports = free_ports(len(names))
    listening = [f"-{name}={port}" for name, port in zip(names, ports, strict=True)]
    made = ObjectStore(f"http://127.0.0.1:{ports[-1]}", "test-key", secrets.token_hex(16))
    command = [
        Path(sys.executable).with_name("weed"), "-logtostderr=true", "server", f"-dir={data}", "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1", "-filer", f"-filer.localSocket={folder / 'filer'}", "-s3", "-s3.port.iceberg=0",
        "-s3.port.lance=0", "-s3.autoCreateBucket=false", "-volume.max=1000", "-volume.preStopSeconds=0",
        "-master.volumeSizeLimitMB=100", *listening,
    ]  # fmt: skip
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "AWS_ACCESS_KEY_ID": made.access_key_id,
        "AWS_SECRET_ACCESS_KEY": made.secret_access_key,
    }
    # It would take a quarter of a minute to end in order.
    log, kill = folder / "objects.log", signal.SIGKILL
    with _running(command, log, lambda: _stores(made), environment=environment, stop=kill):
        yield made


def free_port() -> int:
    """A port that nobody listens on."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, each another: drawn one after the other, two of them may be the same."""
    with contextlib.ExitStack() as held:
        listeners = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(listener.getsockname()[1]) for listener in listeners]


@contextlib.contextmanager
def _running(
    command: list[str | Path],
    log: Path,
    answers: Callable[[], bool],
    *,
    environment: dict[str, str] | None = None,
    stop: signal.Signals = signal.SIGTERM,
    other: bool = False,
) -> Iterator[None]:
    """A server in a session of its own, from when it answers to the end of the block."""
    with log.open("ab") as said:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env=environment,
            cwd="/",
            start_new_session=True,
            **(_as_other_user() if other else {}),
        )
    try:
        until = time.monotonic() + _PATIENCE_SECONDS
        while not answers():
            assert process.poll() is None, f"{command[0]} ended:\n{log.read_text(errors='replace')[-4000:]}"
            assert time.monotonic() < until, f"{command[0]} does not answer:\n{log.read_text(errors='replace')[-4000:]}"
            time.sleep(0.05)
        yield
    finally:
        process.send_signal(stop)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)


def _program(name: str, *elsewhere: str) -> str:
    for place in elsewhere:
        if Path(place).exists():
            return place
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    assert found, f"{name} is not installed; `./run test` installs it"
    return found


def _postgresql_programs() -> Path | None:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if versions:
        return versions[-1].parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def _as_other_user() -> dict[str, Any]:
    if os.getuid() != 0:
        return {}
    other = pwd.getpwnam(_OTHER_USER)
    return {"user": other.pw_uid, "group": other.pw_gid, "extra_groups": ()}


def _give_away(folder: Path) -> None:
    """Let the other user into a folder, and through those above it that pytest made for us alone."""
    if os.getuid() != 0:
        return
    os.chown(folder, pwd.getpwnam(_OTHER_USER).pw_uid, -1)
    for above in folder.parents:
        if above.stat().st_uid == 0 and not above.stat().st_mode & 0o001:
            above.chmod(above.stat().st_mode | 0o011)


def _makes_databases(url: str) -> bool:
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url, connect_timeout=2) as connection:
        may = connection.execute("SELECT rolcreatedb FROM pg_roles WHERE rolname = current_user").fetchone()
        return bool(may and may[0])
    return False


def _speaks_amqp(url: str) -> bool:
    user, _, rest = url.removeprefix("amqp://").partition(":")
    password, _, place = rest.partition("@")
    with contextlib.suppress(OSError, amqp.AMQPError):
        connection = amqp.Connection(place.partition("/")[0], userid=user, password=password, connect_timeout=2)
        connection.connect()
        connection.close()
        return True
    return False


def _stores(store: ObjectStore) -> bool:
    with contextlib.suppress(BotoCoreError, ClientError):
        client = boto3.client(
            "s3",
            endpoint_url=store.url,
            aws_access_key_id=store.access_key_id,
            aws_secret_access_key=store.secret_access_key,
            region_name="us-east-1",
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5),
        )
        client.list_buckets()
        return True
    return False
