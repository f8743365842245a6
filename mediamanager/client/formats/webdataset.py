"""WebDataset: tar files whose neighbouring members with the same name, up to its first dot, are one sample.

The media of a sample are fingerprinted where they lie in the shard; nothing is unpacked under a name that it gives. Its
`.txt` is asked about as text; of its `.json` the fields `url`, `youtube`, `sha256` and `fingerprints` count. Labels and
arrays say nothing about whose work it is. Kept samples are copied as they are, byte for byte, into a tar of the same
name; one that is kept although it could not be checked gets a further member, `KEY.mediamanager`, which holds
`unchecked`.
"""

import io
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, TypeAlias

from fingerprinting.errors import InvalidFingerprintError
from mediamanager.client.formats.grouped import BROKEN, Group, GroupedFormat
from mediamanager.client.formats.row import Row
from mediamanager.client.queries import Part, Query
from optout.errors import InvalidInputError

SUFFIX: Final = ".tar"
FIELDS: Final = ("url", "youtube", "sha256", "fingerprints")

# Labels, numbers and arrays: what training code calls them.
_BESIDE: Final = frozenset(
    {".cls", ".cls2", ".class", ".count", ".id", ".idx", ".index", ".inx", ".npy", ".npz", ".pickle", ".pkl", ".pt"}
    | {".pth", ".pyd", ".safetensors", ".ten", ".tb"}
)
_WORDS: Final = frozenset({".txt", ".text", ".caption", ".transcript"})
_MAX_WORDS: Final = 12 * 1024**2
_MAX_JSON: Final = 4 * 1024**2
_AT_ONCE: Final = 1 << 20
_MARK: Final = "mediamanager"

Sample: TypeAlias = Group[tarfile.TarInfo]
"""Neighbouring members of a shard; its key is their name up to the first dot."""


class WebDatasetFormat(GroupedFormat[tarfile.TarInfo]):
    """Samples of one shard, or of all shards of a folder in the order of their names."""

    kind = "webdataset"
    noun = "sample"
    at_the_end = bytes(2 * tarfile.BLOCKSIZE)
    unseen = ("label or array", "labels or arrays")

    def __init__(self, source: Path, shards: tuple[Path, ...], fields: Mapping[str, str]) -> None:
        super().__init__(source, shards)
        self._names = {field: fields.get(field, field) for field in FIELDS}
        if unknown := sorted(set(fields) - set(FIELDS)):
            raise InvalidInputError(
                f"`{unknown[0]}` is no field of a sample's JSON: name {', '.join(FIELDS)}", field="field"
            )

    def groups(self, shard: Path) -> Iterator[Sample]:
        """Give the samples of a shard."""
        return _samples(shard)

    def mark(self, shard: Path, group: Sample) -> bytes:  # noqa: ARG002 - all shards are alike
        """Write the member that says so."""
        return _mark(group.key)

    def kept_unseen(self, group: Sample) -> int:
        """Count labels and arrays."""
        return sum(_suffix(member) in _BESIDE for member in group.members)

    def query(self, shard: Path, group: Sample) -> Query:
        """Ask about media, words and keys of a sample."""
        if group.error is not None:
            return Query(group.name, error=group.error)
        parts: list[Part] = []
        texts: list[str] = []
        known = Query(group.name)
        error = None
        with shard.open("rb") as file:
            for member in group.members:
                suffix = _suffix(member)
                if suffix in _BESIDE or not member.size:
                    continue
                try:
                    if suffix in _WORDS:
                        texts.append(_read(file, member, _MAX_WORDS).decode("utf-8", errors="replace"))
                    elif suffix == ".json":
                        known = self._known(_read(file, member, _MAX_JSON), group.name)
                    else:
                        name = PurePosixPath(member.name).name
                        parts.append(Part(shard, member.offset_data, member.size, name))
                except (InvalidInputError, InvalidFingerprintError) as problem:
                    error = f"{PurePosixPath(member.name).name}: {problem}."
        text = "\n".join(texts) if any(one.strip() for one in texts) else None
        if error is None and not parts and text is None and not known.fingerprints:
            error = "this sample has nothing to look it up by: no media, no text and no address."
        return Query(
            group.name,
            text=text,
            parts=tuple(parts),
            fingerprints=known.fingerprints,
            identifiable=known.identifiable,
            location=known.location,
            error=error,
        )

    def _known(self, raw: bytes, name: str) -> Query:
        row = Row.parse(raw, self._names)
        return row.query(name, self.source) if row.values else Query(name)


def _samples(shard: Path) -> Iterator[Sample]:
    """Give the samples of a shard in order. What can't be read is a sample with its error, and the last one."""
    seen: dict[str, int] = {}
    together: list[tarfile.TarInfo] = []
    end = 0
    try:
        with tarfile.open(shard, "r:") as tar:
            while (member := tar.next()) is not None:
                tar.members.clear()  # type: ignore[attr-defined] # typeshed omits what else keeps all headers
                if together and _key(member) != _key(together[0]):
                    yield _sample(shard, together, seen)
                    together = []
                end = _end(member)
                if not member.isdir():
                    together.append(member)
        if not _ends_well(shard, end):
            raise tarfile.ReadError("it is cut off, or something else follows")
        if together:
            yield _sample(shard, together, seen)
    except (tarfile.TarError, OSError, ValueError, EOFError) as problem:
        start = together[0].offset if together else end
        yield Group(f"{shard.name} from byte {start} on", "", (), start, start, f"{BROKEN} ({problem}).")


def _sample(shard: Path, members: list[tarfile.TarInfo], seen: dict[str, int]) -> Sample:
    key = _key(members[0])
    seen[key] = seen.get(key, 0) + 1
    name = f"{shard.name}/{key}" + (f" ({seen[key]})" if seen[key] > 1 else "")
    strange = next((one for one in members if not one.isreg() or one.issparse()), None)
    error = None
    if strange is not None:
        error = f"{PurePosixPath(strange.name).name} is a link or no regular file: its content is not in the shard."
    return Group(name, key, tuple(members), members[0].offset, _end(members[-1]), error)


def _key(member: tarfile.TarInfo) -> str:
    folder, slash, name = member.name.rpartition("/")
    return f"{folder}{slash}{name.split('.', 1)[0]}"


def _suffix(member: tarfile.TarInfo) -> str:
    return PurePosixPath(member.name).suffix.lower()


def _end(member: tarfile.TarInfo) -> int:
    size = member.size if member.isreg() else 0
    return member.offset_data + -(-size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


def _ends_well(shard: Path, end: int) -> bool:
    """Say whether nothing but zeros follows the last member, and whether that one is there to its end."""
    with shard.open("rb") as file:
        if file.seek(0, io.SEEK_END) < end + tarfile.BLOCKSIZE:
            return False  # zeros say that nothing is missing
        file.seek(end)
        while some := file.read(_AT_ONCE):
            if some.count(0) != len(some):
                return False
    return True


def _read(file: BinaryIO, member: tarfile.TarInfo, most: int) -> bytes:
    if member.size > most:
        raise InvalidInputError(f"it is longer than the {most // 1024**2} MB that are read")
    file.seek(member.offset_data)
    return file.read(member.size)


def _mark(key: str) -> bytes:
    content = b"unchecked\n"
    header = tarfile.TarInfo(f"{key}.{_MARK}")
    header.size = len(content)
    return header.tobuf(tarfile.PAX_FORMAT) + content.ljust(tarfile.BLOCKSIZE, b"\0")
