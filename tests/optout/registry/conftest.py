"""An index on the disk, opened as several processes would."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from factories import make_account
from live_indexes import SEAL, Open, settle
from sqlalchemy.orm import Session, sessionmaker

from optout.registry import index_folding
from optout.registry.index_child import Folder
from optout.registry.live_index import LiveIndex
from optout.store import db
from optout.store.models import Account


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def folding_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each process fold by itself, as its child would: to start one takes seconds. Marked tests start one."""
    if request.node.get_closest_marker("flow"):
        return

    def run(self: Folder, _lock: int, *, everything: bool) -> str | None:
        index_folding.fold(self._sessions, self._folder, everything=everything)
        return None

    monkeypatch.setattr(Folder, "_run", run)


@pytest.fixture
def open_index(live_sessions: sessionmaker[Session], place: Path) -> Iterator[Open]:
    """Opens the index as another process would."""
    opened: list[LiveIndex] = []

    def make(sessions: sessionmaker[Session] = live_sessions) -> LiveIndex:
        opened.append(LiveIndex(sessions, place, seal_works=SEAL))
        return opened[-1]

    yield make
    for one in opened:
        settle()
        one.close()


@pytest.fixture
def owner(live_sessions: sessionmaker[Session]) -> Account:
    with db.transaction(live_sessions) as session:
        return make_account(session)
