"""The one function behind every lookup: assets in, verdicts with their reasons out, in the same order."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Protocol

from fingerprinting.index import shared_text
from fingerprinting.index.registry import ALGORITHMS
from fingerprinting.index.shared_text import Registered
from fingerprinting.thresholds import SHINGLE_SHARED
from fingerprinting.types import Depth, Match, Strength
from optout.catalogue import batches
from optout.catalogue.answers import Answer, Asset, Reasons, WorkMatch
from optout.catalogue.text_reasons import text_parameters
from optout.consent import policy
from optout.consent.decisions import Decision, differ_about
from optout.consent.grants import Grant
from optout.consent.reasons import Code, Reason
from optout.consent.statements import Statement
from optout.consent.vocabulary import EvidenceLevel, Preference, Use
from optout.errors import InvalidInputError

MAX_MATCHES_SHOWN = 20

_STRENGTH_RANK = {Strength.EXACT: 0, Strength.MATCH: 1, Strength.LIKELY: 2}


@dataclass(frozen=True, slots=True)
class FoundWork:
    """A work that was recognised in an asset.

    Attributes:
        asset: the row of the asset in the batch.
        work: the work's id.
        match: the evidence; its own row numbers are the view's business.
    """

    asset: int
    work: str
    match: Match


class CatalogueView(Protocol):
    """Anything that knows works and what was said about them: a folder of files, or the live registry."""

    @property
    def size(self) -> int:
        """How many works it knows."""
        ...

    def search(self, assets: Sequence[Asset], depth: Depth, room: int | None = None) -> list[FoundWork]:
        """Recognise works in assets. Any error is raised: what could not be searched is never an empty list.

        Raises:
            CrowdedError: there are more matches than `room`, if that is given.
        """
        ...

    def statements(self, work: str) -> Sequence[Statement]:
        """Give all that was said about a work which this view has found."""
        ...

    def grants(self, work: str, requester: str) -> Sequence[Grant]:
        """Give the grants to a requester that cover a work which this view has found."""
        ...

    def owner(self, work: str) -> str:
        """Give the pseudonymous id of whose a work is which this view has found."""
        ...

    def non_matches(self, pairs: Collection[tuple[str, bytes]]) -> AbstractSet[tuple[str, bytes]]:
        """Give those of some pairs of a work and an asset's key that are known not to match."""
        ...


def answer(
    view: CatalogueView,
    assets: Sequence[Asset],
    use: Use,
    requester: str | None,
    at: datetime,
    *,
    depth: Depth = Depth.STANDARD,
    min_evidence: EvidenceLevel = EvidenceLevel.SELF_DECLARED,
    known_at: datetime | None = None,
    max_matches: int = MAX_MATCHES_SHOWN,
) -> list[Answer]:
    """Answer, in order, whether each asset may be put to a use.

    Every work that is surely in an asset counts, and all must allow; a likely match decides nothing. UNKNOWN means
    that no reservation was found, which is not a permission.

    Args:
        view: what is known.
        assets: may be empty.
        use: a leaf or an aggregate.
        requester: pseudonymous id of the asking account, if anybody in particular asks.
        at: the moment that the verdicts are for, with time zone.
        depth: how much work the search may do.
        min_evidence: statements below this level are reported, but do not count.
        known_at: leave out what was recorded later: the verdicts as they were known at this moment.
        max_matches: how many works are shown for an asset; never how many are decided from.

    Raises:
        InvalidInputError: an asset without any fingerprint or key, one whose value isn't bytes, a time without zone.
        Whatever the view raises: nothing is answered from half a search.
    """
    _require_askable(assets)
    nothing = policy.decide((), use, requester, at, min_evidence, known_at=known_at)  # also checks the times

    @cache
    def decided(work: str, location: str | None) -> Decision:
        return policy.decide(
            view.statements(work),
            use,
            requester,
            at,
            min_evidence,
            known_at=known_at,
            grants=() if requester is None else view.grants(work, requester),
            location=location,
        )

    asked, places = batches.distinct(assets)
    answers: list[Answer] = []
    for part, searched in batches.in_parts(asked, lambda some, room: view.search(some, depth, room)):
        found = _found(view, searched, depth)
        rejected = _without_non_matches(view, part, found)
        for row, asset in enumerate(part):
            by_work = found.get(row, {})
            answers.append(_answer(asset, by_work, decided, nothing, rejected.get(row, ()), max_matches))
    return [answers[place] for place in places]


