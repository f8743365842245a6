"""From files to verdicts: fingerprint here, ask every source in batches, let the most restrictive answer win."""

import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace

from fingerprinting.errors import FingerprintingError
from fingerprinting.text import kinds
from fingerprinting.types import Modality, Span, SpanUnit, Strength
from mediamanager.client.pool import Extracted, ExtractionPool
from mediamanager.client.queries import Askable, as_query
from mediamanager.client.questions import Question
from mediamanager.client.source import Source
from mediamanager.client.verdicts import Checked, SourceAnswer, SourceVerdict, Step, Unanswered, Verdict
from optout.catalogue.answers import Asset, WorkMatch
from optout.consent.combining import combine_sources
from optout.consent.reasons import Code, Reason
from optout.consent.remarks import remarks
from optout.consent.vocabulary import Preference, Use

BATCH_ASSETS = 256
"""How many are asked about at once: enough that the way there and back costs little, few enough to see progress."""

BATCH_SECONDS = 1.0

_STRENGTH_RANK = {Strength.EXACT: 0, Strength.MATCH: 1, Strength.LIKELY: 2}
_TEXT_ALGORITHM = "shingle-3"


def check(
    sources: Sequence[Source],
    asked: Iterable[Askable],
    question: Question,
    *,
    workers: int | None = None,
) -> Generator[Checked, None, None]:
    """Check assets against all sources: a verdict each, in order.

    Raises:
        RegistryRefusedError: a registry will answer nothing as it is asked.
    """
    with ExtractionPool(workers, depth=question.depth) as pool:
        extracted = pool.run(as_query(one, number) for number, one in enumerate(asked))
        for batch in _batches(extracted):
            yield from _check_batch(sources, batch, question)


def _batches(extracted: Iterable[Extracted]) -> Iterator[list[Extracted]]:
    """Gather until a batch is full or has waited long enough: who watches large files wants to see them pass."""
    batch: list[Extracted] = []
    began = time.monotonic()
    for one in extracted:
        batch.append(one)
        if len(batch) == BATCH_ASSETS or time.monotonic() - began > BATCH_SECONDS:
            yield batch
            batch, began = [], time.monotonic()
    if batch:
        yield batch


def _check_batch(sources: Sequence[Source], batch: Sequence[Extracted], question: Question) -> Iterator[Checked]:
    assets = [_asset(extracted) for extracted in batch]
    askable = [asset for asset in assets if asset is not None]
    answers = [source.answer(askable, question) for source in sources]
    by_asset = zip(*answers, strict=True)
    for extracted, asset in zip(batch, assets, strict=True):
        if asset is None:
            error = extracted.error or "there is nothing to look it up by."
            yield Checked.unchecked(extracted.query.path, question.use, error)
        else:
            checked = combine(extracted.query.path, question.use, asset, sources, next(by_asset))
            yield replace(
                checked,
                matches=_located(checked.matches, extracted),
                sha256=next((one.value.hex() for one in asset.fingerprints if one.algorithm == "sha256"), None),
                asset_key=asset.key.hex(),
                remarks=tuple(remarks(extracted.extraction.notes)) if extracted.extraction is not None else (),
            )


def _asset(extracted: Extracted) -> Asset | None:
    """Put together what is known of an asset; None when it can't be asked about."""
    query, extraction = extracted.query, extracted.extraction
    if extracted.error is not None:
        return None
    if extraction is None:
        return Asset(query.fingerprints, query.identifiable, query.location) if query.fingerprints else None
    fingerprints = tuple(dict.fromkeys((*extraction.fingerprints, *query.fingerprints)))
    return Asset(fingerprints, extraction.identifiable, query.location)


