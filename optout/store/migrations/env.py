"""What Alembic runs: on the connection of `optout.store.migrate`, or on the database that the settings name."""

from typing import Literal

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.types import TypeDecorator

from optout.store import db
from optout.store.models import Base
from optout.store.settings import Settings


def _render(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Write our own column types as what they are in the database: a migration outlives the code that made it."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}"
    return False


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_server_default=True,
        # SQLite can't alter most things in place: batch mode copies the table instead.
        render_as_batch=True,
        # True on SQLite too, because `db` begins transactions itself.
        transactional_ddl=True,
        render_item=_render,
    )
    with context.begin_transaction():
        context.run_migrations()


_given = context.config.attributes.get("connection")
if isinstance(_given, Connection):
    _run(_given)
else:
    with db.engine(Settings()).begin() as _own:
        _run(_own)
