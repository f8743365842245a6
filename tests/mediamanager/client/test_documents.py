"""Books and letters beside plain texts: what is registered as one is found in another, with its place."""

import json
from collections.abc import Callable
from pathlib import Path

import packed_documents
import pytest
import synthetic_media

from fingerprinting import media
from fingerprinting.text import documents
from mediamanager.cli.catalogue import app
from mediamanager.cli.check import check
from mediamanager.cli.invoke import invoke
from mediamanager.client.formats.opening import open_paths

WRITERS: dict[str, Callable[[str], bytes]] = {
    "epub": packed_documents.epub,
    "docx": packed_documents.docx,
    "pdf": packed_documents.pdf,
    "txt": str.encode,
}


def lines_of(text: str) -> str:
    words = text.split()
    return "\n".join(" ".join(words[at : at + 10]) for at in range(0, len(words), 10))


@pytest.mark.parametrize("asked", WRITERS)
@pytest.mark.parametrize("registered", WRITERS)
def test_a_part_of_a_document_is_found_in_another_with_its_place(
    tmp_path: Path,
    make_text: Callable[..., str],
    inline: None,
    capsys: pytest.CaptureFixture[str],
    registered: str,
    asked: str,
) -> None:
    fox, around = make_text("fox"), [make_text("before", 60), make_text("after", 60)]
    works, inbox = tmp_path / "works", tmp_path / "inbox"
    works.mkdir()
    inbox.mkdir()
    (works / f"fox.{registered}").write_bytes(WRITERS[registered](lines_of(fox)))
    excerpt = " ".join(fox.split()[60:240])
    copy = inbox / f"copy.{asked}"
    copy.write_bytes(WRITERS[asked](lines_of(f"{around[0]} {excerpt} {around[1]}")))
    (inbox / f"stranger.{asked}").write_bytes(WRITERS[asked](lines_of(make_text("stranger"))))

    assert invoke(app, "mediamanager catalogue", ["build", str(works), "-o", str(tmp_path / "c")]) == 0
    capsys.readouterr()
    status = invoke(check, "mediamanager check", ["--catalogue", str(tmp_path / "c"), "--json", str(inbox)])

    found, stranger = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (status, found["verdict"], stranger["verdict"]) == (1, "disallowed", "unknown")
    [match] = found["matches"]
    assert (match["work"], match["strength"]) == (f"fox.{registered}", "match")
    start, end = map(int, match["query_span"])
    kind = media.sniff(media.read_head(copy))
    shown = documents.load(copy, kind.media_type).text[start:end].split()
    assert len(set(shown) & set(excerpt.split())) >= 0.95 * len(excerpt.split())
    assert len(set(shown) - set(excerpt.split())) <= 2


