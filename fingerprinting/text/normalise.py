"""From text to the tokens that are compared: content words, folded so that small differences of spelling vanish."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting.text import markup, stopwords

VERSION: Final = 1
"""Of these rules. Any change of them changes every fingerprint of text, and needs a new version."""

_KEY: Final = b"mediamanager/text/1"
"""Published: the ids are not secret, they are only ours."""

_CHARACTER_BIT: Final = 1
"""The lowest bit of an id tells a character of a script without spaces (1) from a word (0), so neither is the other."""

_DROPPED: Final = 0
_BLOCK_CHARACTERS: Final = 1 << 20
_MAX_TOKEN_CHARACTERS: Final = 64
_MAX_CACHED: Final = 200_000
_MOST_LETTERS: Final = 16
"""Fewer characters than this for each chunk between spaces, and most of them are single words."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The kept tokens of a text, in order.

    Attributes:
        ids: uint64, shape (k,), never 0: equal for tokens that fold to the same.
        raw: int64, shape (k,): which token of the text each was, counted before any was dropped.
    """

    ids: NDArray[np.uint64]
    raw: NDArray[np.int64]

    @property
    def are_characters(self) -> NDArray[np.bool_]:
        """Which of them are single characters of a script without spaces, shape (k,)."""
        return (self.ids & np.uint64(_CHARACTER_BIT)).astype(np.bool_)


def tokens(text: str) -> Tokens:
    """Tokenise, fold, and drop what carries no content.

    Sounds in brackets, tags, addresses and speakers' names are not looked at; digits, number words and stop words are
    dropped; accents, apostrophes and case are folded, and Latin words to how they roughly sound; each character of Han,
    kana, Thai, Lao, Khmer and Burmese is a token of its own. The same text gives the same ids on every machine.
    """
    found: list[bytes] = []
    for _, block in _blocks(text):
        chunks = block.split()
        if len(chunks) * _MOST_LETTERS > len(block):
            found.append(b"".join(map(_chunks.__getitem__, chunks)))
        else:  # a script without spaces: no two chunks are the same
            words = _TOKEN.findall(block)
            found.append(np.fromiter(map(_ids.__getitem__, words), dtype=np.uint64, count=len(words)).tobytes())
    ids = np.frombuffer(b"".join(found), dtype=np.uint64)
    raw = np.flatnonzero(ids)
    return Tokens(ids=ids[raw], raw=raw)


def character_spans(text: str) -> NDArray[np.int64]:
    """Say where each kept token of a text stands: `[start, end)` in characters, shape (k, 2), as `tokens` orders them.

    Slower than `tokens`: for the few texts in which something was found.
    """
    spans = [
        (start + token.start(), start + token.end())
        for start, block in _blocks(text)
        for token in _TOKEN.finditer(block)
        if _ids[token.group()] != _DROPPED
    ]
    return np.array(spans, dtype=np.int64).reshape(-1, 2)


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    """Cut a long text at white space, so that memory does not grow with it; each block with its place."""
    start = 0
    while start < len(text):
        end = min(len(text), start + _BLOCK_CHARACTERS)
        if end < len(text):
            gap = max(text.rfind(" ", start, end), text.rfind("\n", start, end))
            end = gap + 1 if gap > start else end
        yield start, markup.without_noise(text[start:end])
        start = end


# Scripts that put no spaces between words: Thai, Lao, Burmese (and its extensions), Khmer, kana, Bopomofo, Han.
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\u3005-\u3007\u3031-\u3035\u303b\u3041-\u312f\u31a0-\u31bf"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua9e0-\ua9ff\uaa60-\uaa7f\uf900-\ufaff\uff66-\uff9f"
    "\U0001aff0-\U0001b16f\U00020000-\U0003ffff"
)
# Within a word: apostrophes in their many shapes, soft hyphen, zero-width joiners, Arabic and Hebrew signs.
_JOINERS: Final = "'\u2018\u2019\u02bc\uff07`\u00b4\u00ad\u200b-\u200d\u2060\ufeff"


def _marks() -> str:
    r"""List the combining marks, which `\w` leaves out though Indic, Arabic and Hebrew words are full of them."""
    ranges: list[list[int]] = []
    for code in range(0x300, 0x11FFF):
        if unicodedata.category(chr(code)) in {"Mn", "Mc"} and not _IN_UNSPACED.match(chr(code)):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


_IN_UNSPACED: Final = re.compile(f"[{_UNSPACED}]")
_WORD: Final = rf"[^\W\d_{_UNSPACED}]+(?:[{_JOINERS}{_marks()}]+[^\W\d_{_UNSPACED}]*)*"
_TOKEN: Final = re.compile(rf"{_WORD}|[{_UNSPACED}]")


class _Ids(dict[str, int]):
    """The id of every token met so far, as it stands in the text; computed when it is first met."""

    def __missing__(self, token: str) -> int:
        if len(token) > _MAX_TOKEN_CHARACTERS:
            return _DROPPED
        if len(self) >= _MAX_CACHED:
            self.clear()
        self[token] = found = _id_of(token)
        return found


_ids: Final = _Ids()


class _Chunks(dict[str, bytes]):
    """The ids of the tokens in what stood between two spaces: mostly one, with a comma. No token holds a space.

    As bytes, of which thousands are joined in a third of the time that it takes to make an array of numbers.
    """

    def __missing__(self, chunk: str) -> bytes:
        found = np.array([_ids[token] for token in _TOKEN.findall(chunk)], dtype=np.uint64).tobytes()
        if len(chunk) <= _MAX_TOKEN_CHARACTERS:
            if len(self) >= _MAX_CACHED:
                self.clear()
            self[chunk] = found
        return found


_chunks: Final = _Chunks()


def _id_of(token: str) -> int:
    if _IN_UNSPACED.match(token):
        folded = unicodedata.normalize("NFKC", token)
        # Digits and punctuation live in these blocks, too.
        return _hash(folded) | _CHARACTER_BIT if unicodedata.category(folded[0])[0] in "LM" else _DROPPED
    folded = fold(token)
    if not folded or folded in _stop_words():
        return _DROPPED
    sound = _sound_of(folded) if folded.isascii() else folded
    # 2 rather than 0 in the one case of 2**63 in which a hash is the mark of a dropped token.
    return _hash(sound) & ~_CHARACTER_BIT or 2


def _hash(token: str) -> int:
    digest = hashlib.blake2b(token.encode(errors="surrogatepass"), digest_size=8, key=_KEY).digest()
    return int.from_bytes(digest, "little")


@lru_cache(maxsize=1)
def _stop_words() -> frozenset[str]:
    return frozenset(fold(word) for word in stopwords.words())


# Letters that are written with a plain one where a keyboard lacks them, and that Unicode does not decompose.
_PLAIN_LETTERS: Final = str.maketrans({"\u0131": "i", "ł": "l", "ø": "o", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"})
_ACCENTS: Final = frozenset("\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327\u0328")
# Vowel signs and points that Arabic and Hebrew mostly leave out, and the stroke that only widens Arabic.
_POINTS: Final = re.compile("[\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]")
_JOINED: Final = re.compile(f"[{_JOINERS}]+")


def fold(token: str) -> str:
    """Fold one word: compatibility forms, case, apostrophes, simple Latin accents, Arabic and Hebrew points.

    Letters with two marks, or with a hook, a horn or a dot below, keep them: Vietnamese words differ by them.
    """
    folded = unicodedata.normalize("NFKC", _JOINED.sub("", unicodedata.normalize("NFKC", token).casefold()))
    folded = _POINTS.sub("", folded)
    if folded.isascii() and folded.isalpha():
        return folded
    # Fractions and raised digits count as parts of words for the regular expression, and become digits here.
    letters = (letter for letter in folded.translate(_PLAIN_LETTERS) if unicodedata.category(letter)[0] in "LM")
    return "".join(_without_accent(letter) for letter in letters)


def _without_accent(letter: str) -> str:
    parts = unicodedata.normalize("NFD", letter)
    # What is left of the Turkish capital dotted I.
    if parts == "\u0307":
        return ""
    return parts[0] if len(parts) == 2 and parts[0].isascii() and parts[1] in _ACCENTS else letter  # noqa: PLR2004


_SOUNDS: Final = str.maketrans("vzcqgxbdj", "fskkkkptk")
_SILENT: Final = str.maketrans("", "", "aeiouyhw")
_DOUBLED: Final = re.compile(r"(.)\1+")


def _sound_of(word: str) -> str:
    """Fold an ASCII word to how it roughly sounds, as speech recognition may hear it: voicing and vowels go."""
    sounds = word.translate(_SOUNDS)
    return _DOUBLED.sub(r"\1", sounds[0] + sounds[1:].translate(_SILENT))
