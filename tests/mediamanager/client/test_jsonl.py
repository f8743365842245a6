import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mediamanager.client.filter.choices import Choices, ErrorChoice
from mediamanager.client.filter.run import Job, run
from mediamanager.client.formats.jsonl import JsonlFormat
from mediamanager.client.formats.row import parse_fields
from mediamanager.client.offline import Catalogue
from mediamanager.client.queries import Query
from mediamanager.client.questions import Question
from optout.consent.vocabulary import Use
from optout.errors import InvalidInputError


def queries(tmp_path: Path, *rows: object, fields: dict[str, str] | None = None) -> list[Query]:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return [item.query for item in JsonlFormat(path, fields or {}).items()]


def test_a_row_is_asked_about_by_everything_that_it_holds(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    sha256 = hashlib.sha256(b"y").hexdigest()

    [query] = queries(
        tmp_path, {"path": "a.txt", "url": "https://youtu.be/dQw4w9WgXcQ", "sha256": sha256, "text": "words", "id": 7}
    )

    assert (query.path, query.file, query.text) == ("a.txt", tmp_path / "a.txt", "words")
    assert {one.algorithm for one in query.fingerprints} == {"sha256", "key-url", "key-youtube"}


def test_fields_may_have_other_names_and_lie_deeper(tmp_path: Path) -> None:
    fields = parse_fields(["url=image.src", "text=a.b"])

    nested, literal = queries(
        tmp_path,
        {"image": {"src": "https://example.org/"}, "a": {"b": "deep"}},
        {"a.b": "literal", "image": "no object"},
        fields=fields,
    )

    assert (nested.path, nested.text) == ("https://example.org/", "deep")
    assert (literal.path, literal.text, literal.fingerprints) == ("line 2", "literal", ())


@pytest.mark.parametrize("text", ["url", "url=", "=x", "colour=x"])
def test_a_field_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_fields([text])


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("{", "not a JSON object"),
        ("[1]", "not a JSON object"),
        ("[" * 100_000, "not a JSON object"),
        ({}, "none of path"),
        ({"url": None}, "none of path"),
        ({"url": 7}, "`url` is not a text"),
        ({"url": "example.org"}, "begins with https"),
        ({"sha256": "xyz"}, "64 hexadecimal"),
        ({"youtube": "what"}, "YouTube"),
        ({"path": "missing.png"}, "No such file"),
        ({"fingerprints": "x"}, "not a list"),
        ({"fingerprints": [7]}, "not an object"),
        ({"fingerprints": [{"algorithm": "pdq-256"}]}, "lacks its algorithm"),
        ({"fingerprints": [{"algorithm": "pdq-256", "value": "00"}]}, "32 bytes"),
        ({"fingerprints": [{"algorithm": "magic", "value": "00"}]}, "unknown algorithm"),
        ({"fingerprints": [{"algorithm": "sha256", "version": 9, "value": "00" * 32}]}, "unknown version"),
        ({"fingerprints": [{"algorithm": "sha256", "value": "00" * 32, "quality": "good"}]}, "not a number"),
        ({"fingerprints": [{"algorithm": "sha256", "value": "00" * 32, "span": ["x"]}]}, "numbers"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_row_that_can_not_be_understood_is_an_error_of_its_own(tmp_path: Path, row: object, says: str) -> None:
    query, good = queries(tmp_path, row, {"text": "words"})

    assert query.error is not None
    assert says in query.error
    assert good.error is None


def test_blank_lines_are_nothing_and_do_not_shift_the_others(tmp_path: Path) -> None:
    [query] = queries(tmp_path, "", "  ", {"text": "words"})

    assert query.path == "line 3"


def filter_rows(catalogue: Path, tmp_path: Path, raw: bytes, choices: Choices | None = None) -> Path:
    source = tmp_path / "data.jsonl"
    source.write_bytes(raw)
    job = Job(
        source,
        tmp_path / "out",
        Question(Use.TRAIN_GENAI),
        choices or Choices(),
        {},
    )
    run(job, [Catalogue.open(catalogue)])
    return tmp_path / "out"


def test_kept_lines_are_kept_byte_for_byte(catalogue: Path, tmp_path: Path, make_text: Callable[..., str]) -> None:
    kept = b'{"text":   "A caption that nobody owns.",  "id": 1.50, "\\u00e9": "\xc3\xa9"}'
    copied = json.dumps({"text": make_text("fox"), "id": 2}).encode()

    output = filter_rows(catalogue, tmp_path, kept + b"\r\n\n" + copied + b"\n" + kept)

    assert (output / "kept.jsonl").read_bytes() == kept + b"\n" + kept + b"\n"
    [excluded] = [json.loads(line) for line in (output / "excluded.jsonl").read_text().splitlines()]
    assert (excluded["item"], excluded["verdict"], excluded["matches"][0]["work"]) == (
        "line 3",
        "disallowed",
        "fox.txt",
    )
    receipt = json.loads((output / "receipt.json").read_text())
    assert receipt["kept"] == {
        "manifest": "kept.jsonl",
        "sha256": hashlib.sha256((output / "kept.jsonl").read_bytes()).hexdigest(),
    }


def test_a_row_that_is_kept_unchecked_is_marked_and_what_is_no_row_is_not_kept(catalogue: Path, tmp_path: Path) -> None:
    raw = b'{"path": "missing.png", "id": 1}\nno json\n{"text": "Fine words."}\n'

    output = filter_rows(catalogue, tmp_path, raw, Choices(on_error=ErrorChoice.KEEP))

    assert [json.loads(line) for line in (output / "kept.jsonl").read_text().splitlines()] == [
        {"path": "missing.png", "id": 1, "mediamanager": "unchecked"},
        {"text": "Fine words."},
    ]
    assert json.loads((output / "receipt.json").read_text())["degraded"] is True


def test_a_caption_beside_a_picture_is_recognised(
    catalogue: Path, tmp_path: Path, make_text: Callable[..., str]
) -> None:
    (tmp_path / "file.txt").write_text("Some other file that comes with it.")
    row = {"path": "file.txt", "text": make_text("crow")}

    output = filter_rows(catalogue, tmp_path, json.dumps(row).encode())

    assert (output / "kept.jsonl").read_bytes() == b""
