"""What YouTube says about a video that is a work: facts beside it, and no statement of its owner."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from optout.registry import collection_members, texts, works
from optout.store.models.works import Work

MAX_LICENCE = 200
MAX_PARTIES = 100
"""Whom a video's owner may permit to train with it by YouTube's setting; there are about twenty."""


def note(
    session: Session,
    work_id: UUID,
    *,
    channel: str | None = None,
    channel_title: str | None = None,
    duration_seconds: float | None = None,
    licence: str | None = None,
    trainability: Sequence[str] | None = None,
) -> None:
    """Note what was said about a work's video; what was not said this time stays as it was.

    The work goes into its account's collections of the channel. Running it twice is harmless.

    Args:
        session: the caller's transaction.
        work_id: the work; one that is gone is left alone.
        channel: the channel's id.
        channel_title: what the channel is called.
        duration_seconds: how long the video is.
        licence: under which it is published, as YouTube words it.
        trainability: whom its owner lets train with it: `all`, `none`, or names of parties.
    """
    if channel is not None:
        collection_members.seen_on_channel(session, work_id, channel)  # first: it locks collections before works
    work = session.get(Work, work_id, with_for_update={"key_share": True}, populate_existing=True)
    if work is None:
        return
    work.channel_title = texts.told(channel_title, max_length=works.MAX_TITLE) or work.channel_title
    work.licence = texts.told(licence, max_length=MAX_LICENCE) or work.licence
    if duration_seconds is not None:
        work.duration_seconds = duration_seconds
    if trainability is not None:
        parties = [texts.told(party, max_length=MAX_LICENCE) for party in trainability[:MAX_PARTIES]]
        work.trainability = [party for party in parties if party is not None]
