"""Works found by their local features: where they lie, however shown; what they share with nothing stays unfound."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import synthetic_media
from PIL import Image, ImageDraw, ImageFont, ImageOps

from fingerprinting import thresholds
from fingerprinting.errors import CorruptIndexError, WithheldIndexError
from fingerprinting.image import feature_bytes, features
from fingerprinting.index import feature_lists
from fingerprinting.index import features as features_index
from fingerprinting.index.algorithm import CrowdedError, SearchContext
from fingerprinting.index.feature_agreement import Agreement
from fingerprinting.index.feature_geometry import Placement
from fingerprinting.index.feature_judge import Judgement, judged
from fingerprinting.index.features import SPEC
from fingerprinting.index.segment import Index
from fingerprinting.types import Depth, Fingerprint, Match, Strength

pytest.importorskip("cv2")

WORKS = 6


def fingerprint(image: Image.Image, effort: features.Effort = features.THOROUGH) -> Fingerprint:
    described = features.describe(image.convert("L"), image.size, effort)
    return Fingerprint(SPEC.name, SPEC.version, feature_bytes.write(described), unit=SPEC.unit)


@pytest.fixture(scope="module")
def works() -> list[Image.Image]:
    return [synthetic_media.natural_picture(seed) for seed in range(WORKS)]


@pytest.fixture(scope="module")
def index(works: list[Image.Image]) -> Index:
    return Index.build((row, fingerprint(image, features.WORK)) for row, image in enumerate(works))


def found(index: Index, image: Image.Image) -> list[Match]:
    return index.search([[fingerprint(image)]], depth=Depth.THOROUGH)


def overlap(span: tuple[float, ...] | None, box: tuple[float, ...]) -> float:
    assert span is not None
    both = max(0, min(span[2], box[2]) - max(span[0], box[0])) * max(0, min(span[3], box[3]) - max(span[1], box[1]))
    return both / ((span[2] - span[0]) * (span[3] - span[1]) + (box[2] - box[0]) * (box[3] - box[1]) - both)


def on_page(image: Image.Image) -> Image.Image:
    page = synthetic_media.natural_picture(77, (1200, 900))
    page.paste(image.resize((400, 300)), (700, 500))
    return page


@pytest.mark.parametrize(
    ("change", "box"),
    [
        (lambda image: image.resize((500, 375)), (0, 0, 500, 375)),
        (lambda image: image.crop((200, 150, 600, 450)), (0, 0, 400, 300)),
        (ImageOps.mirror, (0, 0, 800, 600)),
        (ImageOps.invert, (0, 0, 800, 600)),
        (lambda image: ImageOps.invert(ImageOps.mirror(image)), (0, 0, 800, 600)),
        (lambda image: image.transpose(Image.Transpose.ROTATE_90), (0, 0, 600, 800)),
        (lambda image: image.rotate(20, expand=True), None),
        (on_page, (700, 500, 1100, 800)),
        (lambda image: ImageOps.mirror(on_page(image)), (100, 500, 500, 800)),
    ],
    ids=["smaller", "cropped", "mirrored", "negative", "both", "turned", "rotated", "on a page", "page mirrored"],
)
def test_a_copy_is_found_and_placed(
    index: Index, works: list[Image.Image], change: Callable[[Image.Image], Image.Image], box: tuple[float, ...] | None
) -> None:
    [match] = found(index, change(works[2]))

    assert (match.work, match.strength, match.algorithm) == (2, Strength.MATCH, SPEC.name)
    assert match.score is not None
    assert match.threshold is not None
    assert match.score >= match.threshold
    assert box is None or overlap(match.query_span, box) > 0.9


def test_a_crop_says_which_part_of_the_work_it_shows(index: Index, works: list[Image.Image]) -> None:
    [match] = found(index, works[1].crop((100, 200, 500, 500)))

    assert overlap(match.work_span, (100, 200, 500, 500)) > 0.9


def test_the_evidence_names_the_turn_and_the_mirror(index: Index, works: list[Image.Image]) -> None:
    [match] = found(index, ImageOps.mirror(works[3]).resize((400, 300)))

    assert match.evidence["mirrored"] is True
    assert match.evidence["negative"] is False
    assert match.evidence["scale"] == pytest.approx(1, abs=0.1)  # in frames of the same longer side
    assert abs(float(match.evidence["turned_degrees"])) <= 1
    assert float(match.evidence["correlation"]) > 0.9


def test_two_works_in_one_picture_are_both_found(index: Index, works: list[Image.Image]) -> None:
    both = Image.new("RGB", (1600, 600))
    both.paste(works[0], (0, 0))
    both.paste(works[4], (800, 0))

    spans = {match.work: match.query_span for match in found(index, both)}

    assert spans.keys() == {0, 4}
    assert overlap(spans[4], (800, 0, 1600, 600)) > 0.9


def test_strangers_and_blank_pictures_are_not_found(index: Index) -> None:
    for image in (*(synthetic_media.natural_picture(seed) for seed in (50, 51)), Image.new("RGB", (300, 200), "white")):
        assert found(index, image) == []


def framed(inner: int) -> Image.Image:
    """Another picture in the frame that all of these share, as dialogs of one program are."""
    frame = synthetic_media.natural_picture(90)
    frame.paste(synthetic_media.natural_picture(inner).resize((560, 420)), (120, 90))
    return frame


def test_another_picture_in_the_same_frame_is_shown_for_review_only() -> None:
    index = Index.build([(0, fingerprint(framed(91), features.WORK))])

    [other], [same] = found(index, framed(92)), found(index, framed(91).resize((500, 375)))

    assert other.score is not None
    assert other.threshold is not None
    assert other.score >= other.threshold  # so many features are the same, and yet
    assert other.strength is Strength.LIKELY
    assert same.strength is Strength.MATCH


def test_a_copy_with_a_sticker_is_a_match_though_its_grey_differs(index: Index, works: list[Image.Image]) -> None:
    covered = works[2].copy()
    covered.paste("white", (100, 100, 350, 300))

    [match] = found(index, covered)

    assert float(match.evidence["correlation"]) < thresholds.FEATURE_SAME_CORRELATION
    assert match.strength is Strength.MATCH


@pytest.mark.parametrize(
    ("correlation", "tiles", "cover", "middle", "is_copy"),
    [
        (0.95, 0.9, 0.2, None, True),
        (0.95, None, 0.0, None, True),
        (0.95, 0.43, 0.36, None, False),  # plain grounds agree, what is on them does not
        (0.93, 0.67, 0.5, None, False),  # two screens of one game
        (0.86, 0.7, 0.61, None, False),  # dialogs of one program
        (0.53, 0.67, 0.65, None, False),  # portraits in one frame
        (0.81, 0.87, 0.68, 0.0, False),  # the same, of which more is alike by chance
        (0.55, 0.9, 0.81, None, True),  # a copy with a logo over it
        (0.55, 0.7, 0.61, 0.9, True),  # a copy with much over it, of which the middle is seen, too
        (0.6, 1.0, 0.45, None, False),
        (0.6, 0.45, 1.0, None, False),
        (0.6, 0.45, 0.61, 1.0, False),  # with few features a part of a picture
        (None, None, 0.6, None, True),
        (None, None, 0.4, None, False),
    ],
)
def test_a_copy_agrees_in_most_of_its_parts_and_in_the_middle(
    correlation: float | None, tiles: float | None, cover: float, middle: float | None, *, is_copy: bool
) -> None:
    agreement = Agreement(correlation, tiles, cover, middle)

    strength = verdict(placement(20), agreement, lambda: 20, lambda: None).strength

    assert strength is (Strength.MATCH if is_copy else Strength.LIKELY)


def verdict(placed: Placement, agrees: Agreement, own: Callable[[], int], shown: Callable[[], None]) -> Judgement:
    return judged(placed, agrees, 10, (placed.inliers, lambda: agrees), own, shown)


def placement(inliers: int, share: float = 0.4) -> Placement:
    return Placement(np.eye(3), np.arange(inliers), inliers, spread=60.0, share=share)


@pytest.mark.parametrize(
    ("inliers", "own", "share", "agreement", "limit"),
    [
        (52, 33, 0.4, Agreement(0.46, 0.47, 0.61, 1.42), 24),  # two pictures blended
        (52, 20, 0.4, Agreement(0.46, 0.47, 0.61, 1.42), None),  # too many works have these features
        (61, 68, 0.025, Agreement(-0.17, 0.0, 0.57, 1.24), None),  # a figure that two screens share
        (24, 24, 0.18, Agreement(0.49, 0.28, 0.53, 5.0), None),  # a drawing of which two games show a part
        (52, 33, 0.4, Agreement(0.46, 0.47, 0.61, 0.1), None),  # a frame
        (74, 70, 0.4, Agreement(0.58, 0.55, 0.45, 3.4), None),  # one map in dialogs in two languages
        (52, 33, 0.4, Agreement(0.46, 0.47, 0.61, None), None),  # nothing to be seen in the middle
        (45, 33, 0.4, Agreement(0.7, 0.75, 0.48, 0.07, core=0.72), None),  # two lists of layers in one window
        (45, 33, 0.4, Agreement(0.7, 0.75, 0.48, 0.2, core=0.72), 24),  # letters over the middle
    ],
)
def test_what_shines_through_everywhere_is_a_match_by_many_features_of_its_own(
    inliers: int, own: int, share: float, agreement: Agreement, limit: int | None
) -> None:
    found = verdict(placement(inliers, share), agreement, lambda: own, lambda: None)

    assert found == (Judgement(Strength.LIKELY, 16) if limit is None else Judgement(Strength.MATCH, limit))


def test_a_work_that_is_blended_with_another_picture_is_a_match(index: Index, works: list[Image.Image]) -> None:
    blended = Image.blend(works[3], synthetic_media.natural_picture(64), 0.5)

    matches = {match.work: match.strength for match in found(index, blended)}

    assert matches[3] is Strength.MATCH


def test_a_larger_registry_asks_for_more(index: Index, works: list[Image.Image]) -> None:
    query = [[fingerprint(works[5])]]
    small, large = (index.search(query, depth=Depth.THOROUGH, registry_size=size)[0] for size in (100, 5_000_000))

    assert small.threshold is not None
    assert large.threshold == small.threshold + 5


def test_what_was_saved_finds_the_same(index: Index, works: list[Image.Image], tmp_path: Path) -> None:
    index.save(tmp_path / "index")

    opened = Index.open(tmp_path / "index")

    assert found(opened, on_page(works[0])) == found(index, on_page(works[0]))


def test_everybody_who_registered_one_picture_is_found(works: list[Image.Image], tmp_path: Path) -> None:
    """However many they are, and whatever is looked at: who comes with a hundred works must not hide another's."""
    print_of = [fingerprint(image, features.WORK) for image in works]
    entries = [*((row, print_of[0]) for row in range(0, 200, 2)), *((row, print_of[1]) for row in range(1, 9, 2))]
    entries.append((0, print_of[0]))  # a work may have it twice
    index = Index.build(entries)
    index.save(tmp_path / "index")

    for each in (index, Index.open(tmp_path / "index")):
        seen = found(each, on_page(works[0]))
        assert sorted((match.work, match.strength) for match in seen) == [
            (row, Strength.MATCH) for row in range(0, 200, 2)
        ]
        assert sorted(match.work for match in found(each, works[1])) == [1, 3, 5, 7]
        assert sorted(each.entries()) == sorted(entries)


