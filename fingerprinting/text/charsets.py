"""In which encoding a text was written that is no UTF-8: what it says itself, or that in which it has known words."""

import codecs
import re
import unicodedata
from functools import lru_cache
from importlib import resources
from typing import Final

from fingerprinting.text import stopwords

_ENCODINGS: Final = (
    "cp1252", "cp1250", "iso8859-2", "cp1251", "koi8-u", "cp866", "cp1253", "iso8859-7", "cp1254", "cp1255", "cp1256",
    "cp1257", "iso8859-13", "cp1258", "cp874", "cp932", "euc_jp", "gb18030", "big5hkscs", "cp949",
)  # fmt: skip
"""Those that are looked for. Of several that give the same text the first is taken."""

# Names that stand for a larger encoding on the web. Source: WHATWG Encoding Standard, 4.2.
_LARGER: Final = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
    "shift_jis": "cp932", "gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs", "euc_kr": "cp949",
}  # fmt: skip
_SAID: Final = frozenset(
    {*_ENCODINGS, "utf-8", "koi8-r", "mac-roman", "mac-cyrillic", "iso2022_jp"}
    | {f"iso8859-{number}" for number in (3, 4, 5, 6, 8, 10, 14, 15, 16)}
)
_SAYS: Final = re.compile(
    rb"<meta\b[^<>]{0,300}?\bcharset\s{0,9}=\s{0,9}[\"']?([\w.:-]{2,40})"
    rb"|\A\s{0,99}<\?xml\b[^<>]{0,200}?\bencoding\s{0,9}=\s{0,9}[\"']([\w.:-]{2,40})",
    re.IGNORECASE,
)
_HEAD_BYTES: Final = 4096
_SAMPLE_BYTES: Final = 1 << 16
_LONGEST_CHARACTER: Final = 4
_C1_CONTROLS: Final = re.compile("[\x80-\x9f]")
_UNSPACED: Final = re.compile("[\u0e00-\u0eff\u3041-\u30ff\u4e00-\u9fff]")
_WORD: Final = re.compile(r"[^\W\d_]+(?:[\u0300-\u036f]+[^\W\d_]*)*")
_LEAST_KNOWN: Final = 3
_LEAST_SHARE: Final = 0.02
"""Of the words that are not ASCII, so many must be known, and so large a part of them; fewer, where none is known in
any other encoding."""

_LEAST_LEAD: Final = 1.03
"""So many times as many as in any other encoding, in which the text would be another one."""

_MOST_OTHER: Final = 0.1
"""Of the characters that are not ASCII, as many may differ in another encoding that does as well: a capital with an
accent in a French text, which is the same but for that in Windows' encoding of Arabic."""

_ALPHABETS: Final = (
    "àâæçéèêëîïôœùûüÿ", "áéíñóúüªº", "áâãàçéêíóôõúüªº", "äöüßé", "àèéìíîòóùú", "éëïóöüèê", "åäöøæé",
    "àçèéíïòóúü",
)  # fmt: skip
"""What French, Spanish, Portuguese, German, Italian, Dutch, Scandinavian languages and Catalan have beside a to z."""

_MOST_LETTERS: Final = 0.3
_RAISED: Final = re.compile(r"[^\W\d_][¹²³¼½¾¤§¶]|[¹³¼½¾¤§¶][^\W\d_]")

_WORDS_ALL_THE_SAME: Final = 0.01
"""Where hardly any word is not ASCII, it doesn't matter how these are read: names, and one letter of a hundred."""


def said(raw: bytes) -> str | None:
    """Give the encoding that a web page or XML says that it is in; None where it says none that is known here."""
    found = _SAYS.search(raw[:_HEAD_BYTES])
    if found is None:
        return None
    try:
        name = codecs.lookup((found[1] or found[2]).decode("ascii")).name
    except LookupError:
        return None
    name = _LARGER.get(name, name)
    return name if name in _SAID else None


def guessed(raw: bytes) -> str | None:
    """Give the encoding in which most words of a text are known ones; None where that cannot be told.

    Args:
        raw: a text that is no UTF-8.
    """
    sample = raw[:_SAMPLE_BYTES]
    counted: list[tuple[int, str, str]] = []
    for encoding in _ENCODINGS:
        text = _decoded(sample, encoding)
        if text is None:
            continue
        words, known, _ = _counts(text)
        if known >= max(1, words * _LEAST_SHARE):
            counted.append((known, encoding, text))
    if counted:
        most, encoding, text = max(counted, key=lambda each: each[0])
        others = max((known for known, _, other in counted if _is_another(text, other)), default=0)
        if most >= others * _LEAST_LEAD and (most >= _LEAST_KNOWN or not others):
            return encoding
    western = _decoded(sample, "cp1252")
    if western is None or any(known > _counts(western)[1] for known, *_ in counted):
        return None
    return "cp1252" if _is_western(western) else None


def _is_another(text: str, other: str) -> bool:
    """Whether a text differs in more than a few characters."""
    if text == other:
        return False
    differing = sum(one != two for one, two in zip(text, other, strict=False))
    every = sum(not one.isascii() for one in text)
    return len(text) != len(other) or differing > every * _MOST_OTHER


def _decoded(sample: bytes, encoding: str) -> str | None:
    """Decode the beginning of a text, of which the last character may be cut; None where it can't be in an encoding."""
    for cut in range(_LONGEST_CHARACTER if len(sample) == _SAMPLE_BYTES else 1):
        try:
            text = sample[: len(sample) - cut].decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if _C1_CONTROLS.search(text) else unicodedata.normalize("NFC", text).casefold()
    return None


def _counts(text: str) -> tuple[int, int, int]:
    """Count the words that are not ASCII, those of them that are known, and all words."""
    every = _WORD.findall(text)
    words = [word for word in every if not word.isascii()]
    known = sum(1 for word in words if word in _known())
    if _UNSPACED.search(text):
        words += _UNSPACED.findall(text)
        known += sum(text.count(each) for each in _syllables())
    return len(words), known, len(every)


def _is_western(text: str) -> bool:
    """Whether a text that was read as Windows-1252 has only the letters of one language, and these not everywhere.

    In texts of other encodings there are letters among these that no language has together.
    """
    words, _, every = _counts(text)
    if words <= every * _WORDS_ALL_THE_SAME:
        return True
    letters = [letter for letter in text if letter.isalpha()]
    others = [letter for letter in letters if not letter.isascii()]
    is_of_one = any(set(others) <= set(alphabet) for alphabet in _ALPHABETS)
    return is_of_one and len(others) <= len(letters) * _MOST_LETTERS and not _RAISED.search(text)


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    listed = resources.files(__package__).joinpath("charset_words.txt").read_text(encoding="utf-8")
    further = [word for line in listed.splitlines() if not line.startswith("#") for word in line.split()]
    every = (unicodedata.normalize("NFC", word).casefold() for word in (*stopwords.words(), *further))
    # A single letter is a word by chance, too.
    return frozenset(word for word in every if not word.isascii() and (len(word) > 1 or _UNSPACED.match(word)))


@lru_cache(maxsize=1)
def _syllables() -> frozenset[str]:
    return frozenset(word for word in _known() if _UNSPACED.match(word))
