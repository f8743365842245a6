import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from filter_runs import lines, stop_after

from mediamanager.client.errors import OutputInUseError, UncheckedItemError
from mediamanager.client.filter.choices import Choice, Choices, ErrorChoice
from mediamanager.client.filter.journal import NAME as JOURNAL
from mediamanager.client.filter.journal import Journal
from mediamanager.client.filter.run import Job, run
from mediamanager.client.formats import folder as folder_format
from mediamanager.client.offline import Catalogue
from mediamanager.client.questions import Question
from mediamanager.client.verdicts import Checked
from optout.consent.vocabulary import Preference, Use
from optout.errors import InvalidInputError
from optout.proof.batches import BatchItem, items_tree


def test_a_folder_is_split_into_what_is_kept_and_what_is_not(job: Job, sources: list[Catalogue]) -> None:
    summary = run(job, sources)

    assert (summary.kept, summary.excluded, summary.exit_status) == (1, 1, 1)
    assert [path.name for path in (job.output / "kept").rglob("*")] == ["a-stranger.txt"]
    [excluded] = lines(job.output / "excluded.jsonl")
    assert (excluded["path"], excluded["verdict"]) == ("deep/copy.txt", "disallowed")
    assert excluded["matches"]
    assert excluded["reasons"]
    assert summary.notes == ("1 hidden file or folder was skipped",)
    assert not (job.output / JOURNAL).exists()


def test_kept_files_keep_their_place_and_their_bytes(job: Job, make_catalogue: Callable[..., Path]) -> None:
    run(job, [Catalogue.open(make_catalogue("other", other="nothing that lies in the inbox"))])

    for name in ("a-stranger.txt", "deep/copy.txt"):
        assert (job.output / "kept" / name).read_bytes() == (job.source / name).read_bytes()
        assert (job.output / "kept" / name).samefile(job.source / name)


def test_files_are_copied_where_they_can_not_be_linked(
    job: Job, sources: list[Catalogue], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)

    run(job, sources)

    kept = job.output / "kept" / "a-stranger.txt"
    assert kept.read_bytes() == (job.source / "a-stranger.txt").read_bytes()
    assert not kept.samefile(job.source / "a-stranger.txt")


def test_the_receipt_commits_to_what_was_kept_and_to_every_verdict(job: Job, sources: list[Catalogue]) -> None:
    run(job, sources)

    receipt = json.loads((job.output / "receipt.json").read_text())
    manifest = (job.output / receipt["kept"]["manifest"]).read_bytes()
    assert hashlib.sha256(manifest).hexdigest() == receipt["kept"]["sha256"]
    sha256, name = manifest.decode().rstrip("\n").split("  ")
    assert hashlib.sha256((job.output / name).read_bytes()).hexdigest() == sha256
    items = [
        BatchItem(
            bytes.fromhex(str(line["asset_key"])), Preference(str(line["verdict"])), bytes.fromhex(str(line["salt"]))
        )
        for line in lines(job.output / "verdicts.jsonl")
    ]
    assert items_tree(items).root().hex() == receipt["verdicts"]["items_root"]
    assert receipt["sources"][0]["digest"] == sources[0].identity()["digest"]
    assert receipt["parameters"]["choices"] == Choices().as_json()


def test_a_name_with_a_line_break_does_not_forge_the_manifest(job: Job, sources: list[Catalogue]) -> None:
    evil = "x\n" + "0" * 64 + "  kept\\evil.txt"
    (job.source / evil).write_text("These few words are nobody's work.")

    run(job, sources)

    manifest = (job.output / "kept.sha256").read_text()
    assert len(manifest.splitlines()) == 2
    assert sum(line.startswith("\\") for line in manifest.splitlines()) == 1


def test_what_can_not_be_read_is_excluded_and_counted(job: Job, sources: list[Catalogue]) -> None:
    (job.source / "broken.png").write_bytes(b"")

    summary = run(job, sources)

    assert (summary.unchecked, summary.exit_status, summary.degraded) == (1, 2, False)
    assert not (job.output / "kept" / "broken.png").exists()
    report = json.loads((job.output / "report.json").read_text())
    assert report["excluded_because"] == {"not_checked": 1, "statement_disallows": 1}


def test_keeping_what_is_unchecked_degrades_the_run_and_lists_it_for_review(job: Job, sources: list[Catalogue]) -> None:
    (job.source / "broken.png").write_bytes(b"")

    summary = run(replace(job, choices=Choices(on_error=ErrorChoice.KEEP)), sources)

    assert (summary.degraded, summary.exit_status) == (True, 2)
    assert (job.output / "kept" / "broken.png").exists()
    [review] = lines(job.output / "review.jsonl")
    assert (review["path"], review["verdict"]) == ("broken.png", "unchecked")
    assert "degraded" in (job.output / "report.md").read_text()


def test_raising_stops_at_the_first_unchecked_and_the_same_command_goes_on(job: Job, sources: list[Catalogue]) -> None:
    (job.source / "broken.png").write_bytes(b"")
    raising = replace(job, choices=Choices(on_error=ErrorChoice.RAISE))

    with pytest.raises(UncheckedItemError, match=r"broken\.png"):
        run(raising, sources)

    assert not (job.output / "receipt.json").exists()
    (job.source / "broken.png").unlink()
    assert run(raising, sources).kept == 1


