"""The broker in a folder: messages arrive whole and once, and what can't be read harms nothing."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu import Connection

from workers.folder_broker import ALIAS


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    with Connection(f"{ALIAS}://localhost", transport_options={"folder": str(tmp_path)}) as made:
        yield made


def channel(connection: Connection) -> Any:
    made = connection.channel()
    made._new_queue("jobs")
    return made


def taken(channel: Any) -> list[Any]:
    found = []
    while True:
        try:
            found.append(channel._get("jobs"))
        except Empty:
            return found


def test_messages_come_in_order_and_once(connection: Connection) -> None:
    one, other = channel(connection), channel(connection)
    for number in range(20):
        one._put("jobs", {"n": number})

    assert one._size("jobs") == 20
    assert taken(other) == [{"n": number} for number in range(20)]
    assert taken(one) == []


def test_what_is_half_written_or_broken_is_never_delivered(connection: Connection, tmp_path: Path) -> None:
    made = channel(connection)
    (tmp_path / "jobs" / "0001.part").write_text('{"n": 1}')
    (tmp_path / "jobs" / "0002.msg").write_text('{"n": ')
    (tmp_path / "jobs" / "0003.msg").write_bytes(b"\xff\xfe")
    (tmp_path / "jobs" / "0004.msg").write_text("[1]")
    made._put("jobs", {"n": 5})

    assert taken(made) == [{"n": 5}]
    assert [path.name for path in (tmp_path / "jobs").iterdir()] == ["0001.part"]


def test_several_writers_and_readers_at_once_lose_and_double_nothing(connection: Connection) -> None:
    sent, got = 6 * 50, []
    made = channel(connection)

    def write(writer: int) -> None:
        for number in range(50):
            made._put("jobs", {"id": f"{writer}-{number}"})

    def read() -> None:
        own = channel(connection)
        while len(got) < sent:
            got.extend(message["id"] for message in taken(own))

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(6)]
    threads += [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert len(got) == sent
    assert len(set(got)) == sent


@pytest.mark.parametrize("name", ["../etc", "a/b", "", "a.b", "x" * 65])
def test_a_queue_name_never_becomes_another_path(connection: Connection, name: str) -> None:
    with pytest.raises(ValueError, match="can't be called"):
        connection.channel()._put(name, {})


def test_purging_removes_messages_only(connection: Connection, tmp_path: Path) -> None:
    made = channel(connection)
    made._put("jobs", {"n": 1})
    (tmp_path / "jobs" / "kept.part").write_text(json.dumps({}))

    assert made._purge("jobs") == 1
    assert made._size("jobs") == 0
    assert (tmp_path / "jobs" / "kept.part").exists()
