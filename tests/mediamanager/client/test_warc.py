"""Archives of the web: each answer is decoded and looked at, kept byte for byte, and nothing unclear is allowed."""

import gzip
import json
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator

from mediamanager.client.filter.choices import Choices, ErrorChoice
from mediamanager.client.filter.run import Job, run
from mediamanager.client.formats.opening import open_input
from mediamanager.client.offline import Catalogue
from mediamanager.client.pool import ExtractionPool
from mediamanager.client.questions import Question
from optout.consent.vocabulary import Use
from optout.errors import InvalidInputError

Pages = list[tuple[str, str, bytes, dict[str, str]]]


def archive(path: Path, pages: Pages, *, packed: bool = True, kind: str = "response") -> Path:
    """Write a file as crawlers do: `warcinfo`, then for each page what was asked, answered and told of it."""
    written = [_record("warcinfo", "", "application/warc-fields", b"software: test\r\n")]
    for uri, media_type, body, headers in pages:
        told = "".join(f"{name}: {value}\r\n" for name, value in {"Content-Type": media_type, **headers}.items())
        answer = f"HTTP/1.1 200 OK\r\n{told}\r\n".encode() + body
        written += [
            _record(
                "request", uri, "application/http; msgtype=request", b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"
            ),
            _record(kind, uri, "application/http; msgtype=response", answer)
            if kind == "response"
            else _record(kind, uri, media_type, body),
            _record("metadata", uri, "application/warc-fields", b"a: b\r\n"),
        ]
    path.write_bytes(b"".join(gzip.compress(one) if packed else one for one in written))
    return path


def _record(kind: str, uri: str, media_type: str, block: bytes) -> bytes:
    lines = ["WARC/1.0", f"WARC-Type: {kind}", f"WARC-Record-ID: <urn:uuid:{uuid.uuid4()}>"]
    lines += [f"WARC-Target-URI: {uri}"] if uri else []
    lines += ["WARC-Date: 2026-01-01T00:00:00Z", f"Content-Type: {media_type}", f"Content-Length: {len(block)}"]
    return "\r\n".join((*lines, "", "")).encode() + block + b"\r\n\r\n"


def filtered(catalogue: Path, source: Path, tmp_path: Path, choices: Choices | None = None) -> Path:
    job = Job(source, tmp_path / "out", Question(Use.TRAIN_GENAI), choices or Choices(), {})
    run(job, [Catalogue.open(catalogue)])
    return tmp_path / "out"


def told(output: Path) -> dict[str, tuple[str, str]]:
    lines = [json.loads(line) for line in (output / "excluded.jsonl").read_text().splitlines()]
    return {line["path"]: (line["verdict"], str(line["reasons"][0].get("parameters", {}))) for line in lines}


def addresses(path: Path) -> list[tuple[str, str | None]]:
    with path.open("rb") as file:
        return [(one.rec_type, one.rec_headers.get_header("WARC-Target-URI")) for one in ArchiveIterator(file)]


@pytest.fixture
def page(make_text: Callable[..., str]) -> bytes:
    return f"<html><head><title>x</title></head><body><p>{make_text('fox')}</p></body></html>".encode()


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("encoded", [True, False])
def test_pages_are_kept_byte_for_byte_or_excluded_with_all_that_is_told_of_them(
    catalogue: Path, tmp_path: Path, page: bytes, *, packed: bool, encoded: bool
) -> None:
    headers = {"Content-Encoding": "gzip"} if encoded else {}
    body = gzip.compress(page) if encoded else page
    free = ("https://example.org/free", "text/html", b"<p>Words that nobody owns, of all things.</p>", {})
    empty = ("https://example.org/empty", "text/html", b"", {})
    name = "a.warc.gz" if packed else "a.warc"
    taken = ("https://example.org/copied?page=1", "text/html; charset=utf-8", body, headers)
    source = archive(tmp_path / name, [free, taken, empty], packed=packed)

    output = filtered(catalogue, source, tmp_path)

    assert {path: verdict for path, (verdict, _) in told(output).items()} == {taken[0]: "disallowed"}
    kept = output / "kept" / name
    of_both = [(kind, uri) for uri in (free[0], empty[0]) for kind in ("request", "response", "metadata")]
    assert addresses(kept) == [("warcinfo", None), *of_both]
    raw, whole = kept.read_bytes(), source.read_bytes()
    cut = next(at for at in range(len(raw), 0, -1) if whole.startswith(raw[:at]))
    assert whole.endswith(raw[cut:])


