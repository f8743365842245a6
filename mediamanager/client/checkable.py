"""A source that can be asked about files, not only about assets: what `Registry` and `Catalogue` build on."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from fingerprinting.types import Depth
from mediamanager.client.queries import Askable
from mediamanager.client.questions import Question
from mediamanager.client.source import Source
from mediamanager.client.verdicts import Checked
from optout.consent.vocabulary import EvidenceLevel, Use


class CheckableSource(Source):
    """A source with the one interface of the client: `check`."""

    def check(
        self,
        asked: Iterable[Askable],
        use: Use | str = Use.TRAIN_GENAI,
        *,
        depth: Depth | str = Depth.STANDARD,
        min_evidence: EvidenceLevel | str = EvidenceLevel.SELF_DECLARED,
        at: datetime | None = None,
        known_at: datetime | None = None,
        workers: int | None = None,
    ) -> Iterator[Checked]:
        """Check files, addresses or assets: a verdict each, in order, as soon as it is there.

        Files are fingerprinted on this machine, in child processes; only fingerprints leave it.

        Args:
            asked: paths of files (no folders), http(s) addresses, assets or queries.
            use: what is to be done with them.
            depth: how much work the search may do.
            min_evidence: statements below this level do not count.
            at: the moment that the verdicts are for, with time zone; now, if left out.
            known_at: leave out what was recorded later than this moment.
            workers: child processes; as many as there are cores, if left out.
        """
        from mediamanager.client.checking import check  # noqa: PLC0415 - it loads what fingerprints

        question = Question(Use(use), Depth(depth), EvidenceLevel(min_evidence), at, known_at)
        return check([self], asked, question, workers=workers)
