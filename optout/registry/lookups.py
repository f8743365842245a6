"""Lookups: the live catalogue. A claim that any process has committed counts for the next lookup."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from fingerprinting.types import Depth
from optout.catalogue import answer as catalogue
from optout.catalogue.answer import FoundWork
from optout.catalogue.answers import Answer, Asset
from optout.consent.grants import Grant, covering
from optout.consent.statements import Statement
from optout.consent.vocabulary import EvidenceLevel, Use
from optout.registry import grants, non_matches, statements
from optout.registry.index_segments import Works
from optout.registry.live_index import SEAL_WORKS, IndexStatus, LiveIndex
from optout.registry.statements import Said, When
from optout.store import changes
from optout.store.models.base import utc_now
from optout.store.models.log import LogHead


@dataclass(frozen=True, slots=True)
class LookupResult:
    """Answers in the order asked.

    Attributes:
        catalogue_version: the number of the last change that was certainly taken into account.
        log_size: entries of the consent log that a published checkpoint covers.
    """

    answers: list[Answer]
    catalogue_version: int
    log_size: int


@dataclass(frozen=True, slots=True)
class Question:
    """What a lookup is about, beside its assets: see `Lookups.answer`."""

    use: Use
    requester: str | None
    at: datetime | None = None
    known_at: datetime | None = None
    depth: Depth = Depth.STANDARD
    min_evidence: EvidenceLevel = EvidenceLevel.SELF_DECLARED


class LiveView:
    """The registry as one lookup sees it: a CatalogueView. Works are named by their ids; nothing else of them shows."""

    def __init__(self, session: Session, works: Works, when: When) -> None:
        self._session = session
        self._works = works
        self._when = when
        self._said = Said()
        self._found: Sequence[UUID] = ()
        self._grants: dict[str, Sequence[Grant]] = {}

    @property
    def size(self) -> int:
        """How many works can be found."""
        return self._works.size

    def search(self, assets: Sequence[Asset], depth: Depth, room: int | None = None) -> list[FoundWork]:
        """Recognise works in assets, and read at once what was said about those that were found."""
        matches = list(self._works.search([asset.fingerprints for asset in assets], depth, room))
        self._found, self._grants = sorted({work for work, _match in matches}), {}
        self._said = statements.about(self._session, self._found, self._when)
        return [FoundWork(match.asset, str(work), match) for work, match in matches]

    def statements(self, work: str) -> Sequence[Statement]:
        """What may be in force about a work that `search` found; nothing if nobody has claimed anything."""
        return self._said.statements.get(work, ())

    def grants(self, work: str, requester: str) -> Sequence[Grant]:
        """The grants to a requester that cover a work that `search` found."""
        if requester not in self._grants:
            self._grants[requester] = grants.received(self._session, requester, when=self._when, works=self._found)
        return covering(self._grants[requester], work, self._said.owners.get(work, ""))

    def owner(self, work: str) -> str:
        """Whose a work is that `search` found."""
        return self._said.owners.get(work, "")

    def non_matches(self, pairs: Collection[tuple[str, bytes]]) -> frozenset[tuple[str, bytes]]:
        """Those of some pairs of a work that `search` found and an asset's key that are confirmed not to match."""
        return non_matches.confirmed(self._session, pairs, known_at=self._when.known_at)


class Lookups:
    """Answers from the database. One process makes one of them; it is safe to use from several threads.

    The index over works lies in the folder, shared with other processes of this host; without one, in memory.
    """

    def __init__(
        self, sessions: sessionmaker[Session], folder: Path | None = None, *, seal_works: int = SEAL_WORKS
    ) -> None:
        self._index = LiveIndex(sessions, folder, seal_works=seal_works)

    def warm(self, session: Session) -> int:
        """Build the index now instead of at the first lookup; how many works it has."""
        return self._index.refresh(session).size

    def status(self) -> IndexStatus:
        """What the index in memory holds, without a refresh."""
        return self._index.status()

    def fold(self) -> None:
        """Make one index of everything now; it happens by itself in the background as works come in."""
        self._index.fold()

    def follow(self, begun: Callable[[], None] | None = None) -> None:
        """Keep up with the database in the background from the first lookup on, until `close`.

        Args:
            begun: called once, in the background, soon after the index was there for the first lookup.
        """
        self._index.follow(begun)

    def close(self) -> None:
        """End what is done in the background."""
        self._index.close()

    def view(self, session: Session, when: When | None = None) -> LiveView:
        """What one lookup answers from, now if no moment is given. The session should be one of `db.reading`."""
        return LiveView(session, self._index.refresh(session), when or When(utc_now(), is_now=True))

    def answer(self, session: Session, assets: Sequence[Asset], asked: Question) -> LookupResult:
        """Answer a batch, from what is committed when the call begins, or later.

        A claim on a work that is still being read counts already for exact copies of it. With `at`, the verdicts are
        for that moment instead of now; with `known_at`, they leave out what was recorded later, except that works are
        recognised by all that is known of them today.

        Args:
            session: of `db.reading`: a writing one would hold up every writer for the length of the search.
            assets: in the order in which the answers come back.
            asked: the requester is the pseudonymous id of the asking account.

        Raises:
            InvalidInputError: an asset with nothing to look it up by, or a time without zone.
            InvalidFingerprintError: a fingerprint is malformed.
        """
        version = changes.latest(session)
        is_now = asked.at is None and asked.known_at is None
        when = When(asked.at or asked.known_at or utc_now(), asked.known_at, is_now=is_now)
        view = self.view(session, when)
        answers = catalogue.answer(
            view,
            assets,
            asked.use,
            asked.requester,
            when.at,
            depth=asked.depth,
            min_evidence=asked.min_evidence,
            known_at=asked.known_at,
        )
        published = session.scalar(select(LogHead.published_size))
        return LookupResult(answers, version, published or 0)
