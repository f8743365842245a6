"""The colours can be read: text at 4.5:1, lines and icons at 3:1, in light and in dark."""

import re
from pathlib import Path

import pytest

import mediamanager.web

CSS = (Path(mediamanager.web.__file__).parent / "static" / "style.css").read_text(encoding="utf-8")
TONES = ("allowed", "conditional", "disallowed", "unknown")
TEXT = [
    *[(ink, ground) for ink in ("ink", "muted", "accent", *TONES) for ground in ("ground", "surface")],
    *[(tone, f"{tone}-ground") for tone in TONES],
    *[("ink", f"{tone}-ground") for tone in TONES],
    ("on-accent", "accent"),
    ("surface", "disallowed"),
]
LINES = [("line", "ground"), ("line", "surface"), ("focus", "ground"), ("focus", "surface")]


def variables(selector: str) -> dict[str, str]:
    block = re.search(re.escape(selector) + r"\s*\{(.*?)\}", CSS, re.DOTALL)
    assert block is not None, selector
    return dict(re.findall(r"--([a-z-]+):\s*(#[0-9a-f]{6})", block[1]))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


THEMES = {
    "light": variables(":root"),
    "dark": {**variables(":root"), **variables(':root[data-theme="dark"]')},
    "dark by the device": {**variables(":root"), **variables(':root:not([data-theme="light"])')},
}


@pytest.mark.parametrize("theme", THEMES)
def test_every_pair_of_colours_can_be_read(theme: str) -> None:
    colours = THEMES[theme]

    measured = {(a, b): contrast(colours[a], colours[b]) for a, b in [*TEXT, *LINES]}

    assert [pair for pair in TEXT if measured[pair] < 4.5] == []
    assert [pair for pair in LINES if measured[pair] < 3] == []


def test_both_dark_themes_are_the_same() -> None:
    assert THEMES["dark"] == THEMES["dark by the device"]
