"""Comics: pages in the order that people read them in, and each way to be no readable comic has its own sentence."""

import io
import zipfile
from pathlib import Path

import packed_documents
import pytest
import synthetic_media
from packed_documents import zipped

from fingerprinting import media
from fingerprinting.errors import (
    FingerprintingError,
    LimitExceededError,
    LockedDocumentError,
    UnreadableMediaError,
    UnsupportedMediaError,
)
from fingerprinting.extract import extract
from fingerprinting.image import comics, pages
from fingerprinting.image.pages import MAX_PAGES
from fingerprinting.media import DEFAULT_LIMITS, Limits
from fingerprinting.text import kinds
from fingerprinting.types import Extraction, Modality

PAGE = synthetic_media.encoded(synthetic_media.natural_picture(3, (120, 180)), "JPEG")


def looked_at(tmp_path: Path, data: bytes, limits: Limits = DEFAULT_LIMITS) -> Extraction:
    path = tmp_path / "fox.cbz"
    path.write_bytes(data)
    return extract(path, limits=limits)


def sizes(tmp_path: Path, data: bytes) -> list[tuple[int, int]]:
    path = tmp_path / "fox.cbz"
    path.write_bytes(data)
    return [(number, next(iter(shown)).image.width) for number, shown in comics.pages(path, DEFAULT_LIMITS)]


def test_pages_are_in_the_order_in_which_people_count(tmp_path: Path) -> None:
    named = {f"c/{name}.png": picture(width) for name, width in (("10", 30), ("9", 20), ("010b", 31), ("1", 10))}

    assert sizes(tmp_path, zipped(named)) == [(1, 10), (2, 20), (3, 30), (4, 31)]


def test_a_comic_is_told_by_its_content(tmp_path: Path) -> None:
    found = looked_at(tmp_path, packed_documents.comic(PAGE, PAGE))

    assert (found.modality, found.media_type, found.identifiable) == (Modality.PAGES, kinds.CBZ, True)
    assert {one.algorithm for one in found.fingerprints} >= {"sha256", "pages-dct-256"}


def test_a_book_that_begins_with_a_picture_stays_a_book() -> None:
    book = {"cover.jpg": b"\xff\xd8\xff", **packed_documents.book("Words.")}
    letter = {"docProps/thumbnail.jpeg": b"\xff\xd8\xff", **packed_documents.letter("")}

    assert media.sniff(zipped(book)[: media.HEAD_BYTES]).media_type == kinds.EPUB
    assert media.sniff(zipped(letter)[: media.HEAD_BYTES]).media_type == kinds.DOCX


def test_a_comic_of_blank_pages_is_known_by_its_bytes_alone(tmp_path: Path) -> None:
    found = looked_at(tmp_path, packed_documents.comic(picture(90), picture(80), suffix="png"))

    assert (found.identifiable, found.notes, len(found.fingerprints)) == (False, ("image-flat",), 1)


def picture(width: int) -> bytes:
    return synthetic_media.encoded(synthetic_media.natural_picture(1, (8, 8)).resize((1, 1)).resize((width, 40)))


def locked() -> bytes:
    data = bytearray(packed_documents.comic(PAGE))
    directory = data.index(b"PK\x01\x02")
    page = data.index(b"PK\x01\x02", directory + 4)
    data[page + 8] |= 1
    return bytes(data)


def bomb() -> bytes:
    return zipped({"1.png": synthetic_media.png_header(50_000, 50_000) + b"\0" * 1000})


def endless() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("1.png", "w") as member:
        for _ in range(70):
            member.write(b"\0" * 1024**2)
    return written.getvalue()


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        (packed_documents.comic(PAGE)[:-60], UnreadableMediaError, "comic is damaged or incomplete"),
        (packed_documents.comic(PAGE, PAGE[:200]), UnreadableMediaError, r"Page 2 of this comic \(p2.jpg\) is damaged"),
        (zipped({"1.jpg": "no picture"}), UnreadableMediaError, "Page 1 of this comic"),
        (zipped({"1.jpg": PAGE, "deed.pdf": b"%PDF-"}), UnsupportedMediaError, r"more than the pages .*\(deed.pdf\)"),
        (zipped({"1.jpg": PAGE, "more.zip": b"PK"}), UnsupportedMediaError, "Unpack it"),
        (zipped({"ComicInfo.xml": "<ComicInfo/>"}), UnreadableMediaError, "no page in this comic"),
        (locked(), LockedDocumentError, "comic is protected by a password"),
        (zipped({f"{n}.jpg": b"" for n in range(MAX_PAGES + 1)}), LimitExceededError, "600 pages"),
        (bomb(), LimitExceededError, "too large"),
        (endless(), LimitExceededError, "unpacks to more"),
    ],
)
def test_what_is_wrong_with_a_comic_is_said(
    tmp_path: Path, data: bytes, error: type[FingerprintingError], said: str
) -> None:
    with pytest.raises(error, match=said):
        looked_at(tmp_path, data)


def test_all_pages_together_have_no_more_pixels_than_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comics, "_MAX_PIXELS", 2 * 120 * 180)
    assert looked_at(tmp_path, packed_documents.comic(PAGE, PAGE)).identifiable

    with pytest.raises(LimitExceededError, match="million pixels"):
        looked_at(tmp_path, packed_documents.comic(PAGE, PAGE, PAGE))


def test_the_bytes_of_all_pages_are_counted_whatever_the_archive_says(tmp_path: Path) -> None:
    path = tmp_path / "fox.cbz"
    path.write_bytes(packed_documents.comic(PAGE, PAGE))
    assert len(list(comics.pages(path, Limits(max_bytes=2 * len(PAGE))))) == 2

    with pytest.raises(LimitExceededError, match="unpacks to more"):
        list(comics.pages(path, Limits(max_bytes=2 * len(PAGE) - 1)))


def test_no_damage_raises_anything_but_a_domain_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "fingerprint_page", lambda shown, *_: [None for _ in shown] and ())
    whole = packed_documents.comic(PAGE)
    for at in range(0, len(whole), 29):
        try:
            looked_at(tmp_path, whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        except FingerprintingError as error:
            assert str(error).endswith(".")  # noqa: PT017 - either is a good end
