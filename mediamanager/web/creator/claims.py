"""What a creator says: change it for a work, withdraw it, keep the proof."""

from collections.abc import Mapping
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from mediamanager.dependencies import CallerDep, ReadingDep, ResourcesDep, unit_of_work
from mediamanager.schemas.claims import ClaimReceipt
from mediamanager.web import pages
from mediamanager.web.creator import choice, claim_forms, subjects
from mediamanager.web.creator.new_works import FormDep
from mediamanager.web.creator.rows import row
from optout.ledger import consentlog, receipts
from optout.registry import claims

router = APIRouter(route_class=pages.PageRoute, include_in_schema=False)


@router.get("/works/{work_id}/change")
def change_form(request: Request, session: ReadingDep, creator: CallerDep, work_id: UUID) -> Response:
    """Ask what may be done with a work."""
    return _change(request, session, creator, work_id, None, {})


@router.post("/works/{work_id}/change")
def change(
    request: Request, resources: ResourcesDep, reading: ReadingDep, creator: CallerDep, form: FormDep, work_id: UUID
) -> Response:
    """File the claim, or replace the one that holds, in one step."""
    try:
        claim_forms.save(request, resources, creator, form, work_id=work_id)
    except choice.UnusableChoiceError as error:
        return _change(request, reading, creator, work_id, form, error.problems)
    return pages.see_other(f"/works/{work_id}?done=saved")


@router.get("/claims/{claim_id}/withdraw")
def withdraw_form(request: Request, session: ReadingDep, creator: CallerDep, claim_id: UUID) -> Response:
    """Say what will be undone and what can't be."""
    claim = claims.get(session, claim_id=claim_id, account_id=creator.account_id)
    about = subjects.of_claim(session, claim, pages.words(request))
    return pages.render(request, "withdraw.html", {"about": about, "claim": claim})


@router.post("/claims/{claim_id}/withdraw")
def withdraw(resources: ResourcesDep, creator: CallerDep, claim_id: UUID) -> Response:
    """Withdraw a claim."""
    with unit_of_work(resources) as session:
        address = subjects.address_of(claims.withdraw(session, claim_id=claim_id, claimant_id=creator.account_id))
    return pages.see_other(f"{address}?done=withdrawn")


@router.get("/claims/{claim_id}/receipt")
def receipt(
    request: Request, resources: ResourcesDep, session: ReadingDep, creator: CallerDep, claim_id: UUID
) -> Response:
    """The receipt, or the promise until the log shows the entry."""
    claim = claims.get(session, claim_id=claim_id, account_id=creator.account_id)
    entry = claims.entry_of(session, claim)
    position = consentlog.position(session, entry)
    context = {
        "about": subjects.of_claim(session, claim, pages.words(request)),
        "claim": claim,
        "position": position,
        "receipt": position.published,
        "promise": consentlog.promise(entry, resources.keys.promise),
    }
    return pages.render(request, "receipt.html", context, block="proof" if pages.is_fragment(request) else None)


@router.get("/claims/{claim_id}/receipt.json")
def receipt_file(resources: ResourcesDep, session: ReadingDep, creator: CallerDep, claim_id: UUID) -> Response:
    """The receipt as a file to keep."""
    claim = claims.get(session, claim_id=claim_id, account_id=creator.account_id)
    made = receipts.receipt(session, resources.storage, claims.entry_of(session, claim), resources.keys)
    body = ClaimReceipt.model_validate(made).model_dump_json(indent=2)
    name = f"receipt-{str(claim.id)[:8]}.json"
    return Response(body, HTTPStatus.OK, {"Content-Disposition": f'attachment; filename="{name}"'}, "application/json")


def _change(
    request: Request,
    session: ReadingDep,
    creator: CallerDep,
    work_id: UUID,
    form: FormData | None,
    problems: Mapping[str, str],
) -> Response:
    shown = row(session, work_id=work_id, account_id=creator.account_id, words=pages.words(request))
    context = {"row": shown, **claim_forms.shown(request, session, shown.claim, form, problems)}
    return pages.render(request, "change.html", context)
