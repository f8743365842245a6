"""Comics: how many copied pages are found, and how many pages of other comics are taken for one that is registered.

    ./run bench image.comics --material FOLDER [--output RESULT.json] [--page docs/accuracy/comics.md]

Comics are put together of drawings out of Debian packages: two to six panels a page, with frames, gutters and
balloons of words, all in one style, so that pages of different comics share all but their drawings. Those that are
registered and those that are not have no drawing in common. A page is asked for as it is copied: compressed,
halved, grey, scanned askew, cut in half, one panel alone, in a magazine. Limits were chosen on other pictures.
"""

import argparse
import io
import json
import random
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageDraw

from benchmarks import debian_packages
from benchmarks.image import canvas, material
from fingerprinting.extract import extract
from fingerprinting.index.segment import Index
from fingerprinting.types import Depth, Fingerprint, Match, Role, Strength

_PACKAGES: Final = (
    *("openclipart-png", "gcompris-qt-data", "hedgewars-data", "widelands-data", "pingus-data", "supertux-data"),
    *("ktuberling-data", "freecol", "freeciv-data"),
)
_SIZE: Final = (1000, 1500)
_GUTTER: Final = 24
_ROWS: Final = ((1, 2), (2, 2), (2, 1, 2), (1, 1), (2, 2, 2), (1, 2, 1))
_PAGES: Final = 5
_PANEL: Final = "one panel"

Box = tuple[int, int, int, int]
Copy = Callable[[Image.Image, Sequence[Box], random.Random], Image.Image]


def main() -> None:
    arguments = _arguments()
    dice = random.Random(arguments.seed)
    debian_packages.fetch(_PACKAGES, arguments.material, ["*.png", "*.jpg"])
    drawings = [each.path for each in material.of_packages(_PACKAGES, arguments.material, str(arguments.seed))]
    comics = _drawn(drawings, arguments.comics + arguments.strangers, dice)
    found = _measured(comics[: arguments.comics], comics[arguments.comics :], dice)
    print(json.dumps(found, indent=1))
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(found, indent=1) + "\n")
    if arguments.page is not None:
        arguments.page.write_text("\n".join(_page(found)) + "\n", "utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--material", type=Path, default=Path("material"), metavar="FOLDER")
    parser.add_argument("--comics", type=int, default=6, help="that are registered")
    parser.add_argument("--strangers", type=int, default=16, help="that are not")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, metavar="RESULT.json")
    parser.add_argument("--page", type=Path, metavar="PAGE.md")
    return parser.parse_args()


Comic = list[tuple[Image.Image, list[Box]]]
"""Pages, each with where its panels are."""


def _drawn(drawings: Sequence[Path], number: int, dice: random.Random) -> list[Comic]:
    # Both halves of a drawing: there are not as many drawings as panels.
    waiting = iter([(path, side) for path in drawings for side in (0, 1)])
    return [[_laid_out(waiting, dice) for _ in range(_PAGES)] for _ in range(number)]


def _laid_out(drawings: Any, dice: random.Random) -> tuple[Image.Image, list[Box]]:
    page, boxes = Image.new("RGB", _SIZE, "white"), []
    rows = dice.choice(_ROWS)
    high = (_SIZE[1] - _GUTTER) // len(rows)
    for row, across in enumerate(rows):
        wide = (_SIZE[0] - _GUTTER) // across
        for column in range(across):
            left, top = _GUTTER + column * wide, _GUTTER + row * high
            box = left, top, left + wide - _GUTTER, top + high - _GUTTER
            page.paste(_panel(next(drawings), (box[2] - box[0], box[3] - box[1]), dice), box[:2])
            ImageDraw.Draw(page).rectangle(box, outline="black", width=4)
            boxes.append(box)
    return page, boxes


def _panel(drawing: tuple[Path, int], size: tuple[int, int], dice: random.Random) -> Image.Image:
    """Half of a drawing that fills a panel, with a balloon in a corner."""
    path, side = drawing
    with Image.open(path) as opened:
        half = opened.width // 2
        layered = opened.convert("RGBA").crop((side * half, 0, side * half + half, opened.height))
    shown = Image.new("RGBA", layered.size, "#e8f0f4")
    shown.alpha_composite(layered)
    factor = max(size[0] / shown.width, size[1] / shown.height)
    large = shown.convert("RGB").resize((round(shown.width * factor) + 1, round(shown.height * factor) + 1))
    left, top = (large.width - size[0]) // 2, (large.height - size[1]) // 2
    panel = large.crop((left, top, left + size[0], top + size[1]))
    wide, high = size[0] * 2 // 5, min(size[1] // 4, 110)
    at = dice.choice((10, size[0] - wide - 10)), 10
    balloon = at[0], at[1], at[0] + wide, at[1] + high
    ImageDraw.Draw(panel).rounded_rectangle(balloon, 24, fill="white", outline="black", width=3)
    canvas.paragraph(panel, (at[0] + 16, at[1] + 12, at[0] + wide - 8, at[1] + high - 8), dice, 18)
    return panel


