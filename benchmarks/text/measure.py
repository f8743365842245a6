"""Registers texts as captions, asks for excerpts that were heard badly, and counts what is found, and what wrongly."""

import random
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.text import captioned, shows
from benchmarks.text.material import Text
from benchmarks.text.noise import Noise
from fingerprinting.index import shared_text
from fingerprinting.index.segment import Index
from fingerprinting.index.shared_text import Registered
from fingerprinting.text.fingerprints import VERSION
from fingerprinting.types import Fingerprint, Match, Strength

RATES = (0.05, 0.1, 0.2, 0.3)
SECONDS = (30, 60, 120)
_ROUNDS = 7
_AROUND = 300  # tokens of another text before an excerpt, and as many behind
_ADVERTISEMENT_SECONDS = 30


@dataclass
class Found:
    """What became of excerpts of one language, length and rate of errors."""

    asked: int = 0
    matched: int = 0
    likely: int = 0
    errors: list[float] = field(default_factory=list)


class Registry:
    """Half of the texts of each language, registered as captions; the others are not."""

    def __init__(self, texts: Mapping[str, Sequence[Text]], most: int) -> None:
        self.works: list[Text] = []
        self.strangers: dict[str, Sequence[Text]] = {}
        for language, some in texts.items():
            self.works += some[0 : 2 * most : 2]
            self.strangers[language] = some[1 : 2 * most : 2]
        self.begins = [captioned.times(text) for text in self.works]
        self.prints = [captioned.captions(text, times) for text, times in zip(self.works, self.begins, strict=True)]
        self.index = Index.build(enumerate(self.prints))

    def ask(self, tokens: Sequence[str], language: str) -> tuple[list[Match], Fingerprint | None]:
        """Look up what was heard, where each work has an owner of its own who is verified."""
        asked = captioned.printed(captioned.joined(tokens, language), "text/plain")
        found = self.index.search([[asked]] if asked else [])
        return shared_text.decided(
            [Registered(one, str(one.work), str(one.work), is_shown=True) for one in found]
        ), asked


def measure(
    texts: Mapping[str, Sequence[Text]], excerpts: int, most: int, seed: int, unlike: Sequence[Text]
) -> dict[str, Any]:
    """Ask everything, and give the figures; `unlike` are English texts that have nothing to do with those."""
    chance = random.Random(seed)
    registry = Registry(texts, most)
    noises = {
        language: Noise((word for text in some for word in text.tokens), seed) for language, some in texts.items()
    }
    rows: defaultdict[tuple[str, int, float], Found] = defaultdict(Found)
    wrong: list[dict[str, Any]] = []
    for language, noise in noises.items():
        works = [number for number, text in enumerate(registry.works) if text.language == language]
        for seconds in SECONDS:
            for rate in RATES:
                for _ in range(excerpts):
                    work = chance.choice(works)
                    _ask_excerpt(registry, work, seconds, rate, noise, chance, rows, wrong)
    return {
        "works": len(registry.works),
        "languages": sorted(texts),
        "excerpts": excerpts,
        "rows": [{"language": key[0], "seconds": key[1], "rate": key[2], **vars(row)} for key, row in rows.items()],
        "wrong": wrong,
        "strangers": _strangers(registry, noises),
        "advertisement": _advertisement(texts, most, seed),
        "shows": shows.wrong(texts, seed),
        "kilobytes_an_hour": _sizes(registry),
        "speed": {"unlike": _speed(registry, unlike), "like": _speed(registry, registry.strangers["en"])},
    }


def _ask_excerpt(
    registry: Registry,
    work: int,
    seconds: int,
    rate: float,
    noise: Noise,
    chance: random.Random,
    rows: Mapping[tuple[str, int, float], Found],
    wrong: list[dict[str, Any]],
) -> None:
    text, begins = registry.works[work], registry.begins[work]
    length = round(seconds * text.tokens_a_second)
    first = chance.randrange(len(text.tokens) - length)
    heard, _ = noise.heard(text.tokens[first : first + length], rate)
    other = chance.choice(registry.strangers[text.language]).tokens
    at = chance.randrange(len(other) - 2 * _AROUND)
    asked = [*other[at : at + _AROUND], *heard, *other[at + _AROUND : at + 2 * _AROUND]]
    row = rows[text.language, seconds, rate]
    row.asked += 1
    for match in registry.ask(asked, text.language)[0]:
        if match.work == work:
            row.matched += match.strength is Strength.MATCH
            row.likely += match.strength is Strength.LIKELY
            if match.work_span is not None and match.strength is Strength.MATCH:
                true = begins[first], begins[first + length]
                row.errors.append(round(max(abs(a - b) for a, b in zip(match.work_span, true, strict=True)), 1))
        elif match.strength is Strength.MATCH:
            wrong.append(_told(registry, match, text.language, "excerpt"))


