"""Books that consist of pictures are found by these, page by page; and each way to be none has its own sentence."""

from pathlib import Path

import pytest
import synthetic_media
from packed_documents import book, opf, zipped

from fingerprinting.errors import LockedDocumentError, UnreadableMediaError
from fingerprinting.extract import extract
from fingerprinting.index.segment import Index
from fingerprinting.media import DEFAULT_LIMITS
from fingerprinting.text import epub, kinds
from fingerprinting.types import Extraction, Modality, Strength

PICTURES = [synthetic_media.encoded(synthetic_media.natural_picture(seed, (240, 320)), "JPEG") for seed in (11, 12, 13)]
IMG = '<html><body><div><img alt="" class="page" src="{}"/></div></body></html>'
SVG = (
    '<html><body><svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">'
    "<image width='9' height='9' xlink:href='{}'/></svg></body></html>"
)


def comic(*pages: str, **further: bytes | str) -> dict[str, bytes | str]:
    """A fixed-layout book: pages in XHTML, pictures beside them."""
    made = book(*pages)
    made |= {f"OEBPS/Text/chapter {n}.xhtml": page for n, page in enumerate(pages)}
    return made | {f"OEBPS/img/p {n}.jpg": data for n, data in enumerate(PICTURES)} | further


WHOLE = comic(IMG.format("../img/p%202.jpg"), SVG.format("../img/p%200.jpg"), IMG.format("../img/p%202.jpg"))


def looked_at(tmp_path: Path, members: dict[str, bytes | str]) -> Extraction:
    path = tmp_path / "fox.epub"
    path.write_bytes(zipped(members))
    return extract(path)


def listed(tmp_path: Path, members: dict[str, bytes | str]) -> list[tuple[int, str]]:
    path = tmp_path / "fox.epub"
    path.write_bytes(zipped(members))
    return epub.pictures_of(path, DEFAULT_LIMITS)


def test_pictures_are_listed_in_the_order_of_reading_each_once(tmp_path: Path) -> None:
    assert listed(tmp_path, WHOLE) == [(1, "OEBPS/img/p 2.jpg"), (2, "OEBPS/img/p 0.jpg")]


def test_pictures_may_be_pages_themselves_or_lie_in_drawings(tmp_path: Path) -> None:
    package = opf(["img/p%201.jpg", "a.svg"]).replace("application/xhtml+xml", "image/jpeg", 1)
    package = package.replace("application/xhtml+xml", "image/svg+xml")
    drawing = '<svg xmlns="http://www.w3.org/2000/svg"><image href="img/p%200.jpg"/><image href="data:,x.png"/></svg>'

    found = listed(tmp_path, comic(**{"OEBPS/book.opf": package, "OEBPS/a.svg": drawing}))

    assert found == [(1, "OEBPS/img/p 1.jpg"), (2, "OEBPS/img/p 0.jpg")]


def test_a_book_of_pictures_is_found_by_one_of_them(tmp_path: Path) -> None:
    work = looked_at(tmp_path, WHOLE)
    (tmp_path / "page.jpg").write_bytes(PICTURES[0])

    found = Index.build((0, one) for one in work.fingerprints).search([extract(tmp_path / "page.jpg").fingerprints])

    assert (work.modality, work.media_type, work.identifiable) == (Modality.PAGES, kinds.EPUB, True)
    assert {match.strength for match in found} <= {Strength.MATCH, Strength.EXACT}
    assert {match.evidence["work_page"] for match in found} == {2}


def test_a_book_with_words_is_known_by_these(tmp_path: Path) -> None:
    words = " ".join(
        f"{first}{second}" for first in "bdfgklmnprst" for second in ("ax", "ox", "um", "il", "esk", "urd")
    )
    members = comic(IMG.format("../img/p%200.jpg"), f"<html><body><p>{words}</p></body></html>")

    found = looked_at(tmp_path, members)

    assert found.modality is Modality.TEXT
    assert {one.algorithm for one in found.fingerprints} == {"sha256", "shingle-3"}


@pytest.mark.parametrize(
    ("members", "said"),
    [
        (comic(IMG.format("../img/none.jpg")), "damaged or incomplete"),
        (comic(IMG.format("http://127.0.0.1/a.jpg")), "no text in this book, and no picture"),
        (comic("<html><body></body></html>"), "no text in this book, and no picture"),
        (comic(IMG.format("../img/p%200.jpg"), **{"OEBPS/img/p 0.jpg": b"none"}), r"Page 1 of this comic \(p 0\.jpg\)"),
    ],
)
def test_what_is_wrong_with_a_book_of_pictures_is_said(
    tmp_path: Path, members: dict[str, bytes | str], said: str
) -> None:
    with pytest.raises(UnreadableMediaError, match=said):
        looked_at(tmp_path, members)


def test_pictures_that_are_protected_are_not_passed_over(tmp_path: Path) -> None:
    encryption = (
        '<encryption xmlns:e="http://www.w3.org/2001/04/xmlenc#"><e:EncryptedData><e:EncryptionMethod Algorithm="aes"/>'
        '<e:CipherReference URI="OEBPS/img/p%200.jpg"/></e:EncryptedData></encryption>'
    )

    with pytest.raises(LockedDocumentError, match="DRM"):
        looked_at(tmp_path, WHOLE | {"META-INF/encryption.xml": encryption})
