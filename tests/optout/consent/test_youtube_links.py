"""Links to channels and playlists: every spelling of one is one address, and a video is none."""

import pytest

from optout.consent.youtube_links import source_of
from optout.errors import InvalidInputError

UC = "UC" + "a" * 22
PL = "PL" + "b" * 32
BY_ID = f"https://www.youtube.com/channel/{UC}"
BY_HANDLE = "https://www.youtube.com/@ada.lovelace"
BY_LIST = f"https://www.youtube.com/playlist?list={PL}"


@pytest.mark.parametrize(
    ("link", "address", "channel"),
    [
        (UC, BY_ID, UC),
        (f"http://m.youtube.com/channel/{UC}/videos?view=0", BY_ID, UC),
        (f"youtube.com/channel/{UC}", BY_ID, UC),
        (f"https://music.youtube.com/channel/{UC}", BY_ID, UC),
        (f"https://music.youtube.com/browse/{UC}", BY_ID, UC),
        (f"https://www.youtube.com/playlist?list=UU{UC[2:]}", BY_ID, UC),
        ("@Ada.Lovelace", BY_HANDLE, None),
        ("https://youtube.com/@ada.lovelace/shorts", BY_HANDLE, None),
        ("https://www.youtube.com/%40ada.lovelace?si=x", BY_HANDLE, None),
        ("https://www.youtube.com/c/Ada", "https://www.youtube.com/c/ada", None),
        ("https://www.youtube.com/user/Ada/featured", "https://www.youtube.com/user/ada", None),
        ("https://www.youtube.com/Ada", "https://www.youtube.com/ada", None),
        (BY_LIST, BY_LIST, None),
        (f"https://m.youtube.com/playlist?app=desktop&list={PL}", BY_LIST, None),
        (f"https://www.youtube.com/watch?list={PL}", BY_LIST, None),
        (f"https://www.youtube.com/embed/videoseries?list={PL}", BY_LIST, None),
    ],
)
def test_spellings_of_a_list_are_one(link: str, address: str, channel: str | None) -> None:
    found = source_of(link)

    assert found is not None
    assert (found.address, found.channel) == (address, channel)
    assert found.kind == ("playlist" if "playlist" in address else "channel")
    assert source_of(found.address) == found


@pytest.mark.parametrize(
    "link",
    [
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        f"https://www.youtube.com/watch?v=dQw4w9WgXcQ&list={PL}",
        "https://youtu.be/dQw4w9WgXcQ?list=RDdQw4w9WgXcQ",
        "https://www.youtube.com/shorts/dQw4w9WgXcQ",
        "https://www.youtube.com/",
        "https://www.youtube.com/feed/trending",
        "https://www.youtube.com/results?search_query=ada",
        "https://www.youtube.com/channel/UCshort",
        "https://example.org/@ada",
        "https://notyoutube.com/@ada",
        "ftp://www.youtube.com/@ada",
        "https://[www.youtube.com/@ada",
        "ada",
        "",
    ],
)
def test_videos_and_other_pages_are_no_lists(link: str) -> None:
    assert source_of(link) is None


@pytest.mark.parametrize("named", ["RDdQw4w9WgXcQ", "LL", "WL", "RDMM"])
def test_a_list_that_is_nobodys_work_is_refused(named: str) -> None:
    with pytest.raises(InvalidInputError, match="mix"):
        source_of(f"https://www.youtube.com/playlist?list={named}")
