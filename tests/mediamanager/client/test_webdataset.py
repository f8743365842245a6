"""WebDataset shards: samples are checked and kept whole, byte for byte; what can't be read is never kept in silence."""

import functools
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import synthetic_media
from filter_runs import lines, results, stop_after

from mediamanager.client import building
from mediamanager.client.errors import OutputInUseError
from mediamanager.client.filter.choices import Choices, ErrorChoice
from mediamanager.client.filter.run import Job, run
from mediamanager.client.formats.base import KeptItem
from mediamanager.client.formats.opening import open_input
from mediamanager.client.offline import Catalogue
from optout.consent.vocabulary import Preference, Use
from optout.errors import InvalidInputError

Members = Mapping[str, bytes]


@functools.cache
def picture(seed: int) -> bytes:
    buffer = io.BytesIO()
    synthetic_media.natural_picture(seed).save(buffer, "PNG")
    return buffer.getvalue()


@functools.cache
def copied(seed: int) -> bytes:
    buffer = io.BytesIO()
    image = synthetic_media.natural_picture(seed)
    image.resize((image.width // 2, image.height // 2)).save(buffer, "JPEG", quality=70)
    return buffer.getvalue()


def write(path: Path, members: Members) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            tar.addfile(header, io.BytesIO(content))
    return path


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    return write(
        tmp_path / "00000.tar",
        {
            "000.jpg": copied(1),
            "000.txt": b"a picture",
            "000.json": json.dumps({"url": "https://example.com/fox.png"}).encode(),
            "some/001.png": picture(2),
            "some/001.cls": b"7",
            "002.png": picture(3),
        },
    )


@pytest.fixture
def pictures(tmp_path: Path, inline: None) -> list[Catalogue]:
    works = tmp_path / "elsewhere" / "works"
    works.mkdir(parents=True)
    (works / "fox.png").write_bytes(picture(1))
    building.build(works, tmp_path / "elsewhere" / "catalogue", {Use.ALL: Preference.DISALLOWED})
    return [Catalogue.open(tmp_path / "elsewhere" / "catalogue")]


def contents(shard: Path) -> dict[str, bytes]:
    with tarfile.open(shard) as tar:
        return {one.name: (tar.extractfile(one) or io.BytesIO()).read() for one in tar}


def test_samples_are_kept_or_excluded_whole_and_byte_for_byte(job: Job, shard: Path, pictures: list[Catalogue]) -> None:
    summary = run(replace(job, source=shard), pictures)

    assert (summary.kept, summary.excluded, summary.exit_status, summary.noun) == (2, 1, 1, "sample")
    [excluded] = lines(job.output / "excluded.jsonl")
    assert (excluded["path"], excluded["verdict"]) == ("00000.tar/000", "disallowed")
    assert summary.notes == ("1 label or array in what is kept: not looked at",)
    all_of_it = contents(shard)
    assert contents(job.output / "kept/00000.tar") == {
        name: all_of_it[name] for name in ("some/001.png", "some/001.cls", "002.png")
    }
    receipt = json.loads((job.output / "receipt.json").read_text())
    manifest = (job.output / receipt["kept"]["manifest"]).read_bytes()
    assert hashlib.sha256(manifest).hexdigest() == receipt["kept"]["sha256"]
    subprocess.run(["sha256sum", "--check", "--status", "kept.sha256"], cwd=job.output, check=True)


def test_a_folder_of_shards_is_filtered_shard_by_shard(job: Job, shard: Path, pictures: list[Catalogue]) -> None:
    folder = shard.parent / "shards"
    folder.mkdir()
    shutil.move(shard, folder / "00000.tar")
    (folder / "00000_stats.json").write_text("{}")
    write(folder / "00001.tar", {"003.png": picture(1), "004.png": picture(4)})

    summary = run(replace(job, source=folder, output=folder / "out"), pictures)

    assert (summary.kept, summary.excluded) == (3, 2)
    assert list(contents(folder / "out/kept/00001.tar")) == ["004.png"]
    assert list(contents(folder / "out/kept/00000.tar")) == ["some/001.png", "some/001.cls", "002.png"]
    assert summary.notes == (
        "1 file beside the shards: not copied",
        "1 label or array in what is kept: not looked at",
    )


def test_a_folder_with_other_files_beside_a_tar_is_a_folder_of_files(job: Job, shard: Path) -> None:
    (shard.parent / "notes.txt").write_text("These few words are nobody's work.")

    assert open_input(shard.parent, job.output, {}).kind == "folder"


def test_addresses_in_the_json_of_a_sample_count_under_any_name(job: Job, tmp_path: Path) -> None:
    row = json.dumps({"meta": {"link": "https://example.com/a.png"}}).encode()
    shard = write(tmp_path / "x.tar", {"a.json": row, "b.json": b"[", "c.cls": b"1", "d.json": b'{"url": 7}'})

    first, second, third, fourth = open_input(shard, job.output, {"url": "meta.link"}).items()
    other = list(open_input(shard, job.output, {}).items())[3]

    assert [one.algorithm for one in first.query.fingerprints]
    assert first.query.location == "https://example.com/a.png"
    assert "not a JSON object" in str(second.query.error)
    assert "nothing to look it up by" in str(third.query.error)
    assert "nothing to look it up by" in str(fourth.query.error)
    assert "`url` is not a text" in str(other.query.error)


def test_a_field_that_samples_do_not_have_is_refused(job: Job, shard: Path) -> None:
    with pytest.raises(InvalidInputError, match="`path` is no field"):
        open_input(shard, job.output, {"path": "file"})


@pytest.mark.parametrize("cut", [1, 512, 1024, 4000, 60_000])
def test_a_shard_that_is_cut_off_keeps_what_is_whole_and_says_where_it_ends(
    job: Job, shard: Path, pictures: list[Catalogue], cut: int
) -> None:
    whole = len(shard.read_bytes().rstrip(b"\0"))
    shard.write_bytes(shard.read_bytes()[: whole - cut])

    summary = run(replace(job, source=shard, choices=Choices(on_error=ErrorChoice.KEEP)), pictures)

    assert summary.exit_status == 2
    assert "002.png" not in contents(job.output / "kept/00000.tar")
    [broken] = [one for one in lines(job.output / "excluded.jsonl") if one["verdict"] == "unchecked"]
    assert str(broken["path"]).startswith("00000.tar from byte ")
    assert "can't be read further" in str(broken["error"])


@pytest.mark.parametrize("raw", [b"", b"no tar at all" * 100, bytes(10_240)[:700] + b"x"])
def test_a_file_that_is_no_tar_is_unchecked(job: Job, tmp_path: Path, pictures: list[Catalogue], raw: bytes) -> None:
    (tmp_path / "bad.tar").write_bytes(raw)

    summary = run(replace(job, source=tmp_path / "bad.tar"), pictures)

    assert (summary.kept, summary.exit_status) == (0, 2)


def test_what_could_not_be_checked_is_marked_where_it_is_kept_all_the_same(
    job: Job, tmp_path: Path, pictures: list[Catalogue]
) -> None:
    shard = write(tmp_path / "x.tar", {"deep/a.png": picture(2)[:50], "b.png": picture(2)})
    link = tarfile.TarInfo("c.png")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(shard, "a") as tar:
        tar.addfile(link)

    summary = run(replace(job, source=shard, choices=Choices(on_error=ErrorChoice.KEEP)), pictures)

    assert summary.degraded
    with tarfile.open(job.output / "kept/x.tar") as tar:
        assert tar.getnames() == ["deep/a.png", "deep/a.mediamanager", "b.png", "c.png", "c.mediamanager"]


def test_a_run_that_was_interrupted_goes_on_and_ends_as_one_that_was_not(
    job: Job, shard: Path, pictures: list[Catalogue], tmp_path: Path
) -> None:
    asked = replace(job, source=shard)
    with pytest.raises(KeyboardInterrupt):
        run(asked, pictures, watch=stop_after(2))
    run(asked, pictures)
    run(replace(asked, output=tmp_path / "at-once"), pictures)

    assert results(job.output) == results(tmp_path / "at-once")


def test_a_shard_that_was_changed_in_between_is_noticed(job: Job, shard: Path, pictures: list[Catalogue]) -> None:
    asked = replace(job, source=shard)
    with pytest.raises(KeyboardInterrupt):
        run(asked, pictures, watch=stop_after(2))
    write(shard, {"000.png": picture(5)})

    with pytest.raises(OutputInUseError):
        run(asked, pictures)


def test_a_shard_that_is_changed_during_the_run_is_not_kept(job: Job, shard: Path, pictures: list[Catalogue]) -> None:
    opened = open_input(shard, job.output, {})
    names = [item.name for item in opened.items()]
    job.output.mkdir()
    changed = shard.read_bytes().replace(b"a picture", b"some text")
    shard.write_bytes(changed)
    os.utime(shard, (1, 1))

    with pytest.raises(OSError, match="was changed"):
        opened.finish([KeptItem(name, None, unchecked=False, stamp="") for name in names], job.output)

    assert not (job.output / "kept.sha256").exists()


def test_names_that_come_twice_or_lead_elsewhere_stay_in_the_shard(
    job: Job, tmp_path: Path, pictures: list[Catalogue]
) -> None:
    shard = write(
        tmp_path / "x.tar",
        {"../../a.png": picture(2), "b.png": picture(3), "../../a.jpg": copied(4), "/c.png": picture(5)},
    )
    before = sorted(tmp_path.rglob("*"))

    run(replace(job, source=shard), pictures)

    assert [one.name for one in open_input(shard, job.output, {}).items()] == [
        "x.tar/../../a",
        "x.tar/b",
        "x.tar/../../a (2)",
        "x.tar//c",
    ]
    assert contents(job.output / "kept/x.tar") == contents(shard)
    assert [
        path for path in sorted(tmp_path.rglob("*")) if job.output not in path.parents and path != job.output
    ] == before
