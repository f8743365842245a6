"""Where a match lies on a page: what is outlined where one picture is laid over another."""

import pytest

from mediamanager.web import pages
from optout.catalogue.places import Places
from optout.consent.explain import Language

UPRIGHT = Places(None, asset_size=(400, 300), work_size=(200, 100), transform=(2, 0, 0, 2, 10, 20))
SLANTED = Places(
    None, asset_size=(400, 300), work_size=(200, 100), transform=(2, 0, 0, 2, 10, 20), corners=(1, 2, 9, 3, 8, 7, 0, 6)
)


def laid(where: Places, language: Language = "en") -> str:
    macros = pages._environment(language).globals["evidence"]
    return str(macros.laid(where, None, "/works/w/media", 1, "Your picture", "The work", True))


@pytest.mark.parametrize(("language", "told"), [("en", "It is seen at a slant"), ("fr", "Elle est vue de biais")])
def test_of_a_picture_at_a_slant_the_corners_are_outlined_and_it_is_said(language: Language, told: str) -> None:
    html = laid(SLANTED, language)

    assert html.count('points="1 2 9 3 8 7 0 6"') == 2
    assert "<rect" not in html
    assert told in html


def test_of_another_the_whole_work_is_outlined_as_it_lies() -> None:
    html = laid(UPRIGHT)

    assert html.count('<rect class="under" width="200" height="100"/>') == 1
    assert "<polygon" not in html
    assert "slant" not in html
