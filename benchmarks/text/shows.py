"""Episodes of shows that are not registered, among registered ones that read out the same sponsors' texts."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.text.captioned import captions, joined, printed
from benchmarks.text.material import Text
from benchmarks.text.noise import Noise
from fingerprinting.index import shared_text
from fingerprinting.index.segment import Index
from fingerprinting.index.shared_text import Registered
from fingerprinting.types import Match, Strength

_SHOWS: Final = 5
_REGISTERED, _OTHERS = 20, 7
_OPENING, _CLOSING = 20, 30  # seconds that begin and end every episode
_SPONSORS: Final = 12
_READ_OUT: Final = 2  # in an episode
_SECONDS: Final = (30, 60)  # of what a sponsor has read out
_EXCERPT: Final = 60  # seconds of an episode after what begins it
_CHANGED: Final = 0.1  # of its words, each time that it is read out


@dataclass(frozen=True)
class _Show:
    registered: list[Text]
    others: list[Text]
    noise: Noise


def wrong(texts: Mapping[str, Sequence[Text]], seed: int) -> dict[str, object]:
    """Ask for episodes that are not registered: how many are taken for others, and how many if owners are not known."""
    chance = random.Random(seed)
    shows = [_show(some, chance, seed) for some in _chosen(texts)]
    works = [(number, text) for number, show in enumerate(shows) for text in show.registered]
    index = Index.build((row, captions(text)) for row, (_, text) in enumerate(works))
    asked = decided = raw = 0
    told: list[dict[str, object]] = []
    for number, show in enumerate(shows):
        for text in show.others:
            query = printed(joined(text.tokens, text.language), "text/plain")
            found = index.search([[query]] if query else [])
            named = [Registered(one, str(one.work), str(works[one.work][0]), is_shown=True) for one in found]
            sure = [one for one in shared_text.decided(named) if one.strength is Strength.MATCH]
            asked, decided = asked + 1, decided + bool(sure)
            raw += any(one.strength is Strength.MATCH for one in found)
            told += [_told(number, one) for one in sure]
    counts = {"asked": asked, "registered": len(works), "wrong": decided, "wrong_without_owners": raw}
    return {**counts, "matches": told, "beginnings": _beginnings(index, works, shows, seed)}


def _beginnings(index: Index, works: Sequence[tuple[int, Text]], shows: Sequence["_Show"], seed: int) -> dict[str, int]:
    """Ask for the beginnings of registered episodes, what all of a show have included, between other words."""
    chance, found = random.Random(seed), 0
    for row, (number, text) in enumerate(works):
        length = round((_OPENING + _EXCERPT) * text.tokens_a_second)
        other = chance.choice([show for show in shows if show is not shows[number]] or shows).others[0].tokens
        heard = shows[number].noise.heard(text.tokens[:length], _CHANGED)[0]
        around = other[600:900], other[900:1200]
        query = printed(joined([*around[0], *heard, *around[1]], text.language), "text/plain")
        matches = index.search([[query]] if query else [])
        named = [Registered(one, str(one.work), str(works[one.work][0]), is_shown=True) for one in matches]
        sure = {one.work for one in shared_text.decided(named) if one.strength is Strength.MATCH}
        found += row in sure
    return {"asked": len(works), "found": found}


def _chosen(texts: Mapping[str, Sequence[Text]]) -> list[Sequence[Text]]:
    """The languages with most texts, each a show of its own."""
    needed = _REGISTERED + _OTHERS + 2
    enough = sorted(
        (some for some in texts.values() if len(some) >= needed), key=lambda some: (-len(some), some[0].language)
    )
    return enough[:_SHOWS]


def _show(some: Sequence[Text], chance: random.Random, seed: int) -> _Show:
    noise = Noise((word for text in some for word in text.tokens), seed)
    *episodes, sponsors, frame = some
    rate = frame.tokens_a_second
    opening = frame.tokens[: round(_OPENING * rate)]
    closing = frame.tokens[-round(_CLOSING * rate) :]
    length = len(sponsors.tokens) // _SPONSORS
    scripts = [sponsors.tokens[at * length : (at + 1) * length] for at in range(_SPONSORS)]
    scripts = [each[: round(chance.uniform(*_SECONDS) * rate)] for each in scripts]
    weights = [1 / (rank + 1) for rank in range(_SPONSORS)]

    def episode(text: Text) -> Text:
        tokens = list(text.tokens)
        for script in chance.choices(scripts, weights, k=_READ_OUT):
            at = chance.randrange(len(tokens))
            tokens[at:at] = noise.heard(script, _CHANGED)[0]
        return Text(text.language, (*opening, *tokens, *closing))

    chosen = [episode(text) for text in episodes[: _REGISTERED + _OTHERS]]
    return _Show(chosen[:_REGISTERED], chosen[_REGISTERED:], noise)


def _told(show: int, match: Match) -> dict[str, object]:
    return {"show": show, "score": match.score, "work_span": match.work_span, "evidence": dict(match.evidence)}
