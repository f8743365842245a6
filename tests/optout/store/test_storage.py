"""The contract of a store, on a folder and on a real S3-compatible server."""

import hashlib
import io
import random
import secrets
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import services
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from optout.errors import InvalidInputError, NotFoundError, StorageUnavailableError
from optout.store.s3 import S3Store
from optout.store.settings import Settings
from optout.store.storage import INCOMING, FolderStore, Storage
from optout.store.storage_url import open_storage


@pytest.fixture(scope="module")
def bucket(object_store: services.ObjectStore) -> Settings:
    """Settings of a bucket that is there."""
    made = Settings(
        storage_url="s3://contract",
        s3_endpoint_url=object_store.url,
        s3_access_key_id=object_store.access_key_id,
        s3_secret_access_key=object_store.secret_access_key,
    )
    S3Store(made).create_bucket()
    return made


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.flow)])
def store(request: pytest.FixtureRequest, settings: Settings) -> Storage:
    """An empty store of each kind."""
    if request.param == "folder":
        return open_storage(settings)
    bucket: Settings = request.getfixturevalue("bucket")
    prefix = f"s3://contract/{secrets.token_hex(6)}/registry"
    return open_storage(bucket.model_copy(update={"storage_url": prefix}))


class BreaksOff(io.BytesIO):
    """A stream that fails after some bytes."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise ConnectionError
        return super().read(size)


def keys_of(store: Storage, prefix: str = "") -> set[str]:
    return {stored.key for stored in store.list(prefix)}


def test_what_is_put_is_got_and_counted(store: Storage) -> None:
    assert store.put("media/1", io.BytesIO(b"abc")) == 3

    assert store.get("media/1") == b"abc"
    with store.open("media/1") as stream:
        assert stream.read(2) == b"ab"
    assert store.exists("media/1")


def test_putting_again_replaces_and_putting_if_absent_does_not(store: Storage) -> None:
    store.put("log/checkpoint", io.BytesIO(b"old"))
    store.put("log/checkpoint", io.BytesIO(b"new"))

    assert store.put_if_absent("log/checkpoint", b"other") is False
    assert store.get("log/checkpoint") == b"new"
    assert store.put_if_absent("log/tile/0/000.p/1", b"tile") is True
    assert store.get("log/tile/0/000.p/1") == b"tile"


def test_of_many_who_put_if_absent_at_once_one_succeeds(store: Storage) -> None:
    won: list[bytes] = []

    def put(data: bytes) -> None:
        if store.put_if_absent("one", data):
            won.append(data)

    threads = [threading.Thread(target=put, args=(bytes([number]),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [store.get("one")] == won


def test_what_is_large_comes_back_whole(store: Storage) -> None:
    """Larger than a part of an upload, and no multiple of one."""
    data = random.Random(7).randbytes((16 << 20) * 2 + 12_345)

    assert store.put("media/large", io.BytesIO(data)) == len(data)

    with store.open("media/large") as stream:
        assert hashlib.file_digest(stream, "sha256").digest() == hashlib.sha256(data).digest()
    store.move("media/large", "media/moved")
    assert store.get("media/moved") == data


def test_a_stream_is_read_from_where_it_stands_and_stays_open(store: Storage) -> None:
    stream = io.BytesIO(b"head and body")
    stream.seek(9)

    assert store.put("media/1", stream) == 4

    assert store.get("media/1") == b"body"
    assert not stream.closed


def test_nothing_is_something(store: Storage) -> None:
    assert store.put("media/empty", io.BytesIO(b"")) == 0

    assert store.exists("media/empty")
    assert store.get("media/empty") == b""
    assert store.put_if_absent("media/empty", b"x") is False


def test_an_error_of_the_streams_own_comes_through(store: Storage) -> None:
    class Refuses(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise InvalidInputError("too large", field="file")

    with pytest.raises(InvalidInputError):
        store.put("media/1", Refuses())

    assert not store.exists("media/1")


def test_a_stream_that_breaks_off_leaves_nothing(store: Storage) -> None:
    store.put("media/1", io.BytesIO(b"old"))

    with pytest.raises(StorageUnavailableError):
        store.put("media/1", BreaksOff(b"some bytes"))

    assert store.get("media/1") == b"old"
    assert keys_of(store) == {"media/1"}


@pytest.mark.parametrize("read", [lambda s, k: s.get(k), lambda s, k: s.open(k), lambda s, k: s.move(k, "x")])
def test_what_is_not_there_is_not_found(store: Storage, read: Callable[[Storage, str], object]) -> None:
    assert not store.exists("media/none")
    with pytest.raises(NotFoundError):
        read(store, "media/none")


def test_deleting_is_final_and_deleting_nothing_is_fine(store: Storage) -> None:
    store.put("media/1", io.BytesIO(b"abc"))

    store.delete("media/1")
    store.delete("media/1")

    assert not store.exists("media/1")


def test_moving_takes_an_upload_to_its_place(store: Storage) -> None:
    store.put(f"{INCOMING}abc", io.BytesIO(b"abc"))

    store.move(f"{INCOMING}abc", "media/1")

    assert keys_of(store) == {"media/1"}


def test_listing_is_by_prefix_and_tells_size_and_age(store: Storage) -> None:
    for key in ("media/1", "media/22", "mediator", "log/tile/0/000"):
        store.put(key, io.BytesIO(key.encode()))

    assert keys_of(store, "media/") == {"media/1", "media/22"}
    assert keys_of(store, "media/2") == {"media/22"}
    assert keys_of(store, "none/") == set()
    (only,) = store.list("log/")
    assert only.size_bytes == len("log/tile/0/000")
    assert only.modified_at.utcoffset() is not None


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "../x", "media/../x", "media//x", "media/", ".hidden", "a/.b", "a b", "ü", "x" * 501]
)
def test_a_key_can_not_leave_the_folder(store: Storage, key: str) -> None:
    with pytest.raises(InvalidInputError):
        store.put(key, io.BytesIO(b""))
    with pytest.raises(InvalidInputError):
        store.exists(key)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,20}(/[A-Za-z0-9_-][A-Za-z0-9._-]{0,20}){0,3}", fullmatch=True))
def test_every_allowed_key_stays_inside_the_folder(tmp_path: Path, key: str) -> None:
    path = FolderStore(tmp_path)._path(key)

    assert path.resolve().is_relative_to(tmp_path.resolve())


def test_a_folder_that_can_not_be_written_is_a_domain_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = FolderStore(tmp_path / "file")

    with pytest.raises(StorageUnavailableError):
        store.put("media/1", io.BytesIO(b""))


def test_another_kind_of_address_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError) as caught:
        open_storage(Settings(data_folder=tmp_path, storage_url="ftp://x/y"))

    assert caught.value.parameters["field"] == "storage_url"
