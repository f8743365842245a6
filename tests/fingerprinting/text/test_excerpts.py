"""The words at the places that an index reports."""

from pathlib import Path

from fingerprinting.text.excerpts import MOST_CHARACTERS, Excerpt, excerpts


def test_the_words_between_two_tokens_are_given_with_their_place(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("The quick brown fox jumps over the lazy dog.", encoding="utf-8")

    found = excerpts(text, "text/plain", [(0, 1), (2, 99)])

    assert found == [Excerpt((4.0, 15.0), "quick brown", timed=False), None]


def test_of_captions_the_seconds_are_given(tmp_path: Path) -> None:
    captions = tmp_path / "captions.vtt"
    captions.write_text(
        "WEBVTT\n\n00:00:01.000 --> 00:00:03.000\nquick brown\n\n00:00:03.000 --> 00:00:07.500\nfox jumps\n",
        encoding="utf-8",
    )

    (found,) = excerpts(captions, "text/vtt", [(1, 2)])

    assert found == Excerpt((1.0, 7.5), "brown fox", timed=True)


def test_a_long_passage_is_shortened_in_the_middle(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    words = ["wordy" + chr(97 + number // 26) + chr(97 + number % 26) for number in range(600)]
    text.write_text(" ".join(words), encoding="utf-8")

    (found,) = excerpts(text, "text/plain", [(0, 599)])

    assert found is not None
    assert len(found.words) <= MOST_CHARACTERS + 3
    assert found.words.startswith(f"{words[0]} ")
    assert found.words.endswith(f" {words[-1]}")
