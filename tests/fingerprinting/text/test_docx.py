"""Letters: paragraphs, tables and notes are read, and each way to be no readable letter has its own sentence."""

from pathlib import Path

import packed_documents
import pytest
from packed_documents import WORDS, letter, paragraph, zipped

from fingerprinting.errors import FingerprintingError, LimitExceededError, UnreadableMediaError, UnsupportedMediaError
from fingerprinting.media import DEFAULT_LIMITS, Limits
from fingerprinting.text import docx, kinds

ENTITY = '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


def read(tmp_path: Path, data: bytes, limits: Limits = DEFAULT_LIMITS) -> str:
    path = tmp_path / "letter.docx"
    path.write_bytes(data)
    return docx.text_of(path, limits)


def test_paragraphs_tables_and_notes_are_read_and_what_is_not_shown_is_not(tmp_path: Path) -> None:
    cells = "".join(f"<w:tc>{paragraph(each)}</w:tc>" for each in ("left cell", "right cell"))
    body = (
        paragraph("Caf\u00e9 & first")
        + f"<w:tbl><w:tr>{cells}</w:tr></w:tbl>"
        + "<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t></w:r></w:p>"
        + "<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:r><w:instrText>PAGE</w:instrText></w:r></w:p>"
        + f"<w:moveFrom>{paragraph('moved')}</w:moveFrom>"
        + '<mc:AlternateContent xmlns:mc="urn:mc"><mc:Choice>'
        + paragraph("boxed")
        + f"</mc:Choice><mc:Fallback>{paragraph('boxed')}</mc:Fallback></mc:AlternateContent>"
    )
    notes = f'<w:footnotes xmlns:w="{WORDS}"><w:footnote>{paragraph("a note")}</w:footnote></w:footnotes>'

    found = read(tmp_path, zipped({**letter(body), "word/footnotes.xml": notes}))

    assert found.splitlines() == ["Caf\u00e9 & first", "left cell", "right cell", "a\tb", "c", "", "boxed", "a note"]


def test_the_body_is_where_the_package_says(tmp_path: Path) -> None:
    members = letter(paragraph("Words."))
    members["word/document2.xml"] = members.pop("word/document.xml")
    members["_rels/.rels"] = str(members["_rels/.rels"]).replace("word/document", "/word/document2")

    assert read(tmp_path, zipped(members)) == "Words."


def with_body(xml: bytes | str) -> bytes:
    return zipped({**letter(""), "word/document.xml": xml})


WHOLE = str(letter(paragraph("Words."))["word/document.xml"])


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        (zipped({"[Content_Types].xml": "<Types/>"}), UnreadableMediaError, "damaged or incomplete"),
        (with_body(WHOLE[:-20]), UnreadableMediaError, "damaged or incomplete"),
        (with_body(ENTITY + WHOLE.partition("?>")[2]), UnreadableMediaError, "damaged or incomplete"),
        (with_body("<a>" * 5_000), UnreadableMediaError, "damaged or incomplete"),
        (with_body(letter("")["word/document.xml"]), UnreadableMediaError, "no text in this document"),
        (with_body("<workbook/>"), UnsupportedMediaError, "other than DOCX"),
        (zipped(letter(paragraph("Words.")))[:-30], UnreadableMediaError, "damaged or incomplete"),
        (packed_documents.docx("Words.").replace(b"PK\x01\x02\x14\x03\x14\0\0", b"PK\x01\x02\x14\x03\x14\0\1"),
         UnreadableMediaError, "protected by a password"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_letter_is_said(
    tmp_path: Path, data: bytes, error: type[FingerprintingError], said: str
) -> None:
    with pytest.raises(error, match=said):
        read(tmp_path, data)


def test_a_letter_unpacks_to_what_is_allowed_and_no_more(tmp_path: Path) -> None:
    limits = Limits(max_text_bytes=10_000)
    assert read(tmp_path, packed_documents.docx("word " * 1_500), limits)

    with pytest.raises(LimitExceededError, match="too long"):
        read(tmp_path, packed_documents.docx("word " * 3_000), limits)
    with pytest.raises(LimitExceededError, match="unpacks to more"):
        read(tmp_path, with_body(f'<w:document xmlns:w="{WORDS}">' + "<w:b/>" * 50_000), limits)


def test_a_letter_is_known_by_its_first_members() -> None:
    assert kinds.of_zip(packed_documents.docx("Words.")) == kinds.DOCX
    assert kinds.of_zip(zipped({"word/document.xml": WHOLE})) == kinds.DOCX
    assert kinds.of_zip(zipped({"words.txt": "word/document.xml"})) is None


def test_no_damage_raises_anything_but_a_domain_error(tmp_path: Path) -> None:
    whole = packed_documents.docx("Words and more words.\n" * 20)
    for at in range(0, len(whole), 3):
        try:
            read(tmp_path, whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        except FingerprintingError as error:
            assert str(error).endswith(".")  # noqa: PT017 - either is a good end
