"""Several catalogues asked at once: each answers by itself, and the most restrictive answer counts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain

from fingerprinting.types import Depth
from optout.catalogue import answer as answering
from optout.catalogue.answer import CatalogueView
from optout.catalogue.answers import Answer, Asset, Reasons
from optout.consent.combining import combine_sources
from optout.consent.reasons import Code, Reason
from optout.consent.vocabulary import EvidenceLevel, Use
from optout.errors import InvalidInputError


def answer(
    views: Mapping[str, CatalogueView],
    assets: Sequence[Asset],
    use: Use,
    requester: str | None = None,
    at: datetime | None = None,
    *,
    depth: Depth = Depth.STANDARD,
    min_evidence: EvidenceLevel = EvidenceLevel.SELF_DECLARED,
    known_at: datetime | None = None,
    max_matches: int = answering.MAX_MATCHES_SHOWN,
) -> list[Answer]:
    """Answer as `optout.catalogue.answer.answer` does, from all of several catalogues.

    Each asks for the evidence that its own number of works asks for, so that a further catalogue never weakens what
    the others say. All must allow: one that knows nothing of an asset keeps the others from permitting it.

    Args:
        views: what is known, by the name of each.
        assets: may be empty.
        use: a leaf or an aggregate.
        requester: pseudonymous id of the asking account, if anybody in particular asks.
        at: the moment that the verdicts are for, with time zone; one moment for all, now if left out.
        depth: how much work the search may do.
        min_evidence: statements below this level are reported, but do not count.
        known_at: leave out what was recorded later.
        max_matches: how many works of each catalogue are shown for an asset.

    Returns:
        An answer per asset, in order; `said` holds the verdict of each catalogue, and a match names its own in its
        evidence as `source`.

    Raises:
        InvalidInputError: no catalogue, and what `answer.answer` raises.
        Whatever a view raises: nothing is answered where one could not be asked.
    """
    if not views:
        raise InvalidInputError("no catalogue to ask: give one or more", field="catalogue")
    moment = at or datetime.now(UTC)
    answers = [
        answering.answer(
            view,
            assets,
            use,
            requester,
            moment,
            depth=depth,
            min_evidence=min_evidence,
            known_at=known_at,
            max_matches=max_matches,
        )
        for view in views.values()
    ]
    return [combined(dict(zip(views, each, strict=True))) for each in zip(*answers, strict=True)]


def combined(answers: Mapping[str, Answer]) -> Answer:
    """Fold what several catalogues say about one asset; `answers` holds one or more, by the name of each."""
    verdict = combine_sources(one.verdict for one in answers.values())
    said = {name: one.verdict for name, one in answers.items()}
    by_name = [(name, match) for name, one in answers.items() for match in one.matches]
    matches = [replace(match, evidence={**match.evidence, "source": name}) for name, match in by_name]
    first = next(iter(answers.values()))

    def reasons() -> chain[Reason]:
        deciding = sorted(answers.values(), key=lambda one: one.verdict is not verdict)  # stable
        together = Reason(Code.SOURCES_COMBINED, {"sources": len(answers), "preference": verdict})
        return chain(*(one.reasons for one in deciding), (together,))

    return replace(
        first,
        verdict=verdict,
        matches=tuple(sorted(matches, key=answering.best_first)),
        reasons=Reasons(reasons),
        identifiable=all(one.identifiable for one in answers.values()),
        said=said,
    )
