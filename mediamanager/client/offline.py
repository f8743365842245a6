"""A local catalogue as a source: the same answers as a registry's, with no network."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from fingerprinting.errors import FingerprintingError
from fingerprinting.types import Depth
from mediamanager.client.checkable import CheckableSource
from mediamanager.client.source import Identity
from mediamanager.client.verdicts import SourceAnswer, Step, Unanswered
from optout.catalogue import folder
from optout.catalogue.answers import Answer, Asset
from optout.consent.vocabulary import EvidenceLevel, Use
from optout.errors import OptoutError


class Catalogue(CheckableSource):
    """A catalogue folder, opened."""

    def __init__(self, catalogue: folder.Catalogue) -> None:
        self._catalogue = catalogue

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Open a catalogue.

        Raises:
            CorruptCatalogueError: it is no catalogue, damaged, or of an unknown version.
            CorruptIndexError: as above, of its index.
        """
        return cls(folder.open(Path(path)))

    @property
    def name(self) -> str:
        """The folder."""
        return str(self._catalogue.folder)

    def identity(self) -> Identity:
        """Name the catalogue to the last bit."""
        info = self._catalogue.info
        return {
            "kind": "catalogue",
            "name": self.name,
            "digest": info.digest,
            "built_at": info.built_at,
            "works": info.works,
        }

    def answer(
        self, assets: Sequence[Asset], *, use: Use, depth: Depth, min_evidence: EvidenceLevel
    ) -> list[SourceAnswer | Unanswered]:
        """Answer from the files; one that can't be read or understood leaves the whole batch unanswered."""
        try:
            answers = self._catalogue.answer(assets, use, depth=depth, min_evidence=min_evidence)
        except (OptoutError, FingerprintingError, OSError) as error:
            return [Unanswered(str(error))] * len(assets)
        return [_of(answer) for answer in answers]


def _of(answer: Answer) -> SourceAnswer:
    return SourceAnswer(answer.verdict, answer.matches, tuple(map(Step.of, answer.reasons)), answer.identifiable)
