"""From bytes to text: encodings that are taken, and bytes that are refused."""

# ruff: noqa: RUF001 - sentences in many scripts

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerprinting.errors import UnreadableMediaError
from fingerprinting.text import encodings

SENTENCE = "Où est l\u2019été ? Grüße aus Köln — “señor”, 12 €."


# Captions of few words: times and signs are most of the bytes.
TIMES = "".join(f"{n}\n00:00:0{n},000 --> 00:00:0{n},900\n%s\n\n" for n in range(1, 10))
FOREIGN = {"cp1255": "שלום לך", "cp1256": "مرحبا", "cp1257": "Ąžuolų ąsočiai", "cp1254": "Işığı söndürdüğün"}
PANGRAMS = {
    "cp1251": "Съешь же ещё этих мягких французских булок, да выпей чаю, потому что они есть.",
    "koi8-r": "Съешь же ещё этих мягких французских булок, да выпей чаю, потому что они есть.",
    "cp866": "Съешь же ещё этих мягких французских булок, да выпей чаю, потому что они есть.",
    "cp1250": "Příliš žluťoučký kůň úpěl ďábelské ódy, protože nemůže být při tom, co je již podle něj více.",
    "iso8859-2": "Příliš žluťoučký kůň úpěl ďábelské ódy, protože nemůže být při tom, co je již podle něj více.",
    "cp1253": "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία, και δεν είναι από αυτό που έχει για μας.",
    "cp1254": "Pijamalı hasta yağız şoföre çabucak güvendi, ama artık bir şey için değil, öyle çok da gerek yok.",
    "cp1255": "דג סקרן שט בים מאוכזב, אבל הוא לא היה גם שם של זה, כי יש עוד על מה",
    "cp1256": "نص حكيم له سر قاطع وذو شأن عظيم مكتوب على ثوب أخضر في هذا الذي من بين كل ما كان",
    "cp1257": "Įlinkdama fechtuotojo špaga sublykčiojusi pragręžė apvalų arbūzą, tačiau dėl to buvo už jų daugiau.",
    "cp874": "เป็นมนุษย์สุดประเสริฐเลิศคุณค่า กว่าบรรดาฝูงสัตว์เดรัจฉาน และไม่มีที่จะให้กับความ",
    "cp932": "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。",
    "cp949": "키스의 고유조건은 입술끼리 만나야 하고 특별한 기술은 필요치 않다. 그리고 모든 것을 할 수 있습니다.",
    "big5hkscs": "天地玄黃，宇宙洪荒。這是他們的，不是我的，你說會來的時候有人在。",
}


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
        *(TIMES.encode() % ((said.encode(script),) * 9) for script, said in FOREIGN.items()),
    ],
    ids=[
        "random",
        "png",
        "binary called vtt",
        "zeros",
        *(f"srt in {script}" for script in FOREIGN),
    ],
)
def test_what_is_no_text_or_in_an_unknown_encoding_is_refused(raw: bytes) -> None:
    with pytest.raises(UnreadableMediaError, match="UTF-8"):
        encodings.decode(raw)


@pytest.mark.parametrize("encoding", PANGRAMS)
def test_a_text_is_read_in_the_encoding_in_which_its_words_are_known(encoding: str) -> None:
    assert encodings.decode(PANGRAMS[encoding].encode(encoding)) == PANGRAMS[encoding]


def test_vietnamese_is_read_with_its_tones_as_marks() -> None:
    text = "Không có cách nào để bạn được những người đã từng như vậy."
    marks = "\u0300\u0301\u0303\u0309\u0323"
    parts = [unicodedata.normalize("NFD", letter) for letter in text]
    toned = "".join(
        unicodedata.normalize("NFC", "".join(one for one in part if one not in marks))
        + "".join(one for one in part if one in marks)
        for part in parts
    )

    assert unicodedata.normalize("NFC", encodings.decode(toned.encode("cp1258"))) == text


@pytest.mark.parametrize("encoding", ["cp1250", "iso8859-2"])
def test_what_a_page_says_of_itself_counts(encoding: str) -> None:
    page = f'<html><head><meta http-equiv="Content-Type" content="text/html; charset={encoding}"></head>Šťáva</html>'

    assert encodings.decode(page.encode(encoding)) == page
    assert encodings.decode(f"<?xml version='1.0' encoding='{encoding}'?><p>Šťáva</p>".encode(encoding)).count("Šťáva")


@pytest.mark.parametrize("name", ["utf-7", "unicode_escape", "rot13", "no-such", "utf-16"])
def test_a_page_that_says_what_cannot_be_is_read_by_its_words(name: str) -> None:
    page = f"<meta charset={name}> {PANGRAMS['cp1251']}"

    assert encodings.decode(page.encode("cp1251")) == page


def test_a_few_letters_of_the_west_are_read_as_they_always_were() -> None:
    assert encodings.decode("Café Müller".encode("cp1252")) == "Café Müller"
