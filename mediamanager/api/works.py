"""Registering works, and how they stand."""

from collections.abc import Sequence
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Response, status
from sqlalchemy.orm import Session

from fingerprinting.types import Extraction
from mediamanager import problems
from mediamanager.api import uploads
from mediamanager.api.assets import fingerprints_of
from mediamanager.api.forms import Upload
from mediamanager.api.once import OnceDep
from mediamanager.api.registrations import DOCUMENTED_BODY, Registration, RegistrationDep
from mediamanager.api.routes import ApiRoute
from mediamanager.dependencies import CallerDep, ReadingDep, Resources, ResourcesDep, SessionDep
from mediamanager.schemas.works import (
    FingerprintSummary,
    WorkByUpload,
    WorkByUrl,
    WorkDelay,
    WorkFailure,
    WorkPage,
    WorkRemark,
    WorkResponse,
    WorkState,
    WorkVideo,
)
from optout.consent.remarks import remarks
from optout.registry import claims, delays, fingerprints, showing, works
from optout.registry.accounts import Principal
from optout.registry.works import Registered
from optout.store.models.works import Work

router = APIRouter(prefix="/v1/works", tags=["works"], route_class=ApiRoute)

_REGISTERED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": WorkResponse, "description": "You registered the same before: this is that work."},
    201: {"model": WorkResponse, "description": "Registered and ready."},
}


@router.post(
    "",
    status_code=202,
    response_description="Registered; a worker is going to read it.",
    responses={**_REGISTERED, **problems.documented(400, 401, 403, 409, 413, 415, 422, 503)},
    openapi_extra=DOCUMENTED_BODY,
)
def register_work(
    creator: CallerDep,
    body: RegistrationDep,
    session: SessionDep,
    resources: ResourcesDep,
    response: Response,
    _once: OnceDep,
) -> WorkResponse:
    """Register a file (multipart), an address, or fingerprints made on your own device (JSON)."""
    registered = _register(session, resources, creator, body)
    answer = _respond(session, [registered.work])[0]
    response.status_code = _status(registered)
    response.headers["Location"] = answer.status_url
    return answer


@router.get("", responses=problems.documented(401, 403, 404, 422, 503))
def list_works(
    session: ReadingDep,
    creator: CallerDep,
    limit: Annotated[int, Query(ge=1, le=works.MAX_PAGE)] = 50,
    after: UUID | None = None,
) -> WorkPage:
    """Your works, newest first. `next_after` continues the list."""
    page = works.list_works(session, account_id=creator.account_id, limit=limit, after=after)
    return WorkPage(works=_respond(session, page.works), total=page.total, next_after=page.next_after)


@router.get("/{work_id}", responses=problems.documented(401, 403, 404, 422, 503))
def read_work(work_id: UUID, session: ReadingDep, creator: CallerDep) -> WorkResponse:
    """How one of your works stands: pending, ready, or failed with a reason."""
    return _respond(session, [works.get(session, work_id=work_id, account_id=creator.account_id)])[0]


def _register(session: Session, resources: Resources, creator: Principal, body: Registration) -> Registered:
    match body:
        case Upload():
            return _register_upload(session, resources, creator, body)
        case WorkByUrl():
            registered = works.register_url(
                session,
                account_id=creator.account_id,
                url=str(body.url),
                title=body.title,
                keep_media=body.keep_media or body.show_media,
                wants_sound=body.sound,
            )
            showing.wish(registered, shown=body.show_media)
            return registered
        case _:
            extraction = Extraction(
                body.modality,
                body.media_type,
                fingerprints_of(body.fingerprints, "fingerprints"),
                body.identifiable,
                tuple(body.notes),
            )
            return works.register_fingerprints(
                session, account_id=creator.account_id, extraction=extraction, title=body.title
            )


def _register_upload(
    session: Session, resources: Resources, creator: Principal, upload: Upload[WorkByUpload]
) -> Registered:
    """The media is on disk before the row that points to it commits; what is not wanted or refused leaves nothing."""
    storage = resources.storage
    with uploads.staged(storage, upload.file, resources.settings.max_upload_bytes) as staged:
        registered = works.register_upload(
            session,
            account_id=creator.account_id,
            sha256=staged.sha256,
            size_bytes=staged.size_bytes,
            name=uploads.name_of(upload.file),
            title=upload.fields.title,
            keep_media=upload.fields.keep_media or upload.fields.show_media,
        )
        showing.wish(registered, shown=upload.fields.show_media)
        if registered.wants_media:
            storage.move(staged.key, works.media_key(registered.work.id))
        return registered


def _status(registered: Registered) -> int:
    if not registered.created:
        return status.HTTP_200_OK
    pending = WorkState(registered.work.state) is WorkState.PENDING
    return status.HTTP_202_ACCEPTED if pending else status.HTTP_201_CREATED


def _respond(session: Session, found: Sequence[Work]) -> list[WorkResponse]:
    ids = [work.id for work in found]
    known = fingerprints.summaries(session, ids)
    late = delays.of_works(session, found)
    live = claims.live_for_works(session, ids)
    return [
        WorkResponse(
            id=work.id,
            state=WorkState(work.state),
            title=work.title,
            modality=work.modality,
            media_type=work.media_type,
            source_url=work.source_url,
            video=_video(work),
            identifiable=work.identifiable,
            notes=work.notes,
            remarks=[WorkRemark.model_validate(one) for one in remarks(work.notes)],
            fingerprints=[FingerprintSummary.model_validate(one) for one in known.get(work.id, ())],
            failure=_failure(work),
            delay=WorkDelay.model_validate(late[work.id]) if work.id in late else None,
            media_kept=work.media_key is not None and work.keep_media,
            media_shown=work.show_media,
            registered_at=work.registered_at,
            ready_at=work.ready_at,
            status_url=f"/v1/works/{work.id}",
            claims=[claim.id for claim in live if claim.work_id == work.id],
        )
        for work in found
    ]


def _video(work: Work) -> WorkVideo | None:
    said = (work.channel, work.channel_title, work.duration_seconds, work.licence, work.trainability)
    if not work.wants_sound and all(one is None for one in said):
        return None
    return WorkVideo(
        sound=work.wants_sound,
        channel=work.channel,
        channel_title=work.channel_title,
        duration_seconds=work.duration_seconds,
        licence=work.licence,
        trainability=work.trainability,
    )


def _failure(work: Work) -> WorkFailure | None:
    if work.failure_code is None or work.failure_sentence is None:
        return None
    return WorkFailure(code=work.failure_code, sentence=work.failure_sentence)
