"""Texts of the benchmark as captions with times, and as they are asked for; and the fingerprints of both."""

import random
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.text.material import CHARACTERS, Text
from fingerprinting.text import shingle_bytes
from fingerprinting.text.fingerprints import fingerprint_text
from fingerprinting.types import Fingerprint

_WORDS_A_CUE = 9


def times(text: Text) -> list[float]:
    """Say when each token is said: at an uneven pace, with a pause now and then; one more for the end."""
    chance = random.Random(len(text.tokens))
    seconds, begins = 5.0, []
    for number in range(len(text.tokens) + 1):
        begins.append(seconds)
        seconds += chance.uniform(0.5, 1.5) / text.tokens_a_second
        if number % 97 == 96:
            seconds += chance.uniform(0.5, 6.0)
    return begins


def captions(text: Text, begins: Sequence[float] | None = None) -> Fingerprint:
    """Fingerprint a text as captions whose words are said at these times (as `times` gives them, by default)."""
    said_at = times(text) if begins is None else begins
    cues = []
    for start in range(0, len(text.tokens), _WORDS_A_CUE):
        end = min(start + _WORDS_A_CUE, len(text.tokens))
        cues.append(
            f"{_clock(said_at[start])} --> {_clock(said_at[end])}\n{joined(text.tokens[start:end], text.language)}\n"
        )
    made = printed("WEBVTT\n\n" + "\n".join(cues), "text/vtt")
    if made is None or not shingle_bytes.unpack(made.value).is_timed:
        raise ValueError("a text of ten minutes has no fingerprint with times")
    return made


def joined(tokens: Sequence[str], language: str) -> str:
    """Write tokens down, without spaces between two characters of a script that has none."""
    text = " ".join(tokens)
    return (
        re.sub(r"(?<=[\u3040-\u30ff\u3400-\u9fff]) (?=[\u3040-\u30ff\u3400-\u9fff])", "", text)
        if language in CHARACTERS
        else text
    )


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 3600:02}:{int(seconds) // 60 % 60:02}:{seconds % 60:06.3f}"


def printed(text: str, media_type: str) -> Fingerprint | None:
    """Fingerprint a text as a file of that kind; None where it is too short."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        return next(iter(fingerprint_text(Path(file.name), media_type).fingerprints), None)
