"""What `policy.decide` costs for a batch of 10,000 assets with two statements each, beside the lookup around it.

`python -m benchmarks.consent.decide` prints a JSON object: seconds for the whole lookup and for its decisions, without
and with reasons being read; the share has to stay under 0.30.
"""

import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from fingerprinting.types import Fingerprint
from optout.catalogue import folder
from optout.catalogue.answers import Asset
from optout.catalogue.works import CatalogueWork
from optout.consent import policy
from optout.consent.statements import Statement
from optout.consent.vocabulary import LEAVES, Carrier, EvidenceLevel, Preference, Use

ASSETS = 10_000
LIMIT = 0.30
_NOW = datetime(2026, 6, 1, tzinfo=UTC)
_PDQ_BYTES = 32


def measure(assets: int = ASSETS, rounds: int = 3) -> dict[str, float | int]:
    """Look up as many assets as there are works, each the copy of one; the best of some rounds counts."""
    random = Random(1)
    hashes = [random.randbytes(_PDQ_BYTES) for _ in range(assets)]
    works = [_work(number, value) for number, value in enumerate(hashes)]
    batch = [Asset((Fingerprint("pdq-256", 1, _altered(value)),)) for value in hashes]
    with tempfile.TemporaryDirectory() as scratch:
        folder.build(Path(scratch) / "catalogue", works)
        catalogue = folder.open(Path(scratch) / "catalogue")
        lookup = read = decide = float("inf")
        steps = 0
        for _ in range(rounds):
            began = time.perf_counter()
            answers = catalogue.answer(batch, Use.TRAIN_AI, "pipeline", _NOW)
            looked = time.perf_counter()
            steps = sum(len(answer.reasons) for answer in answers)
            lookup, read = min(lookup, looked - began), min(read, time.perf_counter() - looked)
            began = time.perf_counter()
            for work in works:
                policy.decide(work.statements, Use.TRAIN_AI, "pipeline", _NOW)
            decide = min(decide, time.perf_counter() - began)
    return {
        "assets": assets,
        "lookup_seconds": round(lookup, 3),
        "decide_seconds": round(decide, 3),
        "decide_share": round(decide / lookup, 3),
        "reading_reasons_seconds": round(read, 3),
        "reasons": steps,
    }


def _work(number: int, value: bytes) -> CatalogueWork:
    said = tuple(
        Statement(
            f"{number}-{who}",
            who,
            Carrier.CLAIM,
            EvidenceLevel.VERIFIED,
            dict.fromkeys(LEAVES, preference),
            _NOW,
            None,
            _NOW,
            series=f"{number}-{who}",
        )
        for who, preference in (("a", Preference.ALLOWED), ("b", Preference.DISALLOWED))
    )
    return CatalogueWork(f"w{number:06}", (Fingerprint("pdq-256", 1, value),), said, "a")


def _altered(value: bytes) -> bytes:
    return bytes([value[0] ^ 0b101]) + value[1:]


if __name__ == "__main__":
    found = measure()
    sys.stdout.write(json.dumps(found) + "\n")
    sys.exit(0 if found["decide_share"] < LIMIT else 1)
