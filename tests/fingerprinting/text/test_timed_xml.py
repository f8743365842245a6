"""Captions in XML: TTML and YouTube's srv1, srv2 and srv3 into cues, and what must not be followed or grow."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerprinting.errors import FingerprintingError, UnreadableMediaError
from fingerprinting.text import captions, kinds
from fingerprinting.text.cues import Cue

HEAD = '<?xml version="1.0" encoding="utf-8" ?>'
# As YouTube writes them; srv1 escapes twice.
SRV1 = f"""{HEAD}<transcript><text start="1.36" dur="1.68">[Music]</text>
<text start="18.64" dur="3.24">We&amp;#39;re here
and there</text></transcript>"""
SRV2 = f"""{HEAD}<timedtext><window t="0" id="1" op="define" rc="15" cc="32" ap="7" ah="50" av="95"/>
<text w="1" t="120" d="3000">RE</text><text w="1" t="520" d="3100" append="1">MEMBER this</text>
<text w="1" t="700" append="1">
</text><text w="1" t="3120" d="1000">and that</text></timedtext>"""
SRV3 = f"""{HEAD}<timedtext format="3">
<head><pen id="1" fc="#E5E5E5"/><ws id="0"/><wp id="0"/></head>
<body>
<w t="0" id="1" wp="1" ws="1"/>
<p t="320" d="4639" w="1"><s ac="0">We&#39;re</s><s t="239" ac="0"> no</s><s t="559"> strangers</s></p>
<p t="2470" d="2330" w="1" a="1">
</p>
<p t="4800" d="1000">to &lt;i&gt;this&lt;/i&gt; &amp; that<br/>and on</p>
</body></timedtext>"""
TTML = f"""{HEAD}<!-- exported -->
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" ttp:frameRate="25" xml:lang="en">
<head><metadata><title>Not said</title></metadata><styling><style xml:id="s"/></styling></head>
<body begin="10s"><div>
  <p begin="00:00:01.500" end="00:00:04">Good
     evening<br/>to you</p>
  <p begin="00:00:05:05" dur="500ms"><metadata><desc>Not said</desc></metadata><span begin="0s">wel</span><span
     begin="1s">come</span></p>
  <p><span begin="7s" end="8s">one</span><span begin="8s" end="0.0025h">two</span></p>
