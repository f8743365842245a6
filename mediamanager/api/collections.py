"""Collections: channels, domains and albums that share a claim."""

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from mediamanager import problems
from mediamanager.api.once import OnceDep
from mediamanager.api.routes import ApiRoute
from mediamanager.dependencies import CallerDep, ReadingDep, SessionDep
from mediamanager.schemas.collections import (
    CollectionKind,
    CollectionList,
    CollectionRequest,
    CollectionResponse,
    CollectionWorks,
)
from optout.registry import claim_targets, collection_members, collections
from optout.store.models.collections import Collection
from optout.store.models.collections import CollectionKind as StoredKind

router = APIRouter(prefix="/v1/collections", tags=["collections"], route_class=ApiRoute)

_WRITES: Final = problems.documented(400, 401, 403, 404, 409, 413, 415, 422, 503)
_READS: Final = problems.documented(401, 403, 404, 422, 503)


@router.post("", status_code=201, responses=_WRITES)
def create_collection(
    body: CollectionRequest, session: SessionDep, creator: CallerDep, response: Response, _once: OnceDep
) -> CollectionResponse:
    """Begin a collection. Your works of that domain or channel are in it at once, and later ones as they come."""
    made = collections.create(session, account_id=creator.account_id, kind=StoredKind(body.kind), name=body.name)
    response.headers["Location"] = f"/v1/collections/{made.id}"
    return _respond(session, made)


@router.get("", responses=_READS)
def list_collections(session: ReadingDep, creator: CallerDep) -> CollectionList:
    """Your collections, oldest first, with the works in each."""
    found = collections.list_collections(session, account_id=creator.account_id)
    return CollectionList(collections=[_respond(session, one) for one in found])


@router.get("/{collection_id}", responses=_READS)
def read_collection(collection_id: UUID, session: ReadingDep, creator: CallerDep) -> CollectionResponse:
    """One of your collections, with the works that are in it now."""
    return _respond(session, collections.get(session, collection_id=collection_id, account_id=creator.account_id))


@router.post("/{collection_id}/works", responses=_WRITES)
def add_works(
    collection_id: UUID, body: CollectionWorks, session: SessionDep, creator: CallerDep
) -> CollectionResponse:
    """Put works of yours into your collection; those that are in it stay."""
    account_id = creator.account_id
    changed = collections.add_works(session, collection_id=collection_id, account_id=account_id, work_ids=body.works)
    return _respond(session, changed)


@router.delete("/{collection_id}/works/{work_id}", responses=_WRITES)
def remove_work(collection_id: UUID, work_id: UUID, session: SessionDep, creator: CallerDep) -> CollectionResponse:
    """Take a work out of your collection, whose claim covers it no longer."""
    changed = collections.remove_work(
        session, collection_id=collection_id, account_id=creator.account_id, work_id=work_id
    )
    return _respond(session, changed)


def _respond(session: Session, collection: Collection) -> CollectionResponse:
    target = claim_targets.target(collection.account_id, collection_id=collection.id)
    live = claim_targets.live_claim(session, target)
    return CollectionResponse(
        id=collection.id,
        kind=CollectionKind(collection.kind),
        name=collection.name,
        created_at=collection.created_at,
        works=list(collection_members.members(session, collection.id)),
        claim=None if live is None else live.id,
    )
