"""Things that belong to one account: somebody else's can't be told from what is not there."""

from collections.abc import Collection
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from optout.errors import NotFoundError
from optout.store.models.works import Work

T = TypeVar("T")


def get(session: Session, query: Select[T], what: str, id_: UUID, *, lock: bool = False) -> T:
    """The one thing that a query finds.

    Args:
        session: the caller's transaction.
        query: names the thing and its owner, so that the database hands out nobody else's.
        what: how the thing is called.
        id_: of the thing.
        lock: keep others from changing it until the commit, and read it anew.

    Raises:
        NotFoundError: there is none, or it is somebody else's.
    """
    if lock:
        # Not so strong that rows which only refer to it would have to wait: they are written under the lock of changes.
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise missing(what, id_)
    return found


def require_works(session: Session, account_id: UUID, works: Collection[UUID]) -> None:
    """Check that works are an account's own.

    Raises:
        NotFoundError: there is no such work, or it is somebody else's; one of them is named.
    """
    own = session.scalars(select(Work.id).where(Work.account_id == account_id, Work.id.in_(works)))
    others = set(works) - set(own)
    if others:
        raise missing("work", min(others))


def missing(what: str, id_: UUID) -> NotFoundError:
    """The error for what is not there, or not for who asks."""
    return NotFoundError(f"there is no {what} {id_} of yours", **{what: str(id_)})
