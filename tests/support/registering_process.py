"""A process that registers and claims, and says so on stdout after each commit: `python registering_process.py …`."""

import hashlib
import sys
from pathlib import Path
from uuid import UUID

from factories import make_claim, make_work

from optout.registry import works
from optout.store import db
from optout.store.models import Account
from optout.store.settings import Settings


def main(data_folder: str, account_id: str, number: int, rounds: int) -> None:
    """Register the uploads that every such process registers, and works with claims of this one's own."""
    engine = db.engine(Settings(data_folder=Path(data_folder)))
    sessions = db.sessions(engine)
    for turn in range(rounds):
        shared = hashlib.sha256(f"shared {turn}".encode()).digest()
        with db.transaction(sessions) as session:
            work = works.register_upload(
                session, account_id=UUID(account_id), sha256=shared, size_bytes=1, name=None
            ).work
        _tell("work", work.id)
        with db.transaction(sessions) as session:
            owner = session.get_one(Account, UUID(account_id))
            claim = make_claim(session, make_work(session, owner, seed=number * 10_000 + turn))
        _tell("claim", claim.id)
    engine.dispose()


def _tell(kind: str, row_id: UUID) -> None:
    sys.stdout.write(f"{kind} {row_id}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
