"""Read captions (WebVTT, SubRip, TTML, YouTube's json3 and srv1 to srv3) into cues, each line once."""

import json
import math
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from fingerprinting.errors import UnreadableMediaError
from fingerprinting.text import encodings, kinds, timed_xml
from fingerprinting.text.cues import Cue, cue_of
from fingerprinting.text.kinds import JSON3, SRT, VTT


def parse(raw: bytes, media_type: str | None = None) -> list[Cue]:
    """Read a captions file. Its content says which format it is in; the media type only helps where it does not.

    A line that repeats one of the two lines before it is left out: automatic captions roll, and show each line up to
    three times.

    Raises:
        UnreadableMediaError: not text, or no captions in it.
    """
    text = encodings.decode(raw)
    found = kinds.of_captions(text) or media_type
    cues = parse_text(text, found) if found is not None and found in _READERS else []
    if not cues:
        raise UnreadableMediaError("There are no captions in this file. Export them again as VTT or SRT.")
    return cues


def parse_text(text: str, media_type: str) -> list[Cue]:
    """Read decoded captions of a known format, as `parse` does; an empty list where there are none.

    Raises:
        UnreadableMediaError: damaged: JSON or XML that does not parse.
    """
    return list(_unrolled(_READERS[media_type](text)))


_TIMING: Final = re.compile(kinds.TIMING)


def _read_timed_blocks(text: str) -> Iterator[Cue]:
    """Read VTT and SRT, which differ in their header and in the numbers before the times."""
    lines: list[str] = []
    times: tuple[float, float] | None = None
    for line in text.split("\n"):
        timing = _TIMING.match(line)
        if timing is not None:
            # Some files have no blank line between cues; then the last line is the number of the cue that follows.
            if lines and lines[-1].strip().isdecimal():
                lines.pop()
            yield from _cue(lines, times)
            lines, times = [], (_seconds(timing.groups()[:4]), _seconds(timing.groups()[4:]))
        elif not line.strip():
            # Automatic captions hold a line of one space within a cue; only a line of nothing ends it.
            if not line:
                yield from _cue(lines, times)
                lines, times = [], None
        elif times is not None:
            lines.append(line)
    yield from _cue(lines, times)


def _cue(lines: list[str], times: tuple[float, float] | None) -> Iterator[Cue]:
    if times is not None:
        yield from cue_of(lines, *times)


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, fraction = parts
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0) + float(f"0.{fraction or 0}")


def _read_json3(text: str) -> Iterator[Cue]:
    try:
        document: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableMediaError("These captions are damaged: the JSON does not parse. Export them again.") from error
    for event in _objects(document, "events"):
        words = [segment.get("utf8") for segment in _objects(event, "segs")]
        shown = "".join(word for word in words if isinstance(word, str)).strip()
        if shown:
            start = _milliseconds(event.get("tStartMs"))
            yield Cue(shown, start, start + _milliseconds(event.get("dDurationMs")))


def _objects(holder: object, key: str) -> list[dict[str, object]]:
    """Take the objects out of a list in an object, whatever else is there."""
    found = holder.get(key) if isinstance(holder, dict) else None
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _milliseconds(value: object) -> float:
    """A time in seconds; 0 for what is none, or lies further than a number can say."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return 0.0
    try:
        seconds = float(value) / 1000
    except OverflowError:
        return 0.0
    return seconds if math.isfinite(seconds) else 0.0


_READERS: Final[Mapping[str, Callable[[str], Iterator[Cue]]]] = MappingProxyType(
    {
        VTT: _read_timed_blocks,
        SRT: _read_timed_blocks,
        JSON3: _read_json3,
        **{each: partial(timed_xml.read, media_type=each) for each in timed_xml.MEDIA_TYPES},
    }
)
MEDIA_TYPES: Final = frozenset(_READERS)
"""The formats that can be read."""


def _unrolled(cues: Iterable[Cue]) -> Iterator[Cue]:
    shown: deque[str] = deque(maxlen=2)
    for cue in cues:
        fresh = []
        for line in cue.text.split("\n"):
            if line not in shown:
                fresh.append(line)
                shown.append(line)
        if fresh:
            yield Cue("\n".join(fresh), cue.start, cue.end)
