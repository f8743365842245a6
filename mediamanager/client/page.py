"""What `check` found as one page for a person: asset and work side by side, with spans, regions and evidence.

The page is one file without script and without anything from elsewhere. Pictures and sound are linked from where they
lie on this machine, so it is for whoever has the files, and nothing of them is copied.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from itertools import count
from pathlib import Path
from typing import Final

from fingerprinting.types import Modality, Span, SpanUnit
from mediamanager.client import files
from mediamanager.client.verdicts import Checked
from optout.catalogue.answers import WorkMatch
from optout.catalogue.places import Places, places
from optout.consent.reasons import Code
from optout.consent.remarks import clock

_OWN: Final = "Your file"
_SIDES: Final = 4
_SLANTED: Final = (
    "It is seen at a slant: the outline shows where it lies, and what is laid over it fits in the middle only."
)

_STYLE: Final = """
:root { color-scheme: light dark; --line: #777; --found: #c77700; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 1rem auto; max-width: 60rem; padding: 0 1rem; }
main { overflow-wrap: anywhere; }
section { border-top: 1px solid var(--line); padding: 1rem 0; }
.sides { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 16rem), 1fr)); }
figure { margin: 0; }
.framed { display: grid; border: 1px solid var(--line); }
.framed > * { grid-area: 1 / 1; width: 100%; height: auto; display: block; }
.framed rect { fill: none; stroke: #000; stroke-width: 6; vector-effect: non-scaling-stroke; }
.framed rect + rect { stroke: #ffd54a; stroke-width: 3; }
.laid svg { width: 100%; height: auto; display: block; border: 1px solid var(--line); }
.laid fieldset { border: 0; padding: 0; margin: 0; }
.laid .above { opacity: .5; }
.laid:has(.see-asset:checked) .above { opacity: 0; }
.laid:has(.see-work:checked) .above { opacity: 1; }
.laid .outline { fill: none; stroke: #000; stroke-width: 6; vector-effect: non-scaling-stroke; }
.laid .outline + .outline { stroke: #ffd54a; stroke-width: 3; }
svg.track { width: 100%; height: 2rem; border: 1px solid var(--line); display: block; }
svg.track rect { fill: var(--found); }
audio, video { width: 100%; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; }
dd { margin: 0; }
"""


def write(path: Path, checked: Sequence[Checked], works: Path | None = None) -> None:
    """Write the page, whole or not at all, over what was there.

    Args:
        path: where to.
        checked: what was found, in order. What shows no work is counted, and listed without more.
        works: the folder that a catalogue was built from, if the works' own files should stand beside the assets.
    """
    with files.replacing(path) as file:
        file.write("".join(_page(checked, works)).encode("utf-8", "backslashreplace"))


def _page(checked: Sequence[Checked], works: Path | None) -> Iterator[str]:
    counts = Counter(one.verdict for one in checked)
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())) or "nothing"
    yield '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1"><title>What was checked</title>'
    yield f"<style>{_STYLE}</style></head><body><main>\n"
    yield f"<h1>What was checked</h1>\n<p>{len(checked)} files: {told}.</p>\n"
    yield "<p>“unknown” says that no reservation was found. It is not a permission.</p>\n"
    numbers = count(1)
    for one in checked:
        yield f"<section><h2>{escape(one.path)}</h2><p><strong>{one.verdict}</strong> ({one.use})</p>\n"
        if one.error is not None:
            yield f"<p>{escape(one.error)}</p>\n"
        for number, step in enumerate(one.reasons):
            if number == 0 or step.code == Code.LIKELY_MATCH_FOR_REVIEW:  # why a person should look
                yield f"<p>{escape(step.sentence)}</p>\n"
        for match in one.matches:
            yield from _match(match, one.path, works, next(numbers))
        yield "</section>\n"
    yield "</main></body></html>\n"


def _match(match: WorkMatch, asset: str, works: Path | None, number: int) -> Iterator[str]:
    is_timed = match.modality is not Modality.TEXT or match.evidence.get("query_unit") == SpanUnit.SECONDS
    where = places(match, None if is_timed else SpanUnit.CHARACTERS)
    mine, its = _address(Path(asset)), None if works is None else _address(works / match.work)
    if "asset_page" in match.evidence:  # a browser shows the file, and not one page of it
        mine = None
    if "work_page" in match.evidence:
        its = None
    yield f"<h3>{escape(match.work)}</h3><p>{match.strength}, by {escape(match.algorithm)}: {match.verdict}</p>\n"
    yield '<div class="sides">\n'
    sides = (
        (_OWN, mine, [one.asset for one in where.places], where.asset_seconds, where.asset_size),
        ("The work", its, [one.work for one in where.places], where.work_seconds, where.work_size),
    )
    for label, address, spans, seconds, size in sides:
        known = [span for span in spans if span is not None]
        # Of a work's text an index tells only when captions show it; a still shows a region, and its film seconds.
        is_region = any(len(span) == _SIDES for span in known)
        is_of_captions = match.modality is Modality.TEXT and label != _OWN
        unit = SpanUnit.PIXELS if is_region else SpanUnit.SECONDS if is_of_captions else where.unit
        yield f"<figure><figcaption>{label}{_told(known, unit)}</figcaption>\n"
        if is_region or (match.modality is Modality.IMAGE and unit is not SpanUnit.SECONDS):
            yield _picture(address, label, known, size)
        elif unit is SpanUnit.SECONDS:
            yield _line(known, seconds)
            if match.modality is not Modality.TEXT:
                yield from _players(address, label, known)
        yield "</figure>\n"
    yield "</div>\n"
    yield from _laid(where, mine, its, number)
    yield "<details><summary>Evidence</summary><dl>"
    facts = {"distance": match.distance, "score": match.score, "threshold": match.threshold, **match.evidence}
    yield from (f"<dt>{escape(k)}</dt><dd>{escape(str(v))}</dd>" for k, v in facts.items() if v is not None)
    yield "</dl></details>\n"


def _laid(where: Places, mine: str | None, its: str | None, number: int) -> Iterator[str]:
    """The work laid over the asset, as the match says; which is seen is switched without script."""
    if mine is None or its is None or not (where.transform and where.asset_size and where.work_size):
        return
    (width, height), (wide, high) = where.asset_size, where.work_size
    choices = (("asset", _OWN), ("both", "Both"), ("work", "The work"))
    yield '<figure class="laid"><figcaption>One laid over the other</figcaption><fieldset><legend>Seen</legend>'
    for name, label in choices:
        checked = " checked" if name == "both" else ""
        yield f'<label><input type="radio" name="laid-{number}" class="see-{name}"{checked}> {label}</label> '
    yield f'</fieldset><svg viewBox="0 0 {width} {height}" role="img" aria-label="The work, laid over: {_OWN}">'
    yield f'<image href="{mine}" width="{width}" height="{height}" preserveAspectRatio="none"/>'
    yield f'<g transform="matrix({" ".join(f"{each:g}" for each in where.transform)})">'
    yield f'<image class="above" href="{its}" width="{wide}" height="{high}" preserveAspectRatio="none"/>'
    if where.corners is None:
        yield f"""{f'<rect class="outline" width="{wide}" height="{high}"/>' * 2}</g></svg></figure>\n"""
        return
    corners = " ".join(f"{each:g}" for each in where.corners)
    yield f"""</g>{f'<polygon class="outline" points="{corners}"/>' * 2}</svg><p>{_SLANTED}</p></figure>\n"""


def _told(spans: Sequence[Span], unit: SpanUnit | None) -> str:
    if unit is SpanUnit.SECONDS:
        return ": " + ", ".join(f"{clock(span[0])} to {clock(span[1])}" for span in spans) if spans else ""
    named = {SpanUnit.CHARACTERS: "characters", SpanUnit.PIXELS: "pixels (left, top, right, bottom)", None: ""}
    return "".join(f": {named[unit]} {', '.join(f'{each:.0f}' for each in span)}" for span in spans[:1])


def _picture(address: str | None, label: str, spans: Sequence[Span], size: tuple[int, int] | None) -> str:
    shown = "" if address is None else f'<img src="{address}" alt="{label}">'
    if size is None:
        return f'<div class="framed">{shown}</div>\n'
    left, top, right, bottom = spans[0] if spans else (0, 0, *size)
    box = f'<rect x="{left}" y="{top}" width="{right - left}" height="{bottom - top}"/>'
    return (
        f'<div class="framed">{shown}<svg viewBox="0 0 {size[0]} {size[1]}" aria-hidden="true">{box * 2}</svg></div>\n'
    )


def _line(spans: Sequence[Span], seconds: float | None) -> str:
    length = seconds or max((span[1] for span in spans), default=0.0)
    if length <= 0:
        return ""
    boxes = "".join(
        f'<rect x="{1000 * span[0] / length:.1f}" y="0" width="{max(4.0, 1000 * (span[1] - span[0]) / length):.1f}"'
        ' height="10"/>'
        for span in spans
    )
    return f'<svg class="track" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">{boxes}</svg>\n'


def _players(address: str | None, label: str, spans: Sequence[Span]) -> Iterator[str]:
    for begin, end in () if address is None else ((span[0], span[1]) for span in spans):
        named = f"{label}, {clock(begin)} to {clock(end)}"
        yield f'<audio controls preload="none" src="{address}#t={begin:g},{end:g}" aria-label="{named}"></audio>\n'


def _address(path: Path) -> str | None:
    """Where a file lies on this machine, as a page links it; None where there is none."""
    try:
        return escape(path.resolve().as_uri()) if path.is_file() else None
    except (OSError, ValueError):
        return None