def combine(
    path: str, use: Use, asset: Asset, sources: Sequence[Source], answers: Sequence[SourceAnswer | Unanswered]
) -> Checked:
    """Fold what several sources answer about one asset: the most restrictive wins, and silence never permits.

    A source that failed leaves the asset unchecked, unless another one reserves it.
    """
    answered = [one for one in answers if isinstance(one, SourceAnswer)]
    errors = " ".join(one.error for one in answers if isinstance(one, Unanswered)) or None
    verdict = combine_sources(one.verdict for one in answered)
    reserved = verdict in {Preference.DISALLOWED, Preference.CONDITIONAL}
    if errors is not None and not reserved:
        return Checked.unchecked(path, use, errors, identifiable=asset.identifiable, sources=_said(sources, answers))
    steps = [step for one in sorted(answered, key=lambda one: one.verdict is not verdict) for step in one.reasons]
    if len(sources) > 1:
        steps.append(Step.of(Reason(Code.SOURCES_COMBINED, {"sources": len(sources), "preference": verdict})))
    if errors is not None:
        steps.append(Step.of(Reason(Code.NOT_CHECKED, {"error": errors})))
    return Checked(
        path,
        Verdict(verdict),
        use,
        matches=_matches(sources, answers),
        reasons=tuple(steps),
        identifiable=all(one.identifiable for one in answered),
        error=errors,
        sources=_said(sources, answers),
    )


def _said(sources: Sequence[Source], answers: Sequence[SourceAnswer | Unanswered]) -> tuple[SourceVerdict, ...]:
    """Note what each source said, in their order: the evidence of what was combined."""
    return tuple(
        SourceVerdict(source.name, Verdict(one.verdict))
        if isinstance(one, SourceAnswer)
        else SourceVerdict(source.name, Verdict.UNCHECKED, one.error)
        for source, one in zip(sources, answers, strict=True)
    )


def _matches(sources: Sequence[Source], answers: Sequence[SourceAnswer | Unanswered]) -> tuple[WorkMatch, ...]:
    """Gather the matches of all sources, each with the name of its source where there is more than one."""
    matches: list[WorkMatch] = []
    for source, answer in zip(sources, answers, strict=True):
        if isinstance(answer, SourceAnswer):
            named = {"source": source.name} if len(sources) > 1 else {}
            matches += [replace(match, evidence={**match.evidence, **named}) for match in answer.matches]
    return tuple(sorted(matches, key=lambda match: _STRENGTH_RANK[match.strength]))  # stable: best first within each


def _located(matches: tuple[WorkMatch, ...], extracted: Extracted) -> tuple[WorkMatch, ...]:
    """Give matches of texts their place in the asset: only here, beside its words, do token numbers mean anything."""
    wanted: dict[int, tuple[int, int]] = {}
    for number, match in enumerate(matches):
        first, last = (match.evidence.get(f"query_{end}_token") for end in ("first", "last"))
        if match.algorithm == _TEXT_ALGORITHM and isinstance(first, int) and isinstance(last, int):
            wanted[number] = (first, last)
    if not wanted:
        return matches
    try:
        unit, found = _spans(extracted, list(wanted.values()))
    except (FingerprintingError, OSError):
        return matches  # it was read a moment ago and is gone: the verdict stands, the place stays unknown
    spans = dict(zip(wanted, found, strict=True))
    return tuple(
        replace(match, query_span=spans[number], evidence={**match.evidence, "query_unit": str(unit)})
        if spans.get(number) is not None
        else match
        for number, match in enumerate(matches)
    )


def _spans(extracted: Extracted, tokens: Sequence[tuple[int, int]]) -> tuple[SpanUnit, Sequence[Span | None]]:
    """Give the places of some tokens, and what they count: seconds of captions, characters of any other text."""
    from fingerprinting.text import fingerprints  # noqa: PLC0415 - only where a text was found

    query, extraction = extracted.query, extracted.extraction
    if query.file is not None and extraction is not None and extraction.modality is Modality.TEXT:
        return _unit(extraction.media_type), fingerprints.locate(query.file, extraction.media_type, tokens)
    if query.text is not None:
        return _unit(kinds.of_captions(query.text)), fingerprints.locate_given(query.text, tokens)
    return SpanUnit.CHARACTERS, [None] * len(tokens)


def _unit(media_type: str | None) -> SpanUnit:
    return SpanUnit.SECONDS if media_type in kinds.CAPTION_SUFFIXES.values() else SpanUnit.CHARACTERS
