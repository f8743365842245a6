"""An index folder is written whole or not at all, and anything wrong with it is noticed."""

import errno
import io
import json
import resource
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from fingerprinting.errors import CorruptIndexError
from fingerprinting.index import folder as folders


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    place = tmp_path / "index"
    with folders.new_folder(place) as scratch:
        with folders.new_folder(scratch / "child") as child:
            folders.write(child, "inner", {"b": np.empty(0, dtype=np.uint64)}, {})
        folders.write(scratch, "outer", {"a": np.arange(5, dtype=">u4")}, {"n": 5}, {"child": scratch / "child"})
    return place


def test_what_was_written_is_read_back_little_endian_and_memory_mapped(saved: Path) -> None:
    contents = folders.read(saved, "outer", verify=True)

    assert contents.arrays["a"].tolist() == [0, 1, 2, 3, 4]
    assert contents.arrays["a"].dtype == np.dtype("<u4")
    assert isinstance(contents.arrays["a"], np.memmap)
    assert (contents.parameters, contents.children) == ({"n": 5}, ("child",))
    assert len(folders.read(saved / "child", "inner", verify=True).arrays["b"]) == 0


def test_a_failure_while_writing_leaves_nothing_behind(tmp_path: Path) -> None:
    def write_half() -> None:
        with folders.new_folder(tmp_path / "index") as scratch:
            (scratch / "half").write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_half()

    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_is_said_to_be_and_what_lies_on_it(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))  # of one file, but the system tells it in the same way
    try:
        with pytest.raises(OSError, match="too large") as caught, folders.new_folder(tmp_path / "index") as scratch:
            folders.write(scratch, "outer", {"a": np.zeros(1 << 20, np.uint64)}, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(tmp_path / "index"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("array", [np.arange(7, dtype=">u2"), np.zeros((0, 32), np.uint8), np.eye(3, dtype=np.float32)])
def test_an_array_is_written_as_numpy_writes_it(tmp_path: Path, array: folders.Array) -> None:
    with folders.new_folder(tmp_path / "index") as scratch:
        folders.write(scratch, "outer", {"a": array}, {})

    written = io.BytesIO()
    np.save(written, array.astype(array.dtype.newbyteorder("<")))
    assert (tmp_path / "index" / "a.npy").read_bytes() == written.getvalue()


def test_an_existing_folder_is_never_overwritten(saved: Path) -> None:
    with pytest.raises(FileExistsError, match="never overwritten"), folders.new_folder(saved):
        pass

    assert folders.read(saved, "outer", verify=True).parameters == {"n": 5}


def break_missing(place: Path) -> None:
    (place / "a.npy").unlink()


def break_truncated(place: Path) -> None:
    (place / "a.npy").write_bytes((place / "a.npy").read_bytes()[:-1])


def break_flipped(place: Path) -> None:
    content = bytearray((place / "a.npy").read_bytes())
    content[-1] ^= 1
    (place / "a.npy").write_bytes(content)


def break_child(place: Path) -> None:
    manifest = place / "child" / "manifest.json"
    manifest.write_text(manifest.read_text().replace("inner", "other"))


def break_manifest_missing(place: Path) -> None:
    (place / "manifest.json").unlink()


def break_manifest_cut(place: Path) -> None:
    (place / "manifest.json").write_text((place / "manifest.json").read_text()[:40])


def change_manifest(place: Path, **changes: object) -> None:
    manifest = json.loads((place / "manifest.json").read_text())
    (place / "manifest.json").write_text(json.dumps(manifest | changes))


def break_format(place: Path) -> None:
    change_manifest(place, format="something-else")


def break_version(place: Path) -> None:
    change_manifest(place, version=2)


def break_kind(place: Path) -> None:
    change_manifest(place, kind="inner")


def break_files(place: Path) -> None:
    change_manifest(place, files={"a.npy": {"bytes": 3}})


def break_outside(place: Path) -> None:
    (place.parent / "stranger.npy").write_bytes(b"1234")
    change_manifest(place, files={"../stranger.npy": {"bytes": 4, "sha256": "00"}})


BREAKS = [
    break_missing,
    break_truncated,
    break_flipped,
    break_child,
    break_manifest_missing,
    break_manifest_cut,
    break_format,
    break_version,
    break_kind,
    break_files,
    break_outside,
]


@pytest.mark.parametrize("damage", BREAKS, ids=lambda damage: damage.__name__)
def test_a_damaged_folder_is_refused_and_the_error_says_what_to_do(saved: Path, damage: object) -> None:
    assert callable(damage)
    damage(saved)

    with pytest.raises(CorruptIndexError, match="Build it again"):
        folders.read(saved, "outer", verify=True)


def test_without_verify_sizes_and_children_are_still_checked(saved: Path) -> None:
    break_flipped(saved)
    assert folders.read(saved, "outer", verify=False).parameters == {"n": 5}

    break_child(saved)
    with pytest.raises(CorruptIndexError):
        folders.read(saved, "outer", verify=False)


def test_a_file_that_is_no_array_is_refused(saved: Path) -> None:
    (saved / "a.npy").write_bytes(b"x" * (saved / "a.npy").stat().st_size)

    with pytest.raises(CorruptIndexError, match="not an array"):
        folders.read(saved, "outer", verify=False)


@pytest.mark.parametrize(
    "shape", ["(2**40,)", "(6,)", "(4,)", "(-5,)", "(5, 0)", "(10**30,)", "(0, 10**30)", "((5,),)"]
)
def test_nothing_is_allotted_by_what_a_header_claims(saved: Path, shape: str) -> None:
    path = saved / "a.npy"
    raw = path.read_bytes()
    claim = shape.replace("2**40", str(2**40)).replace("10**30", str(10**30))
    path.write_bytes(raw[:128].replace(b"(5,), }", f"{claim}, }}".encode()).strip().ljust(127) + b"\n" + raw[128:])

    with warnings.catch_warnings(action="ignore"), pytest.raises(CorruptIndexError, match="not an array"):
        folders.read(saved, "outer", verify=False)


@pytest.mark.parametrize("said", ["[" * 100_000, '{"format": ' * 100_000, "null", "[]"])
def test_a_manifest_made_to_do_harm_is_refused(saved: Path, said: str) -> None:
    (saved / folders.MANIFEST).write_text(said)

    with pytest.raises(CorruptIndexError):
        folders.read(saved, "outer", verify=False)


@pytest.mark.parametrize("number", [float("inf"), float("nan"), None, "x", []])
def test_a_parameter_that_is_no_number_is_refused(saved: Path, number: object) -> None:
    change_manifest(saved, parameters={"n": number})

    with pytest.raises(CorruptIndexError, match="lacks a part"):
        folders.read(saved, "outer", verify=False)


def test_a_flipped_bit_anywhere_in_an_arrays_header_is_an_error_of_ours_or_none(saved: Path) -> None:
    path = saved / "a.npy"
    raw = path.read_bytes()

    for bit in range(128 * 8):
        altered = bytearray(raw)
        altered[bit // 8] ^= 1 << bit % 8
        path.write_bytes(altered)
        with suppress(CorruptIndexError), warnings.catch_warnings(action="ignore"):
            folders.read(saved, "outer", verify=False)


def test_an_array_of_another_type_than_needed_is_refused(saved: Path) -> None:
    contents = folders.read(saved, "outer", verify=True)

    folders.require(saved, contents, {"a": ("<u4", 1)})
    for needed in ({"a": ("<u8", 1)}, {"a": ("<u4", 2)}, {"b": ("<u4", 1)}):
        with pytest.raises(CorruptIndexError, match=r"\.npy"):
            folders.require(saved, contents, needed)
