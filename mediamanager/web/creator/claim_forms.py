"""What a creator says as it stands, and the form that changes it, whatever it is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from fastapi import Request
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from mediamanager.dependencies import Resources, unit_of_work
from mediamanager.web import pages
from mediamanager.web.creator import choice
from optout.registry import claims, disputes
from optout.registry.accounts import Principal
from optout.registry.claim_terms import Asking
from optout.store.models.claims import Claim, ClaimState


@dataclass(frozen=True, slots=True)
class Stands:
    """How a live claim stands at this moment; `contested`: somebody else says something else about the same."""

    claim: Claim
    told: Asking
    contested: bool
    to_come: bool
    ends_soon: bool
    ended: bool


def standing(session: Session, claim: Claim | None) -> dict[str, object]:
    """A claim as the pages show it: `stands` is None where there is none."""
    if claim is None:
        return {"claim": None, "stands": None}
    stands = Stands(
        claim,
        told=claims.asking_of(session, claim),
        contested=disputes.states(session, [claim])[claim.id] is ClaimState.CONTESTED,
        to_come=claims.is_to_come(claim),
        ends_soon=claims.ends_soon(claim),
        ended=claims.has_ended(claim),
    )
    return {"claim": claim, "stands": stands}


def shown(
    request: Request, session: Session, claim: Claim | None, sent: FormData | None, problems: Mapping[str, str]
) -> dict[str, object]:
    """The form: what was sent and has to be mended, else what the claim says."""
    told = claims.asking_of(session, claim) if claim else None
    return {
        **standing(session, claim),
        **choice.shown(request, sent, claim, told),
        "end_to_come": claim is not None and claim.valid_until is not None and not claims.has_ended(claim),
        "without_end": sent is not None and sent.get("without_end") == "yes",
        "problems": problems,
    }


def save(
    request: Request,
    resources: Resources,
    creator: Principal,
    sent: FormData,
    *,
    work_id: UUID | None = None,
    collection_id: UUID | None = None,
) -> None:
    """File the claim on a work, a collection, or with neither all works; or replace the one that holds, in one step.

    Raises:
        UnusableChoiceError: nothing is changed; the form has to be shown again with its problems.
        NotFoundError: no such work or collection, or somebody else's.
    """
    said = choice.read(sent, pages.words(request))
    with unit_of_work(resources) as session:
        claims.say(
            session,
            work_id=work_id,
            collection_id=collection_id,
            claimant_id=creator.account_id,
            preferences=said.preferences,
            asking=said.asking,
            without_end=sent.get("without_end") == "yes",
        )
