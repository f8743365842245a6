"""What changed for lookups, numbered in commit order."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from optout.store.models.base import Base, utc_now


class ChangeKind(StrEnum):
    """What kind of thing changed."""

    WORK = "work"
    CLAIM = "claim"


class Change(Base):
    """One change of a work's fingerprints or of a claim; `subject` is the work's id in both cases."""

    __tablename__ = "changes"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[ChangeKind]
    subject: Mapped[UUID]
    recorded_at: Mapped[datetime] = mapped_column(default=utc_now)


class ChangeHead(Base):
    """The one row that numbers changes. Its lock, held until the commit, makes the numbers commit-ordered."""

    __tablename__ = "change_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)
