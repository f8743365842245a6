"""Parts of recordings, altered: how many are found at each depth, how many others are taken for a work, and the cost.

    ./run bench audio collect --material FOLDER       fetches Debian packages into FOLDER and cuts excerpts
    ./run bench audio run --material FOLDER [--half reporting] [--output RESULT.json] [--page docs/accuracy/audio.md]
    ./run bench audio page --material FOLDER --output RESULT.json --page PAGE.md   writes it again from a result

`collect` takes `--half`, too. Tune on `tuning` alone; `reporting` is for figures, and `seen` was that before. What is
called wrong is listed: listen to each, since two recordings of one game may share sounds.
"""

import argparse
import json
from pathlib import Path

from benchmarks.audio import audfprint, material, measure, page
from benchmarks.audio.transformations import KINDS


def main() -> None:
    arguments = _arguments()
    if arguments.do == "collect":
        for half in [arguments.half] if arguments.half else material.PACKAGES:
            material.fetch(half, arguments.material)
            found = material.tracks(half, arguments.material)
            print(f"{half}: {len(found)} recordings, {sum(each.seconds for each in found) / 3600:.1f} h")
        return
    result = json.loads(arguments.output.read_text()) if arguments.do == "page" else _run(arguments)
    if arguments.output is not None and arguments.do == "run":
        arguments.output.write_text(json.dumps(result, indent=1) + "\n")
    page.show(result)
    if arguments.page is not None:
        page.write(result, arguments.page, [json.loads(each.read_text()) for each in arguments.scale])


def _run(arguments: argparse.Namespace) -> dict[str, object]:
    plan = measure.Plan(
        works=arguments.works,
        copied=arguments.copied,
        strangers=arguments.strangers,
        lengths=arguments.lengths,
        kinds=arguments.only or list(KINDS),
        seed=arguments.seed,
        audfprint=arguments.audfprint if arguments.audfprint.exists() else None,
    )
    half = arguments.half or "tuning"
    result = measure.measure(material.tracks(half, arguments.material), plan)
    return {**result, "half": half, "licences": material.licences(half, arguments.material)}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("do", choices=("collect", "run", "page"))
    parser.add_argument("--material", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--half", choices=tuple(material.PACKAGES), help="default: tuning; collects all")
    parser.add_argument("--works", type=int, default=50, help="registered")
    parser.add_argument("--copied", type=int, default=10, help="works of which parts are asked in every way")
    parser.add_argument("--strangers", type=int, default=100, help="windows of recordings that are not registered")
    parser.add_argument("--lengths", type=float, nargs="*", default=[2.5, 5.0, 10.0], metavar="SECONDS")
    parser.add_argument("--only", nargs="*", metavar="KIND", default=[], help="these transformations")
    parser.add_argument("--seed", type=int, default=1, help="draws another split")
    parser.add_argument(
        "--audfprint", type=Path, metavar="PYTHON", default=audfprint.PYTHON, help="that has it, if any"
    )
    parser.add_argument("--output", type=Path, metavar="RESULT.json")
    parser.add_argument("--scale", type=Path, nargs="*", default=[], metavar="SCALE.json", help="for the page")
    parser.add_argument("--page", type=Path, metavar="PAGE.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
