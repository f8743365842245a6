"""Stating preferences on a work: file, amend, withdraw, and the proof of it."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from mediamanager import problems
from mediamanager.api.once import OnceDep
from mediamanager.api.routes import ApiRoute
from mediamanager.dependencies import CallerDep, ReadingDep, Resources, ResourcesDep, SessionDep
from mediamanager.schemas.claims import ClaimList, ClaimReceipt, ClaimRequest, ClaimResponse, ClaimState, LogPosition
from optout.consent import explain
from optout.consent.vocabulary import Scope
from optout.ledger import consentlog, receipts
from optout.registry import claims, contacts, disputes, works
from optout.registry.claim_terms import Terms
from optout.store.models.claims import Claim
from optout.store.models.claims import ClaimState as StoredState

router = APIRouter(prefix="/v1", tags=["claims"], route_class=ApiRoute)

_WRITES: Final = problems.documented(400, 401, 403, 404, 409, 413, 415, 422, 503)
_READS: Final = problems.documented(401, 403, 404, 422, 503)


@router.post("/works/{work_id}/claims", status_code=201, responses=_WRITES)
def file_claim(
    work_id: UUID,
    body: ClaimRequest,
    session: SessionDep,
    claimant: CallerDep,
    resources: ResourcesDep,
    response: Response,
    _once: OnceDep,
) -> ClaimResponse:
    """State preferences on your work. They count for lookups from this answer on."""
    claim = claims.file_claim(session, work_id=work_id, claimant_id=claimant.account_id, **_terms(body))
    return _created(session, claim, resources, response)


@router.get("/claims/{claim_id}", responses=_READS)
def read_claim(claim_id: UUID, session: ReadingDep, claimant: CallerDep, resources: ResourcesDep) -> ClaimResponse:
    """How one of your claims stands."""
    return _respond(session, claims.get(session, claim_id=claim_id, account_id=claimant.account_id), resources)


@router.patch("/claims/{claim_id}", responses=_WRITES)
def amend_claim(
    claim_id: UUID,
    body: ClaimRequest,
    session: SessionDep,
    claimant: CallerDep,
    resources: ResourcesDep,
    _once: OnceDep,
) -> ClaimResponse:
    """Replace a claim by what you say now, all of it, in one step. The answer is the new claim, with a new id."""
    claim = claims.amend(session, claim_id=claim_id, claimant_id=claimant.account_id, **_terms(body))
    return _respond(session, claim, resources)


@router.delete("/claims/{claim_id}", responses=problems.documented(401, 403, 404, 409, 413, 422, 503))
def withdraw_claim(claim_id: UUID, session: SessionDep, claimant: CallerDep, resources: ResourcesDep) -> ClaimResponse:
    """Take a claim back. It stays in the log, and so does the entry that says that it was withdrawn."""
    claim = claims.withdraw(session, claim_id=claim_id, claimant_id=claimant.account_id)
    return _respond(session, claim, resources)


@router.get("/claims/{claim_id}/receipt", responses={**_READS, **problems.documented(409)})
def read_receipt(claim_id: UUID, session: ReadingDep, claimant: CallerDep, resources: ResourcesDep) -> ClaimReceipt:
    """The proof that a claim is in the log, to keep. A 409 says that its entry is not published yet: ask again."""
    claim = claims.get(session, claim_id=claim_id, account_id=claimant.account_id)
    entry = claims.entry_of(session, claim)
    return ClaimReceipt.model_validate(receipts.receipt(session, resources.storage, entry, resources.keys))


@router.get("/works/{work_id}/claims", responses=_READS)
def list_claims(work_id: UUID, session: ReadingDep, claimant: CallerDep, resources: ResourcesDep) -> ClaimList:
    """What you ever said about one of your works, newest first, at most the 500 newest."""
    works.get(session, work_id=work_id, account_id=claimant.account_id)
    found = claims.for_work(session, work_id)
    return ClaimList(claims=_respond_all(session, found, resources))


@router.post("/collections/{collection_id}/claims", status_code=201, responses=_WRITES)
def file_collection_claim(
    collection_id: UUID,
    body: ClaimRequest,
    session: SessionDep,
    claimant: CallerDep,
    resources: ResourcesDep,
    response: Response,
    _once: OnceDep,
) -> ClaimResponse:
    """State preferences on all works of your collection, later ones too."""
    account_id = claimant.account_id
    claim = claims.file_claim(session, collection_id=collection_id, claimant_id=account_id, **_terms(body))
    return _created(session, claim, resources, response)


@router.post("/account/claims", status_code=201, responses=_WRITES)
def file_account_claim(
    body: ClaimRequest,
    session: SessionDep,
    claimant: CallerDep,
    resources: ResourcesDep,
    response: Response,
    _once: OnceDep,
) -> ClaimResponse:
    """State preferences on all your works, later ones too. What you say about one of them goes before."""
    claim = claims.file_claim(session, claimant_id=claimant.account_id, **_terms(body))
    return _created(session, claim, resources, response)


@router.get("/account/claims", responses=_READS)
def list_account_claims(session: ReadingDep, claimant: CallerDep, resources: ResourcesDep) -> ClaimList:
    """What you ever said about all your works together, newest first, at most the 500 newest."""
    found = claims.of_scope(session, account_id=claimant.account_id, scope=Scope.ACCOUNT)
    return ClaimList(claims=_respond_all(session, found, resources))


def _terms(body: ClaimRequest) -> Terms:
    return {
        "preferences": body.preferences,
        "valid_from": body.valid_from,
        "valid_until": body.valid_until,
        "terms_url": None if body.terms_url is None else str(body.terms_url),
        "contact": body.contact,
        "languages": body.languages,
    }


def _created(session: Session, claim: Claim, resources: Resources, response: Response) -> ClaimResponse:
    response.headers["Location"] = f"/v1/claims/{claim.id}"
    return _respond(session, claim, resources)


def _respond(session: Session, claim: Claim, resources: Resources) -> ClaimResponse:
    return _respond_all(session, [claim], resources)[0]


def _respond_all(session: Session, found: Sequence[Claim], resources: Resources) -> list[ClaimResponse]:
    states = disputes.states(session, found)
    return [_response(session, claim, states[claim.id], resources) for claim in found]


def _response(session: Session, claim: Claim, state: StoredState, resources: Resources) -> ClaimResponse:
    entry = claims.entry_of(session, claim)
    return ClaimResponse(
        id=claim.id,
        scope=claim.scope,
        work_id=claim.work_id,
        collection_id=claim.collection_id,
        state=ClaimState(state),
        preferences=dict(claim.preferences),
        says=explain.choice(claim.preferences),
        evidence=claim.evidence,
        valid_from=claim.valid_from,
        valid_until=claim.valid_until,
        ends_soon=claims.ends_soon(claim),
        has_ended=claims.has_ended(claim),
        terms_url=claim.terms_url,
        contact=contacts.of_claim(session, claim),
        languages=claim.languages,
        filed_at=claim.filed_at,
        settled_at=claim.settled_at,
        supersedes=claim.supersedes,
        superseded_by=claim.superseded_by,
        log=LogPosition.model_validate(consentlog.position(session, entry)),
        promise=consentlog.promise(entry, resources.keys.promise),
        receipt_url=f"/v1/claims/{claim.id}/receipt",
    )
