"""The manifest of a catalogue: its format, what it counts, and the SHA-256 of every file in it."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, TypeAlias

from optout.errors import CorruptCatalogueError

NAME: Final = "manifest.json"
FORMAT: Final = "mediamanager-catalogue"
FORMAT_VERSION: Final = 1

_BUFFER_BYTES: Final = 1 << 20


Watch: TypeAlias = Callable[[Iterator[int], int], Iterator[int]]


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of the catalogue."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a catalogue says of itself.

    Attributes:
        built_at: ISO 8601, UTC.
        works: how many.
        fingerprints: how many by algorithm.
        files: every file but the manifest, by its path with `/`.
        digest: SHA-256 of the manifest's own bytes; it names this catalogue, to the last bit.
    """

    built_at: str
    works: int
    fingerprints: Mapping[str, int]
    files: Mapping[str, FileEntry]
    digest: str


def write(folder: Path, *, built_at: str, works: int, fingerprints: Mapping[str, int]) -> None:
    """Hash all that lies in the folder and write the manifest, last of all files."""
    files = {name: _hash(folder / name) for name in _files(folder)}
    said: dict[str, object] = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "built_at": built_at,
        "works": works,
        "fingerprints": dict(fingerprints),
        "files": {name: {"sha256": one.sha256, "size_bytes": one.size_bytes} for name, one in files.items()},
    }
    (folder / NAME).write_bytes(_spelled({**said, "sha256": _digest(said)}))


def read(folder: Path) -> Manifest:
    """Read the manifest, and check that each file is there with its size (`verify` checks their bytes).

    Raises:
        CorruptCatalogueError: it is no catalogue, of an unknown format version, or a file is missing or too long or
            short.
    """
    try:
        raw = (folder / NAME).read_bytes()
    except OSError:
        raise CorruptCatalogueError(f"{folder} is not a catalogue: it has no {NAME}") from None
    manifest = _parse(folder, raw)
    for name, entry in manifest.files.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != entry.size_bytes:
            raise CorruptCatalogueError(f"the catalogue {folder} is damaged: {name} is missing or incomplete")
        # Manifests of the index are small, and say how its files are to be understood.
        if path.name == NAME and _hash(path).sha256 != entry.sha256:
            raise CorruptCatalogueError(f"the catalogue {folder} is damaged: {name} has been altered")
    return manifest


def verify(folder: Path, watch: Watch = lambda pieces, _: pieces) -> Manifest:
    """Read the manifest and check every byte of every file, and that there is no file beside them.

    Args:
        folder: of the catalogue.
        watch: passes the pieces that are checked on, and may count them; told how many there are.

    Raises:
        CorruptCatalogueError: as `read`, or a file was altered or added.
    """
    manifest = read(folder)
    added = _added(folder, manifest)
    if added:
        raise CorruptCatalogueError(f"the catalogue {folder} holds a file that is not part of it: {added[0]}")
    pieces = sum(1 + entry.size_bytes // _BUFFER_BYTES for entry in manifest.files.values())
    for _ in watch(_checked(folder, manifest), pieces):
        pass
    return manifest


def is_whole_content(folder: Path) -> bool:
    """Say whether the folder is a catalogue with nothing beside it."""
    try:
        return not _added(folder, read(folder))  # read first: the folder may be somebody's home
    except CorruptCatalogueError:
        return False


def holds(folder: Path) -> bool:
    """Say whether a catalogue lies there, whole or not."""
    try:
        said = json.loads((folder / NAME).read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(said, dict) and said.get("format") == FORMAT


def _checked(folder: Path, manifest: Manifest) -> Iterator[int]:
    """Check the bytes of all files; gives the number of each piece."""
    number = 0
    for name, entry in manifest.files.items():
        digest = hashlib.sha256()
        with (folder / name).open("rb") as file:
            for _ in range(1 + entry.size_bytes // _BUFFER_BYTES):
                digest.update(file.read(_BUFFER_BYTES))
                yield number
                number += 1
        if digest.hexdigest() != entry.sha256:
            raise CorruptCatalogueError(f"the catalogue {folder} is damaged: {name} has been altered")


def _parse(folder: Path, raw: bytes) -> Manifest:
    try:
        parsed = json.loads(raw)
        if parsed["format"] != FORMAT:
            raise CorruptCatalogueError(f"{folder} is not a catalogue: its {NAME} is of another format")
        if parsed["format_version"] != FORMAT_VERSION:
            raise CorruptCatalogueError(
                f"the catalogue {folder} has format version {parsed['format_version']}; this program reads "
                f"{FORMAT_VERSION}: update it, or build the catalogue again"
            )
        if raw != _spelled(parsed) or parsed.pop("sha256") != _digest(parsed):
            raise CorruptCatalogueError(f"the catalogue {folder} is damaged: its {NAME} has been altered")
        files = {
            _inside(name): FileEntry(str(entry["sha256"]), int(entry["size_bytes"]))
            for name, entry in parsed["files"].items()
        }
        counts = {str(name): int(count) for name, count in parsed["fingerprints"].items()}
        return Manifest(str(parsed["built_at"]), int(parsed["works"]), counts, files, hashlib.sha256(raw).hexdigest())
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise CorruptCatalogueError(f"the catalogue {folder} is damaged: its {NAME} can't be understood") from error


def _spelled(said: Mapping[str, object]) -> bytes:
    return json.dumps(said, indent=1, sort_keys=True).encode() + b"\n"


def _digest(said: Mapping[str, object]) -> str:
    """Cover the manifest itself by a checksum, which stands in it."""
    return hashlib.sha256(_spelled(said)).hexdigest()


def _inside(name: str) -> str:
    """Refuse a name that leads out of the folder: a manifest may come from somebody else."""
    path = Path(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError(name)
    return name


def _added(folder: Path, manifest: Manifest) -> list[str]:
    """Give what lies there and is not named; a folder of it may be a link, where somebody moved it to another disk."""
    named = set(manifest.files)
    named |= {parent.as_posix() for name in named for parent in PurePosixPath(name).parents}
    return [name for name in _files(folder) if name not in named]


def _files(folder: Path) -> list[str]:
    """Give all that is no plain folder: a link or a pipe is somebody's, too, and no part of a catalogue."""
    found = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(path.relative_to(folder).as_posix() for path in found if path != folder / NAME)


def _hash(path: Path) -> FileEntry:
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while piece := file.read(_BUFFER_BYTES):
            digest.update(piece)
            size += len(piece)
    return FileEntry(digest.hexdigest(), size)