def _strangers(registry: Registry, noises: Mapping[str, Noise]) -> dict[str, Any]:
    """Ask for whole texts that are not registered."""
    asked, pairs, found, likely = 0, 0, [], 0
    for language, some in registry.strangers.items():
        for text in some:
            matches, _ = registry.ask(noises[language].heard(text.tokens, 0.0)[0], language)
            asked, pairs = asked + 1, pairs + len(registry.works)
            found += [_told(registry, one, language, "whole") for one in matches if one.strength is Strength.MATCH]
            likely += sum(one.strength is Strength.LIKELY for one in matches)
    return {"asked": asked, "pairs": pairs, "wrong": found, "likely": likely}


def _told(registry: Registry, match: Match, language: str, what: str) -> dict[str, Any]:
    text = registry.works[match.work]
    first, last = (match.work_span or (0.0, 0.0))[:2]
    begins = registry.begins[match.work]
    words = text.tokens[int(np.searchsorted(begins, first)) : int(np.searchsorted(begins, last))]
    return {
        "asked": what,
        "language": language,
        "work_language": text.language,
        "score": match.score,
        "evidence": dict(match.evidence),
        "text": " ".join(words)[:300],
    }


def _advertisement(texts: Mapping[str, Sequence[Text]], most: int, seed: int) -> dict[str, Any]:
    """Plant 30 s of an unregistered text in 12 works and 20 others: none of these may be found by it."""
    some = texts["en"]
    chance = random.Random(seed)
    advertisement = some[-1].tokens[: round(_ADVERTISEMENT_SECONDS * some[-1].tokens_a_second)]

    def planted(text: Text) -> Text:
        at = chance.randrange(len(text.tokens))
        return Text(text.language, (*text.tokens[:at], *advertisement, *text.tokens[at:]))

    halves = [[planted(text) for text in some[0:24:2]], [planted(text) for text in some[1:40:2]]]
    registry = Registry({"en": [each for pair in zip(halves[0], halves[1], strict=False) for each in pair]}, 12)
    decided = raw = 0
    for text in halves[1]:
        matches, asked = registry.ask(text.tokens, "en")
        decided += any(one.strength is Strength.MATCH for one in matches)
        raw += any(one.strength is Strength.MATCH for one in registry.index.search([[asked]] if asked else []))
    return {"asked": len(halves[1]), "wrong": decided, "wrong_without_owners": raw}


def _sizes(registry: Registry) -> dict[str, float]:
    sizes: defaultdict[str, list[float]] = defaultdict(list)
    for text, one, begins in zip(registry.works, registry.prints, registry.begins, strict=True):
        sizes[text.language].append(len(one.value) / 1000 / (begins[-1] / 3600))
    return {language: round(float(np.mean(some)), 1) for language, some in sizes.items()}


def _speed(registry: Registry, some: Sequence[Text]) -> dict[str, Any]:
    """Words a second of one core: fingerprint and look up, against the signature of datasketch's MinHash alone."""
    texts = [" ".join(text.tokens) for text in some]
    words = sum(len(text.split()) for text in texts)
    ours = min(_timed(registry, texts) for _ in range(_ROUNDS))
    try:
        import datasketch  # noqa: PLC0415 - a peer that need not be there
    except ImportError:
        return {"words": words, "words_a_second": round(words / ours)}

    def signed() -> float:
        began = time.process_time()
        for text in texts:
            tokens = text.lower().split()
            made = datasketch.MinHash(num_perm=128)
            made.update_batch([" ".join(tokens[at : at + 5]).encode() for at in range(len(tokens) - 4)])
        return time.process_time() - began

    rounds = [(_timed(registry, texts), signed()) for _ in range(_ROUNDS)]  # both see the same machine
    ours, theirs = (min(each) for each in zip(*rounds, strict=True))
    return {
        "words": words,
        "words_a_second": round(words / ours),
        "datasketch": round(words / theirs),
        "ratio": round(theirs / ours, 2),
    }


def _timed(registry: Registry, texts: Sequence[str]) -> float:
    from fingerprinting.text import normalise, shingles  # noqa: PLC0415

    began = time.process_time()
    asked = [Fingerprint("shingle-3", VERSION, shingles.shingles(normalise.tokens(text)).pack()) for text in texts]
    registry.index.search([[one] for one in asked])
    return time.process_time() - began
