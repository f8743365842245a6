"""Kept files that their owners let others see and hear, beside what they ask about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from fingerprinting.types import Modality
from optout.errors import ConflictError
from optout.registry import owned, works
from optout.registry.works import Registered
from optout.store.models.works import Work, WorkState

SHOWN_KINDS: Final = frozenset({Modality.IMAGE, Modality.AUDIO, Modality.VIDEO})
"""What a browser shows or plays and never runs. Of texts only the passages that were found are shown."""

_IS_KEPT: Final = and_(Work.keep_media, Work.media_key.is_not(None), Work.state == WorkState.READY)


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A kept file: where it lies in storage, and what it is by its content."""

    key: str
    media_type: str
    modality: Modality


def wish(registered: Registered, *, shown: bool) -> None:
    """Note with a registration that the file may be shown. It takes nothing back that was said before."""
    if shown and registered.work.keep_media:
        registered.work.show_media = True


def show(session: Session, *, work_id: UUID, account_id: UUID, shown: bool) -> Work:
    """Let others see and hear the kept file of a work beside a copy of it, or no longer.

    Raises:
        NotFoundError: there is no such work, or it is somebody else's.
        ConflictError: its file is not kept, so that there is nothing to show.
    """
    work = works.get(session, work_id=work_id, account_id=account_id, lock=True)
    if shown and not work.keep_media:
        raise ConflictError(
            "the file of this work is not kept: register it again, and let us keep it", work=str(work_id)
        )
    work.show_media = shown
    session.flush()
    return work


def visible(session: Session, work_ids: Sequence[UUID], *, account_id: UUID) -> Mapping[UUID, KeptFile]:
    """The kept files that an account may see or hear of some works: its own, and those that their owners show."""
    query = select(Work).where(Work.id.in_(work_ids), _IS_KEPT, _may(account_id))
    return {work.id: file for work in session.scalars(query) if (file := _file(work)) is not None}


def kept_file(session: Session, *, work_id: UUID, account_id: UUID) -> KeptFile:
    """The file of one work, for an account that may see or hear it.

    Raises:
        NotFoundError: there is no such work, or its owner does not show it.
        ConflictError: it is the account's own, and its file is not kept or is nothing to look at or listen to.
    """
    query = select(Work).where(Work.id == work_id, or_(Work.account_id == account_id, and_(Work.show_media, _IS_KEPT)))
    work = owned.get(session, query, "work", work_id)
    file = _file(work) if work.keep_media and work.state is WorkState.READY else None
    if file is None or file.modality not in SHOWN_KINDS:
        raise ConflictError(
            "the file of this work is not kept, or is nothing to look at or listen to", work=str(work_id)
        )
    return file


def _may(account_id: UUID) -> ColumnElement[bool]:
    return or_(Work.account_id == account_id, Work.show_media)


def _file(work: Work) -> KeptFile | None:
    if work.media_key is None or work.media_type is None or work.modality is None:
        return None
    return KeptFile(work.media_key, work.media_type, work.modality)
