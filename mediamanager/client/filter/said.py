"""What each registry and catalogue said in a run, counted: which of them reserved what, and which could not answer."""

from collections import Counter
from collections.abc import Iterable, Mapping

from mediamanager.client.filter.journal import Entry
from mediamanager.client.verdicts import Verdict


def words(entry: Entry) -> list[str]:
    """Give the verdict of each source about one item, in the order in which they were given; none if none was asked."""
    said = entry.line.get("sources")
    return [str(one["verdict"]) for one in said] if isinstance(said, list) else []


class Counted:
    """Verdicts by source."""

    def __init__(self, sources: int) -> None:
        self._counted: list[Counter[str]] = [Counter() for _ in range(sources)]

    def add(self, entry: Entry) -> None:
        """Count one item."""
        for each, word in zip(self._counted, words(entry), strict=False):  # nobody was asked about what can't be read
            each[word] += 1

    def counts(self) -> list[Mapping[str, int]]:
        """Give, for each source, how many items by verdict; a word that did not occur is 0."""
        return [{str(verdict): each[verdict] for verdict in Verdict} for each in self._counted]


def count(entries: Iterable[Entry], sources: int) -> list[Mapping[str, int]]:
    """Count the items of a run for each of its sources."""
    counted = Counted(sources)
    for entry in entries:
        counted.add(entry)
    return counted.counts()
