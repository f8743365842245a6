"""Services outside that are asked at a pace, and when the next question may be."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from optout.store.models.base import Base


class Pace(Base):
    """A service that all workers together ask one question at a time. See `optout.store.paces`."""

    __tablename__ = "paces"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    free_at: Mapped[datetime]
