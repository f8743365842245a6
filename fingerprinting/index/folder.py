"""A folder of .npy arrays with a manifest: written whole or not at all, checked when it is opened."""

import hashlib
import json
import math
import os
import tokenize
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fingerprinting import whole
from fingerprinting.errors import CorruptIndexError

Array: TypeAlias = NDArray[Any]

FORMAT = "mediamanager-index"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
_CHUNK_BYTES = 1 << 20
_ARRAY_VERSION = (1, 0)
_UNREADABLE_HEADER = (SyntaxError, tokenize.TokenError)  # numpy reads a header that it can't parse as Python


@dataclass(frozen=True, slots=True)
class FolderContents:
    """What was read from a folder: memory-mapped arrays, numbers, and the names of its sub-folders."""

    arrays: Mapping[str, Array]
    parameters: Mapping[str, int]
    children: tuple[str, ...]


@contextmanager
def new_folder(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary folder beside `folder` to write into, and move it there at the end.

    A crash leaves at most a hidden temporary folder behind, never half an index under the name asked for.

    Raises:
        FileExistsError: there is something other than an empty folder at that place: an index is immutable.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} exists already: an index is never overwritten, choose another folder")
    with whole.folder(folder) as scratch:
        yield scratch


def write(
    folder: Path,
    kind: str,
    arrays: Mapping[str, Array],
    parameters: Mapping[str, int],
    children: Mapping[str, Path] | None = None,
) -> None:
    """Fill a folder with arrays (little-endian .npy, C order) and the manifest, flushed to the disk.

    Args:
        folder: exists and is empty but for `children`.
        kind: what the folder is; opening it as another kind is refused.
        arrays: by file name without its ending.
        parameters: numbers that the reader needs beside the arrays.
        children: sub-folders that were written by this function already; their manifests are covered by checksums.
    """
    files: dict[str, dict[str, int | str]] = {}
    for name, array in arrays.items():
        path = folder / f"{name}.npy"
        _save(path, np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")))
        files[path.name] = {"bytes": path.stat().st_size, "sha256": _sha256(path)}
    for name, child in (children or {}).items():
        files[f"{name}/{MANIFEST}"] = {
            "bytes": (child / MANIFEST).stat().st_size,
            "sha256": _sha256(child / MANIFEST),
        }
    manifest = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "kind": kind,
        "parameters": dict(parameters),
        "children": sorted(children or {}),
        "files": files,
    }
    with (folder / MANIFEST).open("w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    whole.sync(folder)


def read(folder: Path, kind: str, *, verify: bool) -> FolderContents:
    """Open what `write` wrote, memory-mapped.

    Args:
        folder: where it lies.
        kind: what it must be.
        verify: compare every byte with its checksum, not only sizes and headers.

    Raises:
        CorruptIndexError: a file is missing, of another size or (with `verify`) altered, or the folder is of an
            unknown format, version or kind.
    """
    manifest = _manifest(folder, kind)
    try:
        files = {str(name): (int(facts["bytes"]), str(facts["sha256"])) for name, facts in manifest["files"].items()}
        parameters = {str(name): int(value) for name, value in manifest["parameters"].items()}
        children = tuple(str(name) for name in manifest["children"])
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise corrupt(folder, f"{MANIFEST} lacks a part") from error
    arrays: dict[str, Array] = {}
    for name, (size, digest) in files.items():
        path = _inside(folder, name)
        if not path.is_file() or path.stat().st_size != size:
            raise corrupt(folder, f"{name} is missing or has another size")
        # A child's manifest is small and stands for the whole child, so it is always compared.
        if (verify or path.name == MANIFEST) and _sha256(path) != digest:
            raise corrupt(folder, f"{name} has been altered")
        if path.suffix == ".npy":
            arrays[path.stem] = _load(folder, path)
    return FolderContents(arrays, parameters, children)


def require(folder: Path, contents: FolderContents, shapes: Mapping[str, tuple[str, int]]) -> None:
    """Check that the arrays are there with the type (such as `<u4`) and number of dimensions that the reader needs.

    Raises:
        CorruptIndexError: one is missing or different.
    """
    for name, (dtype, dimensions) in shapes.items():
        array = contents.arrays.get(name)
        if array is None or array.dtype != np.dtype(dtype) or array.ndim != dimensions:
            raise corrupt(folder, f"{name}.npy is missing or of another type")


def require_layout(folder: Path, contents: FolderContents, layout: int) -> None:
    """Check that the arrays mean what the reader takes them for: each kind of index numbers its layouts.

    Raises:
        CorruptIndexError: they are laid out in another way.
    """
    found = contents.parameters.get("layout")
    if found != layout:
        raise corrupt(folder, f"its layout is {found}, this program reads {layout}")


def corrupt(folder: Path, problem: str) -> CorruptIndexError:
    """Make the error that says what is wrong with an index folder, and what to do."""
    return CorruptIndexError(
        f"the index in {folder} cannot be used: {problem}. Build it again, or pull it again.",
        folder=str(folder),
        problem=problem,
    )


def _manifest(folder: Path, kind: str) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except OSError as error:
        raise corrupt(folder, f"{MANIFEST} cannot be read") from error
    except (ValueError, RecursionError) as error:
        raise corrupt(folder, f"{MANIFEST} is not JSON") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise corrupt(folder, "it is not an index")
    if manifest.get("version") != FORMAT_VERSION:
        raise corrupt(folder, f"its format version is {manifest.get('version')}, this program reads {FORMAT_VERSION}")
    if manifest.get("kind") != kind:
        raise corrupt(folder, f"it is of kind {manifest.get('kind')!r}, not {kind!r}")
    return manifest


def _inside(folder: Path, name: str) -> Path:
    """Resolve a name of the manifest, refusing any that leads out of the folder (a pulled index is a stranger's)."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise corrupt(folder, f"{name} lies outside of it")
    return path


def _save(path: Path, array: Array) -> None:
    """Write the very bytes that `np.save` writes, which of a full disk only says how many items it wrote."""
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
        file.write(array.reshape(-1).view(np.uint8).data)
        file.flush()
        os.fsync(file.fileno())


def _load(folder: Path, path: Path) -> Array:
    try:
        array = _map(path)
    except (*_UNREADABLE_HEADER, OSError, EOFError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise corrupt(folder, f"{path.name} is not an array") from error
    if array is None:
        raise corrupt(folder, f"{path.name} is not an array")
    return array


def _map(path: Path) -> Array | None:
    """Map an array. Its header is a stranger's word: nothing is allotted before the file is seen to be as long."""
    with path.open("rb") as file:
        if np.lib.format.read_magic(file) != _ARRAY_VERSION:
            return None
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)
        start = file.tell()
    size = math.prod(shape) * dtype.itemsize
    if is_fortran or dtype.hasobject or min(shape, default=0) < 0 or start + size != path.stat().st_size:
        return None
    if not size:  # what has no bytes can't be mapped
        return np.empty(shape, dtype)
    return np.memmap(path, dtype, "r", start, shape)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
