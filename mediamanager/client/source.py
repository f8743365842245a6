"""What a registry and a catalogue have in common: they answer about assets."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeAlias

from mediamanager.client.questions import Question
from mediamanager.client.verdicts import SourceAnswer, Unanswered
from optout.catalogue.answers import Asset

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
    def answer(self, assets: Sequence[Asset], question: Question) -> list[SourceAnswer | Unanswered]:
        """Answer about each asset, in order. What can't be answered is said so: never left out, never guessed.

        Raises:
            RegistryRefusedError: nothing will be answered until somebody changes something (the key, the address).
        """
