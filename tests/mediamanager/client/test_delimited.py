"""Tables of text: rows are told apart as programs do, kept as they are, and nothing unclear is allowed."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mediamanager.client.filter.choices import Choices, ErrorChoice
from mediamanager.client.filter.run import Job, run
from mediamanager.client.formats.opening import open_input, open_paths
from mediamanager.client.offline import Catalogue
from mediamanager.client.queries import Query
from mediamanager.client.questions import Question
from mediamanager.client.verdicts import Checked
from optout.consent.vocabulary import Use
from optout.errors import InvalidInputError


def queries(tmp_path: Path, raw: bytes, name: str = "rows.csv", **fields: str) -> list[Query]:
    path = tmp_path / name
    path.write_bytes(raw)
    return [item.query for item in open_input(path, tmp_path / "out", fields).items()]


def filtered(catalogue: Path, tmp_path: Path, raw: bytes, choices: Choices | None = None) -> Path:
    source = tmp_path / "data.csv"
    source.write_bytes(raw)
    run(Job(source, tmp_path / "out", Question(Use.TRAIN_GENAI), choices or Choices(), {}), [Catalogue.open(catalogue)])
    return tmp_path / "out"


def test_a_row_is_asked_about_by_everything_that_it_holds(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    sha256 = hashlib.sha256(b"y").hexdigest()
    row = f'a.txt,https://youtu.be/dQw4w9WgXcQ,{sha256},"words, and\nmore ""words""",7\r\n'

    [query] = queries(tmp_path, b"\xef\xbb\xbfpath,url,sha256,text,id\r\n" + row.encode())

    assert (query.path, query.file, query.text) == ("a.txt", tmp_path / "a.txt", 'words, and\nmore "words"')
    assert {one.algorithm for one in query.fingerprints} == {"sha256", "key-url", "key-youtube"}


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("a.csv", b"id;link;text\n1;https://example.org/?a=1,2;x, y\n"),
        ("a.csv", b"id|link|text\n1|https://example.org/?a=1,2|x, y\n"),
        ("a.tsv", b"id\tlink\ttext\n1\thttps://example.org/?a=1,2\tx, y\n"),
    ],
)
def test_what_parts_the_cells_is_told_by_the_names_and_columns_may_have_other_names(
    tmp_path: Path, name: str, raw: bytes
) -> None:
    [query] = queries(tmp_path, raw, name, url="link")

    assert (query.path, query.text) == ("https://example.org/?a=1,2", "x, y")


def test_rows_are_named_by_their_first_lines_and_empty_cells_say_nothing(tmp_path: Path) -> None:
    first, second, none = queries(tmp_path, b'text,url\n"one\ntwo",\n\nthree,\n,\n')

    assert (first.path, first.text, second.path, second.text) == ("line 2", "one\ntwo", "line 5", "three")
    assert none.error is not None
    assert "none of path" in none.error


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"a,b,c\n", "cells"),
        (b"words\n", "cells"),
        (b'"a"b,\n', "not CSV"),
        (b"\xff,\n", "not UTF-8"),
        (b"one\rtwo,\n", "CR alone"),
        (b",example.org\n", "begins with https"),
    ],
)
def test_a_row_that_can_not_be_understood_is_an_error_of_its_own(tmp_path: Path, raw: bytes, says: str) -> None:
    query, good = queries(tmp_path, b"text,url\n" + raw + b"good,\n")

    assert query.error is not None
    assert says in query.error
    assert good.text == "good"


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "names columns"),
        (b"\n\n", "names columns"),
        (b"text,text\n", "two columns"),
        (b"text\rfirst\rsecond\r", "CR alone"),
        ("text\nfirst\n".encode("utf-16"), "rows.csv does not begin with the names of columns: it is not UTF-8"),
        (b"text,mediamanager\nwords,unchecked\n", "an earlier run"),
        (b"text\n" + b"word " * (1 << 22), "line 2: a cell has more"),
        (b"https://example.org/\n", "--field"),
        (b'text\na\n"never closed\nb\n', "line 3: a quote"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_the_remedy(tmp_path: Path, raw: bytes, says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        queries(tmp_path, raw)


def test_columns_that_are_not_looked_at_are_named_and_may_have_one_name_or_none(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(",url,content,content,\n0,https://example.org/,words,more,\n")

    opened = open_input(tmp_path / "rows.csv", tmp_path / "out", {})

    assert [item.query.path for item in opened.items()] == ["https://example.org/"]
    assert opened.notes == ("not looked at: the column content",)


def test_a_column_that_was_named_and_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no column `words`; those that nothing is known of: content"):
        queries(tmp_path, b"url,content\nhttps://example.org/,x\n", text="words")


def test_fingerprints_stand_in_a_cell_as_json(tmp_path: Path) -> None:
    listed = json.dumps([{"algorithm": "sha256", "version": 1, "value": "00" * 32}]).replace('"', '""')

    good, bad = queries(tmp_path, f'fingerprints\n"{listed}"\n[{{\n'.encode())

    assert [one.algorithm for one in good.fingerprints] == ["sha256"]
    assert bad.error is not None
    assert "does not hold JSON" in bad.error


def test_kept_rows_are_kept_byte_for_byte(catalogue: Path, tmp_path: Path, make_text: Callable[..., str]) -> None:
    kept = '1.50,"A caption,\r\nthat  nobody owns: é"'.encode()
    copied = f'2,"{make_text("fox")}"'.encode()

    output = filtered(catalogue, tmp_path, b"id,text\r\n" + kept + b"\r\n" + copied + b"\n\n" + kept)

    assert (output / "kept.csv").read_bytes() == b"id,text\n" + kept + b"\n" + kept + b"\n"
    [excluded] = [json.loads(line) for line in (output / "excluded.jsonl").read_text().splitlines()]
    assert (excluded["item"], excluded["verdict"]) == ("line 4", "disallowed")


def test_what_could_not_be_checked_is_dropped_or_marked(catalogue: Path, tmp_path: Path) -> None:
    raw = b"path;text\nmissing.png;\n;A caption that nobody owns.\n"

    output = filtered(catalogue, tmp_path, raw, Choices(on_error=ErrorChoice.KEEP))

    assert (output / "kept.csv").read_text().splitlines() == [
        "path;text;mediamanager",
        "missing.png;;unchecked",
        ";A caption that nobody owns.;",
    ]


def test_a_row_that_is_not_what_was_checked_any_more_is_not_kept(catalogue: Path, tmp_path: Path) -> None:
    source = tmp_path / "data.csv"
    source.write_bytes(b"text\nOne that nobody owns.\nTwo that nobody owns.\n")

    def watch(verdicts: Iterator[Checked], _: int | None) -> Iterator[Checked]:
        yield from verdicts
        source.write_bytes(b"text\nOne that nobody owns.\nAnother one of theirs.\n")

    job = Job(source, tmp_path / "out", Question(Use.TRAIN_GENAI), Choices(), {})
    with pytest.raises(OSError, match="was changed while it was being filtered"):
        run(job, [Catalogue.open(catalogue)], watch=watch)

    assert not list((tmp_path / "out").glob("kept*"))


def test_check_asks_about_each_row(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text\none\ntwo\n")

    opened = open_paths([str(tmp_path / "rows.csv")], {})

    assert [query.path for query in opened.queries] == [f"{tmp_path / 'rows.csv'} line {line}" for line in (2, 3)]
