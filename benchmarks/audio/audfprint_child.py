"""Runs audfprint in an environment of its own: a line of JSON in, a line of JSON out. Started by `audfprint.py`."""

import json
import logging
import sys
import time

import numpy as np
from audfprint2.core.analyzer import Analyzer
from audfprint2.core.hash_table import HashTable
from audfprint2.core.matcher import Matcher
from audfprint2.utils import audio

DENSITY, QUERY_SHIFTS = 70.0, 4
_WINDOW = 2  # what its command line sets, where the class has 1


def main() -> None:
    logging.disable(logging.INFO)
    audio.HAVE_FFMPEG = False  # it is given WAV at its own rate
    table, matcher = HashTable(), Matcher()
    matcher.window = _WINDOW
    works, queries = Analyzer(density=DENSITY), Analyzer(density=DENSITY)
    queries.shifts = QUERY_SHIFTS
    for line in sys.stdin:
        order = json.loads(line)
        began = time.process_time()
        answer: dict[str, object] = {}
        if order["do"] == "register":
            hashes = works.wavfile2hashes(order["path"])
            table.store(order["name"], [(int(at), int(value)) for at, value in hashes.tolist()])
            answer["hashes"] = len(hashes)
        else:
            hashes = queries.wavfile2hashes(order["path"])
            found = matcher.match_hashes(table, hashes) if len(hashes) else np.empty((0, 7))
            best = max(found.tolist(), key=lambda each: each[1], default=None)
            if best is not None:
                answer = {"name": table.names[int(best[0])], "votes": int(best[1])}
        answer["cpu_seconds"] = time.process_time() - began
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
