"""What a filter run left, as tests compare it, and a run that is interrupted."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from mediamanager.client.verdicts import Checked


def lines(path: Path) -> list[dict[str, object]]:
    """The objects of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def results(output: Path) -> dict[str, object]:
    """What a run left, but for what differs from run to run: times, the run's id, random salts."""
    receipt = json.loads((output / "receipt.json").read_text())
    verdicts = [{**line, "salt": None} for line in lines(output / "verdicts.jsonl")]
    return {
        "tree": sorted(path.relative_to(output).as_posix() for path in output.rglob("*")),
        "counts": receipt["counts"],
        "kept": receipt["kept"],
        "verdicts": verdicts,
        "excluded": lines(output / "excluded.jsonl"),
    }


def stop_after(count: int) -> Callable[[Iterator[Checked], int | None], Iterator[Checked]]:
    """A `watch` that breaks a run off before a verdict."""

    def watch(verdicts: Iterator[Checked], total: int | None) -> Iterator[Checked]:
        for number, one in enumerate(verdicts):
            if number == count:
                raise KeyboardInterrupt
            yield one

    return watch