def test_pictures_that_are_nearly_the_same_crowd_none_of_them_out(works: list[Image.Image]) -> None:
    copies = [works[0].resize((800 - 4 * row, 600 - 3 * row)) for row in range(40)]
    index = Index.build((row, fingerprint(image, features.WORK)) for row, image in enumerate(copies))

    seen = found(index, on_page(works[0]))

    assert sorted(match.work for match in seen) == list(range(40))


def test_more_pictures_that_are_nearly_the_same_than_are_looked_at_at_once_are_all_found(
    works: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features_index, "_NEAREST_IN_CROWD", 6)
    monkeypatch.setattr(features_index, "_MOST_IN_CROWD", 12)
    copies = [works[0].resize((800 - 4 * row, 600 - 3 * row)) for row in range(80)]
    index = Index.build((row, fingerprint(image, features.WORK)) for row, image in enumerate(copies))

    seen = found(index, on_page(works[0]))

    assert sorted(match.work for match in seen) == list(range(80))


def test_more_who_registered_one_picture_than_there_is_room_for_are_asked_for_in_parts(
    works: list[Image.Image],
) -> None:
    one = fingerprint(works[0], features.WORK)
    index = Index.build((row, one) for row in range(30))

    assert len(index.search([[one]], room=30)) == 30
    with pytest.raises(CrowdedError):
        index.search([[one], [one]], room=30)


