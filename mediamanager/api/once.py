"""`Idempotency-Key`: a request that creates something is done once, however often it is sent.

The answer is kept for a day in the transaction of its effect, and given again to the same request under the same key.
Source: IETF draft-ietf-httpapi-idempotency-key-header-07.
"""

import hashlib
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Final, TypeAlias

from fastapi import Depends, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from mediamanager.api import uploads
from mediamanager.api.forms import Upload
from mediamanager.dependencies import CallerDep, Resources, ResourcesDep
from optout.errors import InvalidInputError, OptoutError
from optout.store import db, idempotency
from optout.store.idempotency import Answer, Slot

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
"""Stands in an answer that was given before."""

_KEPT_HEADERS: Final = ("content-type", "location")
_PIECE_BYTES: Final = 1 << 20
_ABOUT: Final = (
    "Any text of your choice, new for each thing that you create, such as a UUID. The same request with the same key is"
    " done once: for a day it gets the same answer again, with `Idempotency-Replayed: true`. The same key with another"
    " request is a 422; while the first one is under way, a 409."
)

_KeyHeader: TypeAlias = Annotated[
    str | None, Header(alias=HEADER, description=_ABOUT, min_length=1, max_length=255, pattern=r"^[\x20-\x7e]+$")
]


class Once:
    """Does one request once. It holds its slot until `close`, which comes after the commit."""

    def __init__(self, resources: Resources, slot_of: Callable[[bytes], Slot]) -> None:
        self._resources = resources
        self._slot_of = slot_of
        self._held: Slot | None = None

    def run(self, session: Session, body: object, do: Callable[[], Response]) -> Response:
        """What was answered before, or what `do` answers now, kept in the same transaction.

        `session` must not have asked the database anything yet: on SQLite that would take the write lock, and `do` may
        have a large file to store first.

        Raises:
            IdempotencyMismatchError: the key came with another request.
            RequestInFlightError: the same request is being done at this moment.
        """
        slot = self._slot_of(_digest(body))
        before = self._before(slot)
        if before is None:
            if not self._resources.doing.begin(slot):
                raise idempotency.in_flight()
            self._held = slot
            # Whoever had the slot until now may just have finished.
            before = self._before(slot) or idempotency.hold(session, slot)
        return _replayed(before) if before is not None else self._do(session, slot, do)

    def close(self) -> None:
        """Let the next request under this key begin."""
        if self._held is not None:
            self._resources.doing.end(self._held)

    def _do(self, session: Session, slot: Slot, do: Callable[[], Response]) -> Response:
        try:
            made = do()
            kept = {name: made.headers[name] for name in _KEPT_HEADERS if name in made.headers}
            idempotency.record(session, slot, Answer(made.status_code, kept, bytes(made.body)))
        except OptoutError:
            # Another process may just have done the same, which is why it could not be done here.
            session.rollback()
            before = self._before(slot)
            if before is None:
                raise
            return _replayed(before)
        return made

    def _before(self, slot: Slot) -> Answer | None:
        with db.reading(self._resources.sessions) as session:
            return idempotency.find(session, slot)


# Scope "request", which outlives the one of `SessionDep`: the slot is given back after the commit.
async def _once(
    request: Request, caller: CallerDep, resources: ResourcesDep, key: _KeyHeader = None
) -> AsyncIterator[Once | None]:
    if key is None:
        yield None
        return
    if len(request.headers.getlist(HEADER)) > 1:
        raise InvalidInputError("Send one Idempotency-Key, not several.", field=HEADER)
    route = f"{request.method} {request.scope['route'].path_format}"
    address = f"{request.url.path}?{request.url.query}\0".encode()

    def slot_of(digest: bytes) -> Slot:
        said = hashlib.sha256(address + digest).digest()
        # The draft writes a key in quotes, many clients do not: both are the same key.
        return Slot.of(caller.account_id, route=route, key=key.strip('"'), request_digest=said)

    once = Once(resources, slot_of)
    try:
        yield once
    finally:
        once.close()


OnceDep: TypeAlias = Annotated[Once | None, Depends(_once)]
"""Declared as `_once` by a route that creates something; `routes.ApiRoute` does the rest."""


def _replayed(before: Answer) -> Response:
    return Response(before.body, before.status, {**before.headers, REPLAYED: "true"})


def _digest(body: object) -> bytes:
    """What a request says, however it is spelt: two forms with the same file are the same, whatever divides them."""
    digest = hashlib.sha256()
    if isinstance(body, Upload):
        digest.update(body.fields.model_dump_json().encode())
        digest.update(f"\0{uploads.name_of(body.file)}\0".encode())
        body.file.file.seek(0)
        while piece := body.file.file.read(_PIECE_BYTES):
            digest.update(piece)
        body.file.file.seek(0)
    elif isinstance(body, BaseModel):
        digest.update(body.model_dump_json().encode())
    else:
        raise TypeError(f"a request of {type(body).__name__} has no digest")
    return digest.digest()
