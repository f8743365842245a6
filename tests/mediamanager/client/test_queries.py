import os
from pathlib import Path

import pytest

from fingerprinting.types import Fingerprint
from mediamanager.client.queries import as_query, walk
from optout.catalogue.answers import Asset
from optout.errors import InvalidInputError


def test_folders_are_walked_in_sorted_order_and_hidden_names_are_counted(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.txt", "a/.git/config", ".env", "c/d/e.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")

    found = walk([tmp_path])

    assert [Path(query.path).relative_to(tmp_path).as_posix() for query in found.queries] == [
        "a/z.txt",
        "b.txt",
        "c/d/e.txt",
    ]
    assert found.notes == ["2 hidden files or folders were skipped"]


def test_a_hidden_file_that_is_named_is_checked(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("x")

    [query] = walk([tmp_path / ".env"]).queries

    assert query.file == tmp_path / ".env"


def test_links_to_folders_are_not_followed_and_said(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "real.txt").write_text("x")
    (tmp_path / "link.txt").symlink_to("real.txt")

    found = walk([tmp_path])

    assert [Path(query.path).name for query in found.queries] == ["link.txt", "real.txt"]
    assert found.notes == ["1 link to a folder was not followed"]


def test_what_is_no_regular_file_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    [query] = walk([tmp_path]).queries

    assert query.file is None
    assert query.error == "this is not a regular file."


def test_a_missing_file_and_a_dangling_link_are_errors_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to("nowhere")

    queries = walk([tmp_path / "missing", tmp_path]).queries

    assert [query.error for query in queries] == ["this file can't be read: No such file or directory."] * 2


def test_a_folder_that_may_not_be_listed_is_an_error_and_no_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: object) -> object:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)

    [query] = walk([tmp_path]).queries

    assert query.error == "this folder can't be read: Permission denied."


def test_an_address_is_asked_about_by_its_keys_alone() -> None:
    query = as_query("https://youtu.be/dQw4w9WgXcQ", 0)

    assert {one.algorithm for one in query.fingerprints} == {"key-url", "key-youtube"}
    assert (query.file, query.identifiable) == (None, False)


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        as_query("https://", 0)


@pytest.mark.parametrize("address", ["https://", "https://exa mple.com/", "ftp://example.com/x", "file:///etc/passwd"])
def test_an_address_that_is_none_keeps_no_other_from_being_asked_about(tmp_path: Path, address: str) -> None:
    (tmp_path / "real.txt").write_text("x")

    named, real = walk([address, tmp_path]).queries

    assert (named.path, named.file, named.fingerprints) == (address, None, ())
    assert "address" in (named.error or "")
    assert real.error is None


def test_that_nothing_was_found_is_said(tmp_path: Path) -> None:
    assert walk([tmp_path]).notes == ["no file was found"]


def test_an_asset_is_called_by_its_number() -> None:
    query = as_query(Asset((Fingerprint("sha256", 1, bytes(32)),)), 7)

    assert query.path == "asset 7"
