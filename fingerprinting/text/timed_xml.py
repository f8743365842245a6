"""Read captions in XML (TTML, YouTube's srv1, srv2 and srv3) into cues.

By expat alone, which is told what each element means: no tree is built, however deep it is. A document type, which is
where entities are declared that grow without end or name files, ends the reading; none of these formats has one.
"""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final
from xml.parsers import expat

from fingerprinting.errors import UnreadableMediaError
from fingerprinting.text.cues import Cue, cue_of
from fingerprinting.text.kinds import SRV1, SRV2, SRV3, TTML

MEDIA_TYPES: Final = frozenset({SRV1, SRV2, SRV3, TTML})

_MAX_DEPTH: Final = 100
_MAX_NUMBER: Final = 24
_SPACE: Final = re.compile(r"[ \t\r\n]+")
# What stands in a paragraph of TTML and is not shown (TTML2, 8.1 and 12.1: metadata).
_NOT_SHOWN: Final = frozenset({"metadata", "title", "desc", "copyright", "agent", "name"})
# TTML2, 12.3.1, time expressions. Wall clock times are of broadcasts and tell no place in a recording.
_CLOCK: Final = re.compile(r"(\d{1,6}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,9})|:(\d{1,3})(?:\.\d{1,3})?)?")
_OFFSET: Final = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(h|ms|m|s|f|t)")
_FRAMES: Final = 30.0


@dataclass(frozen=True, slots=True)
class _Place:
    """An element that is open: when it is shown, whether its text is, and whether its words have no times of their own.

    Attributes:
        goes_on: its text goes on with the cue before it.
    """

    start: float
    end: float | None
    shown: bool
    whole: bool = False
    goes_on: bool = False


def read(text: str, media_type: str) -> Iterator[Cue]:
    """Read captions of one of `MEDIA_TYPES`.

    Raises:
        UnreadableMediaError: it is no XML, breaks off, or declares a document type.
    """
    reader = _Ttml() if media_type == TTML else _Srv(media_type)
    try:
        reader.parser.Parse(text.encode("utf-8", "replace"), True)
    except (expat.ExpatError, _UnwantedError) as error:
        raise UnreadableMediaError(
            "These captions are damaged: the XML does not parse. Export them again, as VTT or SRT if that is possible."
        ) from error
    for said, place in reader.shown:
        yield from cue_of("".join(said).split("\n"), place.start, place.start if place.end is None else place.end)


class _UnwantedError(Exception):
    """Something that captions never hold."""


class _Reader(ABC):
    """Collects what is shown, and when, while expat passes through a document."""

    def __init__(self) -> None:
        self.shown: list[tuple[list[str], _Place]] = []
        self.parser = expat.ParserCreate("utf-8")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._begin
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = _refuse
        self._open: list[_Place] = [_Place(0.0, None, shown=False)]
        self._said: list[str] = []

    @abstractmethod
    def place(self, name: str, attributes: Mapping[str, str]) -> _Place:
        """Say what an element means that begins inside of the last one that is open; that one, if nothing else."""

    def words(self, said: str) -> str:
        """The characters of a text as they are shown."""
        return said

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) > _MAX_DEPTH:
            raise _UnwantedError
        local = name.rpartition(":")[2]
        if local == "br":
            self._said.append("\n")
        place = self.place(local, attributes)
        if place is not self._open[-1]:
            self._tell(self._open[-1])
        self._open.append(place)

    def _end(self, _name: str) -> None:
        closed = self._open.pop()
        if closed is not self._open[-1]:
            self._tell(closed)

    def _characters(self, said: str) -> None:
        if self._open[-1].shown:
            self._said.append(self.words(said))

    def _tell(self, place: _Place) -> None:
        """What was said up to here is over: something that has times of its own begins or ends."""
        said, self._said = self._said, []
        if place.goes_on and self.shown:
            before, begun = self.shown[-1]
            before += said
            self.shown[-1] = before, replace(begun, end=max(begun.end or 0.0, place.end or 0.0))
        elif place.shown and said:
            self.shown.append((said, place))


def _refuse(*_declared: object) -> None:
    raise _UnwantedError


class _Srv(_Reader):
    """YouTube's own formats: one element a cue, its time and its duration in two attributes."""

    def __init__(self, media_type: str) -> None:
        super().__init__()
        seconds = media_type == SRV1
        self._start, self._duration, self._unit = ("start", "dur", 1.0) if seconds else ("t", "d", 0.001)

    def place(self, name: str, attributes: Mapping[str, str]) -> _Place:
        if name not in {"p", "text"}:
            return self._open[-1]
        start = self._seconds(attributes.get(self._start, ""))
        goes_on = "1" in {attributes.get("append"), attributes.get("a")}
        return _Place(start, start + self._seconds(attributes.get(self._duration, "")), shown=True, goes_on=goes_on)

    def _seconds(self, said: str) -> float:
        try:
            seconds = float(said[:_MAX_NUMBER]) * self._unit
        except ValueError:
            return 0.0
        return seconds if math.isfinite(seconds) and seconds > 0 else 0.0


class _Ttml(_Reader):
    """TTML and DFXP: times of an element count from the begin of the one around it (TTML2, 12.2).

    A paragraph that says when it is shown is one cue, though its spans may light up one by one, in the midst of words.
    """

    def __init__(self) -> None:
        super().__init__()
        self._frame, self._tick = 1 / _FRAMES, 1.0

    def place(self, name: str, attributes: Mapping[str, str]) -> _Place:
        known = {key.rpartition(":")[2]: value for key, value in attributes.items()}
        around = self._open[-1]
        if name == "tt":
            self._take_rates(known)
        if name in _NOT_SHOWN:
            return _Place(around.start, around.end, shown=False)
        begin, end, duration = (self._seconds(known.get(key)) for key in ("begin", "end", "dur"))
        is_timed = not (begin is None and end is None and duration is None)
        if around.whole or not (is_timed or name == "p"):
            return around
        start = around.start + (begin or 0.0)
        ends = [each for each in (None if end is None else around.start + end, around.end) if each is not None]
        ends += [] if duration is None else [start + duration]
        shown = around.shown or name == "p"
        return _Place(start, min(ends, default=None), shown=shown, whole=shown and is_timed)

    def words(self, said: str) -> str:
        return _SPACE.sub(" ", said)

    def _take_rates(self, known: Mapping[str, str]) -> None:
        rate = _positive(known.get("frameRate")) or _FRAMES
        above, _, below = known.get("frameRateMultiplier", "").partition(" ")
        rate *= (_positive(above) or 1.0) / (_positive(below) or 1.0)
        self._frame = 1 / rate
        self._tick = 1 / (_positive(known.get("tickRate")) or (rate if _positive(known.get("frameRate")) else 1.0))

    def _seconds(self, said: str | None) -> float | None:
        clock = _CLOCK.fullmatch(said or "")
        if clock is not None:
            whole = int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3])
            return whole + float(f"0.{clock[4] or 0}") + int(clock[5] or 0) * self._frame
        offset = _OFFSET.fullmatch(said or "")
        if offset is None:
            return None
        units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "f": self._frame, "t": self._tick}
        return float(offset[1]) * units[offset[2]]


def _positive(said: str | None) -> float | None:
    """A number of few digits above 0."""
    return float(said) if said is not None and re.fullmatch(r"\d{1,12}(?:\.\d{1,6})?", said) and float(said) else None
