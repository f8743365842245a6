"""Excerpts of texts, heard badly: how many are found in how many languages, what is found wrongly, and the cost.

    ./run bench text collect --material FOLDER       fetches Debian packages into FOLDER
    ./run bench text run --material FOLDER [--half reporting] [--output RESULT.json] [--page docs/accuracy/text.md]
    ./run bench text memory                          what an index of 50 MiB of fingerprints takes

Tune on the half `tuning` alone; `reporting` is for figures. Errors are simulated. What is called wrong is listed: read
each, since pages of one manual repeat themselves. Words a second stand beside datasketch's, if it is there.
"""

import argparse
import json
from pathlib import Path

from benchmarks.text import material, measure, memory, page


def main() -> None:
    arguments = _arguments()
    if arguments.do == "collect":
        for half in material.PACKAGES:
            material.fetch(half, arguments.material)
    elif arguments.do == "memory":
        memory.show(arguments.mebibytes, arguments.shingles)
    else:
        texts = material.texts(arguments.half, arguments.material)
        if arguments.languages:
            texts = {language: texts[language] for language in arguments.languages}
        (other,) = material.PACKAGES.keys() - {arguments.half}
        unlike = material.texts(other, arguments.material)["en"][:30]
        result = measure.measure(texts, arguments.excerpts, arguments.works, arguments.seed, unlike)
        result["half"], result["packages"] = arguments.half, material.PACKAGES[arguments.half]
        print("\n".join(page.body(result)))
        if arguments.output is not None:
            arguments.output.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
        if arguments.page is not None:
            scaled = None if arguments.scale is None else json.loads(arguments.scale.read_text())
            page.write(result, arguments.page, scaled)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("do", choices=("collect", "run", "memory"))
    parser.add_argument("--material", type=Path, default=Path("material"), metavar="FOLDER")
    parser.add_argument("--half", choices=tuple(material.PACKAGES), default="tuning")
    parser.add_argument("--languages", nargs="*", default=[], metavar="en")
    parser.add_argument("--works", type=int, default=40, help="registered of each language, at most")
    parser.add_argument("--excerpts", type=int, default=20, help="of each language, length and rate of errors")
    parser.add_argument("--mebibytes", type=float, default=50, help="of fingerprints, to be indexed")
    parser.add_argument("--shingles", type=int, default=660, help="of each of these: ten minutes of English")
    parser.add_argument("--seed", type=int, default=1, help="draws other excerpts and errors")
    parser.add_argument("--output", type=Path, metavar="RESULT.json")
    parser.add_argument("--page", type=Path, metavar="PAGE.md")
    parser.add_argument("--scale", type=Path, metavar="RESULT.json", help="of `./run bench text.scale`, for the page")
    return parser.parse_args()


if __name__ == "__main__":
    main()