def best_first(match: WorkMatch) -> tuple[int, float, str]:
    """Order matches: the surest first, then the nearest, then by work."""
    return _STRENGTH_RANK[match.strength], _relative_distance(match), match.work


def _found(view: CatalogueView, searched: Sequence[FoundWork], depth: Depth) -> dict[int, dict[str, list[Match]]]:
    """By asset and work; of text that is not one work's alone, no more than a likely match."""
    matches = _without_shared_text(view, searched)
    found: dict[int, dict[str, list[Match]]] = {}
    for one, match in zip(searched, matches, strict=True):
        if match.strength is not Strength.LIKELY or depth is not Depth.FAST:
            found.setdefault(one.asset, {}).setdefault(one.work, []).append(match)
    return found


def _without_shared_text(view: CatalogueView, searched: Sequence[FoundWork]) -> list[Match]:
    texts = Counter(one.asset for one in searched if one.match.text is not None)
    if max(texts.values(), default=0) < SHINGLE_SHARED:
        return [one.match for one in searched]

    @cache
    def is_shown(work: str, owner: str) -> bool:
        said = view.statements(work)
        return any(one.source == owner and one.evidence.rank >= policy.AUTHENTICATED_FROM.rank for one in said)

    def registered(one: FoundWork) -> Registered:
        owner = view.owner(one.work)
        return Registered(one.match, one.work, owner, is_shown(one.work, owner))

    return shared_text.decided(
        [
            registered(one) if one.match.text is not None else Registered(one.match, one.work, "", is_shown=False)
            for one in searched
        ]
    )


def _require_askable(assets: Sequence[Asset]) -> None:
    for row, asset in enumerate(assets):
        if not asset.fingerprints:
            raise InvalidInputError(
                f"asset {row} has nothing to look it up by: give a key or a fingerprint", field=f"assets.{row}"
            )
        for number, one in enumerate(asset.fingerprints):
            if type(one.value) is not bytes:
                raise InvalidInputError(
                    f"a {one.algorithm} of asset {row} is of type {type(one.value).__name__}: give bytes; those of an "
                    "array are array.tobytes()",
                    field=f"assets.{row}.fingerprints.{number}.value",
                )


def _without_non_matches(
    view: CatalogueView, assets: Sequence[Asset], found: Mapping[int, dict[str, list[Match]]]
) -> Mapping[int, Sequence[Reason]]:
    """Take out the matches that are known to be wrong, and say so. What is exact can't be wrong, and stays."""
    pairs: list[tuple[int, str, bytes]] = []
    for row, by_work in found.items():
        may_be_wrong = [work for work, by in by_work.items() if all(one.strength is not Strength.EXACT for one in by)]
        key = assets[row].key if may_be_wrong else b""
        pairs += [(row, work, key) for work in sorted(may_be_wrong)]
    known = view.non_matches({(work, key) for _, work, key in pairs}) if pairs else frozenset()
    said: dict[int, list[Reason]] = {}
    for row, work, key in pairs if known else ():
        if (work, key) in known:
            algorithm = min(found[row].pop(work), key=_surest_first).algorithm
            said.setdefault(row, []).append(Reason(Code.MATCH_REJECTED, {"work": work, "algorithm": algorithm}))
    return said


