"""Fingerprinting a text file, and finding its places again."""

from pathlib import Path

import numpy as np
import pytest

from fingerprinting.errors import LimitExceededError, UnreadableMediaError
from fingerprinting.index import registry
from fingerprinting.media import Limits
from fingerprinting.text import normalise
from fingerprinting.text.fingerprints import fingerprint_text, locate
from fingerprinting.text.shingle_bytes import unpack
from fingerprinting.types import SpanUnit

STORY = """Every evening the lighthouse keeper climbed the narrow staircase, carrying oil and a small brass lamp.
Fishing boats waited beyond the reef, their captains reading signals through thick autumn fog. When the storm
finally broke, waves smashed against granite walls and washed the wooden pier away. Nobody slept that night."""


def captions(text: str, words_a_cue: int = 6) -> str:
    words = text.lower().replace(",", "").replace(".", "").split()
    cues = [
        f"00:00:{n // 3:02}.000 --> 00:00:{n // 3 + 2:02}.000\n{' '.join(words[n : n + words_a_cue])}\n"
        for n in range(0, len(words), words_a_cue)
    ]
    return "WEBVTT\n\n" + "\n".join(cues)


def written(folder: Path, text: str | bytes, name: str = "text") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_captions_and_the_text_that_they_say_share_their_shingles(tmp_path: Path) -> None:
    (text,) = fingerprint_text(written(tmp_path, STORY, "a"), "text/plain").fingerprints
    (spoken,) = fingerprint_text(written(tmp_path, captions(STORY), "b"), "text/plain").fingerprints

    assert (text.algorithm, text.version) == (spoken.algorithm, spoken.version) == ("shingle-3", 3)
    np.testing.assert_array_equal(unpack(text.value).hashes, unpack(spoken.value).hashes)
    assert text.unit == SpanUnit.CHARACTERS
    assert spoken.unit == SpanUnit.SECONDS


def test_a_web_page_has_the_fingerprint_of_its_text(tmp_path: Path) -> None:
    page = (
        "<!doctype html><html><head><style>p {x: y}</style></head><p>" + STORY.replace("\n", "<br>\n") + "</p></html>"
    )

    (of_page,) = fingerprint_text(written(tmp_path, page, "a"), "text/plain").fingerprints
    (of_text,) = fingerprint_text(written(tmp_path, STORY, "b"), "text/plain").fingerprints

    assert of_page.value == of_text.value


@pytest.mark.parametrize(("player", "notes"), [("<video src=a.mp4>", ("text-page-plays",)), ("<videos>", ())])
def test_a_web_page_with_a_video_says_that_it_is_not_recognised(
    tmp_path: Path, player: str, notes: tuple[str, ...]
) -> None:
    page = f"<!doctype html><html><p>{STORY}</p>{player}</html>"

    assert fingerprint_text(written(tmp_path, page), "text/plain").notes == notes
    assert fingerprint_text(written(tmp_path, f"<html>{player}Watch it"), "text/plain").notes == (
        "text-too-short",
        *notes,
    )


def test_the_index_accepts_the_fingerprint(tmp_path: Path) -> None:
    (fingerprint,) = fingerprint_text(written(tmp_path, STORY), "text/plain").fingerprints

    decoded = registry.decode(
        fingerprint.algorithm, fingerprint.version, registry.encode(fingerprint), quality=fingerprint.quality, span=None
    )

    assert decoded.value == fingerprint.value


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("Ten words of text are not enough to identify anything.", "text-too-short"),
        ("123 456 789 " * 50, "text-too-short"),
        ("la la la harbour " * 50, "text-repetitive"),
        ("哈" * 60, "text-repetitive"),
    ],
)
def test_text_that_identifies_nothing_has_no_fingerprint_and_a_reason(tmp_path: Path, text: str, note: str) -> None:
    prints = fingerprint_text(written(tmp_path, text), "text/plain")

    assert prints.fingerprints == ()
    assert not prints.identifiable
    assert prints.notes == (note,)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"", "text/plain"),
        (bytes(range(256)) * 8, "text/vtt"),
        (STORY.encode(), "text/vtt"),
        (b"WEBVTT\n\n00:00.000 --> 00:01.000\n<i></i>\n", "text/vtt"),
        (b'{"wireMagic": "pb3", "events": [{]', "application/x-youtube-json3"),
    ],
    ids=["empty", "binary called vtt", "prose called vtt", "captions without words", "broken json3"],
)
def test_a_file_that_is_not_what_it_says_is_unreadable(tmp_path: Path, content: bytes, media_type: str) -> None:
    with pytest.raises(UnreadableMediaError):
        fingerprint_text(written(tmp_path, content), media_type)


def test_a_file_that_is_not_there_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableMediaError):
        fingerprint_text(tmp_path / "missing", "text/plain")


def test_a_text_larger_than_the_limit_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, STORY)

    fingerprint_text(path, "text/plain", Limits(max_text_bytes=len(STORY)))
    with pytest.raises(LimitExceededError):
        fingerprint_text(path, "text/plain", Limits(max_text_bytes=len(STORY) - 1))


def test_places_of_a_text_are_characters(tmp_path: Path) -> None:
    spans = normalise.character_spans(STORY)
    words = [STORY[start:end] for start, end in spans]
    first, last = words.index("Fishing"), words.index("fog")

    (span, beyond) = locate(written(tmp_path, STORY), "text/plain", [(first, last), (0, len(words))])

    assert span is not None
    assert STORY[int(span[0]) : int(span[1])] == STORY[STORY.index("Fishing") : STORY.index("fog") + 3]
    assert beyond is None


def test_places_of_captions_are_seconds(tmp_path: Path) -> None:
    path = written(tmp_path, captions(STORY))
    (fingerprint,) = fingerprint_text(path, "text/vtt").fingerprints
    last = int(unpack(fingerprint.value).positions[-1]) + 2

    assert locate(path, "text/vtt", [(0, 0), (last, last)]) == [(0.0, 2.0), (16.0, 18.0)]
