"""Copies of pictures: how many are found at each depth, how many strangers are taken for a work, and how fast.

    ./run bench image collect --material FOLDER       fetches Debian packages into FOLDER and unpacks their pictures
    ./run bench image run --material FOLDER [--half reporting] [--output RESULT.json] [--page docs/accuracy/image.md]
    ./run bench image page --output RESULT.json --page PAGE.md --wrong 'STRANGER -> WORK: WHY' …
    ./run bench image train --material FOLDER         makes the constants of `sift-itq-128` anew

Tune on the half `tuning` alone; `reporting` is for figures. Strangers that are named are listed: look at each, since
two pictures of one package may show the same, and say with `page` which of them are wrong.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from benchmarks.image import material, measure, page
from mediamanager.client import pool


def main() -> None:
    if not pool.ENVIRONMENT.items() <= os.environ.items():
        # What is timed is what a child of a pipeline's client does, in that child's environment: it is read at the
        # start. Else two threads of linear algebra that wait for each other count as two cores' time.
        command = [sys.executable, "-m", "benchmarks.image", *sys.argv[1:]]
        os.execve(sys.executable, command, {**os.environ, **pool.ENVIRONMENT})
    arguments = _arguments()
    if arguments.do == "collect":
        for half in material.PACKAGES:
            material.fetch(half, arguments.material)
            telling, poor = material.pictures(half, arguments.material)
            print(f"{half}: {len(telling)} pictures that tell something, {len(poor)} that tell little")
        return
    if arguments.do == "train":
        from benchmarks.image import train  # noqa: PLC0415 - it writes into the package

        telling, poor = material.pictures("tuning", arguments.material)
        train.train([one.path for one in (*telling[:430], *poor[:120])])
        return
    if arguments.do == "page":
        found = json.loads(arguments.output.read_text())
        found["wrong_by_eye"] = arguments.wrong
        if arguments.note:
            found["note"] = arguments.note
        arguments.output.write_text(json.dumps(found, indent=1) + "\n")
        page.write(found, arguments.page)
        return
    telling, poor = material.pictures(arguments.half, arguments.material, arguments.seed)
    found = measure.measure(
        telling,
        poor,
        works=arguments.works,
        copies=arguments.copies,
        strangers=arguments.strangers,
        only=arguments.only,
        processes=arguments.processes,
    )
    found["half"], found["seed"] = arguments.half, arguments.seed
    page.show(found)
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(found, indent=1) + "\n")
    if arguments.page is not None:
        page.write(found, arguments.page)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("do", choices=("collect", "run", "page", "train"))
    parser.add_argument("--material", type=Path, default=Path("material"), metavar="FOLDER")
    parser.add_argument("--half", choices=tuple(material.PACKAGES), default="tuning")
    parser.add_argument("--works", type=int, default=400, help="registered")
    parser.add_argument("--copies", type=int, default=10, help="works that are copied in every way")
    parser.add_argument("--strangers", type=int, default=300, help="pictures that are not registered")
    parser.add_argument("--only", nargs="*", metavar="KIND", default=[], help="these kinds of copies")
    parser.add_argument("--processes", type=int, default=1, help="how many ask at once")
    parser.add_argument("--seed", default="1", help="draws another split")
    parser.add_argument("--output", type=Path, help="write the result as JSON")
    parser.add_argument("--wrong", nargs="*", metavar="TOLD", default=[], help="strangers named, looked at, and wrong")
    parser.add_argument("--page", type=Path, help="write the result as a page with pictures beside it")
    parser.add_argument("--note", help="a remark on the run, for the page")
    return parser.parse_args()


if __name__ == "__main__":
    main()
