"""Books: read in their order, and each way to be no readable book has its own sentence."""

from pathlib import Path

import packed_documents
import pytest
from packed_documents import book, opf, page, zipped

from fingerprinting.errors import FingerprintingError, LimitExceededError, UnreadableMediaError
from fingerprinting.media import DEFAULT_LIMITS, Limits
from fingerprinting.text import epub, kinds


def read(tmp_path: Path, data: bytes, limits: Limits = DEFAULT_LIMITS) -> str:
    path = tmp_path / "book.epub"
    path.write_bytes(data)
    return epub.text_of(path, limits)


def test_chapters_are_read_in_the_order_of_the_spine_without_markup(tmp_path: Path) -> None:
    members = book("Once upon a\ttime.\nTwo & three.", "The end\u00a0\u2026 caf\u00e9.")
    members["OEBPS/book.opf"] = opf(["Text/chapter%200.xhtml", "Text/chapter%201.xhtml"], [1, 0, 1])

    assert read(tmp_path, zipped(members)) == "Part The end \u2026 caf\u00e9.\nPart Once upon a time.\nTwo & three."


def test_a_package_document_of_epub_2_may_name_a_document_type(tmp_path: Path) -> None:
    members = book("Words.")
    plain = str(members["OEBPS/book.opf"])
    members["OEBPS/book.opf"] = plain.replace("<package", '<!DOCTYPE package SYSTEM "http://127.0.0.1:1/a">\n<package')

    assert read(tmp_path, zipped(members)) == "Part Words."


def test_fonts_made_unusable_elsewhere_protect_no_text(tmp_path: Path) -> None:
    members = book("Words.")
    members["META-INF/encryption.xml"] = encryption("http://www.idpf.org/2008/embedding", "OEBPS/font.otf")

    assert read(tmp_path, zipped(members)) == "Part Words."


def encryption(algorithm: str, member: str) -> str:
    return (
        '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container" xmlns:e="http://www.w3.org/2001/04/xmlenc#">'
        f'<e:EncryptedData><e:EncryptionMethod Algorithm="{algorithm}"/><e:CipherData><e:CipherReference'
        f' URI="{member}"/></e:CipherData></e:EncryptedData></encryption>'
    )


def changed(**members: bytes | str | None) -> bytes:
    """A book with other members: `container`, `package`, `chapter`, `encryption`; None leaves one out."""
    names = {
        "container": "META-INF/container.xml",
        "package": "OEBPS/book.opf",
        "chapter": "OEBPS/Text/chapter 0.xhtml",
        "encryption": "META-INF/encryption.xml",
    }
    made: dict[str, bytes | str | None] = {**book("Words."), **{names[key]: data for key, data in members.items()}}
    return zipped({name: data for name, data in made.items() if data is not None})


AES = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
ENTITY = '<!DOCTYPE package [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (changed(container=None), "damaged or incomplete"),
        (changed(container="<container/>"), "damaged or incomplete"),
        (changed(package=None), "damaged or incomplete"),
        (changed(package=opf(["Text/chapter%200.xhtml"], [])), "damaged or incomplete"),  # no spine
        (changed(package=opf(["Text/chapter%200.xhtml"], [0, 1])), "damaged or incomplete"),
        (changed(package=ENTITY + opf(["Text/chapter%200.xhtml"]).partition("?>")[2]), "damaged or incomplete"),
        (changed(package="<a>" * 5_000), "damaged or incomplete"),
        (changed(chapter=None), "damaged or incomplete"),
        (changed(chapter=bytes(range(256))), "encoding cannot be told"),
        (changed(chapter="<html><body><img src='a.png'/></body></html>"), "no text in this book"),
        (changed(package=opf(["a.png"], media_type="image/png")), "no text in this book"),
        (changed(encryption=encryption(AES, "OEBPS/Text/chapter%200.xhtml")), r"protected against copying \(DRM\)"),
        (changed()[:-30], "damaged or incomplete"),
        (changed()[:40], "damaged or incomplete"),
    ],
)
def test_what_is_wrong_with_a_book_is_said(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(UnreadableMediaError, match=said):
        read(tmp_path, data)


def test_a_book_unpacks_to_what_is_allowed_and_no_more(tmp_path: Path) -> None:
    limits = Limits(max_text_bytes=10_000)
    assert read(tmp_path, packed_documents.epub("word " * 1_500), limits)

    with pytest.raises(LimitExceededError, match="too long"):
        read(tmp_path, packed_documents.epub("word " * 1_500, "word " * 1_500), limits)
    with pytest.raises(LimitExceededError, match="unpacks to more"):
        read(tmp_path, changed(chapter="<b></b>" * 2_000), limits)
    with pytest.raises(LimitExceededError, match="unpacks to more"):
        read(tmp_path, changed(container=bytes(100_000)), limits)


def test_a_book_of_too_many_parts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LimitExceededError, match="parts"):
        read(tmp_path, zipped({**book("Words."), **{f"{n}": b"" for n in range(20_000)}}))
    with pytest.raises(LimitExceededError, match="chapters"):
        read(tmp_path, changed(package=opf(["Text/chapter%200.xhtml"], [0] * 20_001)))


def test_a_book_is_known_by_its_first_members() -> None:
    assert kinds.of_zip(packed_documents.epub("Words.")) == kinds.EPUB
    assert kinds.of_zip(zipped(dict(reversed(book("Words.").items())))) == kinds.EPUB
    assert kinds.of_zip(zipped({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<a/>"})) is None
    assert kinds.of_zip(zipped({"page.html": page("Words.")})) is None


def test_no_damage_raises_anything_but_a_domain_error(tmp_path: Path) -> None:
    whole = packed_documents.epub("Words and more words. " * 20)
    for at in range(0, len(whole), 3):
        try:
            read(tmp_path, whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        except FingerprintingError as error:
            assert str(error).endswith(".")  # noqa: PT017 - either is a good end
