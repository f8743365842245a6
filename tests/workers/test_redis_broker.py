"""A Redis that dies under a message takes no place from a worker."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mortal_servers
import pytest
from kombu import Connection, Message, Queue
from mortal_servers import Mortal

from workers import app, redis_broker

pytestmark = pytest.mark.services


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Mortal]:
    with mortal_servers.redis_server(tmp_path / "redis").alive() as made:
        yield made


@pytest.mark.parametrize("scheme", app._REDIS)
def test_the_schemes_of_redis_lead_to_this_transport(scheme: str) -> None:
    assert Connection(f"{scheme}://127.0.0.1/0", ssl=scheme == "rediss").transport_cls == scheme
    assert isinstance(Connection("redis://127.0.0.1/0").transport, redis_broker.Transport)


def test_a_message_whose_acknowledgement_fails_keeps_no_place(server: Mortal) -> None:
    taken: list[Message] = []

    def take(_body: Any, message: Message) -> None:
        taken.append(message)

    with Connection(server.url) as connection, connection.channel() as channel:
        queue = Queue("jobs", channel=channel)  # type: ignore[no-untyped-call]
        queue.declare()  # type: ignore[no-untyped-call]
        connection.Producer().publish({"job": 1}, routing_key="jobs")
        with connection.Consumer([queue], callbacks=[take], channel=channel, prefetch_count=1):
            connection.drain_events(timeout=5)
            assert not channel.qos.can_consume()

            server.kill()
            with pytest.raises(connection.connection_errors):
                taken[0].ack()  # type: ignore[no-untyped-call]

            assert channel.qos.can_consume()
        server.start()
