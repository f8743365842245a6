"""What can be asked about files, not only about assets: a registry, a catalogue, or several of them as one."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from fingerprinting.types import Depth
from mediamanager.client.queries import Askable
from mediamanager.client.questions import Question
from mediamanager.client.source import Source
from mediamanager.client.verdicts import Checked
from optout.consent.vocabulary import EvidenceLevel, Use
from optout.errors import InvalidInputError


class Checkable(ABC):
    """The one interface of the client: `check`."""

    @abstractmethod
    def asked_sources(self) -> Sequence[Source]:
        """Say who is asked; of several answers the most restrictive counts."""

    def check(
        self,
        asked: Iterable[Askable],
        use: Use | str = Use.TRAIN_GENAI,
        *,
        depth: Depth | str = Depth.STANDARD,
        min_evidence: EvidenceLevel | str = EvidenceLevel.SELF_DECLARED,
        at: datetime | None = None,
        known_at: datetime | None = None,
        workers: int | None = None,
    ) -> Iterator[Checked]:
        """Check files, addresses or assets: a verdict each, in order, as soon as it is there.

        Files are fingerprinted on this machine, in child processes; only fingerprints leave it.

        Args:
            asked: paths of files (no folders), http(s) addresses, assets or queries.
            use: what is to be done with them.
            depth: how much work the search may do.
            min_evidence: statements below this level do not count.
            at: the moment that the verdicts are for, with time zone; now, if left out.
            known_at: leave out what was recorded later than this moment.
            workers: child processes; as many as there are cores, if left out.
        """
        from mediamanager.client.checking import check  # noqa: PLC0415 - it loads what fingerprints

        question = Question(Use(use), Depth(depth), EvidenceLevel(min_evidence), at, known_at)
        return check(self.asked_sources(), asked, question, workers=workers)


class CheckableSource(Source, Checkable):
    """A source that is asked alone: what `Registry` and `Catalogue` build on."""

    def asked_sources(self) -> Sequence[Source]:
        """Ask itself."""
        return [self]


class Sources(Checkable):
    """Several registries and catalogues, asked as one: the most restrictive answer counts.

    One that can't be read leaves an asset unchecked unless another one reserves it, and one that knows nothing of it
    keeps the others from permitting it. What each said stands in `Checked.sources`.

        Sources(Catalogue.open("ours.catalogue"), Catalogue.open("theirs.catalogue")).check(["fox.png"])
    """

    def __init__(self, *sources: Source) -> None:
        if not sources:
            raise InvalidInputError("nobody to ask: give a registry or a catalogue", field="sources")
        self._sources = sources

    def asked_sources(self) -> Sequence[Source]:
        """Ask all of them."""
        return self._sources
