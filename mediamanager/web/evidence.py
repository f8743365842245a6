"""A match as a page shows it: where it lies on both sides, in pictures, seconds or words, and what may be played."""

import base64
import io
import logging
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from PIL import Image
from sqlalchemy.orm import Session

from fingerprinting.errors import FingerprintingError
from fingerprinting.image import feature_bytes
from fingerprinting.text.excerpts import Excerpt
from fingerprinting.types import Fingerprint, Modality, SpanUnit
from mediamanager.dependencies import Resources
from optout.catalogue import places
from optout.catalogue.answers import WorkMatch
from optout.catalogue.places import Places
from optout.errors import OptoutError
from optout.registry import showing
from optout.registry.overlaps import Overlap
from optout.registry.showing import KeptFile
from workers import sandbox

logger = logging.getLogger(__name__)

_READ_WORKS: Final = 3
"""Kept texts that are read for one page: each takes a decoder."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The file that was asked about, while it is at hand."""

    path: Path
    media_type: str


def small_picture(fingerprints: Sequence[Fingerprint]) -> str | None:
    """The small grey picture that goes with a picture's local features, as a data address; None where there is none.

    It stands for a picture that was not kept, where no script can show that from the device of who asks.
    """
    found = next((each for each in fingerprints if each.algorithm == "sift-itq-128"), None)
    if found is None:
        return None
    written = io.BytesIO()
    Image.fromarray(feature_bytes.read(found.value).thumbnail).save(written, "PNG")
    return "data:image/png;base64," + base64.b64encode(written.getvalue()).decode("ascii")


@dataclass(frozen=True, slots=True)
class Shown:
    """One match, and how to show it.

    Attributes:
        match: as it was answered.
        places: where it lies.
        media: the address of the work's kept file, where whoever asks may see or hear it.
        kind: `audio`, `video` or `image`: how the file is shown; None: not at all.
        asset_words: of a text, the passage in the asset; None where it is not known.
        work_words: the passage in the work, where its file is kept and shown.
    """

    match: WorkMatch
    places: Places
    media: str | None = None
    kind: Modality | None = None
    asset_words: Excerpt | None = None
    work_words: Excerpt | None = None


def shown(
    session: Session, resources: Resources, matches: Sequence[WorkMatch], asked: Asked | None, account_id: UUID
) -> list[Shown]:
    """Prepare matches to be shown to an account, in the same order."""
    files = showing.visible(session, [UUID(match.work) for match in matches], account_id=account_id)
    words = _words_of_asset(matches, asked)
    read = 0
    found = []
    for number, match in enumerate(matches):
        file = files.get(UUID(match.work))
        in_work: Excerpt | None = None
        if file is not None and file.modality is Modality.TEXT and number in words and read < _READ_WORKS:
            read += 1
            in_work = _words_of_work(resources, file, match)
        found.append(_shown(match, file, words.get(number), in_work))
    return found


def tokens(match: WorkMatch, side: str) -> tuple[int, int] | None:
    """The first and last token of a passage, `query` or `work`; None for what is no passage."""
    first, last = (match.evidence.get(f"{side}_{end}_token") for end in ("first", "last"))
    return (first, last) if isinstance(first, int) and isinstance(last, int) else None


def _shown(match: WorkMatch, file: KeptFile | None, asset: Excerpt | None, work: Excerpt | None) -> Shown:
    where = places.places(match)
    if asset is not None:
        unit = SpanUnit.SECONDS if asset.timed else SpanUnit.CHARACTERS
        where = Places(unit, (places.Place(asset.span, None if work is None else work.span),))
    is_shown = file is not None and file.modality in showing.SHOWN_KINDS
    return Shown(
        match,
        where,
        f"/works/{match.work}/media" if is_shown else None,
        file.modality if file is not None and is_shown else None,
        asset,
        work,
    )


def _words_of_asset(matches: Sequence[WorkMatch], asked: Asked | None) -> Mapping[int, Excerpt]:
    """The passages of the asset by the number of the match; none where it is no text, or is gone."""
    wanted = {number: each for number, match in enumerate(matches) if (each := tokens(match, "query")) is not None}
    if asked is None or not wanted:
        return {}
    try:
        read = sandbox.excerpts(asked.path, asked.media_type, list(wanted.values()))
    except (FingerprintingError, OptoutError) as error:  # the answer stands without the words
        logger.info("the passages of a text could not be read", extra={"code": error.code})
        return {}
    return {number: passage for number, passage in zip(wanted, read, strict=True) if passage is not None}


def _words_of_work(resources: Resources, file: KeptFile, match: WorkMatch) -> Excerpt | None:
    where = tokens(match, "work")
    if where is None:
        return None
    try:
        with resources.storage.open(file.key) as stored, tempfile.NamedTemporaryFile(prefix="mediamanager-") as copy:
            shutil.copyfileobj(stored, copy)
            copy.flush()
            return sandbox.excerpts(Path(copy.name), file.media_type, [where])[0]
    except (FingerprintingError, OptoutError) as error:  # as above
        logger.info("the passage of a work could not be read", extra={"code": error.code})
        return None


@dataclass(frozen=True, slots=True)
class BothSides:
    """Two works with something in common, as they are shown; `places` and the rest are as of `Shown`."""

    overlap: Overlap
    places: Places
    media: str | None
    kind: Modality | None


def both_sides(session: Session, found: Sequence[Overlap], account_id: UUID) -> list[BothSides]:
    """Prepare what works have in common to be shown to an account, in the same order."""
    files = showing.visible(session, [one.work for one in found], account_id=account_id)
    shown_files = {work: file for work, file in files.items() if file.modality in showing.SHOWN_KINDS}
    return [
        BothSides(
            one,
            one.places,
            f"/works/{one.work}/media" if one.work in shown_files else None,
            shown_files[one.work].modality if one.work in shown_files else None,
        )
        for one in found
    ]
