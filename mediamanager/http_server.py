"""How HTTP is served: uvicorn, with an end to its patience with those who send slowly, too much, or nothing."""

import asyncio
import contextlib
import ctypes
import functools
import gc
from typing import Any, ClassVar, Final

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from mediamanager import problems
from optout.store.settings import Settings

_KEEP_ALIVE_SECONDS: Final = 5
_PIECE_BYTES: Final = 64 * 1024


class PatientProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, which itself waits for ever for the rest of a request's head.

    The time for a body is `security.BodyLimit`'s to watch, because it knows what it may be.
    """

    head_seconds: ClassVar[float] = 15.0
    """From the first byte of a request (for the first one: from the connection) to the end of its head."""

    linger_seconds: ClassVar[float] = 5.0
    """How long what is still sent of a body is thrown away after its answer, so that its sender gets to read that."""

    def __init__(self, *positional: Any, **named: Any) -> None:
        super().__init__(*positional, **named)
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn itself
        """Wait for a request."""
        super().connection_made(transport)
        # Each piece is held about three times on its way, on every connection: asyncio's own 256 KiB add up in a crowd.
        with contextlib.suppress(AttributeError):  # uvloop's transports have no such limit, and take no new attributes
            transport.max_size = _PIECE_BYTES  # type: ignore[attr-defined]  # asyncio's own, which typeshed omits
        self._wait(self.head_seconds)

    def data_received(self, data: bytes) -> None:
        """Take what was sent; the clock of a head goes on until it is complete."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting(unless_answered=True)
        elif self._patience is None:
            self._wait(self.head_seconds)

    def on_response_complete(self) -> None:
        """Do not take the rest of a body that was answered before its end for ever."""
        if self.conn.their_state is h11.SEND_BODY:
            self._wait(self.linger_seconds)
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP as everything else is answered: with a problem."""
        problem = problems.answer(400, "bad-request", f"{msg} Correct its head and send it again.")
        headers = [*problem.raw_headers, (b"connection", b"close")]
        events = (
            h11.Response(status_code=400, headers=headers),
            h11.Data(data=bytes(problem.body)),
            h11.EndOfMessage(),
        )
        for event in events:
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._patience = self.loop.call_later(seconds, self.transport.close)

    def _stop_waiting(self, *, unless_answered: bool = False) -> None:
        if unless_answered and self.conn.our_state is h11.DONE:
            return
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


def give_back_large_blocks() -> None:
    """Have what a request took for a moment returned to the system at once.

    glibc raises the size from which it does so by itself, and then each thread keeps what its largest search held.
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


@functools.cache
def keep_what_is_loaded() -> None:
    """Have Python's collector no longer look at what has been loaded by now; once in a process, more calls do nothing.

    A quarter of a million objects of libraries and compiled kernels stay until the end. To go through them takes a
    quarter of a second, in the middle of whatever lookup comes then, and the more often the more works come and go.
    """
    gc.freeze()


_M_MMAP_THRESHOLD: Final = -3
_LARGE_BYTES: Final = 4 * 1024**2


def config(app: FastAPI, settings: Settings, *, log_level: str) -> uvicorn.Config:
    """How one process serves the application; from here on its memory is kept as `give_back_large_blocks` says."""
    give_back_large_blocks()
    return uvicorn.Config(
        app,
        http=PatientProtocol,
        ws="none",
        log_level=log_level.lower(),
        log_config=None,
        access_log=False,  # paths hold one-time links; request_ids.RequestIds says what may be said
        server_header=False,
        limit_concurrency=settings.max_connections,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.stop_seconds,
    )
