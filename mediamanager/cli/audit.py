"""`mediamanager audit`: check the consent log, a copy of it, a receipt or a proof, and copy the log."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NoReturn, TypeAlias

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mediamanager.audit import reports, sources, verifier
from mediamanager.audit.reports import Check, Outcome, Report
from mediamanager.audit.signatures import MisbehaviourError, UndecidedError, parse_key

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Verify the public consent log. Exit status: 0 it holds, 1 it is proven not to, 2 it can't be decided.",
)

SourceArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="URL|FOLDER", help="Address of a registry, or a folder with a copy of its log.")
]
KeyOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--key", metavar="VKEY", envvar="MEDIAMANAGER_LOG_KEY", help="The log's key, or a file that holds it."
    ),
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

_SIGNS = {
    Outcome.HOLDS: ("✓", "green"),
    Outcome.BROKEN: ("✗", "bold red"),
    Outcome.UNDECIDED: ("?", "yellow"),
}
_LARGE = 2_000  # entries from which a progress bar is worth showing
_FILE_LIMIT = 1_000_000


@app.command()
def verify(
    source: SourceArgument,
    key: KeyOption = None,
    receipt: Annotated[Path | None, typer.Option(help="A claim's receipt that the log must agree with.")] = None,
    old: Annotated[Path | None, typer.Option("--from", help="A checkpoint kept earlier that it must extend.")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Check a whole log: its signature, every entry and tile, and the order of what it tells."""
    try:
        vkey = _key(key)
        receipt_text = _read(receipt).decode("utf-8", "replace") if receipt else None
        old_note = _read(old) if old else None
    except UndecidedError as error:
        _finish(_undecided(source, error), as_json=as_json)
    with _progress(hidden=as_json) as bar:
        task = bar.add_task("checking", visible=False)
        report = reports.audit_log(
            source,
            lambda: sources.open_source(source),
            vkey=vkey,
            receipt=receipt_text,
            old_note=old_note,
            progress=lambda done, size: bar.update(task, completed=done, total=size, visible=size >= _LARGE),
        )
    _finish(report, as_json=as_json)


