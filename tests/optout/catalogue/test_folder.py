import fcntl
import json
import os
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fingerprinting.errors import CorruptIndexError
from fingerprinting.index.segment import Index
from fingerprinting.types import Fingerprint, Strength
from optout.catalogue import folder, manifest
from optout.catalogue.answers import Asset
from optout.catalogue.folder import INDEX
from optout.catalogue.works import LINES, OFFSETS, CatalogueWork, WorksFile
from optout.consent.statements import Statement
from optout.consent.vocabulary import Preference, Use
from optout.errors import ConflictError, CorruptCatalogueError, InvalidInputError

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
MakeWork = Callable[..., CatalogueWork]
Print = Callable[..., Fingerprint]


@pytest.fixture
def built(tmp_path: Path, make_work: MakeWork) -> Path:
    folder.build(tmp_path / "catalogue", [make_work("fox"), make_work("crow", Preference.ALLOWED)], built_at=MOMENT)
    return tmp_path / "catalogue"


def contents(path: Path) -> dict[str, bytes]:
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def test_a_catalogue_answers_as_its_works_were_said(built: Path, sha256: Print, pdq: Print) -> None:
    catalogue = folder.open(built)

    same, near, other, stranger = catalogue.answer(
        [Asset((sha256("fox"),)), Asset((pdq("fox", flip=6),)), Asset((pdq("crow"),)), Asset((sha256("x"), pdq("x")))],
        Use.TRAIN_GENAI,
    )

    assert (same.verdict, same.matches[0].work, same.matches[0].strength) == (
        Preference.DISALLOWED,
        "fox",
        Strength.EXACT,
    )
    assert (near.verdict, near.matches[0].distance) == (Preference.DISALLOWED, 6)
    assert (other.verdict, other.matches[0].work) == (Preference.ALLOWED, "crow")
    assert (stranger.verdict, stranger.matches) == (Preference.UNKNOWN, ())


def test_statements_come_back_as_they_went_in(tmp_path: Path, make_statement: Callable[..., Statement]) -> None:
    said = make_statement(
        {Use.TRAIN_AI: Preference.CONDITIONAL},
        valid_until=MOMENT + timedelta(days=400),
        terms_url="https://example.org/terms",
    )

    folder.build(tmp_path / "c", [CatalogueWork("w", (), (said,), "o")])

    assert folder.open(tmp_path / "c").statements("w") == (said,)


def test_the_same_works_give_the_same_bytes_in_any_order(tmp_path: Path, make_work: MakeWork) -> None:
    works = [make_work(name) for name in ("fox", "crow", "éclair", "a/b.png")]

    folder.build(tmp_path / "one", works, built_at=MOMENT)
    folder.build(tmp_path / "two", reversed(works), built_at=MOMENT)

    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_catalogue_says_what_it_holds(built: Path) -> None:
    held = folder.info(built)

    assert (held.works, dict(held.fingerprints)) == (2, {"sha256": 2, "pdq-256": 2})
    assert held.built_at == "2026-01-01T00:00:00+00:00"
    assert held == folder.verify(built) == folder.open(built).info


def test_an_empty_catalogue_knows_nothing_and_can_be_opened(tmp_path: Path, sha256: Print) -> None:
    folder.build(tmp_path / "c", [])

    [one] = folder.open(tmp_path / "c").answer([Asset((sha256("x"),))], Use.ALL)

    assert one.verdict is Preference.UNKNOWN
    assert folder.verify(tmp_path / "c").works == 0


def test_two_works_of_one_id_are_refused_and_nothing_is_left(tmp_path: Path, make_work: MakeWork) -> None:
    with pytest.raises(InvalidInputError, match="`fox`"):
        folder.build(tmp_path / "c", [make_work("fox"), make_work("fox")])

    assert list(tmp_path.iterdir()) == []