def test_unknown_can_be_dropped(job: Job, sources: list[Catalogue]) -> None:
    summary = run(replace(job, choices=Choices(on_unknown=Choice.DROP)), sources)

    assert (summary.kept, summary.excluded) == (0, 2)


def test_a_finished_run_is_not_done_again(job: Job, sources: list[Catalogue]) -> None:
    first = run(job, sources)
    receipt = (job.output / "receipt.json").read_bytes()

    again = run(job, sources)

    assert (job.output / "receipt.json").read_bytes() == receipt
    assert (again.verdicts, again.kept, again.exit_status) == (first.verdicts, first.kept, first.exit_status)
    assert again.notes == ("this run was finished before; to do it again, choose another --output",)


@pytest.mark.parametrize("change", ["a file more", "a file less", "another content"])
def test_a_finished_run_says_nothing_of_what_has_come_since(job: Job, sources: list[Catalogue], change: str) -> None:
    run(job, sources)
    receipt = (job.output / "receipt.json").read_bytes()
    file = min(one for one in job.source.rglob("*.txt") if one.is_file())
    if change == "a file more":
        (job.source / "new.txt").write_text("Nobody has checked this.")
    else:
        file.unlink()  # first, as what is kept is the same file
        if change == "another content":
            file.write_text("Nobody has checked this.")

    with pytest.raises(OutputInUseError, match="has changed since the run in"):
        run(job, sources)

    assert (job.output / "receipt.json").read_bytes() == receipt


@pytest.mark.parametrize("half", ["finished", "interrupted"])
def test_the_output_of_another_run_is_refused(job: Job, sources: list[Catalogue], half: str) -> None:
    if half == "finished":
        run(job, sources)
    else:
        with pytest.raises(KeyboardInterrupt):
            run(job, sources, watch=stop_after(1))

    with pytest.raises(OutputInUseError, match="another run"):
        run(replace(job, question=Question(Use.SEARCH)), sources)


def test_an_output_that_holds_something_else_is_left_alone(job: Job, sources: list[Catalogue]) -> None:
    job.output.mkdir()
    (job.output / "diary.txt").write_text("mine")

    with pytest.raises(OutputInUseError, match="not empty"):
        run(job, sources)

    assert [path.name for path in job.output.iterdir()] == ["diary.txt"]


def test_an_input_that_changed_in_between_is_refused(job: Job, sources: list[Catalogue]) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(job, sources, watch=stop_after(1))
    (job.source / "a-stranger.txt").write_text("Something else altogether.")

    with pytest.raises(OutputInUseError, match="has changed"):
        run(job, sources)


def test_a_file_that_changes_while_it_is_checked_is_not_kept(
    job: Job, sources: list[Catalogue], monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = job.source / "a-stranger.txt"

    def change(verdicts: Iterator[Checked], total: int | None) -> Iterator[Checked]:
        for one in verdicts:
            if one.path == stranger.name:
                stranger.write_text("This was never checked.")
            yield one

    summary = run(job, sources, watch=change)

    assert (summary.kept, summary.unchecked) == (0, 1)
    assert list((job.output / "kept").rglob("*.txt")) == []


def test_a_catalogue_that_was_built_anew_makes_another_run(
    job: Job, sources: list[Catalogue], make_catalogue: Callable[..., Path], catalogue: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(job, sources, watch=stop_after(1))
    other = make_catalogue("other", hare="hare")
    shutil.rmtree(catalogue)
    other.rename(catalogue)

    with pytest.raises(OutputInUseError, match="another run"):
        run(job, [Catalogue.open(catalogue)])


def test_two_processes_can_not_filter_into_one_folder(job: Job, sources: list[Catalogue]) -> None:
    def intrude(verdicts: Iterator[Checked], total: int | None) -> Iterator[Checked]:
        with pytest.raises(OutputInUseError, match="another process"):
            Journal.open(job.output, {}, {})
        return verdicts

    run(job, sources, watch=intrude)


def test_an_output_inside_the_input_is_not_filtered_itself(job: Job, sources: list[Catalogue]) -> None:
    inside = replace(job, output=job.source / "out")
    with pytest.raises(KeyboardInterrupt):
        run(inside, sources, watch=stop_after(1))

    assert run(inside, sources).kept == 1


def test_an_empty_folder_gives_an_empty_result(tmp_path: Path, job: Job, sources: list[Catalogue]) -> None:
    (tmp_path / "empty").mkdir()

    summary = run(replace(job, source=tmp_path / "empty"), sources)

    assert (summary.kept, summary.excluded, summary.exit_status) == (0, 0, 0)
    assert (job.output / "receipt.json").exists()


@pytest.mark.parametrize("name", ["missing", "table.parquet"])
def test_what_can_not_be_filtered_is_refused(tmp_path: Path, job: Job, sources: list[Catalogue], name: str) -> None:
    (tmp_path / "table.parquet").write_bytes(b"PAR1")

    with pytest.raises(InvalidInputError):
        run(replace(job, source=tmp_path / name), sources)

    assert not job.output.exists()


def test_a_stamp_sees_a_change_of_size_or_time(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    opened = folder_format.FolderFormat(tmp_path, tmp_path / "out")
    [before] = opened.items()

    os.utime(tmp_path / "a", ns=(0, 1))

    [after] = opened.items()
    assert before.stamp != after.stamp