def _askew(page: Image.Image, dice: random.Random) -> Image.Image:
    turned = page.rotate(dice.uniform(-3, 3), Image.Resampling.BICUBIC, expand=True, fillcolor="#d8d4cc")
    return turned.resize((turned.width * 4 // 5, turned.height * 4 // 5))


def _in_magazine(page: Image.Image, dice: random.Random) -> Image.Image:
    sheet = Image.new("RGB", (1600, 1600), "white")
    canvas.paragraph(sheet, (60, 60, 760, 1540), dice, 26)
    small = page.resize((720, 1080))
    sheet.paste(small, (820, dice.randrange(60, 440)))
    return sheet


_COPIES: Final[Mapping[str, Copy]] = {
    "whole, compressed to 50 %": lambda page, *_: page,
    "half as large": lambda page, *_: page.resize((page.width // 2, page.height // 2)),
    "grey": lambda page, *_: page.convert("L").convert("RGB"),
    "scanned askew": lambda page, *further: _askew(page, further[1]),
    "its upper half": lambda page, *_: page.crop((0, 0, page.width, page.height // 2)),
    _PANEL: lambda page, boxes, dice: page.crop(dice.choice(boxes)),
    "in a magazine": lambda page, *further: _in_magazine(page, further[1]),
}


def _measured(works: Sequence[Comic], strangers: Sequence[Comic], dice: random.Random) -> dict[str, Any]:
    index = Index.build((row, one) for row, comic in enumerate(works) for one in _registered(comic))
    found: dict[str, Counter[str]] = {name: Counter() for name in _COPIES}
    for row, comic in enumerate(works):
        for number, (page, boxes) in enumerate(comic, 1):
            for name, copied in _COPIES.items():
                sure = _sure(index, copied(page, boxes, dice))
                counts = found[name]
                counts["asked"] += 1
                counts["found"] += row in {match.work for match in sure}
                counts["page"] += any(match.work == row and match.evidence.get("work_page") == number for match in sure)
                counts["wrong"] += any(match.work != row for match in sure)
    asked = wrong = 0
    for comic in strangers:
        for page, _ in comic:
            asked += 1
            wrong += bool(_sure(index, page))
    pages = sum(len(comic) for comic in works)
    return {
        "comics": len(works),
        "pages": pages,
        "copies": {name: dict(counts) for name, counts in found.items()},
        "strangers": {"asked": asked, "wrong": wrong},
    }


def _registered(comic: Comic) -> tuple[Fingerprint, ...]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "comic.cbz"
        with zipfile.ZipFile(path, "w") as archive:
            for number, (page, _) in enumerate(comic, 1):
                archive.writestr(f"p{number}.jpg", _jpeg(page, 90))
        return extract(path).fingerprints


def _sure(index: Index, picture: Image.Image) -> list[Match]:
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        file.write(_jpeg(picture, 50))
        file.flush()
        asked = extract(Path(file.name), role=Role.QUERY, depth=Depth.STANDARD).fingerprints
    return [match for match in index.search([asked], depth=Depth.STANDARD) if match.strength is not Strength.LIKELY]


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=quality)
    return written.getvalue()


def _page(found: Mapping[str, Any]) -> list[str]:
    rows = [
        f"| {name} | {counts['asked']} | {counts['found'] / counts['asked']:.0%} |"
        f" {counts.get('page', 0) / max(1, counts['found']):.0%} | {counts.get('wrong', 0)} |"
        for name, counts in found["copies"].items()
    ]
    strangers = found["strangers"]
    told = (
        f"{found['comics']} comics of together {found['pages']} pages are registered as CBZ, and asked for at depth"
        " `standard` by single pages. The comics are put together of halves of drawings out of Debian packages, in two"
        " to six panels a page with frames, gutters and balloons of words in one style; so pages of two comics have all"
        " in common but their drawings. No limit was chosen on these. `match` alone counts as found."
    )
    others = (
        f"Of {strangers['asked']} pages of comics that are not registered {strangers['wrong']} are taken for one that"
        " is. A book of pictures (EPUB) and a scan (PDF) are taken in the same way, page by page."
    )
    return [
        "# Pages of comics that are found",
        "",
        told,
        "",
        "| how a page is copied | pages | found | of these, the right page is named | other comics named |",
        "|---|---|---|---|---|",
        *rows,
        "",
        others,
        "",
        "Made by `./run bench image.comics`.",
    ]


if __name__ == "__main__":
    main()