def test_a_build_that_fails_leaves_the_old_catalogue_and_nothing_else(
    built: Path, make_work: MakeWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(built)

    def fail(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(Index, "write", fail)
    with pytest.raises(OSError, match="no space"):
        folder.build(built, [make_work("hare")])

    assert contents(built) == before
    assert list(built.parent.iterdir()) == [built]


def test_what_a_killed_build_left_is_swept_away_and_a_running_one_is_not(tmp_path: Path, make_work: MakeWork) -> None:
    left, running = tmp_path / ".c.building-left", tmp_path / ".c.building-running"
    (left / "new").mkdir(parents=True)
    running.mkdir()
    held = os.open(running, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)

    folder.build(tmp_path / "c", [make_work("fox")])

    os.close(held)
    assert sorted(tmp_path.iterdir()) == [running, tmp_path / "c"]


def test_a_new_build_takes_the_place_of_the_old_one_whole(built: Path, make_work: MakeWork) -> None:
    held_open = folder.open(built)

    folder.build(built, [make_work("hare")])

    assert folder.verify(built).works == 1
    assert held_open.statements("fox")[0].id == "claim of fox"  # whoever had it open keeps it
    assert list(built.parent.iterdir()) == [built]


def test_a_folder_with_anything_else_in_it_is_never_replaced(built: Path, make_work: MakeWork, tmp_path: Path) -> None:
    (built / "diary.txt").write_text("mine")
    other = tmp_path / "other"
    other.mkdir()
    (other / "manifest.json").write_text("{}")

    for place in (built, other):
        before = contents(place)
        with pytest.raises(ConflictError):
            folder.build(place, [make_work("hare")])
        assert contents(place) == before


def test_what_is_no_catalogue_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorruptCatalogueError, match="not a catalogue"):
        folder.open(tmp_path)
    (tmp_path / manifest.NAME).write_text('{"format": "a web app"}')
    with pytest.raises(CorruptCatalogueError, match="not a catalogue"):
        folder.open(tmp_path)


def test_a_newer_format_is_refused_with_what_to_do(built: Path) -> None:
    text = (built / manifest.NAME).read_text()
    (built / manifest.NAME).write_text(text.replace('"format_version": 1', '"format_version": 2'))

    with pytest.raises(CorruptCatalogueError, match="update it"):
        folder.open(built)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(at=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_every_altered_byte_of_every_file_is_found_by_verify(built: Path, at: float, flip: int) -> None:
    for name, whole in contents(built).items():
        if not whole:
            continue
        raw = bytearray(whole)
        raw[int(at * len(raw))] ^= flip
        (built / name).write_bytes(raw)
        with pytest.raises((CorruptCatalogueError, CorruptIndexError)):
            folder.verify(built)
        (built / name).write_bytes(whole)
    folder.verify(built)


def test_every_file_that_is_cut_short_is_refused_when_it_is_opened(built: Path) -> None:
    for name, whole in contents(built).items():
        for length in {0, len(whole) // 2, len(whole) - 1} - {len(whole)}:
            if length >= 0:
                (built / name).write_bytes(whole[:length])
                with pytest.raises((CorruptCatalogueError, CorruptIndexError)):
                    folder.open(built)
        (built / name).write_bytes(whole)


def test_an_index_of_other_parameters_is_refused_when_it_is_opened(built: Path) -> None:
    for path in (built / INDEX).rglob("manifest.json"):
        whole = path.read_bytes()
        path.write_bytes(whole.replace(b'"version": 1', b'"version": 2').replace(b'"works": 2', b'"works": 3'))
        with pytest.raises((CorruptCatalogueError, CorruptIndexError)):
            folder.open(built)
        path.write_bytes(whole)


def test_two_that_write_one_place_at_once_leave_one_of_theirs_whole(tmp_path: Path, make_work: MakeWork) -> None:
    def write(name: str) -> None:
        for _ in range(10):
            folder.build(tmp_path / "c", [make_work(name)])

    threads = [threading.Thread(target=write, args=(name,)) for name in ("fox", "crow")]
    for thread in threads:
        thread.start()
    seen = 0
    while any(thread.is_alive() for thread in threads):
        with suppress(CorruptCatalogueError if not seen else ()):  # before the first is there
            seen += folder.open(tmp_path / "c").size
    for thread in threads:
        thread.join()

    assert folder.verify(tmp_path / "c").works == 1
    assert list(tmp_path.iterdir()) == [tmp_path / "c"]
    assert seen > 0


def test_every_missing_file_is_found_when_it_is_opened(built: Path) -> None:
    for name in contents(built):
        copy = built.parent / "incomplete"
        shutil.copytree(built, copy)
        (copy / name).unlink()
        with pytest.raises((CorruptCatalogueError, CorruptIndexError)):
            folder.open(copy)
        shutil.rmtree(copy)


def test_an_added_file_is_found_by_verify(built: Path) -> None:
    (built / "extra").write_text("x")

    with pytest.raises(CorruptCatalogueError, match="extra"):
        folder.verify(built)


@pytest.mark.parametrize("target", ["..", "nowhere", "../works.jsonl"])
def test_a_link_that_somebody_put_there_is_found_and_never_replaced(
    built: Path, make_work: MakeWork, target: str
) -> None:
    (built / INDEX / "link").symlink_to(target)

    with pytest.raises(CorruptCatalogueError, match="not part of it: index/link"):
        folder.verify(built)
    with pytest.raises(ConflictError):
        folder.build(built, [make_work("hare")])
    assert (built / INDEX / "link").is_symlink()


def test_a_part_that_was_moved_to_another_disk_is_still_a_part(built: Path, tmp_path: Path) -> None:
    (built / INDEX).rename(tmp_path / "large")
    (built / INDEX).symlink_to(tmp_path / "large")

    assert folder.verify(built).works == 2


def test_a_manifest_that_leads_out_of_its_folder_is_refused(built: Path) -> None:
    known = json.loads((built / manifest.NAME).read_text())
    known["files"]["../outside"] = {"sha256": "0" * 64, "size_bytes": 0}
    del known["sha256"]
    (built / manifest.NAME).write_bytes(manifest._spelled({**known, "sha256": manifest._digest(known)}))

    with pytest.raises(CorruptCatalogueError, match="can't be understood"):
        folder.open(built)


@pytest.mark.parametrize("said", ["[" * 100_000, '{"format": ' * 100_000])
def test_a_manifest_made_to_do_harm_is_refused(built: Path, said: str) -> None:
    (built / manifest.NAME).write_text(said)

    with pytest.raises(CorruptCatalogueError, match="can't be understood"):
        folder.open(built)


@pytest.mark.parametrize(
    "line",
    [
        "[" * 100_000,
        '{"id": "crow", "owner": "o", "title": null, "statements": ' + "[" * 100_000,
        '{"id": ["crow"], "owner": "o", "title": null, "statements": []}',
        '{"id": "crow", "owner": {}, "title": null, "statements": []}',
        '{"id": "crow", "owner": "o", "title": 7, "statements": []}',
    ],
    ids=range(5),
)
def test_a_line_made_to_do_harm_is_refused(built: Path, line: str) -> None:
    row = line.encode() + b"\n"
    (built / LINES).write_bytes(row)
    (built / OFFSETS).write_bytes((0).to_bytes(8, "little") + len(row).to_bytes(8, "little"))

    with pytest.raises(CorruptCatalogueError, match="line 1"):
        WorksFile(built).record(0)


def test_a_catalogue_is_not_written_into_another_one(built: Path, make_work: MakeWork) -> None:
    for place in (built / "other", built / INDEX / "other", built / "a" / "b"):
        with pytest.raises(ConflictError, match="lies in the catalogue"):
            folder.build(place, [make_work("hare")])

    assert folder.verify(built).works == 2


def test_what_is_no_catalogue_is_not_walked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "diary.txt").write_text("mine")
    monkeypatch.setattr(manifest, "_files", lambda _: pytest.fail("somebody's home may have millions of files"))

    assert not manifest.is_whole_content(tmp_path)


def test_a_word_that_this_version_does_not_know_is_an_error_and_no_silence(built: Path, sha256: Print) -> None:
    lines = (built / LINES).read_text()
    (built / LINES).write_text(lines.replace('"disallowed"', '"unheardofx"'))

    with pytest.raises(CorruptCatalogueError, match="can't be understood"):
        folder.open(built).answer([Asset((sha256("fox"),))], Use.SEARCH)


def test_a_work_that_is_not_here_is_an_error(built: Path) -> None:
    with pytest.raises(InvalidInputError, match="`wolf`"):
        folder.open(built).statements("wolf")
