"""The keys under which what identifies people is sealed: one a subject, wrapped by the master key."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from optout.store.models.base import Base, utc_now

HEAD_ID = 1


class SubjectKey(Base):
    """The data key of one subject (today: an account), wrapped. Deleting the row erases all that is sealed under it.

    This table is left out of long backups: what is deleted here must not come back from one. No foreign key binds it,
    so that a restored database without it is whole.
    """

    __tablename__ = "subject_keys"

    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary(64))
    master_key_id: Mapped[str] = mapped_column(String(16))
    # Counts the data keys that the subject has had; what is sealed names the one it needs.
    generation: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class MasterKeyHead(Base):
    """The one row that says which master key is in force. Whoever wraps a key holds its lock until the commit.

    It holds the key's id, never the key.
    """

    __tablename__ = "master_key_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key_id: Mapped[str] = mapped_column(String(16))
    since: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (CheckConstraint(f"id = {HEAD_ID}", name="one_row"),)
