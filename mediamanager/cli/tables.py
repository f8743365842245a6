"""Verdicts as a table that a person enjoys reading: nothing is only colour, every verdict has its sign and its word."""

import sys
from collections import Counter
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mediamanager.client.verdicts import Checked, Verdict
from optout.catalogue.answers import WorkMatch
from optout.consent.reasons import Code

_SIGNS = {
    Verdict.DISALLOWED: ("✗", "bold red"),
    Verdict.CONDITIONAL: ("!", "bold yellow"),
    Verdict.ALLOWED: ("✓", "bold green"),
    Verdict.UNKNOWN: ("·", "dim"),
    Verdict.UNCHECKED: ("?", "bold magenta"),
}

_WIDTH_WITHOUT_TERMINAL = 120

# What the other columns say already.
_TOLD_ELSEWHERE = {Code.WORK_FOUND, Code.NO_MATCH_FOUND}


def print_verdicts(checked: Sequence[Checked]) -> None:
    """Print a row per asset and a line that counts them."""
    console = wide_console()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("File", overflow="fold", ratio=3)
    table.add_column("Verdict", no_wrap=True)
    # Where there is room, an id (36 characters) stays whole, so that it can be copied.
    wide = console.width >= _WIDTH_WITHOUT_TERMINAL
    table.add_column("Work found, and how", overflow="fold", ratio=4, min_width=36 if wide else None)
    table.add_column("Why", overflow="fold", ratio=5)
    for one in checked:
        table.add_row(Text(printable(one.path)), verdict_text(one.verdict), _found(one), Text(printable(why(one))))
    console.print(table)
    console.print(summary(Counter(one.verdict for one in checked)))


def wide_console() -> Console:
    """Print as wide as the terminal is; where there is none, as wide as a line of a log may be."""
    console = Console()
    return console if console.is_terminal else Console(width=_WIDTH_WITHOUT_TERMINAL)


def _found(one: Checked) -> Text:
    if not one.matches:
        return Text("-", style="dim")
    # The best match may say less than another one: the work shown is the one that the reason beside it is about.
    shown = next((match for match in one.matches if str(match.verdict) == str(one.verdict)), one.matches[0])
    more = f" and {len(one.matches) - 1} more" if len(one.matches) > 1 else ""
    return Text(printable(shown.work)).append(f"\n{evidence(shown)}{more}", style="dim")


def verdict_text(verdict: Verdict) -> Text:
    """A verdict's sign and word, in its colour."""
    sign, style = _SIGNS[verdict]
    return Text(f"{sign} {verdict}", style=style)


def summary(counts: Counter[Verdict], *, noun: str = "file") -> Text:
    """Count files, or what else they are called, by verdict: `3 files: 1 disallowed, 2 unknown`."""
    total = counts.total()
    line = Text(f"{total} {noun}{'' if total == 1 else 's'}")
    for number, verdict in enumerate(verdict for verdict in _SIGNS if counts[verdict]):
        line.append(": " if number == 0 else ", ")
        line.append(f"{counts[verdict]} {verdict}", style=_SIGNS[verdict][1])
    return line


def evidence(match: WorkMatch) -> str:
    """Say how a work was recognised, with its measure and its limit."""
    likely = "likely: " if match.strength == "likely" else ""
    if match.strength == "exact":
        return f"exact ({match.algorithm})"
    if match.distance is not None:
        limit = f" of {match.threshold:g}" if match.threshold is not None else ""
        return f"{likely}{match.distance}{limit} bits ({match.algorithm})"
    if match.score is not None:
        limit = f", needs {match.threshold:g}" if match.threshold is not None else ""
        return f"{likely}score {match.score:g}{limit} ({match.algorithm})"
    return f"{likely}{match.algorithm}"


def why(one: Checked) -> str:
    """Pick the sentence that says most beside the other columns, and say what could not have been recognised."""
    if one.error is not None:
        return one.error
    said = [step.sentence for step in one.reasons if step.code not in _TOLD_ELSEWHERE][:1]
    untold = [step.sentence for step in one.reasons if step.code == Code.NOT_IDENTIFIABLE]
    if untold:
        said += [remark.sentence for remark in one.remarks] or untold
    return " ".join(dict.fromkeys(said))


def printable(text: str) -> str:
    """Make a name safe to print: control characters and bytes that are no text are shown as escapes."""
    encoding = sys.stdout.encoding or "utf-8"
    shown = "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
    return shown.encode(encoding, "backslashreplace").decode(encoding)