@pytest.mark.parametrize("name", ["rows", "positions", "firsts", "starts", "copies", "copy_starts"])
def test_arrays_that_do_not_fit_are_refused(index: Index, tmp_path: Path, name: str) -> None:
    index._searchers[SPEC.id].save(tmp_path / "index")
    path = tmp_path / "index" / f"{name}.npy"
    array = np.load(path)
    array[-1] = 2**31 if name in ("rows", "positions", "copies") else array[-1] + 1
    np.save(path, array)

    with pytest.raises(CorruptIndexError):
        SPEC.open(tmp_path / "index", False).search([], SearchContext(Depth.STANDARD, 1))


def test_lists_of_other_centres_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    few = 11  # times 2,000 are more than are scanned whole
    entries = [
        (work, Fingerprint(SPEC.name, SPEC.version, feature_bytes.write(many_features(random)))) for work in range(few)
    ]
    with monkeypatch.context() as patch:
        patch.setattr(feature_lists, "centres_id", lambda: 1)
        SPEC.build(entries).save(tmp_path / "index")

    with pytest.raises(CorruptIndexError, match="centres"):
        SPEC.open(tmp_path / "index", False)


def many_features(random: np.random.Generator) -> feature_bytes.Features:
    return feature_bytes.Features(
        size=(640, 480),
        thumbnail=np.zeros((36, 48), np.uint8),
        places=np.zeros(feature_bytes.MAX_FEATURES, feature_bytes.PLACE),
        codes=random.integers(0, 2**64, (1, feature_bytes.MAX_FEATURES, 2), dtype=np.uint64),
    )


