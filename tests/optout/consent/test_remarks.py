"""What the fingerprinter notes, in words, in every language."""

import re
from pathlib import Path

import pytest

import fingerprinting
from optout.consent.explain import LANGUAGES, Language
from optout.consent.remarks import Remark, clock, remarks
from optout.consent.wordings import notes


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_note_of_the_fingerprinter_is_said_in_plain_words(language: Language) -> None:
    sources = Path(fingerprinting.__file__).parent.rglob("*.py")
    codes = {
        code
        for path in sources
        for code in re.findall(r'"((?:audio|image|text|video)-[a-z-]+)"', path.read_text(encoding="utf-8"))
    }
    worded = {code for code in codes if code in notes.EN}

    assert {"image-flat", "audio-part-silent", "text-repetitive", "video-flat", "video-sparse"} <= worded
    assert set(notes.EN) == set(notes.FR)
    assert all(remarks([note], language)[0].sentence != note for note in ("image-flat", "audio-part-silent:1.0-9.5"))


def test_a_part_is_said_with_where_it_lies() -> None:
    assert remarks(["audio-part-monotonous:12.0-131.6"]) == [
        Remark(
            "audio-part-monotonous",
            "From 0:12 to 2:12 it can't be recognised: that part changes too little.",
            119.6,
            (12.0, 131.6),
        )
    ]
    (whole,) = remarks(["audio-partly-unidentifiable:40"], "fr")
    assert whole.sentence.startswith("40 secondes")
    assert whole.seconds == 40


@pytest.mark.parametrize(
    "note", ["audio-part-silent", "audio-part-silent:x", "audio-part-silent:9-3", "audio-part-silent:-1-3", "new:7"]
)
def test_a_note_that_is_not_understood_is_shown_as_it_is(note: str) -> None:
    assert remarks([note])[0].sentence == note


def test_moments_are_told_in_minutes() -> None:
    assert [clock(each) for each in (0, 59.4, 59.6, 3599, 3725.2)] == ["0:00", "0:59", "1:00", "59:59", "1:02:05"]
