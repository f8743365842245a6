"""Real text in many languages out of Debian packages: what is registered, and what is not, of the same manuals."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import debian_packages
from fingerprinting.text import markup, normalise
from fingerprinting.text.shingles import CHARACTERS as CHARACTERS_A_SHINGLE
from fingerprinting.text.shingles import WORDS as WORDS_A_SHINGLE

_HELP: Final = tuple(f"libreoffice-help-{language}" for language in ("hi", "ja", "ko", "tr", "vi"))
PACKAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "tuning": ("installation-guide-amd64",),
    "reporting": ("debian-handbook", *_HELP),
}
LANGUAGES: Final[Mapping[str, str]] = {
    "en": "en",
    "en-US": "en",
    "fr": "fr",
    "fr-FR": "fr",
    "es": "es",
    "es-ES": "es",
    "de": "de",
    "de-DE": "de",
    "it": "it",
    "it-IT": "it",
    "pt": "pt",
    "pt-BR": "pt",
    "ru": "ru",
    "ru-RU": "ru",
    "ar-MA": "ar",
    "hi": "hi",
    "tr": "tr",
    "tr-TR": "tr",
    "vi": "vi",
    "vi-VN": "vi",
    "ko": "ko",
    "ko-KR": "ko",
    "ja": "ja",
    "ja-JP": "ja",
    "zh_CN": "zh",
    "zh-CN": "zh",
    "pl-PL": "pl",
    "nl-NL": "nl",
    "sv": "sv",
    "cs": "cs",
    "fa-IR": "fa",
    "nl": "nl",
}
CHARACTERS: Final = {"ja", "zh"}
TOKENS_A_MINUTE: Final = {"words": 150, "characters": 275}
_MINUTES = 10
_TOKEN = re.compile(r"[぀-ヿ㐀-鿿]|[^\s぀-ヿ㐀-鿿]+")


@dataclass(frozen=True)
class Text:
    """Ten minutes of a manual, read aloud: words, or characters with the words between them."""

    language: str
    tokens: tuple[str, ...]

    @property
    def tokens_a_second(self) -> float:
        """How fast it is spoken."""
        return TOKENS_A_MINUTE["characters" if self.language in CHARACTERS else "words"] / 60


def fetch(half: str, folder: Path) -> None:
    """Download the packages of one half and unpack their pages and their licences."""
    debian_packages.fetch(PACKAGES[half], folder, ["*.html", "*/copyright"])


def texts(half: str, folder: Path) -> dict[str, list[Text]]:
    """Give the texts of each language; no line or passage of them is in the others, as far as we can tell.

    A manual repeats its warnings, its commands, its contents; and what is not translated yet is English. Where eight
    shingles of a line, or half of them, were in lines before, it is left out.
    """
    kept = folder / f"texts-{half}.json"
    if kept.exists():
        held = json.loads(kept.read_text("utf-8"))
        return {language: [Text(language, tuple(each)) for each in some] for language, some in held.items()}
    found = _texts(half, folder)
    kept.write_text(json.dumps({language: [one.tokens for one in some] for language, some in found.items()}), "utf-8")
    return found


def _texts(half: str, folder: Path) -> dict[str, list[Text]]:
    pages: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(one for package in PACKAGES[half] for one in (folder / "files" / package).rglob("*.html")):
        language = next((LANGUAGES[part] for part in reversed(path.parts) if part in LANGUAGES), None)
        if language is not None:
            pages[language].append(markup.without_html(path.read_text("utf-8", "replace")))
    seen: set[int] = set()
    found: dict[str, list[Text]] = {}
    for language in sorted(pages, key=lambda each: (each != "en", each)):
        lines = [line for page in pages[language] for line in _fresh(page, seen)]
        found[language] = list(_cut(language, lines))
    return {language: some for language, some in found.items() if len(some) >= 8}  # four of each kind


def _fresh(page: str, seen: set[int]) -> Iterator[str]:
    for line in re.split(r"\s*\n\s*\n\s*", page):
        held = _whole_shingles(line)
        known = held & seen
        seen |= held
        if held and len(known) < min(8, len(held) / 2):
            yield line


def _whole_shingles(line: str) -> set[int]:
    """Give hashes of a line's shingles in full: of the bits that are kept, a million of them are met by chance."""
    tokens = normalise.tokens(line)
    found = set()
    for ids, size, sampled in (
        (tokens.ids[~tokens.are_characters].tolist(), WORDS_A_SHINGLE, 1),
        (tokens.ids[tokens.are_characters].tolist(), CHARACTERS_A_SHINGLE, 2),
    ):
        hashes = {hash(tuple(ids[at : at + size])) for at in range(len(ids) - size + 1)}
        found |= {each for each in hashes if each % sampled == 0}
    return found


def _cut(language: str, lines: list[str]) -> Iterator[Text]:
    rate = TOKENS_A_MINUTE["characters" if language in CHARACTERS else "words"]
    tokens = [token for line in lines for token in _TOKEN.findall(line)]
    for start in range(0, len(tokens) - rate * _MINUTES, rate * _MINUTES):
        yield Text(language, tuple(tokens[start : start + rate * _MINUTES]))
