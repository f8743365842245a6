"""Pages of comics and scans: found one by one, whole or in part, with their numbers; and single pictures in them."""

import functools
import io
from pathlib import Path

import packed_documents
import pytest
import synthetic_media
from PIL import Image

from fingerprinting.errors import InvalidFingerprintError, UnreadableMediaError
from fingerprinting.extract import extract
from fingerprinting.image import page_bytes
from fingerprinting.image.page_bytes import PageView
from fingerprinting.index import pages, registry
from fingerprinting.index.segment import Index
from fingerprinting.text import kinds
from fingerprinting.types import Depth, Extraction, Fingerprint, Match, Modality, Role, Strength

pytest.importorskip("cv2")


@functools.cache
def drawn() -> list[Image.Image]:
    return [synthetic_media.natural_picture(seed, (600, 800)) for seed in range(200, 212)]


def bound(images: list[Image.Image], quality: int = 90) -> bytes:
    return packed_documents.comic(*(synthetic_media.encoded(each, "JPEG", quality=quality) for each in images))


def scanned(images: list[Image.Image]) -> bytes:
    written = io.BytesIO()
    images[0].save(written, "PDF", save_all=True, append_images=images[1:])
    return written.getvalue()


def prints(folder: Path, data: bytes, role: Role = Role.QUERY, depth: Depth = Depth.STANDARD) -> Extraction:
    path = folder / "asset"
    path.write_bytes(data)
    return extract(path, role=role, depth=depth)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Work 0 is a comic of pages 1 to 5, work 1 a scan of pages 6 to 9, work 2 the single picture 10."""
    folder = tmp_path_factory.mktemp("works")
    works = [bound(drawn()[:5]), scanned(drawn()[5:9]), synthetic_media.encoded(drawn()[9])]
    found = [(work, prints(folder, data, Role.WORK)) for work, data in enumerate(works)]
    return Index.build((work, one) for work, extraction in found for one in extraction.fingerprints)


def found(index: Index, tmp_path: Path, data: bytes, depth: Depth = Depth.STANDARD) -> list[Match]:
    matches = index.search([prints(tmp_path, data, depth=depth).fingerprints], depth=depth)
    return [match for match in matches if match.strength is not Strength.LIKELY]


@pytest.mark.parametrize("depth", list(Depth))
def test_a_page_by_itself_is_found_with_its_number(index: Index, tmp_path: Path, depth: Depth) -> None:
    matches = found(index, tmp_path, synthetic_media.encoded(drawn()[3].resize((300, 400)), "JPEG", quality=60), depth)

    assert {(match.work, match.evidence["work_page"]) for match in matches} == {(0, 4)}
    assert all("asset_page" not in match.evidence for match in matches)


def test_a_part_of_a_scanned_page_is_found_where_it_lies(index: Index, tmp_path: Path) -> None:
    part = synthetic_media.encoded(drawn()[7].crop((60, 80, 420, 480)), "JPEG", quality=75)

    (match,) = found(index, tmp_path, part)

    assert (match.work, match.algorithm, match.evidence["work_page"]) == (1, "pages-sift-itq-128", 3)
    assert match.work_span is not None
    assert len(match.work_span) == 4


def test_a_comic_that_has_pages_of_others_names_them_all(index: Index, tmp_path: Path) -> None:
    asset = bound([drawn()[10], drawn()[8], drawn()[1], drawn()[2], drawn()[9], drawn()[11]], quality=50)

    matches = found(index, tmp_path, asset)

    hashed = [match for match in matches if match.algorithm in {"pages-dct-256", "dct-256"}]
    told = {match.work: {key: match.evidence.get(key) for key in ("asset_page", "pages")} for match in hashed}
    assert told[0]["pages"] == 2
    assert told[0]["asset_page"] in {3, 4}
    assert (told[1]["asset_page"], told[1]["pages"]) == (2, 1)
    assert told[2]["asset_page"] == 5
    assert {match.work for match in matches if match.algorithm == "sift-itq-128"} == {2}
    assert all(match.query_span is None for match in matches if match.work == 2)


def test_other_pages_are_not_found(index: Index, tmp_path: Path) -> None:
    assert found(index, tmp_path, bound(drawn()[10:])) == []


def test_an_index_that_was_saved_or_built_of_another_finds_the_same(index: Index, tmp_path: Path) -> None:
    asset = bound([drawn()[6], drawn()[0]])
    expected = found(index, tmp_path, asset)
    index.save(tmp_path / "saved")

    assert found(Index.open(tmp_path / "saved"), tmp_path, asset) == expected
    assert found(Index.build(index.entries()), tmp_path, asset) == expected


def test_a_scan_is_pages_and_a_paper_with_scanned_pages_is_both(tmp_path: Path) -> None:
    scan = prints(tmp_path, scanned(drawn()[5:7]), Role.WORK)

    assert (scan.modality, scan.media_type) == (Modality.PAGES, kinds.PDF)


def test_a_paper_that_shows_nothing_and_says_nothing_can_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(UnreadableMediaError, match="no text in this PDF"):
        prints(tmp_path, scanned([Image.new("RGB", (400, 500), "white")] * 2))


def test_many_pages_are_written_as_several_values_and_malformed_ones_are_refused() -> None:
    print_ = Fingerprint("dct-256", 1, bytes(288))
    several = list(page_bytes.written(page_bytes.HASHES, [PageView(n, print_) for n in range(1, 9001)]))

    assert len(several) > 1
    assert [view.page for one in several for view in page_bytes.read(one.value, "dct-256")] == list(range(1, 9001))
    whole = several[0].value
    for value in (b"", whole[:-1], b"PGS1", whole + b"\0", page_bytes.write([PageView(0, print_)])):
        with pytest.raises(InvalidFingerprintError):
            registry.validate(Fingerprint(pages.HASHES.name, 1, value))
