"""Grants: given and revoked by rightsholders, fetched by the pipelines that they are for."""

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from mediamanager import problems
from mediamanager.api.once import OnceDep
from mediamanager.api.routes import ApiRoute
from mediamanager.dependencies import CallerDep, ReadingDep, ResourcesDep, SessionDep
from mediamanager.schemas.grants import GrantList, GrantRequest, GrantResponse, ReceivedGrants
from optout.consent.vocabulary import Use
from optout.proof import grant_files
from optout.registry import grants
from optout.registry.accounts import get_account
from optout.store.models.base import utc_now
from optout.store.models.grants import Grant

router = APIRouter(prefix="/v1/grants", tags=["grants"], route_class=ApiRoute)

_WRITES: Final = problems.documented(400, 401, 403, 404, 409, 413, 415, 422, 503)
_READS: Final = problems.documented(401, 403, 404, 422, 503)


@router.post("", status_code=201, responses=_WRITES)
def give_grant(
    body: GrantRequest, session: SessionDep, grantor: CallerDep, response: Response, _once: OnceDep
) -> GrantResponse:
    """Permit one verified pipeline account what others are refused. It counts from this answer on."""
    made = grants.give(
        session,
        grantor_id=grantor.account_id,
        grantee=body.grantee,
        uses=body.uses,
        works=body.works,
        collection_id=body.collection_id,
        valid_from=body.valid_from,
        valid_until=body.valid_until,
    )
    response.headers["Location"] = f"/v1/grants/{made.id}"
    return _respond(session, made)


@router.get("", responses=_READS)
def list_grants(session: ReadingDep, grantor: CallerDep) -> GrantList:
    """Grants that you gave, newest first, revoked ones too."""
    return GrantList(grants=[_respond(session, one) for one in grants.given(session, grantor_id=grantor.account_id)])


@router.get("/received", responses=_READS)
def read_received(session: ReadingDep, grantee: CallerDep, resources: ResourcesDep) -> ReceivedGrants:
    """What others permit to you, signed, for use without a network; and the id by which they name you."""
    account = get_account(session, grantee.account_id).pseudonym
    found = grants.received(session, account)
    note = grant_files.sign(account, found, utc_now(), resources.keys.promise)
    return ReceivedGrants(account=account, count=len(found), note=note)


@router.get("/{grant_id}", responses=_READS)
def read_grant(grant_id: UUID, session: ReadingDep, grantor: CallerDep) -> GrantResponse:
    """One of the grants that you gave, and whether it was revoked."""
    return _respond(session, grants.get(session, grant_id=grant_id, grantor_id=grantor.account_id))


@router.delete("/{grant_id}", responses=_WRITES)
def revoke_grant(grant_id: UUID, session: SessionDep, grantor: CallerDep) -> GrantResponse:
    """Take a grant back: it counts no longer. What was answered before stays answered."""
    return _respond(session, grants.revoke(session, grant_id=grant_id, grantor_id=grantor.account_id))


def _respond(session: Session, grant: Grant) -> GrantResponse:
    return GrantResponse(
        id=grant.id,
        grantee=grants.grantee_of(session, grant),
        uses=[Use(use) for use in grant.uses],
        scope=grant.scope,
        works=[UUID(work) for work in grant.works],
        collection_id=grant.collection_id,
        evidence=grant.evidence,
        valid_from=grant.valid_from,
        valid_until=grant.valid_until,
        granted_at=grant.granted_at,
        revoked_at=grant.revoked_at,
    )
