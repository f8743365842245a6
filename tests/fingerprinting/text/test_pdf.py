"""Papers: read line by line, and each way to be no readable paper has its own sentence."""

import io
from pathlib import Path

import packed_documents
import pytest
import synthetic_media
from packed_documents import page_of, pdf_of

from fingerprinting.errors import FingerprintingError, LimitExceededError, UnreadableMediaError
from fingerprinting.extract import extract
from fingerprinting.image import page_bytes, pages
from fingerprinting.media import DEFAULT_LIMITS, Limits
from fingerprinting.text import pdf
from fingerprinting.types import Modality, Role

CERTIFICATE = b"/Encrypt<</Filter/Adobe.PubSec/V 4>>/ID[(a)(a)]"


def read(tmp_path: Path, data: bytes, limits: Limits = DEFAULT_LIMITS) -> str:
    path = tmp_path / "paper.pdf"
    path.write_bytes(data)
    return pdf.text_of(path, limits)


def test_lines_are_read_page_after_page_and_cut_words_are_made_whole(tmp_path: Path) -> None:
    data = pdf_of([page_of(["Caf\u00e9 (open)", "where they hyphen-", "ated words"]), b"", page_of(["The end."])])

    assert read(tmp_path, data) == "Caf\u00e9 (open)\nwhere they hyphenated words\f\fThe end."


def with_drawn_pages(*drawn: int) -> bytes:
    """A paper with a page of words, and pages that show a picture each."""
    import pypdfium2  # noqa: PLC0415 - as in what is tested

    written = io.BytesIO()
    pictures = [synthetic_media.natural_picture(seed, (300, 400)) for seed in drawn]
    pictures[0].save(written, "PDF", save_all=True, append_images=pictures[1:])
    words = pdf_of([page_of([synthetic_media.prose(n, 12) for n in range(40)])])
    with pypdfium2.PdfDocument.new() as both:
        for part in (words, written.getvalue()):
            with pypdfium2.PdfDocument(part) as document:
                both.import_pages(document)
        bound = io.BytesIO()
        both.save(bound)
    return bound.getvalue()


def test_a_paper_with_pages_that_are_pictures_is_known_by_both(tmp_path: Path) -> None:
    path = tmp_path / "paper.pdf"
    path.write_bytes(with_drawn_pages(1, 2))

    found = extract(path)

    by_page = [one.value for one in found.fingerprints if one.algorithm == "pages-dct-256"]
    assert (found.modality, found.identifiable, found.notes) == (Modality.TEXT, True, ())
    assert "shingle-3" in {one.algorithm for one in found.fingerprints}
    assert {view.page for value in by_page for view in page_bytes.read(value, "dct-256")} == {2, 3}


def test_a_paper_with_too_many_pages_that_are_pictures_says_so_or_is_not_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "paper.pdf"
    path.write_bytes(with_drawn_pages(1, 2, 3))
    monkeypatch.setattr(pages, "MAX_PAGES", 2)

    assert extract(path).notes == ("text-pages-missing",)
    with pytest.raises(LimitExceededError, match="pages"):
        extract(path, role=Role.QUERY)


def test_a_table_of_places_that_is_wrong_is_made_anew(tmp_path: Path) -> None:
    data = packed_documents.pdf("Words.").replace(b"startxref\n", b"startxref\n9")

    assert read(tmp_path, data) == "Words."


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"%PDF-1.7 ...", "damaged or incomplete"),
        (packed_documents.pdf("Words.")[:300], "damaged or incomplete"),
        (packed_documents.locked_pdf(), "protected by a password"),
        (pdf_of([page_of(["Words."])], trailer=CERTIFICATE), "protected by a password"),
        (pdf_of([b"0 0 99 99 re f", b""]), "no text in this PDF"),
        (pdf_of([b"BT /F1 9 Tf (\x01\x02\x03\x04\x05\x06) Tj ET"]), "can't be told|no text in this PDF"),
    ],
)
def test_what_is_wrong_with_a_paper_is_said(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(UnreadableMediaError, match=said):
        read(tmp_path, data)


def test_a_paper_has_as_much_text_as_is_allowed_and_no_more(tmp_path: Path) -> None:
    lines = "\n".join(["five words on a line"] * 400)
    assert read(tmp_path, packed_documents.pdf(lines), Limits(max_text_bytes=10_000))

    with pytest.raises(LimitExceededError, match="too long"):
        read(tmp_path, packed_documents.pdf(lines), Limits(max_text_bytes=8_000))


def test_a_paper_that_claims_very_many_pages_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LimitExceededError, match="pages"):
        read(tmp_path, packed_documents.pdf("Words.").replace(b"/Count 1", b"/Count 900000"))


def test_no_damage_raises_anything_but_a_domain_error(tmp_path: Path) -> None:
    whole = packed_documents.pdf("Words and more words.\n" * 20)
    for at in range(0, len(whole), 3):
        try:
            read(tmp_path, whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        except FingerprintingError as error:
            assert str(error).endswith(".")  # noqa: PT017 - either is a good end
