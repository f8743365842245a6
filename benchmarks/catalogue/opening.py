"""What it takes to open a catalogue, and to answer from it for the first time, in a process that has just begun.

`./run bench catalogue.opening --hashes 10000000` builds a catalogue of random picture hashes, `--each` of them to a
work, and prints a JSON object. Opening has to stay below 20 ms however many there are, and must not load numba; what
counts is the time of the processor, as a machine that is busy with other things makes anything wait.
"""

import argparse
import json
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

from fingerprinting.index.algorithm import Entry
from fingerprinting.types import Fingerprint
from optout.catalogue import folder
from optout.catalogue.works import WorkRecord
from optout.consent.preferences import expand
from optout.consent.statements import Statement
from optout.consent.vocabulary import Carrier, EvidenceLevel, Preference, Use

LIMIT_MILLISECONDS = 20.0
_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def build(place: Path, hashes: int, each: int) -> float:
    """Write the catalogue; seconds of the processor."""
    began = time.process_time()
    folder.write(place, works(-(-hashes // each)), entries(hashes, each), built_at=_MOMENT)
    return time.process_time() - began


def works(count: int) -> Iterator[WorkRecord]:
    uses = expand({Use.ALL: Preference.DISALLOWED})
    for number in range(count):
        name = f"{number:012}"
        said = Statement(name, name, Carrier.CLAIM, EvidenceLevel.VERIFIED, uses, _MOMENT, None, _MOMENT)
        yield WorkRecord(name, name, None, (said,))


def entries(count: int, each: int) -> Iterator[Entry]:
    random = Random(1)
    for number in range(count):
        yield number // each, Fingerprint("pdq-256", 1, random.randbytes(32))


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench catalogue.opening", description=__doc__)
    parser.add_argument("--hashes", type=int, default=1_000_000)
    parser.add_argument("--each", type=int, default=1)
    parser.add_argument("--times", type=int, default=11)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="opening-") as scratch:
        place = Path(scratch) / "catalogue"
        seconds = build(place, chosen.hashes, chosen.each)
        words = [sys.executable, "-m", "benchmarks.catalogue.opened", str(place)]
        took = [json.loads(subprocess.run(words, capture_output=True, check=True).stdout) for _ in range(chosen.times)]
        facts = {
            "hashes": chosen.hashes,
            "works": folder.info(place).works,
            "bytes": folder.info(place).size_bytes,
            "build_processor_seconds": round(seconds, 1),
            "build_peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "milliseconds": {
                name: {"least": round(min(each), 2), "median": round(median(each), 2), "most": round(max(each), 2)}
                for name in took[0]
                if not isinstance(took[0][name], bool)
                for each in [[one[name] for one in took]]
            },
            "has_numba_when_open": any(one["has_numba_when_open"] for one in took),
        }
        is_quick = median(one["open"] for one in took) < LIMIT_MILLISECONDS and not facts["has_numba_when_open"]
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.exit(0 if is_quick else 1)


if __name__ == "__main__":
    main()
