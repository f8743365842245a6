"""What searching costs in larger collections: measured up to 100,000 recordings, and modelled from there."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fingerprinting.index import landmark

_MODELLED = (1_000_000, 100_000_000)


def table(scales: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Show results of `benchmarks.audio.scale`, and the sizes that nobody has measured."""
    ordered = sorted(scales, key=lambda each: each["recordings"])
    most = ordered[-1]
    yield f"## A query of {most['seconds']:g} s among many recordings of 4 minutes"
    yield ""
    yield (
        "Searches alone, one core, milliseconds of CPU: median and most. Terms have as many postings as in real"
        " recordings, times how many recordings there are; where they stand is drawn."
    )
    for note in dict.fromkeys(each["note"] for each in ordered if "note" in each):
        yield ""
        yield note
    yield ""
    yield "| recordings | million postings | GB | fast | standard | thorough |"
    yield "|---|---|---|---|---|---|"
    for each in ordered:
        times = " | ".join(f"{each[depth]['median_ms']}, {each[depth]['most_ms']}" for depth in _DEPTHS)
        yield f"| {each['recordings']:,} | {each['million_postings']:,.0f} | {each['gigabytes']:.1f} | {times} |"
    for recordings in _MODELLED:
        factor = recordings / most["recordings"]
        gigabytes = most["gigabytes"] * factor
        times = " | ".join(f"{most[depth]['median_ms'] * factor / 1000:,.2f} s *" for depth in _DEPTHS)
        yield f"| {recordings:,} | {most['million_postings'] * factor:,.0f} * | {gigabytes:,.0f} * | {times} |"
    yield ""
    yield (
        "* Not measured: ten and a thousand times the largest measured, as if postings read grew with the recordings."
        f" One part reads at most {landmark.MOST_POSTINGS / 1e6:.0f} million in one index, of its rarest pairs, so that"
        " `standard` takes less than this there, and finds less of what is barely heard. Segments are searched one by"
        " one and independently: a million recordings are 10 segments of the largest measured size, which 10 cores"
        " search in the time of one; a hundred million are a thousand, on machines that hold some dozens each in memory"
        " or map them from disks. How well copies are found and strangers told apart is not measured at these sizes; by"
        " chance alone, ten deviations allow some 10,000 alignments a query at any of them."
    )


_DEPTHS = ("fast", "standard", "thorough")
