"""The page of `check`: both places of each match, and nothing that a hostile name could smuggle in."""

from pathlib import Path

from fingerprinting.types import Modality, Strength
from mediamanager.client import page
from mediamanager.client.verdicts import Checked, Verdict
from optout.catalogue.answers import WorkMatch
from optout.consent.vocabulary import Preference, Use


def test_the_page_shows_both_places_and_escapes_names(tmp_path: Path) -> None:
    works = tmp_path / "works"
    works.mkdir()
    (works / "song.mp3").write_bytes(b"x")
    asset = tmp_path / "a<b>&.mp3"
    asset.write_bytes(b"x")
    evidence = {"spans": "1-9.5 in 31-39.5; 20-24 in 2-6", "asset_seconds": 30.0, "work_seconds": 60.0, "<i>": "<b>"}
    heard = WorkMatch(
        "song.mp3",
        Strength.MATCH,
        Modality.AUDIO,
        "bandenergy-32",
        1,
        None,
        9.0,
        5.0,
        (1, 9.5),
        (31, 39.5),
        Preference.DISALLOWED,
        evidence,
    )
    seen = WorkMatch(
        "gone.jpg",
        Strength.MATCH,
        Modality.IMAGE,
        "sift-itq-128",
        1,
        None,
        9.0,
        5.0,
        (10, 20, 110, 220),
        None,
        Preference.DISALLOWED,
        {"asset_size": "400x300"},
    )
    checked = [Checked(str(asset), Verdict.DISALLOWED, Use.TRAIN_AI, matches=(heard, seen))]

    page.write(tmp_path / "report.html", checked, works)

    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Your file: 0:01 to 0:10, 0:20 to 0:24" in html
    assert "The work: 0:31 to 0:40, 0:02 to 0:06" in html
    assert f'src="{(works / "song.mp3").as_uri()}#t=31,39.5"' in html
    assert '<rect x="33.3" y="0" width="283.3" height="10"/>' in html
    assert '<svg viewBox="0 0 400 300" aria-hidden="true"><rect x="10" y="20" width="100" height="200"/>' in html
    assert "<script" not in html
    assert "a&lt;b&gt;&amp;.mp3" in html
    assert "<i>" not in html


def test_the_work_is_laid_over_the_asset_where_both_are_at_hand(tmp_path: Path) -> None:
    (tmp_path / "work.jpg").write_bytes(b"x")
    asset = tmp_path / "asset.jpg"
    asset.write_bytes(b"x")
    evidence = {"asset_size": "400x300", "work_size": "200x100", "transform": "2 0 0 2 10 20"}
    facts = (Strength.MATCH, Modality.IMAGE, "sift-itq-128", 1, None, 9.0, 5.0, (10, 20, 410, 220), None)
    seen = WorkMatch("work.jpg", *facts, Preference.DISALLOWED, evidence)
    checked = [Checked(str(asset), Verdict.DISALLOWED, Use.TRAIN_AI, matches=(seen,))]

    page.write(tmp_path / "both.html", checked, tmp_path)
    page.write(tmp_path / "one.html", checked)

    both, one = ((tmp_path / f"{name}.html").read_text(encoding="utf-8") for name in ("both", "one"))
    assert '<g transform="matrix(2 0 0 2 10 20)">' in both
    assert both.count('type="radio" name="laid-1"') == 3
    assert f'<image href="{asset.as_uri()}" width="400" height="300"' in both
    assert "laid-1" not in one


def test_of_a_picture_at_a_slant_the_corners_are_outlined_and_it_is_said(tmp_path: Path) -> None:
    asset = tmp_path / "asset.jpg"
    asset.write_bytes(b"x")
    evidence = {"asset_size": "400x300", "work_size": "200x100", "transform": "2 0 0 2 10 20"}
    facts = (Strength.MATCH, Modality.IMAGE, "sift-itq-128", 1, None, 9.0, 5.0, (10, 20, 410, 220), None)
    seen = WorkMatch(
        "asset.jpg", *facts, Preference.DISALLOWED, {**evidence, "corners": "10 20 400 40 390.5 200 9 220"}
    )
    checked = [Checked(str(asset), Verdict.DISALLOWED, Use.TRAIN_AI, matches=(seen,))]

    page.write(tmp_path / "report.html", checked, tmp_path)

    _, laid = (tmp_path / "report.html").read_text(encoding="utf-8").split('<figure class="laid">')
    assert '<polygon class="outline" points="10 20 400 40 390.5 200 9 220"/>' in laid
    assert "<rect" not in laid
    assert "It is seen at a slant" in laid
