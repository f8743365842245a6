"""Writes the parts of the documentation that the code knows better; with --check it fails where they differ."""

import argparse
import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import mediamanager.cli
from mediamanager.app import create_app
from mediamanager.policy import POLICY
from optout.store.models.accounts import Role
from optout.store.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("fingerprinting", "optout", "workers", "mediamanager")
_NOTICE = "<!-- Written by `python -m docs.generate`: change the code, then run `./run fix`. -->\n\n"


def main() -> int:
    """Write every generated page, or with --check name those that are out of step; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if anything would change")
    check = parser.parse_args().check
    stale = []
    for name, make in PAGES.items():
        page, wanted = ROOT / name, make()
        if not page.exists() or page.read_text(encoding="utf-8") != wanted:
            stale.append(name)
            if not check:
                page.parent.mkdir(parents=True, exist_ok=True)
                page.write_text(wanted, encoding="utf-8")
    broken = list(broken_links())
    for page, target in broken:
        sys.stderr.write(f"{page} links to {target}, which is not there\n")
    for name in stale:
        sys.stderr.write(f"{'out of step' if check else 'wrote'}: {name}\n")
    return 1 if broken or (check and stale) else 0


def broken_links() -> Iterator[tuple[str, str]]:
    """Links from a page to a file that does not exist."""
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "demo").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                yield str(page.relative_to(ROOT)), target


def openapi() -> str:
    """The HTTP API as OpenAPI."""
    return json.dumps(create_app(Settings()).openapi(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def commands() -> str:
    """The help of every command, as a terminal of 100 columns shows it."""
    parts = ["# Commands\n\n", _NOTICE, _fence(_help([]))]
    for name in mediamanager.cli.COMMANDS:
        text = _help([name])
        parts.append(f"\n## mediamanager {name}\n\n{_fence(text)}")
        parts += [f"\n### mediamanager {name} {sub}\n\n{_fence(_help([name, sub]))}" for sub in _subcommands(text)]
    return "".join(parts)


def settings() -> str:
    """Every setting, its default and what it does."""
    lines = ["# Settings\n\n", _NOTICE, "| environment variable | default | what it does |\n|---|---|---|\n"]
    for name, field in Settings.model_fields.items():
        derived = field.default_factory is not None or isinstance(field.default, Path)
        default = "in the data folder" if derived and name != "data_folder" else f"`{field.default}`"
        lines.append(f"| `MEDIAMANAGER_{name.upper()}` | {default} | {field.description} |\n")
    return "".join(lines)


def access() -> str:
    """Who may use which address, from the table that decides it."""
    roles = list(Role)
    columns = ["address", *roles, "without a key", "ids in it"]
    head = f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|\n"
    parts = ["# Who may do what\n\n", _NOTICE, _ABOUT_ACCESS, head]
    for (method, path), rule in POLICY.items():
        cells = ["yes" if rule.roles is None or role in rule.roles else "403" for role in roles]
        without = "yes" if rule.roles is None else "401" if path.startswith(("/v1/", "/metrics")) else "sign in"
        ids = [f"{name}: your own, else 404" for name in rule.own] + [f"{name}: any" for name in rule.of_registry]
        listed = ["lists only your own"] if rule.lists_own else []
        row = [f"`{method} {path}`", *cells, without, "; ".join(listed + ids)]
        parts.append("| " + " | ".join(row) + " |\n")
    return "".join(parts)


_ABOUT_ACCESS = """\
This is `mediamanager/policy.py`, which every request passes before anything of its body is read. A route that is not
in it is closed to everybody. Roles do not imply one another: a key may have several.

Somebody else's work or claim answers exactly as one that does not exist, to every role, on the API and on pages.
`tests/mediamanager/api/test_policy.py` holds every route, with every role and with own, other people's and absent
things, against this table.

"""


def files() -> str:
    """Every source file and its one job, by floor, as its first line says it."""
    parts = ["# Files\n\n", _NOTICE, "Each file has one job, told in its first line. Floors import downwards only.\n"]
    for package in reversed(PACKAGES):
        parts.append(f"\n## {package}\n\n| file | job |\n|---|---|\n")
        for path in sorted((ROOT / package).rglob("*.py")):
            line = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]
            if line and "versions" not in path.parts:
                parts.append(f"| `{path.relative_to(ROOT)}` | {line.replace('|', chr(92) + '|')} |\n")
    return "".join(parts)


def readme() -> str:
    """The README with the help text of the command line, as it is printed today."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    pattern = re.compile(r"(<!-- mediamanager --help -->\n).*?(<!-- end -->)", re.DOTALL)
    return pattern.sub(lambda found: f"{found[1]}{_fence(_help([]))}{found[2]}", text)


PAGES: dict[str, Callable[[], str]] = {
    "docs/openapi.json": openapi,
    "docs/reference/commands.md": commands,
    "docs/reference/settings.md": settings,
    "docs/reference/access.md": access,
    "docs/reference/files.md": files,
    "README.md": readme,
}


def _help(words: list[str]) -> str:
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    command = [sys.executable, "-m", "mediamanager", *words, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=True)  # noqa: S603
    return "\n".join(line.rstrip() for line in done.stdout.strip("\n").splitlines()) + "\n"


def _subcommands(text: str) -> Iterator[str]:
    inside = False
    for line in text.splitlines():
        if "Commands" in line and "─" in line:
            inside = True
        elif inside and (found := re.match(r"│ ([a-z][a-z-]*)\s", line)):
            yield found[1]


def _fence(text: str) -> str:
    return f"```text\n{text}```\n"


if __name__ == "__main__":
    sys.exit(main())
