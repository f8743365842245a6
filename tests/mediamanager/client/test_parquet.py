"""Parquet: rows are checked by their columns and by the files in their cells; kept rows keep all that they hold."""

import hashlib
import io
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import synthetic_media
import synthetic_sound
from filter_runs import lines, results, stop_after
from inline_pool import InlinePool

from mediamanager.client import building
from mediamanager.client.errors import OutputInUseError
from mediamanager.client.filter.choices import Choices, ErrorChoice
from mediamanager.client.filter.run import Job, run
from mediamanager.client.formats.opening import open_input, open_paths
from mediamanager.client.offline import Catalogue
from optout.consent.vocabulary import Preference, Use
from optout.errors import InvalidInputError

FILES = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
WORDS = synthetic_media.prose(5, 400)


def picture(seed: int, form: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    synthetic_media.natural_picture(seed, (320, 240)).save(buffer, form)
    return buffer.getvalue()


def sound(folder: Path, seed: int) -> bytes:
    path = folder / f"{seed}.wav"
    synthetic_sound.write_sound(path, synthetic_sound.melody(12.0, seed=seed))
    return path.read_bytes()


def write(path: Path, columns: dict[str, Any], group: int = 2, **options: Any) -> Path:
    pq.write_table(pa.table(columns), path, row_group_size=group, **options)
    return path


def images(*values: bytes | None) -> pa.Array:
    return pa.array(
        [None if one is None else {"bytes": one, "path": f"{n}.png"} for n, one in enumerate(values)], FILES
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue of a picture, a song and a story: made once, it only is asked."""
    folder = tmp_path_factory.mktemp("works")
    (folder / "fox.png").write_bytes(picture(1))
    (folder / "song.wav").write_bytes(sound(folder.parent, 7))
    (folder / "story.txt").write_text(WORDS)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(building, "ExtractionPool", InlinePool)
        building.build(folder, folder.parent / "catalogue of rows", {Use.ALL: Preference.DISALLOWED})
    return folder.parent / "catalogue of rows"


@pytest.fixture
def works(built: Path, inline: None) -> list[Catalogue]:
    return [Catalogue.open(built)]


def test_pictures_sounds_and_words_of_rows_are_found_and_the_other_rows_kept_as_they_are(
    job: Job, tmp_path: Path, works: list[Catalogue]
) -> None:
    columns = {
        "image": images(picture(2), picture(1, "JPEG"), None, None, None),
        "audio": pa.array([None, None, sound(tmp_path, 7), None, sound(tmp_path, 8)], pa.binary()),
        "text": ["", "a fox", None, "Before it. " + WORDS + " After it.", "a song"],
        "label": [0, 1, 2, 3, 4],
        "tags": [["a"], [], None, ["b", "c"], ["d"]],
    }
    source = write(tmp_path / "train.parquet", columns, compression={"image": "none", "audio": "zstd", "label": "gzip"})

    summary = run(replace(job, source=source), works)

    assert (summary.kept, summary.excluded, summary.exit_status, summary.noun) == (2, 3, 1, "row")
    excluded = lines(job.output / "excluded.jsonl")
    assert [one["path"] for one in excluded] == [f"train.parquet row {number}" for number in (1, 2, 3)]
    assert {one["verdict"] for one in excluded} == {"disallowed"}
    assert summary.notes == ("not looked at: the columns label, tags",)
    kept, whole = pq.read_table(job.output / "kept/train.parquet"), pq.read_table(source)
    assert kept.equals(whole.take([0, 4]))
    assert kept.schema.equals(whole.schema, check_metadata=True)
    first = pq.ParquetFile(job.output / "kept/train.parquet").metadata.row_group(0)
    assert {first.column(n).compression for n in range(first.num_columns)} >= {"ZSTD", "GZIP", "UNCOMPRESSED"}
    receipt = json.loads((job.output / "receipt.json").read_text())
    manifest = (job.output / receipt["kept"]["manifest"]).read_bytes()
    assert hashlib.sha256(manifest).hexdigest() == receipt["kept"]["sha256"]
    subprocess.run(["sha256sum", "--check", "--status", "kept.sha256"], cwd=job.output, check=True)


def test_a_file_of_which_all_rows_are_kept_is_linked(job: Job, tmp_path: Path, works: list[Catalogue]) -> None:
    folder = tmp_path / "shards"
    folder.mkdir()
    write(folder / "0.parquet", {"image": images(picture(3), picture(4))})
    write(folder / "1.parquet", {"image": images(picture(1), picture(5))})
    (folder / "1.stats.json").write_text("{}")

    summary = run(replace(job, source=folder, output=folder / "out"), works)

    assert (summary.kept, summary.excluded) == (3, 1)
    assert (folder / "0.parquet").samefile(folder / "out/kept/0.parquet")
    assert pq.read_table(folder / "out/kept/1.parquet").num_rows == 1
    assert summary.notes == ("1 file beside the shards: not copied",)


def test_several_files_in_a_cell_and_paths_beside_the_table_are_looked_at(
    job: Job, tmp_path: Path, works: list[Catalogue]
) -> None:
    (tmp_path / "fox.png").write_bytes(picture(1))
    several = pa.array(
        [
            [{"bytes": picture(2), "path": None}, {"bytes": picture(1), "path": None}],
            [{"bytes": None, "path": "fox.png"}],
            [{"bytes": None, "path": "gone.png"}],
            [],
        ],
        pa.list_(FILES),
    )
    source = write(tmp_path / "x.parquet", {"images": several})

    run(replace(job, source=source), works)

    said = {str(one["path"])[-1]: one for one in lines(job.output / "excluded.jsonl")}
    assert (said["0"]["verdict"], said["1"]["verdict"]) == ("disallowed", "disallowed")
    assert "cannot be opened" in str(said["2"]["error"])
    assert "nothing to look it up by" in str(said["3"]["error"])


def test_columns_have_other_names_or_lie_deeper(job: Job, tmp_path: Path) -> None:
    meta = pa.array([{"link": "https://example.com/a.png"}], pa.struct([("link", pa.string())]))
    source = write(tmp_path / "x.parquet", {"meta": meta, "content": ["Some words."], "raw": [b"1"], "other": [b"2"]})
    fields = {"url": "meta.link", "text": "content", "media": "raw"}

    opened = open_input(source, job.output, fields)

    [item] = opened.items()
    assert item.query.location == "https://example.com/a.png"
    assert (item.query.text, item.query.cells and item.query.cells.columns) == ("Some words.", ("raw",))
    assert opened.notes == ("not looked at: the column other",)


def test_fingerprints_in_a_column_count_with_nulls_for_what_they_leave_out(job: Job, tmp_path: Path) -> None:
    value = pa.struct(
        [("algorithm", pa.string()), ("version", pa.int64()), ("value", pa.string()), ("quality", pa.float64())]
    )
    rows = pa.array(
        [[{"algorithm": "sha256", "version": 1, "value": "ab" * 32, "quality": None}], [None]], pa.list_(value)
    )
    source = write(tmp_path / "x.parquet", {"fingerprints": rows})

    first, second = open_input(source, job.output, {}).items()

    assert [one.value for one in first.query.fingerprints] == [b"\xab" * 32]
    assert "not an object" in str(second.query.error)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, r"--field text=NAME. There are: content, label"),
        ({"text": "contents"}, r"no column `contents`; those that nothing is known of: content, label"),
        ({"media": "label"}, r"`label` holds no files: its type is int64"),
    ],
)
def test_columns_that_say_nothing_are_refused_with_those_that_there_are(
    job: Job, tmp_path: Path, fields: dict[str, str], said: str
) -> None:
    source = write(tmp_path / "x.parquet", {"content": ["a"], "label": [1]})

    with pytest.raises(InvalidInputError, match=said):
        open_input(source, job.output, fields)


def test_a_column_that_one_file_lacks_leaves_its_rows_unchecked(job: Job, tmp_path: Path) -> None:
    folder = tmp_path / "shards"
    folder.mkdir()
    write(folder / "0.parquet", {"content": ["a"]})
    write(folder / "1.parquet", {"contents": ["b"]})

    first, second = open_input(folder, job.output, {"text": "content"}).items()

    assert first.query.text == "a"
    assert "there is no column `content` in 1.parquet" in str(second.query.error)


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1", b"words"])
def test_what_is_no_parquet_is_refused_and_among_others_left_out(
    job: Job, tmp_path: Path, works: list[Catalogue], data: bytes
) -> None:
    folder = tmp_path / "shards"
    folder.mkdir()
    (folder / "0.parquet").write_bytes(data)
    with pytest.raises(InvalidInputError, match="no Parquet file that can be read"):
        open_input(folder / "0.parquet", job.output, {})
    write(folder / "1.parquet", {"image": images(picture(3))})

    summary = run(replace(job, source=folder, choices=Choices(on_error=ErrorChoice.KEEP)), works)

    assert (summary.kept, summary.excluded, summary.unchecked) == (1, 1, 1)
    assert sorted(one.name for one in (job.output / "kept").iterdir()) == ["1.parquet"]


def damage(source: Path, column: int, group: int) -> None:
    """Overwrite the pages of a column, headers included."""
    chunk = pq.ParquetFile(source).metadata.row_group(group).column(column)
    raw = bytearray(source.read_bytes())
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    raw[start : start + chunk.total_compressed_size] = b"\xff" * chunk.total_compressed_size
    source.write_bytes(raw)


@pytest.mark.parametrize("column", [0, 1], ids=["words", "pictures"])
def test_rows_that_cannot_be_read_are_unchecked_and_the_others_answered(
    job: Job, tmp_path: Path, works: list[Catalogue], column: int
) -> None:
    values = pa.array([picture(3), picture(4), picture(1), picture(5), picture(6), picture(1)], pa.binary())
    source = write(tmp_path / "x.parquet", {"text": ["a", "b", "c", "d", "e", "f"], "image": values})
    damage(source, column, group=1)

    summary = run(replace(job, source=source), works)

    assert (summary.kept, summary.excluded, summary.unchecked) == (3, 3, 2)
    assert pq.read_table(job.output / "kept/x.parquet")["text"].to_pylist() == ["a", "b", "e"]


def test_what_cannot_be_copied_whole_ends_the_run_with_its_place(
    job: Job, tmp_path: Path, works: list[Catalogue]
) -> None:
    columns = {"text": ["a few words of nobody", "some more of them"] * 2, "label": [1, 2, 3, 4]}
    source = write(tmp_path / "x.parquet", {**columns, "image": images(*[picture(1)] + [picture(3)] * 3)})
    damage(source, column=1, group=1)

    with pytest.raises(OSError, match="the row group that begins with row 2 can't be read whole"):
        run(replace(job, source=source), works)

    assert not (job.output / "receipt.json").exists()
    assert not list(job.output.glob("kept/*"))


def test_rows_kept_unchecked_are_marked_in_a_column(job: Job, tmp_path: Path, works: list[Catalogue]) -> None:
    source = write(
        tmp_path / "x.parquet", {"image": pa.array([picture(3), b"\x89PNG\r\n\x1a\n", picture(4)], pa.binary())}
    )

    summary = run(replace(job, source=source, choices=Choices(on_error=ErrorChoice.KEEP)), works)

    assert summary.degraded
    assert pq.read_table(job.output / "kept/x.parquet")["mediamanager"].to_pylist() == [None, "unchecked", None]
    with pytest.raises(InvalidInputError, match="column `mediamanager`"):
        open_input(job.output / "kept/x.parquet", tmp_path / "again", {})


def test_an_interrupted_run_goes_on_to_the_same_end(job: Job, tmp_path: Path, works: list[Catalogue]) -> None:
    values = images(*(picture(seed) for seed in (3, 1, 4, 1, 5)))
    job = replace(job, source=write(tmp_path / "x.parquet", {"image": values}))
    run(replace(job, output=tmp_path / "once"), works)

    with pytest.raises(KeyboardInterrupt):
        run(job, works, watch=stop_after(3))
    run(job, works)

    assert results(job.output) == results(tmp_path / "once")


def test_a_file_that_was_written_again_is_not_gone_on_with(job: Job, tmp_path: Path, works: list[Catalogue]) -> None:
    job = replace(job, source=write(tmp_path / "x.parquet", {"image": images(*(picture(seed) for seed in (3, 4, 5)))}))
    with pytest.raises(KeyboardInterrupt):
        run(job, works, watch=stop_after(2))

    write(job.source, {"image": images(picture(8), picture(4), picture(5))})

    with pytest.raises(OutputInUseError, match="has changed"):
        run(job, works)


def test_no_rows_are_kept_as_no_rows(job: Job, tmp_path: Path, works: list[Catalogue]) -> None:
    source = write(tmp_path / "x.parquet", {"image": images()})

    summary = run(replace(job, source=source), works)

    assert (summary.kept, summary.excluded) == (0, 0)
    assert pq.read_table(job.output / "kept/x.parquet").num_rows == 0


def test_paths_may_be_tables_beside_files_and_each_row_is_asked_about(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", {"text": ["a", "b"]})
    (tmp_path / "b.jsonl").write_text('{"text": "c"}\n{"url": "https://example.com/d"}\n')
    (tmp_path / "e.txt").write_text("e")
    paths = [str(tmp_path / name) for name in ("a.parquet", "b.jsonl", "e.txt")]

    opened = open_paths(paths, {})

    names = [query.path for query in opened.queries]
    assert names == [
        f"{tmp_path}/a.parquet row 0",
        f"{tmp_path}/a.parquet row 1",
        f"{tmp_path}/b.jsonl line 1",
        "https://example.com/d",
        f"{tmp_path}/e.txt",
    ]
    assert opened.count is None
    assert open_paths([paths[0], paths[2]], {}).count == 3
    with pytest.raises(InvalidInputError, match="--field names fields"):
        open_paths([paths[2]], {"text": "content"})
