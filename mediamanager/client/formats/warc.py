"""WARC: neighbouring records of the same address are one item: what was asked, what was answered, what is told of it.

What a server answered is decoded and looked at for what it is: a page's words, a picture, a sound. An item is asked
about by its address, too; one without content (`revisit`, a request alone) by its address alone. Kept records are
copied as they are, byte for byte, into a file of the same name; one that is kept although it could not be checked gets
a further record, of type `metadata`, which says `mediamanager: unchecked`. What names no address (`warcinfo`) or only
tells of the crawl (`dns:`) is kept.
"""

import gzip
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from fingerprinting.errors import InvalidFingerprintError
from mediamanager.client.formats.grouped import BROKEN, Group, GroupedFormat
from mediamanager.client.queries import ArchivedAnswer, Query
from mediamanager.client.warc import BrokenWarcError, Record, records
from optout.consent.identifiers import canonical_url, fingerprints_for
from optout.errors import InvalidInputError

_ANSWERS: Final = frozenset({"response", "resource", "conversion"})
_ABOUT: Final = frozenset({"request", "metadata", "revisit"})
_OF_THE_CRAWL: Final = ("dns:", "whois:", "ntp:", "metadata://gnu.org/software/wget/")
_UNCHECKED: Final = b"mediamanager: unchecked\r\n"
_NAMESPACE: Final = uuid.UUID("5a0f8a5c-6f0c-4f5e-9c53-0d8d4c8f7a11")


class WarcFormat(GroupedFormat[Record]):
    """Records of one file, or of all files of a folder in the order of their names."""

    kind = "warc"
    noun = "page"

    def __init__(self, source: Path, shards: tuple[Path, ...], fields: Mapping[str, str]) -> None:
        super().__init__(source, shards)
        if fields:
            raise InvalidInputError(
                "--field names fields of rows: records of WARC say their address themselves", field="field"
            )

    def groups(self, shard: Path) -> Iterator[Group[Record]]:
        """Give what lies in a file, by address."""
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
            yield Group(f"{shard.name} from byte {start} on", "", (), start, start, f"{BROKEN} ({problem}).")

    def query(self, shard: Path, group: Group[Record]) -> Query:
        """Ask about what was answered under an address, and about the address."""
        name = group.key or group.name
        if group.error is not None:
            return Query(name, error=group.error)
        try:
            keys, location = fingerprints_for(url=group.key), canonical_url(group.key)
        except (InvalidInputError, InvalidFingerprintError) as error:
            return Query(name, error=f"{error}.")
        answers = tuple(ArchivedAnswer(shard, one.start) for one in group.members if one.kind in _ANSWERS and one.size)
        return Query(name, answers=answers, fingerprints=keys, identifiable=False, location=location)

    def mark(self, shard: Path, group: Group[Record]) -> bytes:
        """Write the record that says so."""
        lines = (
            "WARC/1.0",
            "WARC-Type: metadata",
            f"WARC-Record-ID: <urn:uuid:{uuid.uuid5(_NAMESPACE, f'{group.name} {group.key}')}>",
            f"WARC-Target-URI: {group.key}",
            f"WARC-Date: {group.members[0].date}",
            "Content-Type: application/warc-fields",
            f"Content-Length: {len(_UNCHECKED)}",
        )
        record = "\r\n".join((*lines, "", "")).encode(errors="replace") + _UNCHECKED + b"\r\n\r\n"
        return gzip.compress(record, mtime=0) if shard.suffix.lower() == ".gz" else record


def _group(shard: Path, members: list[Record]) -> Group[Record]:
    uri = members[0].uri
    of_the_crawl = uri.lower().startswith(_OF_THE_CRAWL) or (not uri and all(one.kind == "warcinfo" for one in members))
    strange = next((one for one in members if one.kind not in _ANSWERS | _ABOUT or one.is_segment), None)
    error = None
    if strange is not None and not of_the_crawl:
        several = " in several parts" if strange.is_segment else ""
        error = f"a record of type `{strange.kind[:40]}`{several} is not read."
    name, start, end = f"{shard.name} at byte {members[0].start}", members[0].start, members[-1].end
    return Group(name, uri, tuple(members), start, end, error, is_item=not of_the_crawl)
