"""Lookups: the live catalogue. A claim that any process has committed counts for the next lookup."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from fingerprinting.types import Depth
from optout.catalogue import answer as catalogue
from optout.catalogue.answer import FoundWork
from optout.catalogue.answers import Answer, Asset
from optout.consent.statements import Statement
from optout.consent.vocabulary import Carrier, EvidenceLevel, Use
from optout.registry.live_index import FOLD_WORKS, IndexStatus, LiveIndex, Works
from optout.store import changes
from optout.store.models.accounts import Account
from optout.store.models.base import utc_now
from optout.store.models.claims import LIVE, Claim
from optout.store.models.log import LogHead

_BATCH = 500


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


class LiveView:
    """The registry as one lookup sees it: a CatalogueView. Works are named by their ids; nothing else of them shows."""

    def __init__(self, session: Session, works: Works) -> None:
        self._session = session
        self._works = works
        self._statements: Mapping[str, Sequence[Statement]] = {}

    @property
    def size(self) -> int:
        """How many works can be found."""
        return self._works.size

    def search(self, assets: Sequence[Asset], depth: Depth) -> list[FoundWork]:
        """Recognise works in assets, and read at once what was said about those that were found."""
        matches = list(self._works.search([asset.fingerprints for asset in assets], depth))
        self._statements = _statements_about(self._session, sorted({work for work, _match in matches}))
        return [FoundWork(match.asset, str(work), match) for work, match in matches]

    def statements(self, work: str) -> Sequence[Statement]:
        """What is in force about a work that `search` found; nothing if nobody has claimed anything."""
        return self._statements.get(work, ())


class Lookups:
    """Answers from the database. One process makes one of them; it is safe to use from several threads."""

    def __init__(self, sessions: sessionmaker[Session], *, fold_works: int = FOLD_WORKS) -> None:
        self._index = LiveIndex(sessions, fold_works=fold_works)

    def warm(self, session: Session) -> int:
        """Build the index now instead of at the first lookup; how many works it has."""
        return self._index.refresh(session).size

    def status(self) -> IndexStatus:
        """What the index in memory holds, without a refresh."""
        return self._index.status()

    def fold(self) -> None:
        """Make one index of everything now; it happens by itself in the background as works come in."""
        self._index.fold()

    def view(self, session: Session) -> LiveView:
        """What one lookup answers from. The session should be one of `db.reading`."""
        return LiveView(session, self._index.refresh(session))

    def answer(
        self,
        session: Session,
        assets: Sequence[Asset],
        *,
        use: Use,
        requester: str | None,
        at: datetime | None = None,
        depth: Depth = Depth.STANDARD,
        min_evidence: EvidenceLevel = EvidenceLevel.SELF_DECLARED,
    ) -> LookupResult:
        """Answer a batch, from what is committed when the call begins, or later.

        A claim on a work that is still being read counts already for exact copies of it.

        Args:
            session: of `db.reading`: a writing one would hold up every writer for the length of the search.
            assets: in the order in which the answers come back.
            use: a leaf or an aggregate.
            requester: pseudonymous id of the asking account.
            at: the moment that the verdicts are for; now, if None.
            depth: how much work the search may do.
            min_evidence: statements below this level do not count.

        Raises:
            InvalidInputError: an asset with nothing to look it up by, or a time without zone.
            InvalidFingerprintError: a fingerprint is malformed.
        """
        version = changes.latest(session)
        view = self.view(session)
        answers = catalogue.answer(
            view, assets, use, requester, at or utc_now(), depth=depth, min_evidence=min_evidence
        )
        published = session.scalar(select(LogHead.published_size))
        return LookupResult(answers, version, published or 0)


def _statements_about(session: Session, works: Sequence[UUID]) -> Mapping[str, Sequence[Statement]]:
    """What live claims say, read anew for each lookup: nothing kept in memory can go stale."""
    found: dict[str, list[Statement]] = defaultdict(list)
    query = select(Claim, Account.pseudonym).join(Account, Account.id == Claim.claimant_id)
    for start in range(0, len(works), _BATCH):
        some = query.where(Claim.work_id.in_(works[start : start + _BATCH]), Claim.state.in_(LIVE))
        for claim, pseudonym in session.execute(some.order_by(Claim.filed_at, Claim.id)):
            found[str(claim.work_id)].append(_statement(claim, pseudonym))
    return found


def _statement(claim: Claim, pseudonym: str) -> Statement:
    return Statement(
        id=str(claim.id),
        source=pseudonym,
        carrier=Carrier.CLAIM,
        evidence=claim.evidence,
        uses=claim.preferences,
        valid_from=claim.valid_from,
        valid_until=claim.valid_until,
        recorded_at=claim.filed_at,
        terms_url=claim.terms_url,
    )