def test_a_catalogue_without_features_says_so(index: Index, works: list[Image.Image], tmp_path: Path) -> None:
    index.save(tmp_path / "index", without={SPEC.name})

    opened = Index.open(tmp_path / "index")

    assert not (tmp_path / "index" / SPEC.id).exists()
    assert opened.search([[fingerprint(works[0])]]) == []
    with pytest.raises(WithheldIndexError, match=r"sift-itq-128\.v1"):
        found(opened, works[0])


def test_lists_find_what_a_full_comparison_finds() -> None:
    random = np.random.default_rng(3)
    codes = random.integers(0, 2**64, (30_000, 2), dtype=np.uint64)
    flips = np.packbits(random.random((200, 128)) < 0.08, axis=1).view(np.uint64)
    asked = codes[:200] ^ flips
    lists, positions = feature_lists.build(codes, np.arange(30_000, dtype=np.uint32))

    nearest, bits = lists.find(asked, 1, 40)

    full = np.bitwise_count(asked[:, None] ^ codes[None]).sum(axis=2)
    expected = full.argmin(axis=1)
    hit = (nearest[:, 0] >= 0) & (lists.rows[nearest[:, 0]] == expected)
    assert len(lists.starts) == feature_lists.FINE + 1
    assert hit.mean() > 0.2  # random codes lie nowhere near each other, so lists serve them worst of all
    np.testing.assert_array_equal(bits[hit, 0], full.min(axis=1)[hit])
    np.testing.assert_array_equal(lists.codes[positions], codes)
    assert (lists.find(asked[:5], 3, 0)[0] == -1).all()


