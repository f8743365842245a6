import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout.consent.identifiers import canonical_url, fingerprints_for, key, youtube_id
from optout.errors import InvalidInputError

VIDEO = "dQw4w9WgXcQ"
WATCH = f"https://www.youtube.com/watch?v={VIDEO}"


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("https://example.org", "https://example.org/"),
        ("HTTP://Example.ORG:80/a", "https://example.org/a"),
        ("https://example.org:443/a#part", "https://example.org/a"),
        ("https://example.org:8443/a", "https://example.org:8443/a"),
        ("https://someone:secret@example.org/a", "https://example.org/a"),
        ("https://example.org./a", "https://example.org/a"),
        ("https://example.org/a/./b/../c", "https://example.org/a/c"),
        ("https://example.org/../../a", "https://example.org/a"),
        ("https://example.org/a/..", "https://example.org/"),
        ("https://example.org/a//b", "https://example.org/a//b"),
        ("https://example.org/%7euser/%c3%a9", "https://example.org/~user/%C3%A9"),
        ("https://example.org/é", "https://example.org/%C3%A9"),
        ("https://example.org/a%2fb", "https://example.org/a%2Fb"),
        ("https://example.org/100%", "https://example.org/100%25"),
        ("https://bücher.example/a", "https://xn--bcher-kva.example/a"),
        ("https://example.org/a?utm_source=x&id=7&fbclid=y", "https://example.org/a?id=7"),
        ("https://example.org/a?b=2&a=1", "https://example.org/a?b=2&a=1"),
        ("https://example.org/a?", "https://example.org/a"),
        ("https://[2001:DB8::0:1]/a", "https://[2001:db8::1]/a"),
        (f"https://youtu.be/{VIDEO}?t=42", WATCH),
    ],
)
def test_one_address_has_one_form(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org/a",
        "ftp://example.org/a",
        "javascript:alert(1)",
        "https://",
        "https://exa mple.org/",
        "https://example.org/a\nb",
        "https://example.org:99999/",
        "https://example.org:port/",
        "https://[::1/",
        "https://ex..ample.org/",
        "https://example.org/" + "a" * 2048,
    ],
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        canonical_url(url)

    assert caught.value.parameters["field"] == "url"


@given(
    st.sampled_from(["http", "https"]),
    st.sampled_from(["example.org", "EXAMPLE.org.", "bücher.example", "127.0.0.1:8080"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), max_size=40),
)
def test_a_canonical_address_is_its_own_canonical_form(scheme: str, host: str, rest: str) -> None:
    canonical = canonical_url(f"{scheme}://{host}/{rest}")

    assert canonical_url(canonical) == canonical
    assert canonical.isascii()


@pytest.mark.parametrize(
    "address",
    [
        VIDEO,
        WATCH,
        f"http://youtube.com/watch?feature=shared&v={VIDEO}&t=3",
        f"https://m.youtube.com/watch?v={VIDEO}",
        f"https://music.youtube.com/watch?v={VIDEO}",
        f"https://youtu.be/{VIDEO}",
        f"youtu.be/{VIDEO}",
        f"www.youtube.com/shorts/{VIDEO}",
        f"https://www.youtube.com/shorts/{VIDEO}?si=x",
        f"https://www.youtube.com/live/{VIDEO}",
        f"https://www.youtube-nocookie.com/embed/{VIDEO}",
        f"//www.youtube.com/embed/{VIDEO}",
        f"https://www.youtube.com/watch?t=3&amp;v={VIDEO}",
        f"https://www.youtube.com/watch_popup?v={VIDEO}",
        f"https://youtube.com/?v={VIDEO}",
        f"https://www.youtube.com/attribution_link?a=x&u=%2Fwatch%3Fv%3D{VIDEO}%26feature%3Dshare",
        f"https://gaming.youtube.com/watch?v={VIDEO}",
        f"https://www.youtubekids.com/watch?v={VIDEO}",
        f"https://youtube.googleapis.com/v/{VIDEO}",
    ],
)
def test_every_address_of_a_video_gives_its_id(address: str) -> None:
    assert youtube_id(address) == VIDEO


@pytest.mark.parametrize(
    "address",
    [
        "https://www.youtube.com/",
        "https://www.youtube.com/watch?v=short",
        "https://www.youtube.com/embed/videoseries?list=PL1",
        "https://www.youtube.com/embed/live_stream?channel=UC1",
        "https://www.youtube.com/attribution_link?u=/attribution_link?u=/attribution_link",
        f"https://www.youtube.com/results?v={VIDEO}",
        "https://www.youtube.com/@channel",
        f"https://notyoutube.com/watch?v={VIDEO}",
        f"https://youtube.com.evil.example/watch?v={VIDEO}",
        f"https://example.org/?u=https://youtu.be/{VIDEO}",
        "not an id",
    ],
)
def test_what_names_no_video_gives_none(address: str) -> None:
    assert youtube_id(address) is None


def test_the_layout_of_a_key_is_fixed() -> None:
    expected = hashlib.sha256(b"crk1\x00url\x00https://example.org/").digest()

    assert key("url", "https://example.org/") == expected
    assert key("youtube", VIDEO) == hashlib.sha256(b"crk1\x00youtube\x00" + VIDEO.encode()).digest()


def test_a_video_gives_the_same_keys_by_address_and_by_id() -> None:
    by_url = fingerprints_for(url=f"https://youtu.be/{VIDEO}")
    by_id = fingerprints_for(youtube=VIDEO)

    assert set(by_url) == set(by_id)
    assert {fingerprint.algorithm for fingerprint in by_url} == {"key-url", "key-youtube"}
    assert fingerprints_for(url=WATCH, youtube=VIDEO) == by_id


def test_a_digest_is_taken_as_hex_or_bytes() -> None:
    digest = hashlib.sha256(b"x")

    assert fingerprints_for(sha256=digest.hexdigest().upper()) == fingerprints_for(sha256=digest.digest())
    assert fingerprints_for(sha256=digest.digest())[0].value == digest.digest()


@pytest.mark.parametrize("wrong", ["", "ab", "z" * 64, b"short"])
def test_a_digest_of_the_wrong_form_is_refused(wrong: str | bytes) -> None:
    with pytest.raises(InvalidInputError) as caught:
        fingerprints_for(sha256=wrong)

    assert caught.value.parameters["field"] == "sha256"


def test_what_names_no_video_is_refused_as_one() -> None:
    with pytest.raises(InvalidInputError) as caught:
        fingerprints_for(youtube="https://example.org/")

    assert caught.value.parameters["field"] == "youtube"
