"""What a registry and a catalogue have in common: they answer about assets, and both can be asked about files."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from fingerprinting.types import Depth
from mediamanager.client.queries import Askable
from mediamanager.client.verdicts import Checked, SourceAnswer, Unanswered
from optout.catalogue.answers import Asset
from optout.consent.vocabulary import EvidenceLevel, Use

Identity: TypeAlias = dict[str, str | int | None]


class Source(ABC):
    """Something that knows works and what was said about them."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Its address or folder, for people and reports."""

    @abstractmethod
    def identity(self) -> Identity:
        """Say exactly what answered, for a receipt: which catalogue to the last bit, or a registry at which change."""

    @abstractmethod
    def answer(
        self, assets: Sequence[Asset], *, use: Use, depth: Depth, min_evidence: EvidenceLevel
    ) -> list[SourceAnswer | Unanswered]:
        """Answer about each asset, in order. What can't be answered is said so: never left out, never guessed.

        Raises:
            RegistryRefusedError: nothing will be answered until somebody changes something (the key, the address).
        """

    def check(
        self,
        asked: Iterable[Askable],
        use: Use | str = Use.TRAIN_GENAI,
        *,
        depth: Depth | str = Depth.STANDARD,
        min_evidence: EvidenceLevel | str = EvidenceLevel.SELF_DECLARED,
        workers: int | None = None,
    ) -> Iterator[Checked]:
        """Check files, addresses or assets: a verdict each, in order, as soon as it is there.

        Files are fingerprinted on this machine, in child processes; only fingerprints leave it.

        Args:
            asked: paths of files (no folders), http(s) addresses, assets or queries.
            use: what is to be done with them.
            depth: how much work the search may do.
            min_evidence: statements below this level do not count.
            workers: child processes; as many as there are cores, if left out.
        """
        from mediamanager.client.checking import check  # noqa: PLC0415 - it imports this module

        return check(
            [self],
            asked,
            use=Use(use),
            depth=Depth(depth),
            min_evidence=EvidenceLevel(min_evidence),
            workers=workers,
        )
