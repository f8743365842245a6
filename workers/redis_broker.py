"""Kombu's Redis transport, but for one thing: a message whose acknowledgement fails does not keep its place.

A worker takes as many messages as it has threads. Kombu gives a place free only after Redis has taken the
acknowledgement; where Redis dies between message and acknowledgement in all places at once, the worker asks for no
further message, so it never meets the broken connection and waits for ever. Here the place is free in any case. The
message comes again, finds its job settled, and is dropped.
"""

from kombu.transport import redis, virtual


class _QoS(redis.QoS):
    def ack(self, delivery_tag: str) -> None:
        try:
            super().ack(delivery_tag)  # type: ignore[no-untyped-call]
        except Exception:
            virtual.QoS.ack(self, delivery_tag)  # type: ignore[no-untyped-call]
            raise


class Channel(redis.Channel):
    """A channel that counts its unacknowledged messages so."""

    QoS = _QoS


class Transport(redis.Transport):
    """What kombu finds under the schemes of Redis: see `workers.app`."""

    Channel = Channel
