"""The public log for people: how far it is, its entries, and one entry with its proof. Needs no sign-in."""

import base64
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from mediamanager.dependencies import ReadingDep, Resources, ResourcesDep
from mediamanager.web import pages
from optout.errors import NotFoundError
from optout.ledger import browsing
from optout.proof import merkle
from optout.proof.checkpoints import Checkpoint
from optout.proof.tiles import TileReader

router = APIRouter(route_class=pages.PageRoute, include_in_schema=False)

A_PAGE: Final = 50
"""Entries shown at once."""


@router.get("/log")
def log(
    request: Request, resources: ResourcesDep, session: ReadingDep, page: Annotated[int, Query(ge=1, le=10**9)] = 1
) -> Response:
    """The published entries, newest first."""
    checkpoint = browsing.checkpoint(resources.storage, resources.keys)
    size = checkpoint.size if checkpoint else 0
    count = max(1, -(-size // A_PAGE))
    page = min(page, count)
    context = {
        "size": size,
        "root": checkpoint.root.hex() if checkpoint else "",
        "key": resources.keys.log.verifier.vkey,
        "entries": browsing.entries(session, last=size - (page - 1) * A_PAGE, count=A_PAGE),
        "page": page,
        "page_count": count,
        "address": resources.settings.public_url,
    }
    return pages.render(request, "log.html", context)


@router.get("/log/{index}")
def entry(
    request: Request, resources: ResourcesDep, session: ReadingDep, index: Annotated[int, Path(ge=0, le=2**62)]
) -> Response:
    """One entry, and the hashes that lead from it to the signed root."""
    checkpoint = browsing.checkpoint(resources.storage, resources.keys)
    if checkpoint is None or index >= checkpoint.size:
        raise NotFoundError("There is no such entry in the log yet.")
    return pages.render(request, "entry.html", _entry(resources, session, checkpoint, index))


def _entry(resources: Resources, session: Session, checkpoint: Checkpoint, index: int) -> dict[str, object]:
    found = browsing.entries(session, last=index + 1, count=1)[0]
    reader = TileReader(checkpoint.size, lambda tile: resources.storage.get(browsing.PREFIX + tile.path))
    proof = merkle.inclusion_proof(index, checkpoint.size, reader)
    return {
        "entry": found,
        "leaf": found.leaf.decode(),
        "leaf_hash": found.leaf_hash.hex(),
        "proof": "\n".join(base64.b64encode(one).decode() for one in proof),
    }
