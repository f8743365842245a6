"""A folder: each file is an item, and kept files keep their place in the tree."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from mediamanager.client import files
from mediamanager.client.formats.base import Format, Item, Kept, KeptItem
from mediamanager.client.queries import Query, walk

KEPT = "kept"
MANIFEST = "kept.sha256"

_WHILE_RUNNING = ".kept-incomplete"


class FolderFormat(Format):
    """Files under a folder, in sorted order, hidden ones left out."""

    kind = "folder"

    def __init__(self, source: Path, output: Path) -> None:
        super().__init__(source)
        found = walk([source])
        inside = output.resolve()
        self._queries = [query for query in found.queries if not Path(query.path).resolve().is_relative_to(inside)]
        self.notes = tuple(found.notes)

    @property
    def count(self) -> int:
        """How many files there are."""
        return len(self._queries)

    def items(self) -> Iterator[Item]:
        """Give every file, named by its path in the folder."""
        for query in self._queries:
            name = Path(query.path).relative_to(self.source).as_posix()
            yield Item(name, _stamp(query), replace(query, path=name))

    def keep(self, item: Item, output: Path) -> None:
        """Link the file, or copy it where a link can't be made, under its name."""
        source = item.query.file
        if source is None:
            raise OSError(f"{item.name} is not a file that can be kept")
        target = output / _WHILE_RUNNING / item.name
        target.parent.mkdir(parents=True, exist_ok=True)
        files.link(source, target)
        if _stamp(item.query) != item.stamp:
            target.unlink()
            raise OSError(f"{item.name} was changed while it was being checked")

    def drop(self, item: Item, output: Path) -> None:
        """Remove the file from where files are kept; the input's own stays."""
        (output / _WHILE_RUNNING / item.name).unlink(missing_ok=True)

    def reopen(self, output: Path) -> None:
        """Give the folder back the name that says that it is not complete."""
        if (output / KEPT).exists():
            (output / KEPT).rename(output / _WHILE_RUNNING)

    def finish(self, kept: Iterable[KeptItem], output: Path) -> Kept:
        """Write `kept.sha256` in the form that `sha256sum --check` reads, and give the folder its final name."""
        running, final = output / _WHILE_RUNNING, output / KEPT
        if not final.exists():
            running.mkdir(exist_ok=True)
            running.rename(final)
        with files.replacing(output / MANIFEST) as manifest:
            for item in kept:
                manifest.write(
                    files.checksum_line(item.sha256 or files.sha256_of(final / item.name), f"{KEPT}/{item.name}")
                )
        return Kept(MANIFEST, files.sha256_of(output / MANIFEST))


def _stamp(query: Query) -> str:
    if query.file is None:
        return query.error or ""
    try:
        status = query.file.stat()
    except OSError as error:
        return str(error.strerror)
    return f"{status.st_size}-{status.st_mtime_ns}"
