"""Captions: WebVTT, SubRip and json3 into cues, each line once."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerprinting.errors import FingerprintingError, UnreadableMediaError
from fingerprinting.text import captions, kinds
from fingerprinting.text.cues import Cue

VTT = """\ufeffWEBVTT - a title
Kind: captions
Language: en

NOTE a remark
over two lines

STYLE
::cue { color: red }

intro
00:01.000 --> 00:02.500 align:start position:0%
<v Ann>Hello &amp; <i>welcome</i>
to the show

01:00:03.000 --> 01:00:04.000
<c.yellow>Second</c> cue
"""

SRT = """1
00:00:01,000 --> 00:00:02,500
{\\an8}Hello <font color="#fff">there</font>

2
00:01:03,250 --> 00:01:04,000
Second cue
3
00:01:05,000 --> 00:01:06,000
No blank line before this
"""

# As YouTube writes automatic captions: each line appears with word times, alone, and as the first line of the next cue.
ROLLING = """WEBVTT
Kind: captions

00:00:00.000 --> 00:00:02.000 align:start position:0%
{space}
we<00:00:00.500><c> begin</c><00:00:01.000><c> here</c>

00:00:02.000 --> 00:00:02.010 align:start position:0%
we begin here
{space}

00:00:02.010 --> 00:00:04.000 align:start position:0%
we begin here
and<00:00:02.500><c> go</c><00:00:03.000><c> on</c>

00:00:04.000 --> 00:00:04.010 align:start position:0%
and go on
{space}

00:00:04.010 --> 00:00:06.000 align:start position:0%
and go on
to the end
""".replace("{space}", " ")

JSON3 = {
    "wireMagic": "pb3",
    "events": [
        {"tStartMs": 0, "dDurationMs": 5000, "id": 1, "wpWinPosId": 1},
        {"tStartMs": 120, "dDurationMs": 3000, "segs": [{"utf8": "we"}, {"utf8": " begin", "tOffsetMs": 400}]},
        {"tStartMs": 2000, "aAppend": 1, "segs": [{"utf8": "\n"}]},
        {"tStartMs": 3120, "dDurationMs": 1000, "segs": [{"utf8": "and go on"}]},
    ],
}


def test_vtt_is_read_without_markup_notes_and_styles() -> None:
    assert captions.parse(VTT.encode()) == [
        Cue("Hello & welcome\nto the show", 1.0, 2.5),
        Cue("Second cue", 3603.0, 3604.0),
    ]


def test_srt_is_read_also_where_blank_lines_are_missing() -> None:
    assert captions.parse(SRT.encode()) == [
        Cue("Hello there", 1.0, 2.5),
        Cue("Second cue", 63.25, 64.0),
        Cue("No blank line before this", 65.0, 66.0),
    ]


def test_srt_from_windows_is_read() -> None:
    assert captions.parse(SRT.replace("\n", "\r\n").encode("utf-16")) == captions.parse(SRT.encode())


def test_rolling_captions_give_every_line_once() -> None:
    assert captions.parse(ROLLING.encode()) == [
        Cue("we begin here", 0.0, 2.0),
        Cue("and go on", 2.01, 4.0),
        Cue("to the end", 4.01, 6.0),
    ]


def test_a_line_that_comes_back_later_is_kept() -> None:
    cues = [f"{n}\n00:00:{n:02}.000 --> 00:00:{n:02}.900\n{line}\n" for n, line in enumerate(["la", "b", "c", "la"])]

    assert [cue.text for cue in captions.parse("\n".join(cues).encode())] == ["la", "b", "c", "la"]


def test_json3_is_read() -> None:
    assert captions.parse(json.dumps(JSON3).encode()) == [Cue("we begin", 0.12, 3.12), Cue("and go on", 3.12, 4.12)]


@pytest.mark.parametrize(
    ("text", "media_type"),
    [
        (VTT, "text/vtt"),
        (SRT, "application/x-subrip"),
        (json.dumps(JSON3), "application/x-youtube-json3"),
        ("Once upon a time --> there was", None),
        ('{"events": 3}', None),
        ("", None),
    ],
)
def test_a_format_is_known_by_its_content(text: str, media_type: str | None) -> None:
    assert kinds.of_captions(text) == media_type


@pytest.mark.parametrize(
    "raw",
    [
        b"WEBVTT\n\n",
        b"WEBVTT\n\n00:01.000 --> 00:02.000\n\n",
        b'{"wireMagic": "pb3", "events": [',
        b'{"wireMagic": "pb3", "events": []}',
        b'{"wireMagic": "pb3", "events": [null, 7, {"segs": "no"}, {"segs": [{"utf8": 5}]}]}',
        b'{"wireMagic": "pb3", "events": ' + b"[" * 100_000,
        b"just words",
    ],
)
def test_a_file_without_captions_is_unreadable(raw: bytes) -> None:
    with pytest.raises(UnreadableMediaError):
        captions.parse(raw, "text/vtt")


def test_numbers_of_any_kind_in_json3_are_survived() -> None:
    events = [
        {"tStartMs": value, "segs": [{"utf8": f"line {n}"}]} for n, value in enumerate(["5", None, -1, True, 1e30])
    ]

    cues = captions.parse(json.dumps({"wireMagic": "pb3", "events": events}).encode())

    assert [cue.text for cue in cues] == [f"line {n}" for n in range(5)]


@given(st.text(alphabet='WEBVT\n 0123456789:.->,<c>{}"events', max_size=300))
def test_no_text_raises_anything_but_an_error_of_ours(text: str) -> None:
    for start in ("", "WEBVTT\n\n", '{"wireMagic": 1, "events": '):
        try:
            cues = captions.parse((start + text).encode(), "text/vtt")
        except FingerprintingError:
            continue
        assert all(cue.text.strip() for cue in cues)


@pytest.mark.parametrize(
    ("entity", "shown"),
    [
        ("&#" + "9" * 3_000_000 + ";", "\ufffd"),
        ("&#" + "9" * 3_000_000, "\ufffd"),
        ("&#x" + "f" * 3_000_000 + ";", "\ufffd"),
        ("&#" + "0" * 3_000_000 + "65;", "A"),
        ("&#X" + "0" * 3_000_000 + "41;", "A"),
        ("&#" + "0" * 3_000_000 + ";", "\ufffd"),
        ("&#" + "9" * 5000 + "; &#" + "0" * 5000 + "65; &amp; &#66;", "\ufffd A & B"),
    ],
    ids=["decimal", "without an end", "hexadecimal", "zeros", "hexadecimal zeros", "only zeros", "several"],
)
@pytest.mark.parametrize("head", ["WEBVTT\n\n00:00.000 --> 00:01.000\n", "1\n00:00:00,000 --> 00:00:01,000\n"])
def test_an_entity_of_millions_of_digits_is_read(head: str, entity: str, shown: str) -> None:
    cues = captions.parse(f"{head}fox {entity} crow\n".encode())

    assert [cue.text for cue in cues] == [f"fox {shown} crow"]