def test_a_comic_is_found_by_a_part_of_a_page_and_a_scan_by_a_comic(
    tmp_path: Path, inline: None, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("cv2")
    drawn = [synthetic_media.natural_picture(seed, (600, 800)) for seed in range(300, 306)]
    works, inbox = tmp_path / "works", tmp_path / "inbox"
    works.mkdir()
    inbox.mkdir()
    (works / "fox.cbz").write_bytes(
        packed_documents.comic(*(synthetic_media.encoded(one, "JPEG") for one in drawn[:3]))
    )
    drawn[3].save(works / "scan.pdf")
    drawn[1].crop((80, 60, 460, 500)).save(inbox / "panel.png")
    pages = [synthetic_media.encoded(one, "JPEG", quality=50) for one in (drawn[4], drawn[3])]
    (inbox / "pirated.cbz").write_bytes(packed_documents.comic(*pages))
    (inbox / "stranger.cbz").write_bytes(packed_documents.comic(synthetic_media.encoded(drawn[5])))

    assert invoke(app, "mediamanager catalogue", ["build", str(works), "-o", str(tmp_path / "c")]) == 0
    capsys.readouterr()
    status = invoke(check, "mediamanager check", ["--catalogue", str(tmp_path / "c"), "--json", str(inbox)])

    panel, pirated, stranger = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert status == 1
    assert [(one["verdict"], one["error"]) for one in (panel, pirated, stranger)] == [
        ("disallowed", None),
        ("disallowed", None),
        ("unknown", None),
    ]
    [match] = panel["matches"]
    assert (match["work"], match["modality"], match["evidence"]["work_page"]) == ("fox.cbz", "pages", 2)
    [match] = pirated["matches"]
    assert (match["work"], match["evidence"]["asset_page"], match["evidence"]["work_page"]) == ("scan.pdf", 2, 1)


def test_a_document_that_can_not_be_read_is_unchecked(
    tmp_path: Path, make_text: Callable[..., str], catalogue: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cut.docx").write_bytes(packed_documents.docx(make_text("fox"))[:-40])

    status = invoke(check, "mediamanager check", ["--catalogue", str(catalogue), "--json", str(tmp_path / "cut.docx")])

    [line] = [json.loads(each) for each in capsys.readouterr().out.splitlines()]
    assert (status, line["verdict"]) == (2, "unchecked")
    assert "damaged or incomplete" in line["error"]


@pytest.mark.parametrize(
    ("around", "lines_end"),
    [
        (("{}", "\n"), "\r\n"),
        (("<!doctype html><title>Nothing of it</title><p>{}", "<br>"), "\n"),
        (("%PDF-1.7 is how a document begins. {}", " "), "\n"),
        (("<svg xmlns='http://www.w3.org/2000/svg'> {}", " "), "\n"),
        (("GIF89a of zeros\0\0\0\x01 {}", " "), "\n"),
    ],
)
def test_a_text_in_a_row_is_a_text_whatever_it_begins_with_and_its_characters_are_counted_as_they_stand(
    tmp_path: Path,
    make_text: Callable[..., str],
    catalogue: Path,
    inline: None,
    capsys: pytest.CaptureFixture[str],
    around: tuple[str, str],
    lines_end: str,
) -> None:
    before, fox, after = make_text("before", 60), make_text("fox"), make_text("after", 60)
    excerpt = " ".join(fox.split()[60:240])
    begin, gap = around
    text = lines_of(begin.format(gap.join([before, excerpt, after]))).replace("\n", lines_end)
    (tmp_path / "rows.jsonl").write_text(json.dumps({"text": text}))

    invoke(check, "mediamanager check", ["--catalogue", str(catalogue), "--json", str(tmp_path / "rows.jsonl")])

    [line] = [json.loads(each) for each in capsys.readouterr().out.splitlines()]
    assert (line["verdict"], line["error"]) == ("disallowed", None)
    assert line["matches"][0]["evidence"]["query_unit"] == "characters"
    start, end = map(int, line["matches"][0]["query_span"])
    shown = text[start:end].split()
    assert len(set(shown) & set(excerpt.split())) >= 0.95 * len(excerpt.split())
    assert len(set(shown) - set(excerpt.split())) <= 2


def test_captions_in_a_row_are_told_in_seconds(
    tmp_path: Path, make_text: Callable[..., str], catalogue: Path, inline: None, capsys: pytest.CaptureFixture[str]
) -> None:
    said = lines_of(f"{make_text('before', 60)} {make_text('fox')}").split("\n")
    cues = "\n".join(
        f"00:{n // 60:02}:{n % 60:02}.000 --> 00:{n // 60:02}:{n % 60:02}.900\n{x}\n" for n, x in enumerate(said)
    )
    (tmp_path / "rows.jsonl").write_text(json.dumps({"text": f"WEBVTT\n\n{cues}"}))

    invoke(
        check,
        "mediamanager check",
        ["--catalogue", str(catalogue), "--report", str(tmp_path / "r.html"), "--json", str(tmp_path / "rows.jsonl")],
    )

    [line] = [json.loads(each) for each in capsys.readouterr().out.splitlines()]
    [match] = line["matches"]
    assert match["query_span"] == pytest.approx([6.0, len(said)], abs=1.5)
    assert match["evidence"]["query_unit"] == "seconds"
    assert "Your file: 0:0" in (tmp_path / "r.html").read_text()


def test_a_blank_text_in_a_row_says_nothing(tmp_path: Path) -> None:
    rows = [{"text": " ", "url": "https://example.org/"}, {"text": "", "url": ""}]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))

    known, nothing = open_paths([str(tmp_path / "rows.jsonl")], {}).queries

    assert (known.text, known.error, known.path) == (None, None, "https://example.org/")
    assert nothing.error is not None
