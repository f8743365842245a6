"""What speech recognition does to words: some are heard as others, some are lost, some are added; no case, no stops."""

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

_SUBSTITUTED, _DELETED = 0.55, 0.8  # of the errors; the rest are insertions
_EDGES = re.compile(r"^\W+|\W+$")
_FILLERS = ("uh", "um", "so", "okay")


class Noise:
    """Errors for texts of one language, made from its own vocabulary."""

    def __init__(self, vocabulary: Iterable[str], seed: int) -> None:
        self._chance = random.Random(seed)
        self._words = sorted({word.lower() for word in vocabulary if word.isalpha()})
        self._near: defaultdict[str, list[str]] = defaultdict(list)
        for word in self._words:
            self._near[_sound(word)].append(word)

    def heard(self, tokens: Sequence[str], rate: float) -> tuple[list[str], list[int]]:
        """Give what is heard of some tokens, and of each which of them it is, or follows."""
        heard: list[str] = []
        places: list[int] = []
        for place, token in enumerate(tokens):
            word = _EDGES.sub("", token.lower())
            made = [word]
            if self._chance.random() < rate:
                kind = self._chance.random()
                if kind < _SUBSTITUTED:
                    made = [self._other(word)]
                else:
                    made = [] if kind < _DELETED else [word, self._inserted()]
            heard += [each for each in made if each]
            places += [place for each in made if each]
        return heard, places

    def _other(self, word: str) -> str:
        near = [each for each in self._near[_sound(word)] if each != word]
        return self._chance.choice(near or self._words)

    def _inserted(self) -> str:
        return self._chance.choice((*_FILLERS, self._chance.choice(self._words)))


def _sound(word: str) -> str:
    """Words with one beginning and about one length are taken for each other."""
    return f"{word[:2]}{len(word) // 2}" if len(word) > 1 else "."
