"""For which request something is done: set where one comes in, carried by the outbox row, set again by its worker.

A context variable follows a request into the threads that answer it, so that neither routes nor domain functions have
to hand it on.
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

HEADER: Final = "X-Request-ID"
MAX_LENGTH: Final = 64

# Long enough to be nobody else's, short enough for a column, and nothing that could end a line of a log or a header.
_SANE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")

_current: ContextVar[str | None] = ContextVar("request_id", default=None)


def current() -> str | None:
    """The id of the request that this thread or task works for; None outside of any."""
    return _current.get()


def accept(offered: str | None) -> str:
    """An id that a client or a proxy offers, if it is sane; else a new one. Ids are no secrets and prove nothing."""
    return offered if offered is not None and _SANE.fullmatch(offered) else secrets.token_hex(16)


@contextmanager
def working_for(request_id: str | None) -> Iterator[None]:
    """What happens inside happens for this request; None is for none."""
    token = _current.set(request_id)
    try:
        yield
    finally:
        _current.reset(token)
