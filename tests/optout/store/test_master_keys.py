"""The master key comes from one source, and whatever is wrong with it is said without saying it."""

import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from optout.errors import InvalidInputError, MasterKeyError, SealedDataError
from optout.store.master_keys import MasterKey, MasterKeys
from optout.store.settings import Settings

KEY = bytes(range(32)).hex()
OTHER = bytes(range(100, 132)).hex()


def file_of(settings: Settings) -> Path:
    return settings.data_folder / "keys" / "master.key"


def test_the_first_start_draws_a_key_that_only_its_owner_may_read(settings: Settings) -> None:
    keys = MasterKeys(settings)

    first = keys.first()

    assert keys.is_ours
    assert stat.S_IMODE(file_of(settings).stat().st_mode) == 0o600
    assert file_of(settings).read_text().strip() == first.text
    assert MasterKeys(settings).first() == first
    assert [path.name for path in file_of(settings).parent.iterdir()] == ["master.key"]


def test_processes_that_start_at_once_draw_one_key(settings: Settings) -> None:
    with ThreadPoolExecutor(8) as pool:
        drawn = set(pool.map(lambda _: MasterKeys(settings).first(), range(8)))

    assert len(drawn) == 1


def test_a_file_that_others_may_read_is_refused(settings: Settings) -> None:
    MasterKeys(settings).first()
    file_of(settings).chmod(0o640)

    with pytest.raises(MasterKeyError, match="chmod 600"):
        MasterKeys(settings).load()


def test_a_key_that_is_gone_is_never_replaced_by_a_new_one(settings: Settings) -> None:
    known = MasterKeys(settings).first().id
    file_of(settings).unlink()

    with pytest.raises(MasterKeyError, match="missing"):
        MasterKeys(settings).get(known)
    assert not file_of(settings).exists()


@pytest.mark.parametrize("source", ["variable", "file", "command"])
def test_the_operator_chooses_the_source(tmp_path: Path, source: str) -> None:
    place = tmp_path / "secret"
    place.write_text(f"{KEY.upper()}\n{OTHER}\n")
    settings = {
        "variable": Settings(data_folder=tmp_path, master_key=f"{KEY},{OTHER}"),
        "file": Settings(data_folder=tmp_path, master_key_file=place),
        "command": Settings(data_folder=tmp_path, master_key_command=f"cat '{place}'"),
    }[source]

    keys = MasterKeys(settings)

    assert [key.text for key in keys.load()] == [KEY, OTHER]
    assert keys.first().text == KEY
    assert not keys.is_ours
    assert KEY not in keys.source
    assert not file_of(settings).exists()


def test_two_sources_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="one source"):
        MasterKeys(Settings(data_folder=tmp_path, master_key=KEY, master_key_command="true"))


@pytest.mark.parametrize("wrong", ["", "changeme", KEY[:-1], KEY + "0", f"{KEY} and more", "0" * 64, "ab" * 32])
def test_what_is_no_key_is_refused_and_not_repeated(tmp_path: Path, wrong: str) -> None:
    keys = MasterKeys(Settings(data_folder=tmp_path, master_key=wrong))

    with pytest.raises(MasterKeyError, match="openssl rand -hex 32") as caught:
        keys.load()

    assert not wrong or wrong not in str(caught.value)
    assert wrong != KEY


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("no-such-program-here", "can't be run"),
        ("", "can't be run"),
        ("'unclosed", "can't be run"),
        (f"{sys.executable} -c 'print(1); raise SystemExit(3)'", "status 3"),
    ],
)
def test_a_command_that_fails_gives_no_key(tmp_path: Path, command: str, said: str) -> None:
    keys = MasterKeys(Settings(data_folder=tmp_path, master_key_command=command))

    with pytest.raises(MasterKeyError, match=said):
        keys.load()


def test_the_error_of_a_key_that_is_not_there_names_both_by_their_ids_only(tmp_path: Path) -> None:
    keys = MasterKeys(Settings(data_folder=tmp_path, master_key=KEY))
    needed = MasterKey.of(bytes.fromhex(OTHER)).id

    with pytest.raises(MasterKeyError) as caught:
        keys.get(needed)

    assert needed in str(caught.value)
    assert MasterKey.of(bytes.fromhex(KEY)).id in str(caught.value)
    assert KEY not in str(caught.value)


def test_a_key_is_not_shown_by_accident(tmp_path: Path) -> None:
    settings = Settings(data_folder=tmp_path, master_key=KEY)

    shown = f"{settings!r} {settings} {MasterKey.of(bytes.fromhex(KEY))!r} {MasterKeys(settings)!r}"

    assert KEY not in shown
    assert str(bytes.fromhex(KEY)) not in shown


def test_a_key_that_was_read_is_remembered_when_the_source_drops_it(settings: Settings) -> None:
    keys = MasterKeys(settings)
    old = keys.first()
    new = keys.add()
    keys.keep(new)

    assert [key.id for key in keys.load()] == [new.id]
    assert keys.get(old.id) == old


def test_a_wrapped_key_opens_for_its_purpose_only() -> None:
    master = MasterKey.of(bytes.fromhex(KEY))
    wrapped = master.wrap(b"k" * 32, b"one")

    assert master.unwrap(wrapped, b"one") == b"k" * 32
    for altered, purpose in [
        (wrapped, b"other"),
        (b"\x02" + wrapped[1:], b"one"),
        (wrapped[:-1], b"one"),
        (b"", b"one"),
    ]:
        with pytest.raises(SealedDataError):
            master.unwrap(altered, purpose)
    with pytest.raises(SealedDataError):
        MasterKey.of(bytes.fromhex(OTHER)).unwrap(wrapped, b"one")
