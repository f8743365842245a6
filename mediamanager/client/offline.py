"""A local catalogue as a source: the same answers as a registry's, with no network."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from fingerprinting.errors import FingerprintingError, InvalidFingerprintError
from fingerprinting.index import registry
from mediamanager.client.checkable import CheckableSource
from mediamanager.client.held_grants import HeldGrants
from mediamanager.client.questions import Question
from mediamanager.client.source import Identity
from mediamanager.client.verdicts import SourceAnswer, Step, Unanswered
from optout.catalogue import folder
from optout.catalogue.answers import Answer, Asset
from optout.errors import OptoutError


class Catalogue(CheckableSource):
    """A catalogue folder, opened, with the grants to whoever asks, if there are any."""

    def __init__(self, catalogue: folder.Catalogue, grants: HeldGrants | None = None) -> None:
        self._catalogue = catalogue
        self._held = grants
        if grants is not None:
            catalogue.use_grants(grants.file.grants)

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, grants: HeldGrants | None = None) -> Self:
        """Open a catalogue.

        Raises:
            CorruptCatalogueError: it is no catalogue, damaged, or of an unknown version.
            CorruptIndexError: as above, of its index.
        """
        return cls(folder.open(Path(path)), grants)

    @property
    def name(self) -> str:
        """The folder."""
        return str(self._catalogue.folder)

    def identity(self) -> Identity:
        """Name the catalogue to the last bit."""
        info = self._catalogue.info
        held = {} if self._held is None else {"grants": self._held.sha256, "account": self._held.file.account}
        return {
            "kind": "catalogue",
            "name": self.name,
            "digest": info.digest,
            "built_at": info.built_at,
            "works": info.works,
            **held,
        }

    def answer(self, assets: Sequence[Asset], question: Question) -> list[SourceAnswer | Unanswered]:
        """Answer from the files; one that can't be read or understood leaves the whole batch unanswered.

        An asset that can't be asked about is unanswered alone.
        """
        try:
            answers = self._catalogue.answer(
                assets,
                question.use,
                None if self._held is None else self._held.file.account,
                question.at or question.known_at,
                depth=question.depth,
                min_evidence=question.min_evidence,
                known_at=question.known_at,
            )
        except (OptoutError, FingerprintingError, OSError) as error:
            wrong = {number: problem for number, asset in enumerate(assets) if (problem := _problem(asset)) is not None}
            if not wrong:
                return [Unanswered(str(error))] * len(assets)
            others = iter(self.answer([one for number, one in enumerate(assets) if number not in wrong], question))
            return [wrong[number] if number in wrong else next(others) for number in range(len(assets))]
        return [_of(answer) for answer in answers]


def _problem(asset: Asset) -> Unanswered | None:
    """Say what is wrong with an asset, if it can't be asked about."""
    if not asset.fingerprints:
        return Unanswered("there is nothing to look it up by.")
    try:
        for one in asset.fingerprints:
            registry.validate(one)
    except InvalidFingerprintError as error:
        return Unanswered(str(error))
    return None


def _of(answer: Answer) -> SourceAnswer:
    return SourceAnswer(answer.verdict, answer.matches, tuple(map(Step.of, answer.reasons)), answer.identifiable)
