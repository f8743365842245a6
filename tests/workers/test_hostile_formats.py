"""Further files made to hurt, in every format that is read: a clear word for each, and nothing else is touched.

Beside `test_hostile_media`: headers that lie, parts that lead in circles or elsewhere, and files cut at each tenth.
"""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import hostile_pictures
import hostile_sounds
import hostile_words
import pytest
from opening import opening_of
from process_tree import watched_memory

from fingerprinting import extract as in_process
from fingerprinting.errors import FingerprintingError, LimitExceededError, UnreadableMediaError, UnsupportedMediaError
from fingerprinting.types import Extraction, Role
from workers import sandbox

pytestmark = pytest.mark.heavy

MAX_SECONDS = 40.0
MAX_BYTES = 1_000_000_000

FILES: dict[str, Callable[[str], Mapping[str, bytes]]] = {
    "pictures": hostile_pictures.pictures,
    "sounds": hostile_sounds.sounds,
    "words": hostile_words.words,
    "packed": hostile_words.packed,
}


def said_of(path: Path) -> Extraction | FingerprintingError:
    started = time.monotonic()
    try:
        found: Extraction | FingerprintingError = sandbox.extract(path, name=path.name, role=Role.QUERY)
    except FingerprintingError as error:
        found = error
    assert time.monotonic() - started < MAX_SECONDS, path.name
    if isinstance(found, FingerprintingError):
        assert isinstance(found, UnreadableMediaError | LimitExceededError | UnsupportedMediaError)
        assert str(found).endswith(".")
        # Nothing surprised a decoder of ours: whatever is wrong was told by it, or forbidden by a limit.
        assert "broke its decoder" not in str(found), path.name
    return found


@pytest.fixture
def secret(tmp_path: Path) -> Iterator[Path]:
    """A recording that files name, and that nobody opens."""
    path = tmp_path / "secret.wav"
    path.write_bytes(hostile_sounds.whole()["whole.wav"])
    with opening_of(path) as opened:
        yield path
        assert not opened()


@pytest.fixture
def address() -> Iterator[str]:
    """An address that files name, and that nobody comes to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        yield f"http://127.0.0.1:{server.getsockname()[1]}/secret.wav"
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize("kind", FILES)
def test_files_that_lie_or_lead_elsewhere_get_a_word_each_and_touch_nothing(
    tmp_path: Path, secret: Path, address: str, kind: str
) -> None:
    by_name = FILES[kind](address)
    by_file = {name: data for name, data in FILES[kind](f"file://{secret}").items() if data != by_name[name]}
    with watched_memory() as peak:
        for name, data in [*by_name.items(), *by_file.items()]:
            path = tmp_path / name
            path.write_bytes(data)
            said_of(path)
            path.unlink()

    assert peak.total_bytes - peak.before_bytes < MAX_BYTES


@pytest.mark.parametrize("kind", ["sounds", "words", "packed"])
def test_they_touch_nothing_where_no_wall_stands_either(tmp_path: Path, secret: Path, address: str, kind: str) -> None:
    """On a pipeline's own machine: here only how a decoder is opened keeps it from following."""
    for target in (address, f"file://{secret}", str(secret)):
        for name, data in FILES[kind](target).items():
            if target.encode() in data:
                path = tmp_path / name
                path.write_bytes(data)
                with contextlib.suppress(FingerprintingError):
                    in_process.extract(path, name=name, role=Role.QUERY)


@pytest.mark.parametrize("whole", [hostile_pictures.whole, hostile_sounds.whole], ids=["pictures", "sounds"])
def test_each_format_cut_at_each_tenth_is_damaged_or_read_as_far_as_it_goes(
    tmp_path: Path, whole: Callable[[], Mapping[str, bytes]]
) -> None:
    for name, data in whole().items():
        for tenth in range(1, 11):
            path = tmp_path / name
            path.write_bytes(data[: len(data) * tenth // 10])
            found = said_of(path)
            assert tenth < 10 or isinstance(found, Extraction), name


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("bits.wav", "sounds", "in a form that is not known"),
        ("claims.avif", "pictures", "too large"),
        ("claims.heic", "pictures", "too large"),
        ("lies.heic", "pictures", "damaged"),
        ("lies.webp", "pictures", "too large"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, name: str, kind: str, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[kind]("x")[name])

    found = said_of(path)

    assert isinstance(found, FingerprintingError)
    assert said in str(found)


def test_a_time_of_400_digits_in_captions_is_none(tmp_path: Path) -> None:
    path = tmp_path / "large.json3"
    path.write_bytes(hostile_words.words("x")["large.json3"])

    assert isinstance(said_of(path), Extraction)
