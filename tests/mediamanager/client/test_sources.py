"""Several catalogues at once, in the library and in a filter run: who said what is kept, silence never permits."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from filter_runs import lines

from mediamanager.client import Sources
from mediamanager.client.filter.choices import Choice, Choices
from mediamanager.client.filter.run import Job, run
from mediamanager.client.offline import Catalogue
from mediamanager.client.verdicts import Verdict
from optout.catalogue.works import LINES
from optout.consent.vocabulary import Preference
from optout.errors import InvalidInputError


@pytest.fixture
def allowing(make_catalogue: Callable[..., Path], make_text: Callable[..., str]) -> Path:
    """Allows the fox and the stranger."""
    return make_catalogue("allowing", Preference.ALLOWED, fox=make_text("fox"), stranger=make_text("stranger"))


def damage(catalogue: Path) -> None:
    (catalogue / LINES).write_bytes(b"x" * (catalogue / LINES).stat().st_size)


def test_several_are_asked_as_one_and_each_is_quoted(catalogue: Path, allowing: Path, inbox: Path) -> None:
    both = Sources(Catalogue.open(allowing), Catalogue.open(catalogue))

    stranger, copy = both.check([inbox / "a-stranger.txt", inbox / "deep" / "copy.txt"])

    assert [(one.source, one.verdict) for one in copy.sources] == [
        (str(allowing), Verdict.ALLOWED),
        (str(catalogue), Verdict.DISALLOWED),
    ]
    assert (copy.verdict, stranger.verdict) == (Verdict.DISALLOWED, Verdict.UNKNOWN)
    assert copy.as_json()["sources"] == [
        {"source": str(allowing), "verdict": "allowed", "error": None},
        {"source": str(catalogue), "verdict": "disallowed", "error": None},
    ]


def test_one_that_can_not_be_read_never_lets_another_permit(catalogue: Path, allowing: Path, inbox: Path) -> None:
    opened = Catalogue.open(catalogue)
    damage(catalogue)

    [copy] = Sources(Catalogue.open(allowing), opened).check([inbox / "deep" / "copy.txt"])

    assert copy.verdict is Verdict.UNCHECKED
    assert [(one.verdict, one.error is None) for one in copy.sources] == [
        (Verdict.ALLOWED, True),
        (Verdict.UNCHECKED, False),
    ]


def test_nobody_to_ask_is_a_mistake() -> None:
    with pytest.raises(InvalidInputError, match="nobody to ask"):
        Sources()


def test_a_run_records_what_each_catalogue_said(job: Job, catalogue: Path, allowing: Path) -> None:
    sources = [Catalogue.open(allowing), Catalogue.open(catalogue)]

    run(replace(job, choices=Choices(on_unknown=Choice.DROP)), sources)

    receipt = json.loads((job.output / "receipt.json").read_text())
    assert [one["digest"] for one in receipt["sources"]] == [source.identity()["digest"] for source in sources]
    said = [{word: count for word, count in one["verdicts"].items() if count} for one in receipt["sources"]]
    assert said == [{"allowed": 2}, {"unknown": 1, "disallowed": 1}]
    assert [line["sources"] for line in lines(job.output / "verdicts.jsonl")] == [
        ["allowed", "unknown"],
        ["allowed", "disallowed"],
    ]
    report = json.loads((job.output / "report.json").read_text())
    assert [one["verdicts"] for one in report["sources"]] == [one["verdicts"] for one in receipt["sources"]]
    page = (job.output / "report.md").read_text()
    for one in receipt["sources"]:
        assert one["digest"][:16] in page


def test_a_run_beside_a_damaged_catalogue_keeps_nothing_and_says_which(
    job: Job, catalogue: Path, allowing: Path
) -> None:
    sources = [Catalogue.open(allowing), Catalogue.open(catalogue)]
    damage(catalogue)

    summary = run(job, sources)

    assert (summary.kept, summary.unchecked, summary.exit_status) == (0, 2, 2)
    receipt = json.loads((job.output / "receipt.json").read_text())
    assert [one["verdicts"]["unchecked"] for one in receipt["sources"]] == [0, 2]
