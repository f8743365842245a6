"""What it takes to open a catalogue, and to answer from it for the first time, in a process that has just begun.

`./run bench catalogue.opening --hashes 10000000` builds a catalogue of random picture hashes, a work each, and prints a
JSON object. Opening has to stay below 20 ms however many there are; what counts is the time of the processor, as a
machine that is busy with other things makes anything wait.
"""

import argparse
import importlib
import json
import pkgutil
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median

import fingerprinting.index
from fingerprinting.index.algorithm import Entry
from fingerprinting.types import Fingerprint
from optout.catalogue import folder
from optout.catalogue.answers import Asset
from optout.catalogue.works import WorkRecord
from optout.consent.preferences import expand
from optout.consent.statements import Statement
from optout.consent.vocabulary import Carrier, EvidenceLevel, Preference, Use

LIMIT_MILLISECONDS = 20.0
_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def build(place: Path, hashes: int) -> float:
    """Write the catalogue; seconds."""
    began = time.perf_counter()
    folder.write(place, works(hashes), entries(hashes), built_at=_MOMENT)
    return time.perf_counter() - began


def works(count: int) -> Iterator[WorkRecord]:
    uses = expand({Use.ALL: Preference.DISALLOWED})
    for number in range(count):
        name = f"{number:012}"
        said = Statement(name, name, Carrier.CLAIM, EvidenceLevel.VERIFIED, uses, _MOMENT, None, _MOMENT)
        yield WorkRecord(name, name, None, (said,))


def entries(count: int) -> Iterator[Entry]:
    random = Random(1)
    for number in range(count):
        yield number, Fingerprint("pdq-256", 1, random.randbytes(32))


def load_kernels() -> None:
    """Load what is compiled, which takes a process half a second once, whatever it opens."""
    for module in pkgutil.iter_modules(fingerprinting.index.__path__):
        importlib.import_module(f"fingerprinting.index.{module.name}")


def open_once(place: Path) -> None:
    """Open it and ask; prints milliseconds of both, and those of the processor for the first."""
    load_kernels()
    asset = Asset((Fingerprint("pdq-256", 1, Random(1).randbytes(32)),))
    began, spent = time.perf_counter(), time.thread_time()
    catalogue = folder.open(place)
    opened, spent = time.perf_counter(), time.thread_time() - spent
    [answer] = catalogue.answer([asset], Use.TRAIN_GENAI)
    asked = time.perf_counter()
    assert answer.verdict is Preference.DISALLOWED
    sys.stdout.write(json.dumps([(opened - began) * 1000, spent * 1000, (asked - opened) * 1000]) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench catalogue.opening", description=__doc__)
    parser.add_argument("--hashes", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=11)
    parser.add_argument("--open", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.open:
        open_once(Path(chosen.open))
        return
    with tempfile.TemporaryDirectory(prefix="opening-") as scratch:
        place = Path(scratch) / "catalogue"
        seconds = build(place, chosen.hashes)
        words = [sys.executable, "-m", "benchmarks.catalogue.opening", "--open", str(place)]
        took = [json.loads(subprocess.run(words, capture_output=True, check=True).stdout) for _ in range(chosen.times)]
        walls, spent, answers = zip(*took, strict=True)
        facts = {
            "hashes": chosen.hashes,
            "bytes": folder.info(place).size_bytes,
            "build_seconds": round(seconds, 1),
            "build_peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "open_milliseconds": {"median": round(median(walls), 2), "least": round(min(walls), 2)},
            "open_processor_milliseconds": {"median": round(median(spent), 2), "most": round(max(spent), 2)},
            "first_answer_milliseconds": round(median(answers), 1),
        }
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.exit(0 if median(spent) < LIMIT_MILLISECONDS else 1)


if __name__ == "__main__":
    main()