def test_pictures_and_texts_of_other_records_are_looked_at_too(
    catalogue: Path, tmp_path: Path, make_text: Callable[..., str]
) -> None:
    source = archive(
        tmp_path / "a.warc.gz", [("https://example.org/", "text/plain", make_text("fox").encode(), {})], kind="resource"
    )
    items = list(open_input(source, tmp_path / "out", {}).items())

    with ExtractionPool(1) as pool:
        [found] = pool.run([item.query for item in items])

    assert found.error is None
    assert found.extraction is not None
    assert "shingle-3" in {one.algorithm for one in found.extraction.fingerprints}


def test_what_can_not_be_read_is_dropped_with_the_reason_or_marked(catalogue: Path, tmp_path: Path) -> None:
    pages: Pages = [
        ("https://example.org/a", "text/html", b"<p>words</p>", {"Content-Encoding": "zstd"}),
        ("https://example.org/b", "image/png", b"\x89PNG\r\n\x1a\nnothing", {}),
        ("urn:x:y", "text/plain", b"words", {}),
    ]
    source = archive(tmp_path / "a.warc.gz", pages)

    output = filtered(catalogue, source, tmp_path)

    excluded = told(output)
    assert {uri: verdict for uri, (verdict, _) in excluded.items()} == {page[0]: "unchecked" for page in pages}
    assert "zstd" in excluded[pages[0][0]][1]
    assert addresses(output / "kept" / "a.warc.gz") == [("warcinfo", None)]

    again = tmp_path / "again"
    again.mkdir()
    output = filtered(catalogue, source, again, Choices(on_error=ErrorChoice.KEEP))
    with (output / "kept" / "a.warc.gz").open("rb") as file:
        marks = [one.content_stream().read() for one in ArchiveIterator(file) if one.rec_type == "metadata"]
    assert marks.count(b"mediamanager: unchecked\r\n") == len(pages)


@pytest.mark.parametrize("packed", [True, False])
def test_a_file_that_is_cut_off_is_kept_up_to_there_and_the_rest_is_told(
    catalogue: Path, tmp_path: Path, *, packed: bool
) -> None:
    name = "a.warc.gz" if packed else "a.warc"
    pages: Pages = [(f"https://example.org/{nth}", "text/plain", b"words of nobody", {}) for nth in range(3)]
    source = archive(tmp_path / name, pages, packed=packed)
    source.write_bytes(source.read_bytes()[: -900 if packed else -500])

    output = filtered(catalogue, source, tmp_path)

    [(path, (verdict, why))] = [one for one in told(output).items() if "from byte" in one[0]]
    assert (verdict, "can't be read further" in why) == ("unchecked", True)
    assert path.startswith(f"{name} from byte")
    assert ("response", pages[0][0]) in addresses(output / "kept" / name)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"nothing of this kind", "can't be read"),
        (gzip.compress(b"x" * 99), "can't be read"),
        (b"\x1f\x8b\x08", "no record"),
    ],
)
def test_a_file_that_is_none_is_one_error(tmp_path: Path, raw: bytes, says: str) -> None:
    (tmp_path / "a.warc.gz").write_bytes(raw)

    items = list(open_input(tmp_path / "a.warc.gz", tmp_path / "out", {}).items())

    assert [item.query.error is not None and says in item.query.error for item in items] == [True]


def test_fields_have_no_meaning(tmp_path: Path) -> None:
    source = archive(tmp_path / "a.warc", [], packed=False)

    with pytest.raises(InvalidInputError, match="--field"):
        open_input(source, tmp_path / "out", {"url": "x"})