@app.command()
def log(
    source: SourceArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the copy; made if it is not there.")],
    key: KeyOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Copy a log into a folder, to be kept and to be verified offline."""
    report = Report(source)
    try:
        opened = sources.open_source(source)
        vkey = _key(key)
        report.key = parse_key(vkey, given=True) if vkey else verifier.operator_key(opened)
        with _progress(hidden=as_json) as bar:
            task = bar.add_task("copying", visible=False)
            checkpoint = sources.download(
                opened,
                report.key,
                output,
                lambda done, count: bar.update(task, completed=done, total=count, visible=True),
            )
    except MisbehaviourError as error:
        report.checks.append(Check("copy", Outcome.BROKEN, str(error)))
    except UndecidedError as error:
        report.checks.append(Check("copy", Outcome.UNDECIDED, str(error)))
    else:
        report.origin, report.size, report.root = checkpoint.origin, checkpoint.size, checkpoint.root.hex()
        next_step = f"check the copy with `mediamanager audit verify {output}`"
        report.checks.append(Check("copy", Outcome.HOLDS, f"{checkpoint.size:,} entries are in {output}; {next_step}"))
    _finish(report, as_json=as_json, verdict=False)


@app.command()
def receipt(
    file: Annotated[Path, typer.Argument(help="The JSON that the registry handed out for a claim.")],
    key: KeyOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Check a claim's receipt with no network: the log holds the claim, and the claim says what the receipt says."""
    try:
        report = reports.audit_receipt(str(file), _read(file).decode("utf-8", "replace"), _key(key))
    except UndecidedError as error:
        report = _undecided(str(file), error)
    _finish(report, as_json=as_json)


@app.command()
def proof(
    file: Annotated[Path, typer.Argument(help="A .tlog-proof file.")],
    key: Annotated[str, typer.Option("--key", metavar="VKEY", envvar="MEDIAMANAGER_LOG_KEY", help="The log's key.")],
    leaf_hash: Annotated[str, typer.Option(metavar="HEX", help="SHA-256 of the leaf that it must prove.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Check a proof of inclusion with no network: an entry with this leaf hash is in a log signed by this key."""
    try:
        wanted = bytes.fromhex(leaf_hash)
    except ValueError as error:
        raise typer.BadParameter("64 hex digits are needed", param_hint="--leaf-hash") from error
    try:
        text = _read(file).decode("utf-8", "replace")
        report = reports.audit_proof(str(file), text, wanted, _key(key) or "")
    except UndecidedError as error:
        report = _undecided(str(file), error)
    _finish(report, as_json=as_json)


def _key(given: str | None) -> str | None:
    """A vkey holds plus signs; what holds none is the name of a file with one in its first line."""
    if given is None or "+" in given:
        return given
    return _read(Path(given)).decode("utf-8", "replace").split("\n")[0]


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_FILE_LIMIT + 1)
    except OSError as error:
        raise UndecidedError(f"{path} can't be read: {error.strerror}") from error
    if len(data) > _FILE_LIMIT:
        raise UndecidedError(f"{path} is longer than such a file can be")
    return data


def _undecided(source: str, error: UndecidedError) -> Report:
    return Report(source, checks=[Check("input", Outcome.UNDECIDED, str(error))])


def _finish(report: Report, *, as_json: bool, verdict: bool = True) -> NoReturn:
    """Print the report and leave with its status."""
    if as_json:
        typer.echo(json.dumps(report.as_json(), ensure_ascii=True))
    else:
        _show(report, verdict=verdict)
    raise typer.Exit(int(report.outcome))


def _show(report: Report, *, verdict: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(_plain(f"{report.origin or 'Consent log'}  ·  {report.source}"), style="bold", markup=False)
    for check in report.checks:
        sign, style = _SIGNS[check.outcome]
        console.print(f"  {sign} ", style=style, end="")
        console.print(_plain(f"{check.name:<12} {check.detail}"), markup=False)
        if check.name == "order" and report.entries:
            counts = "  ".join(f"{name} {count:,}" for name, count in sorted(report.entries.items()))
            console.print(f"    {'':<12} {_plain(counts)}", style="dim", markup=False)
        if check.name == "opening" and report.body is not None:
            for line in _body_lines(report.body):
                console.print(_plain(f"    {'':<12} {line}"), style="dim", markup=False)
    if report.key and not report.key.given:
        console.print("  ! ", style="yellow", end="")
        console.print(
            f"{'key':<12} it came from where the log came from. Whoever could forge the log could forge it, too:\n"
            f"    {'':<12} get it by another way, and pass it with --key {_plain(report.key.vkey)}",
            markup=False,
        )
    if verdict:
        console.print(_VERDICTS[report.outcome], style=_SIGNS[report.outcome][1])


def _body_lines(body: str) -> Iterator[str]:
    """What an entry says, a line a field; preferences that are alike on one line; what is empty is left out."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        yield body
        return
    for name, value in said.items():
        if name == "preferences" and isinstance(value, dict):
            for word in dict.fromkeys(map(str, value.values())):
                yield f"{word:<18} {', '.join(use for use, one in value.items() if str(one) == word)}"
        elif value is not None:
            yield f"{name.replace('_', ' '):<18} {value if isinstance(value, str) else json.dumps(value)}"


_VERDICTS = {
    Outcome.HOLDS: "It holds.",
    Outcome.BROKEN: "It does not hold: keep what you have, and show it to others.",
    Outcome.UNDECIDED: "It can't be decided.",
}


def _plain(text: str) -> str:
    """Text of others, on a terminal: no escape sequence and no reversed writing gets through."""
    return "".join(
        character if character.isprintable() or character == "\n" else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def _progress(*, hidden: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True, disable=hidden or not sys.stderr.isatty())