@pytest.mark.parametrize("is_mirrored", [False, True])
def test_the_transform_says_where_each_pixel_of_the_work_lies(
    index: Index,
    works: list[Image.Image],
    is_mirrored: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    page = synthetic_media.natural_picture(77, (1200, 900))
    shown = ImageOps.mirror(works[2]) if is_mirrored else works[2]
    page.paste(shown.resize((600, 450)), (500, 300))

    [match] = found(index, page)

    a, b, c, d, e, f = (float(each) for each in str(match.evidence["transform"]).split(" "))
    width, height = works[2].size
    for x, y in ((0, 0), (width, 0), (width / 3, height)):
        across = 600 * (width - x if is_mirrored else x) / width + 500
        assert (a * x + c * y + e, b * x + d * y + f) == pytest.approx((across, 450 * y / height + 300), abs=4)


def lettered(image: Image.Image) -> Image.Image:
    shown = image.copy()
    pen, font = ImageDraw.Draw(shown), ImageFont.load_default(48)
    for line in range(7):
        at = (20, 5 + line * 80)
        pen.text(at, "when you see them again, told", "white", font, stroke_width=4, stroke_fill="black")
    return shown


def test_a_work_under_letters_is_a_match(index: Index, works: list[Image.Image]) -> None:
    [match] = found(index, lettered(works[2]))

    assert (match.work, match.strength) == (2, Strength.MATCH)


def test_a_small_crop_of_which_few_features_are_left_is_a_match(index: Index, works: list[Image.Image]) -> None:
    [match] = found(index, works[4].crop((330, 230, 530, 380)))

    assert (match.work, match.strength) == (4, Strength.MATCH)
    assert overlap(match.work_span, (330, 230, 530, 380)) > 0.9


@pytest.mark.parametrize(
    ("inliers", "agreement", "is_copy"),
    [
        (5, Agreement(0.99, None, 0.8, None, detail=0.95), True),
        (3, Agreement(0.99, None, 0.8, None, detail=0.95), False),
        (5, Agreement(0.99, None, 0.8, None, detail=0.6), False),  # light and shade are alike, and no more
        (5, Agreement(0.94, None, 1.0, None, detail=0.96), False),  # the frame of a dialog
        (6, Agreement(0.98, 1.0, 0.2, None, detail=0.96), False),  # sheets of sprites, in the same rows
    ],
)
def test_few_features_are_enough_where_all_of_the_grey_is_the_same(
    inliers: int, agreement: Agreement, *, is_copy: bool
) -> None:
    found = verdict(placement(inliers), agreement, lambda: 0, lambda: None)

    assert (found.strength is Strength.MATCH) is is_copy


@pytest.mark.parametrize(
    ("agreement", "is_copy"),
    [
        (Agreement(0.39, 0.2, 0.91, 1.08), True),  # half of a blend
        (Agreement(0.75, 0.83, 0.77, 0.18), True),  # a face over the middle
        (Agreement(0.39, 0.2, 0.91, 0.18), False),  # a frame
        (Agreement(0.39, 0.2, 0.65, 1.08), False),
        (Agreement(0.84, 0.67, 0.59, 0.21, core=0.85), True),  # letters all over it
        (Agreement(0.84, 0.67, 0.59, 0.21, core=0.5), False),
    ],
)
def test_what_is_over_a_work_may_hide_its_grey_or_its_middle(agreement: Agreement, *, is_copy: bool) -> None:
    found = verdict(placement(42), agreement, lambda: 42, lambda: None)

    assert (found.strength is Strength.MATCH) is is_copy


def test_what_the_second_look_alone_finds_is_no_proof_without_features_of_its_own() -> None:
    agrees = Agreement(0.85, 0.9, 0.8, 1.0)

    def strength(at_first: int) -> Strength:
        return judged(placement(20), agrees, 10, (at_first, lambda: agrees), lambda: 0, lambda: None).strength

    assert strength(12) is Strength.MATCH
    assert strength(8) is Strength.LIKELY


def test_grey_that_agrees_all_around_and_not_in_the_middle_is_no_proof() -> None:
    agrees = Agreement(0.97, 0.9, 0.4, 1.0, core=0.8)

    assert verdict(placement(20), agrees, lambda: 20, lambda: None).strength is Strength.MATCH
    in_frame = dataclasses.replace(agrees, core=0.3)
    assert verdict(placement(20), in_frame, lambda: 20, lambda: None).strength is Strength.LIKELY


def test_a_picture_in_two_screens_does_not_make_one_of_the_other() -> None:
    agrees = Agreement(0.8, 0.55, 0.7, 1.2)

    assert verdict(placement(40, 0.3), agrees, lambda: 40, lambda: None).strength is Strength.MATCH
    in_one_place = dataclasses.replace(agrees, reach=0.45)
    assert verdict(placement(40, 0.3), in_one_place, lambda: 40, lambda: None).strength is Strength.LIKELY


MUCH = (80, 60, 720, 540)
LITTLE = (240, 180, 560, 420)


def cut_out(
    image: Image.Image, part: tuple[int, int, int, int] = MUCH, beside: Image.Image | None = None
) -> Image.Image:
    page = Image.new("RGB", (1200, 900), "white")
    if beside is not None:
        page.paste(beside, (0, 0))
    page.paste(image.crop(part).resize((560, 420)), (500, 300))
    return page


def test_a_part_that_is_set_on_plain_ground_is_a_match_where_it_lies(index: Index, works: list[Image.Image]) -> None:
    [match] = found(index, cut_out(works[3]))

    assert (match.work, match.strength) == (3, Strength.MATCH)
    assert overlap(match.query_span, (500, 300, 1060, 720)) > 0.8
    assert overlap(match.work_span, (80, 60, 720, 540)) > 0.8
    assert match.evidence["part_correlation"] >= thresholds.FEATURE_CUT_CORRELATION


def test_a_part_beside_something_else_is_worth_a_look_and_no_match(index: Index, works: list[Image.Image]) -> None:
    [match] = found(index, cut_out(works[3], LITTLE, synthetic_media.natural_picture(78, (1200, 900))))

    assert match.strength is Strength.LIKELY
    assert "part_share" not in match.evidence


def test_a_small_part_on_plain_ground_is_a_match_too(index: Index, works: list[Image.Image]) -> None:
    [match] = found(index, cut_out(works[3], (200, 130, 600, 430)))

    assert (match.work, match.strength) == (3, Strength.MATCH)
    assert float(match.evidence["part_share"]) < thresholds.FEATURE_CUT_SHARE
