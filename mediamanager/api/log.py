"""The consent log as static files, for anyone: its key, its newest checkpoint, its tiles."""

import re
from typing import Annotated, Final

from fastapi import APIRouter, Path
from fastapi.responses import PlainTextResponse, Response

from mediamanager import problems
from mediamanager.dependencies import Resources, ResourcesDep
from optout.errors import NotFoundError
from optout.ledger.publish import PREFIX

router = APIRouter(prefix="/v1/log", tags=["log"])

# Anyone's page may read and verify the log; it holds nothing that depends on who asks.
_OPEN: Final = {"Access-Control-Allow-Origin": "*"}
_CHANGES: Final = {"Cache-Control": "public, max-age=5", **_OPEN}
_NEVER_CHANGES: Final = {"Cache-Control": "public, max-age=31536000, immutable", **_OPEN}

# Source: C2SP tlog-tiles, "Merkle Tree" and "Log Entries": level, or `entries`; the index in groups of three digits,
# all but the last marked with x; and the width of a partial tile.
_TILE: Final = re.compile(r"(?:entries|[0-9]|[1-5][0-9]|6[0-3])/(?:x[0-9]{3}/){0,6}[0-9]{3}(?:\.p/[1-9][0-9]{0,2})?")


@router.get("/key", response_class=PlainTextResponse)
def read_key(resources: ResourcesDep) -> PlainTextResponse:
    """The keys that this log signs with, a vkey a line: the log's own first, then the one for promises."""
    return PlainTextResponse(resources.keys.published, headers=_CHANGES)


@router.get("/checkpoint", response_class=PlainTextResponse, responses=problems.documented(404, 503))
def read_checkpoint(resources: ResourcesDep) -> PlainTextResponse:
    """The newest signed checkpoint. A new registry begins with that of an empty log."""
    published = _published(resources, "checkpoint", "No checkpoint is published yet: ask again in a minute.")
    return PlainTextResponse(published, headers=_CHANGES)


@router.get(
    "/tile/{path:path}",
    response_class=Response,
    responses={
        200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}},
        **problems.documented(404, 422, 503),
    },
)
def read_tile(path: Annotated[str, Path(max_length=60)], resources: ResourcesDep) -> Response:
    """One tile of hashes (`<level>/<index>`) or bundle of entries (`entries/<index>`), as tlog-tiles names them."""
    if not _TILE.fullmatch(path):
        raise NotFoundError("There is no such tile: a path is like 0/000, 1/x001/234 or entries/000.p/17.")
    published = _published(
        resources, f"tile/{path}", "This tile is not published: see the checkpoint for the log's size."
    )
    return Response(published, 200, _NEVER_CHANGES, "application/octet-stream")


def _published(resources: Resources, path: str, otherwise: str) -> bytes:
    try:
        return resources.storage.get(PREFIX + path)
    except NotFoundError as error:
        raise NotFoundError(otherwise) from error
