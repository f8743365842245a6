"""WARC: neighbouring records of the same address are one item: what was asked, what was answered, what is told of it.

What a server answered is decoded and looked at for what it is: a page's words, a picture, a sound. An item is asked
about by its address, too; one without content (`revisit`, a request alone) by its address alone. Kept records are
copied as they are, byte for byte, into a file of the same name; one that is kept although it could not be checked gets
a further record, of type `metadata`, which says `mediamanager: unchecked`. What names no address (`warcinfo`) or only
tells of the crawl (`dns:`) is kept.
"""

import gzip
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from fingerprinting.errors import InvalidFingerprintError
from mediamanager.client import files
from mediamanager.client.formats.base import Format, Item, Kept, KeptItem
from mediamanager.client.formats.shards import beside, stamp
from mediamanager.client.queries import ArchivedAnswer, Query
from mediamanager.client.warc import BrokenWarcError, Record, records
from optout.consent.identifiers import canonical_url, fingerprints_for
from optout.errors import InvalidInputError

KEPT: Final = "kept"
MANIFEST: Final = "kept.sha256"

_ANSWERS: Final = frozenset({"response", "resource", "conversion"})
_ABOUT: Final = frozenset({"request", "metadata", "revisit"})
_OF_THE_CRAWL: Final = ("dns:", "whois:", "ntp:", "metadata://gnu.org/software/wget/")
_BROKEN: Final = "this file can't be read further"
_UNCHECKED: Final = b"mediamanager: unchecked\r\n"
_NAMESPACE: Final = uuid.UUID("5a0f8a5c-6f0c-4f5e-9c53-0d8d4c8f7a11")


@dataclass(frozen=True, slots=True)
class _Group:
    """Neighbouring records of one address; without address, what belongs to the crawl; or an end that can't be read."""

    name: str
    uri: str
    members: tuple[Record, ...]
    error: str | None = None


class WarcFormat(Format):
    """Records of one file, or of all files of a folder in the order of their names."""

    kind = "warc"
    noun = "page"

    def __init__(self, source: Path, shards: tuple[Path, ...], fields: Mapping[str, str]) -> None:
        super().__init__(source)
        if fields:
            raise InvalidInputError(
                "--field names fields of rows: records of WARC say their address themselves", field="field"
            )
        self._shards = shards
        self._stamps = {shard: stamp(shard) for shard in shards}
        self.notes = beside(source, shards)

    @property
    def count(self) -> None:
        """Not known without reading all of it."""
        return

    def items(self) -> Iterator[Item]:
        """Give every address, named by its file and the byte it begins at."""
        for shard in self._shards:
            for group in _groups(shard):
                if group.uri or group.error:
                    end = group.members[-1].end if group.members else 0
                    yield Item(group.name, f"{self._stamps[shard]}-{end}", _query(shard, group))

    def keep(self, item: Item, output: Path) -> None:  # noqa: ARG002 - nothing is written yet
        """Records are kept all at once, at the end; what can't be told apart can't be kept."""
        if item.query.error is not None and item.query.error.startswith(_BROKEN):
            raise OSError(item.query.error.rstrip("."))

    def finish(self, kept: Iterable[KeptItem], output: Path) -> Kept:
        """Write `kept/`: a file for each, and `kept.sha256` in the form that `sha256sum --check` reads."""
        (output / KEPT).mkdir(exist_ok=True)
        wanted = iter(kept)
        waiting = next(wanted, None)
        with files.replacing(output / MANIFEST) as manifest:
            for shard in self._shards:
                is_packed = shard.suffix.lower() == ".gz"
                with files.replacing(output / KEPT / shard.name) as target, shard.open("rb") as source:
                    for group in _groups(shard):
                        if group.error is None and not group.uri:
                            _copy(group, source, target, is_packed=is_packed)
                        elif waiting is not None and waiting.name == group.name:
                            _copy(group, source, target, is_packed=is_packed)
                            if waiting.unchecked:
                                target.write(_mark(group, is_packed=is_packed))
                            waiting = next(wanted, None)
                if stamp(shard) != self._stamps[shard]:
                    raise OSError(f"{shard} was changed while it was being filtered")
                manifest.write(files.checksum_line(files.sha256_of(output / KEPT / shard.name), f"{KEPT}/{shard.name}"))
        if waiting is not None:
            raise OSError(f"{self.source} was changed while it was being filtered")
        return Kept(MANIFEST, files.sha256_of(output / MANIFEST))


def _groups(shard: Path) -> Iterator[_Group]:
    """Give what lies in a file in order. What can't be read is a group with its error, and the last one."""
    together: list[Record] = []
    try:
        for record in records(shard):
            if together and record.uri != together[0].uri:
                yield _group(shard, together)
                together = []
            together.append(record)
        if together:
            yield _group(shard, together)
    except (BrokenWarcError, OSError) as problem:
        start = together[0].start if together else 0
        yield _Group(f"{shard.name} from byte {start} on", "", (), f"{_BROKEN} ({problem}).")


def _group(shard: Path, members: list[Record]) -> _Group:
    uri = members[0].uri
    of_the_crawl = uri.lower().startswith(_OF_THE_CRAWL) or (not uri and all(one.kind == "warcinfo" for one in members))
    name = f"{shard.name} at byte {members[0].start}"
    if of_the_crawl:
        return _Group(name, "", tuple(members))
    strange = next((one for one in members if one.kind not in _ANSWERS | _ABOUT or one.is_segment), None)
    error = None
    if strange is not None:
        error = f"a record of type `{strange.kind[:40]}`" + (" in several parts" if strange.is_segment else "")
        error += " is not read."
    return _Group(name, uri, tuple(members), error)


def _query(shard: Path, group: _Group) -> Query:
    if group.error is not None:
        return Query(group.uri or group.name, error=group.error)
    try:
        keys, location = fingerprints_for(url=group.uri), canonical_url(group.uri)
    except (InvalidInputError, InvalidFingerprintError) as error:
        return Query(group.uri or group.name, error=f"{error}.")
    answers = tuple(ArchivedAnswer(shard, one.start) for one in group.members if one.kind in _ANSWERS and one.size)
    return Query(group.uri, answers=answers, fingerprints=keys, identifiable=False, location=location)


def _copy(group: _Group, source: IO[bytes], target: IO[bytes], *, is_packed: bool) -> None:
    for one in group.members:
        if not files.copy_part(source, one.start, one.end - one.start, target):
            raise OSError(f"{group.name} was changed while it was being filtered")
        if not is_packed:
            target.write(b"\r\n\r\n")


def _mark(group: _Group, *, is_packed: bool) -> bytes:
    """Write the record that says so; the same each time."""
    lines = (
        "WARC/1.0",
        "WARC-Type: metadata",
        f"WARC-Record-ID: <urn:uuid:{uuid.uuid5(_NAMESPACE, f'{group.name} {group.uri}')}>",
        f"WARC-Target-URI: {group.uri}",
        f"WARC-Date: {group.members[0].date}",
        "Content-Type: application/warc-fields",
        f"Content-Length: {len(_UNCHECKED)}",
    )
    record = "\r\n".join((*lines, "", "")).encode(errors="replace") + _UNCHECKED + b"\r\n\r\n"
    return gzip.compress(record, mtime=0) if is_packed else record
