"""`mediamanager doctor`: what is wrong with a registry, and how to mend it."""

import json
import logging
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape

from mediamanager.doctor.checkup import examine
from mediamanager.doctor.findings import Deployment, Finding, Grade
from optout.store import settings

_SIGNS: Final = {
    Grade.OK: ("green", "✓ well"),
    Grade.WARNING: ("yellow", "! weak"),
    Grade.FAILED: ("red", "✗ wrong"),
    Grade.SKIPPED: ("dim", "· later"),
}


def doctor(
    *,
    data: Annotated[
        Path | None, typer.Option("--data", help="The registry's data folder; else MEDIAMANAGER_DATA_FOLDER.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")] = False,
) -> None:
    """Look at a registry with the settings of this environment, part by part, and say how to mend what is wrong.

    It may run beside the registry. Nothing is changed, but for a small object that is written and removed.
    Exit 0: nothing is wrong (perhaps something is weak); 1: something is wrong.
    """
    # Drivers log what the findings say anyway.
    logging.basicConfig(level=logging.CRITICAL)
    grades = []
    for name, finding in examine(Deployment(settings.load(data))):
        grades.append(finding.grade)
        if as_json:
            typer.echo(json.dumps(_facts(name, finding)))
        else:
            _print(name, finding)
    if Grade.FAILED in grades:
        raise typer.Exit(1)


def _facts(name: str, finding: Finding) -> dict[str, object]:
    return {"check": name, "grade": finding.grade, "finding": finding.sentence, "remedy": finding.remedy}


def _print(name: str, finding: Finding) -> None:
    console = Console(soft_wrap=True, highlight=False)
    colour, sign = _SIGNS[finding.grade]
    console.print(f"[{colour}]{sign:<9}[/]{name:<16}{escape(finding.sentence)}")
    if finding.remedy is not None:
        console.print(f"{'':<9}{'':<16}[bold]to do:[/] {escape(finding.remedy)}")
