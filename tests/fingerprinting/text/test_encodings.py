"""From bytes to text: encodings that are taken, and bytes that are refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerprinting.errors import UnreadableMediaError
from fingerprinting.text import encodings

SENTENCE = "Où est l\u2019été ? Grüße aus Köln — “señor”, 12 €."


# Captions of few words: times and signs are most of the bytes.
TIMES = "".join(f"{n}\n00:00:0{n},000 --> 00:00:0{n},900\n%s\n\n" for n in range(1, 10))
FOREIGN = {"cp1251": "Да нет же!", "koi8-r": "Да нет же!", "cp1255": "שלום לך", "cp1256": "مرحبا"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_text_in_a_usual_encoding_is_read(encoding: str) -> None:
    assert encodings.decode(SENTENCE.encode(encoding)) == SENTENCE


def test_utf_16_of_either_byte_order_is_read_by_its_mark() -> None:
    assert encodings.decode(b"\xff\xfe" + SENTENCE.encode("utf-16-le")) == SENTENCE
    assert encodings.decode(b"\xfe\xff" + SENTENCE.encode("utf-16-be")) == SENTENCE


@given(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip))
def test_any_text_in_utf_8_comes_back(text: str) -> None:
    assert encodings.decode(b"\xef\xbb\xbf" + text.encode()) == text


@pytest.mark.parametrize("cut_bytes", [1, 2])
def test_a_character_cut_in_half_at_the_end_is_left_out(cut_bytes: int) -> None:
    assert encodings.decode("Preis: 12 €".encode()[:-cut_bytes]) == "Preis: 12 "


def test_line_ends_of_all_systems_become_one() -> None:
    assert encodings.decode(b"one\r\ntwo\rthree\n") == "one\ntwo\nthree\n"


@pytest.mark.parametrize("raw", [b"", b" \n\t\r\n"])
def test_nothing_is_refused_as_empty(raw: bytes) -> None:
    with pytest.raises(UnreadableMediaError, match="empty"):
        encodings.decode(raw)


@pytest.mark.parametrize(
    "raw",
    [
        np.random.default_rng(1).integers(0, 256, 5000).astype(np.uint8).tobytes(),
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"WEBVTT\n\n" + bytes(range(256)) * 4,
        b"text with a zero\0 in it, " * 3,
        "Съешь же ещё этих мягких французских булок".encode("cp1251"),
        "吾輩は猫である。名前はまだ無い。".encode("shift-jis"),
        *(TIMES.encode() % ((said.encode(script),) * 9) for script, said in FOREIGN.items()),
    ],
    ids=[
        "random",
        "png",
        "binary called vtt",
        "zeros",
        "cp1251",
        "shift-jis",
        *(f"srt in {script}" for script in FOREIGN),
    ],
)
def test_what_is_no_text_or_in_an_unknown_encoding_is_refused(raw: bytes) -> None:
    with pytest.raises(UnreadableMediaError, match="UTF-8"):
        encodings.decode(raw)
