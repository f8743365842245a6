"""A process that has just begun opens a catalogue and asks it once: what each step costs it. Run by `opening`."""

import json
import sys
import time
from pathlib import Path
from random import Random

import numpy  # noqa: F401, ICN001 - loaded before: what counts is what is ours


def main() -> None:
    """Print milliseconds as a JSON object: of the processor, but for what ends in `_wall`."""
    begun = time.process_time()
    from fingerprinting.types import Fingerprint  # noqa: PLC0415 - what it costs is measured
    from optout.catalogue import folder  # noqa: PLC0415 - as above
    from optout.catalogue.answers import Asset  # noqa: PLC0415 - as above
    from optout.consent.vocabulary import Preference, Use  # noqa: PLC0415 - as above

    loaded, wall = time.process_time(), time.perf_counter()
    catalogue = folder.open(Path(sys.argv[1]))
    opened, opened_wall = time.process_time(), time.perf_counter()
    has_numba = "numba" in sys.modules
    asset = Asset((Fingerprint("pdq-256", 1, Random(1).randbytes(32)),))
    [answer] = catalogue.answer([asset], Use.TRAIN_GENAI)
    answered, answered_wall = time.process_time(), time.perf_counter()
    assert answer.verdict is Preference.DISALLOWED
    facts = {
        "load": (loaded - begun) * 1000,
        "open": (opened - loaded) * 1000,
        "open_wall": (opened_wall - wall) * 1000,
        "first_answer": (answered - opened) * 1000,
        "first_answer_wall": (answered_wall - opened_wall) * 1000,
        "has_numba_when_open": has_numba,
    }
    sys.stdout.write(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main()
