"""Blanking markup: the prose stays in its place."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerprinting.text import markup

PAGE = """<!DOCTYPE html><html><head><title>not this</title></head><body class="a">
<script>var hidden = "<p>no</p>";</script><!-- nor <b>this</b> --><STYLE>p { color: red }</STYLE>
<p>Caf&eacute; &amp; cr&#232;me</p> 3 < 4 and <i>more</i>
</body></html>"""


def test_a_web_page_keeps_its_prose_and_its_places() -> None:
    plain = markup.without_html(PAGE)

    assert len(plain) == len(PAGE)
    assert re.sub(r"[>\u00ad]", "", plain).split() == ["Café", "&", "crème", "3", "<", "4", "and", "more"]
    assert plain.index("more") == PAGE.index("more")


@pytest.mark.parametrize("end", ["<script>rest", "<!-- rest", "<style>rest", "<p rest"])
def test_an_element_that_never_ends_does_not_stop_the_reading(end: str) -> None:
    assert "words" in markup.without_html("words " + end)


@pytest.mark.parametrize(
    ("text", "is_html"),
    [
        (PAGE, True),
        ("<html><body>", True),
        ("\n<?xml version='1.0'?>\n<html>", True),
        ("<!-- saved from https://example.org -->\n<!-- twice -->\n<!DOCTYPE html>", True),
        ("<!-- of something else --><svg>", False),
        ("<!-- never closed", False),
        ("a <b>c</b>", False),
        ("", False),
    ],
)
def test_a_web_page_is_known_by_its_beginning(text: str, *, is_html: bool) -> None:
    assert markup.is_html(text) is is_html


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("before [Music] after", ["before", "after"]),
        ("before (applause) after", ["before", "after"]),
        ("a long (aside that goes on for more than thirty characters) stays", None),
        ("see https://example.org/a/path?q=words now", ["see", "now"]),
        ("\u89c1https://example.org/a?b=c\u6587\u4ef6", ["\u89c1", "\u6587\u4ef6"]),
        ("a [link](https://example.org) and ![picture](a/b.png)", ["a", "[link]", "and", "![picture"]),
        ("ANN LEE: hello\n- Bob: hi\nnote: kept", ["hello", "hi", "note:", "kept"]),
        ("time <00:00:01.000> and <c.red>tags</c>", ["time", "and", "tags"]),
        ("3 < 4 and 5 > 2", None),
    ],
)
def test_noise_is_blanked_and_prose_stays(text: str, words: list[str] | None) -> None:
    plain = markup.without_noise(text)

    assert len(plain) == len(text)
    assert plain.split() == (words if words is not None else text.split())


@given(st.text(alphabet="ab <>[]()!:&;#x12/-\n\"'", max_size=200))
def test_every_character_keeps_its_place(text: str) -> None:
    for plain in (markup.without_noise(text), markup.without_html(text)):
        assert len(plain) == len(text)
        assert all(kept == was or kept in " \u00ad" or was == "&" for kept, was in zip(plain, text, strict=True))