def _answer(
    asset: Asset,
    found: Mapping[str, Sequence[Match]],
    decided: Callable[[str, str | None], Decision],
    nothing: Decision,
    rejected: Sequence[Reason],
    max_matches: int,
) -> Answer:
    best = {work: by[0] if len(by) == 1 else min(by, key=_surest_first) for work, by in found.items()}
    works = sorted(best, key=lambda work: (_STRENGTH_RANK[best[work].strength], _relative_distance(best[work]), work))
    sure = [work for work in works if best[work].strength is not Strength.LIKELY]
    # What is only likely decides nothing, so that of thousands only those that are shown are looked at.
    decisions = {work: decided(work, asset.location) for work in (*sure, *works[:max_matches])}
    verdict = policy.combine_works(decisions[work].verdict for work in sure)
    shown = {work: _work_match(work, found[work], decisions[work].verdict) for work in works[:max_matches]}
    told = [*sure[:max_matches], *_deciding(sure[max_matches:], decisions, verdict)]
    # No more than this is kept for who reads the reasons: of a flood of works, the rest goes.
    of_sure = [(shown.get(one) or _work_match(one, found[one], decisions[one].verdict), decisions[one]) for one in told]
    same_content = [decisions[work] for work in sure if best[work].strength is Strength.EXACT]
    any_found, number = bool(works), len(sure)

    def reasons() -> Iterator[Reason]:
        yield from _reasons_of_sure(of_sure, verdict)
        if len(same_content) > 1:  # of one work alone, its own trace says so
            for leaf in differ_about(same_content, nothing.use):
                yield Reason(Code.CLAIMANTS_DIFFER, {"use": leaf})
        if number > 1:
            yield Reason(Code.WORKS_COMBINED, {"works": number, "preference": verdict})
        if not any_found:
            yield Reason(Code.NO_MATCH_FOUND)
        if not number:
            yield from nothing.trace
        for match in shown.values():
            if match.strength is Strength.LIKELY:
                known = {"work": match.work, "algorithm": match.algorithm, "preference": match.verdict}
                yield Reason(Code.LIKELY_MATCH_FOR_REVIEW, known | text_parameters(match.evidence))
        yield from rejected
        if not asset.identifiable and not number:
            yield Reason(Code.NOT_IDENTIFIABLE)

    return Answer(verdict, nothing.use, tuple(shown.values()), Reasons(reasons), asset.identifiable, asset.key)


def _deciding(beyond: Iterable[str], decisions: Mapping[str, Decision], verdict: Preference) -> list[str]:
    """Pick one that the verdict follows from, so that a cap on what is shown never hides the reason."""
    return [work for work in beyond if decisions[work].verdict is verdict][:1]


def _reasons_of_sure(matches: Sequence[tuple[WorkMatch, Decision]], verdict: Preference) -> Iterable[Reason]:
    for match, decision in sorted(matches, key=lambda one: one[0].verdict is not verdict):  # stable: best first
        yield Reason(
            Code.WORK_FOUND,
            {
                "work": match.work,
                "strength": match.strength,
                "algorithm": match.algorithm,
                "preference": match.verdict,
                **text_parameters(match.evidence),
            },
        )
        yield from decision.trace


def _work_match(work: str, matches: Sequence[Match], verdict: Preference) -> WorkMatch:
    """Show a work by its surest evidence, and name what else found it."""
    best, *others = sorted(matches, key=_surest_first)
    evidence = dict(best.evidence)
    lies = next((each.evidence for each in (best, *others) if "transform" in each.evidence), None)
    if lies is not None:  # a hash of the whole may be surer, and says less of where
        names = ("transform", "corners", "asset_size", "work_size")
        evidence.update({name: lies[name] for name in names if name in lies})
    if others:
        evidence["also_by"] = ", ".join(dict.fromkeys(other.algorithm for other in others))
    return WorkMatch(
        work=work,
        strength=best.strength,
        modality=ALGORITHMS[best.algorithm].modality,
        algorithm=best.algorithm,
        version=best.version,
        distance=best.distance,
        score=best.score,
        threshold=best.threshold,
        query_span=best.query_span,
        work_span=best.work_span,
        verdict=verdict,
        evidence=evidence,
    )


def _surest_first(match: Match) -> tuple[int, float, str]:
    return _STRENGTH_RANK[match.strength], _relative_distance(match), match.algorithm


def _relative_distance(match: Match | WorkMatch) -> float:
    """Compare what is measured in bits with what is measured in evidence: both as parts of their limits; 0 is best."""
    if match.distance is not None:
        return match.distance / max(match.threshold or 1.0, 1.0)
    if match.score:
        return (match.threshold or 0.0) / match.score
    return 0.0