</div></body></tt>"""


def test_srv1_is_read() -> None:
    assert captions.parse(SRV1.encode()) == [
        Cue("[Music]", 1.36, pytest.approx(3.04)),
        Cue("We're here\nand there", 18.64, pytest.approx(21.88)),
    ]


def test_srv2_is_read_also_where_it_goes_on_within_a_word() -> None:
    assert captions.parse(SRV2.encode()) == [
        Cue("REMEMBER this", 0.12, pytest.approx(3.62)),
        Cue("and that", 3.12, pytest.approx(4.12)),
    ]


def test_srv3_is_read() -> None:
    assert captions.parse(SRV3.encode()) == [
        Cue("We're no strangers", 0.32, pytest.approx(4.959)),
        Cue("to this & that\nand on", 4.8, pytest.approx(5.8)),
    ]


def test_ttml_is_read_with_times_that_count_from_what_is_around() -> None:
    assert captions.parse(TTML.encode("utf-16")) == [
        Cue("Good evening\nto you", 11.5, 14.0),
        Cue("welcome", pytest.approx(15.2), pytest.approx(15.7)),
        Cue("one", 17.0, 18.0),
        Cue("two", 18.0, 19.0),
    ]


@pytest.mark.parametrize(
    ("attributes", "time", "seconds"),
    [
        ('ttp:tickRate="10000000"', "25000000t", 2.5),
        ('ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001"', "30f", 1.001),
        ('ttp:frameRate="0" ttp:tickRate="x"', "3t", 3.0),
        ("", "90f", 3.0),
        ("", "1:02:03", 3723.0),
        ("", "1.5m", 90.0),
        ("", "wallclock(10:00)", 0.0),
        ("", "-5s", 0.0),
        ("", "9" * 5000 + "h", 0.0),
    ],
)
def test_every_way_to_write_a_time_in_ttml(attributes: str, time: str, seconds: float) -> None:
    text = f'<tt xmlns="http://www.w3.org/2006/10/ttaf1" {attributes}><p begin="{time}">fox</p></tt>'

    assert captions.parse(text.encode()) == [Cue("fox", pytest.approx(seconds), pytest.approx(seconds))]


@pytest.mark.parametrize("number", ["nan", "inf", "-3", "1e999", "x", "9" * 5000])
def test_numbers_of_any_kind_in_srv_are_survived(number: str) -> None:
    text = f'<timedtext format="3"><body><p t="{number}" d="{number}">fox</p></body></timedtext>'

    [cue] = captions.parse(text.encode())

    assert 0 <= cue.start <= cue.end < 1e25


@pytest.mark.parametrize(
    ("text", "media_type"),
    [
        (SRV1, kinds.SRV1),
        (SRV2, kinds.SRV2),
        (SRV3, kinds.SRV3),
        (TTML, kinds.TTML),
        ("<tt>teletype</tt>", None),
        ("<transcript>by hand</transcript>", None),
        ("<html><body>timedtext</body></html>", None),
        ("<!-- no end", None),
        ("< timedtext", None),
    ],
)
def test_a_format_is_known_by_its_root(text: str, media_type: str | None) -> None:
    assert kinds.of_captions(text) == media_type


@pytest.mark.parametrize(
    "raw",
    [
        SRV3[:-60].encode(),
        SRV1.replace("</text>", "</txt>", 1).encode(),
        b'<timedtext format="3"><body><p t="1">fox &nbsp; &undefined;</p></body></timedtext>',
        b'<timedtext format="3"><body>' + b"<p>" * 90_000 + b"</body></timedtext>",
        b'<timedtext format="3"><body><p t="1" t="2">fox</p></body></timedtext>',
        b'<timedtext format="3"/>trailing <',
        b"<!DOCTYPE timedtext><timedtext/>",
    ],
    ids=["cut", "crossed", "entity", "deep", "twice", "after the end", "doctype"],
)
def test_damaged_xml_is_told_as_damaged(raw: bytes) -> None:
    with pytest.raises(UnreadableMediaError, match="damaged: the XML does not parse"):
        captions.parse(raw)


def test_captions_without_words_are_told_as_such() -> None:
    for empty in ('<timedtext format="3"/>', "<transcript/>", '<tt xmlns="http://www.w3.org/ns/ttml"><p> </p></tt>'):
        with pytest.raises(UnreadableMediaError, match="no captions"):
            captions.parse(empty.encode())


@pytest.mark.parametrize(
    "entity",
    [
        '<!DOCTYPE tt [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE tt [<!ENTITY b "ha"><!ENTITY a "' + "&b;" * 900 + '">]>',
        '<!DOCTYPE tt SYSTEM "http://127.0.0.1:9/a.dtd">',
    ],
    ids=["file", "growing", "address"],
)
def test_no_entity_is_declared_followed_or_grown(entity: str) -> None:
    begun = time.monotonic()

    with pytest.raises(UnreadableMediaError, match="damaged"):
        captions.parse(f'{entity}<tt xmlns="http://www.w3.org/ns/ttml"><p begin="1s">&a;</p></tt>'.encode())

    assert time.monotonic() - begun < 1


@given(st.text(alphabet='<>/="&;! pstbr0123456789:[]-', max_size=300))
def test_no_text_raises_anything_but_an_error_of_ours(text: str) -> None:
    for start in ('<timedtext format="3"><body><p t="1">', '<tt xmlns="http://www.w3.org/ns/ttml"><p begin="1s">'):
        try:
            captions.parse((start + text).encode())
        except FingerprintingError:
            continue
