"""A filter run that was interrupted, or could not check something, is gone on with."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from filter_runs import results, stop_after

from mediamanager.client.errors import OutputInUseError
from mediamanager.client.filter.choices import Choices, ErrorChoice
from mediamanager.client.filter.journal import NAME as JOURNAL
from mediamanager.client.filter.run import Job, run
from mediamanager.client.offline import Catalogue
from mediamanager.client.verdicts import Checked


def test_a_run_that_is_interrupted_anywhere_ends_as_one_that_is_not(
    job: Job, sources: list[Catalogue], tmp_path: Path, make_text: Callable[..., str]
) -> None:
    for number in range(4):
        (job.source / f"more-{number}.txt").write_text(make_text(f"more {number}"))
    run(replace(job, output=tmp_path / "whole"), sources)

    for count in range(6):
        output = tmp_path / f"interrupted after {count}"
        with pytest.raises(KeyboardInterrupt):
            run(replace(job, output=output), sources, watch=stop_after(count))
        assert not (output / "kept").exists()
        assert not (output / "receipt.json").exists()
        seen: list[int | None] = []

        def watch(verdicts: Iterator[Checked], total: int | None, seen: list[int | None] = seen) -> Iterator[Checked]:
            seen.append(total)
            return verdicts

        run(replace(job, output=output), sources, watch=watch)

        assert seen == [6 - count]
        assert results(output) == results(tmp_path / "whole")


def test_a_crash_while_finishing_is_made_good(
    job: Job, sources: list[Catalogue], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(replace(job, output=tmp_path / "whole"), sources)
    steps = 0
    original = os.replace

    for survived in range(8):
        output = tmp_path / f"crashed after {survived}"

        def fragile(self: Path, target: Path, survived: int = survived) -> Path:
            nonlocal steps
            if steps == survived:
                raise KeyboardInterrupt
            steps += 1
            original(self, target)
            return target

        steps = 0
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", fragile)
            try:
                run(replace(job, output=output), sources)
            except KeyboardInterrupt:
                assert not (output / "receipt.json").exists()
        run(replace(job, output=output), sources)

        assert results(output) == results(tmp_path / "whole")


def test_a_line_that_a_crash_cut_off_is_done_again(job: Job, sources: list[Catalogue]) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(job, sources, watch=stop_after(1))
    journal = job.output / JOURNAL
    journal.write_bytes(journal.read_bytes()[:-7])

    assert run(job, sources).kept == 1


@pytest.fixture
def broken(job: Job, make_text: Callable[..., str]) -> Callable[[], None]:
    """Two files of the input that can't be read; called, it mends them: a copy of what is reserved, and a stranger."""
    copy, stranger = job.source / "b-copy.txt", job.source / "c-stranger.txt"
    copy.write_bytes(b"")
    stranger.write_bytes(b"")

    def mend() -> None:
        copy.write_text(make_text("crow"))
        stranger.write_text(make_text("nobody's"))

    return mend


@pytest.mark.parametrize("on_error", [ErrorChoice.DROP, ErrorChoice.KEEP])
def test_what_was_unchecked_is_checked_again_and_ends_as_if_it_had_been_right_at_once(
    job: Job, sources: list[Catalogue], tmp_path: Path, broken: Callable[[], None], on_error: ErrorChoice
) -> None:
    job = replace(job, choices=Choices(on_error=on_error))
    first = run(job, sources)
    vain = run(job, sources)
    broken()
    seen: list[int | None] = []

    def watch(verdicts: Iterator[Checked], total: int | None) -> Iterator[Checked]:
        seen.append(total)
        return verdicts

    second = run(job, sources, watch=watch)

    assert (first.unchecked, vain.unchecked, second.unchecked) == (2, 2, 0)
    assert (first.exit_status, second.exit_status) == (2, 1)
    assert seen == [2]
    assert "2 files that were not checked before: tried again" in second.notes
    run(replace(job, output=tmp_path / "at once"), sources)
    assert results(job.output) == results(tmp_path / "at once")
    assert run(job, sources).notes == ("this run was finished before; to do it again, choose another --output",)


@pytest.mark.usefixtures("broken")
def test_a_file_that_has_come_between_others_since_is_named(job: Job, sources: list[Catalogue]) -> None:
    run(job, sources)
    (job.source / "bb-new.txt").write_text("Nobody has checked this.")

    with pytest.raises(OutputInUseError, match=r"\(bb-new\.txt where c-stranger\.txt was\): choose another --output"):
        run(job, sources)


def test_an_interrupted_run_checks_again_what_was_unchecked_and_goes_on_with_the_rest(
    job: Job, sources: list[Catalogue], tmp_path: Path, broken: Callable[[], None]
) -> None:
    for count in range(3):
        with pytest.raises(KeyboardInterrupt):
            run(job, sources, watch=stop_after(count))
    broken()
    for count in range(2):  # what was unchecked comes first: two of three
        with pytest.raises(KeyboardInterrupt):
            run(job, sources, watch=stop_after(count))

    assert run(job, sources).unchecked == 0

    run(replace(job, output=tmp_path / "at once"), sources)
    assert results(job.output) == results(tmp_path / "at once")
