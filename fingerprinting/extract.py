"""From a file to all of its fingerprints: the one entrance to this floor for media."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from fingerprinting import media
from fingerprinting.errors import LimitExceededError, UnreadableMediaError, WordlessDocumentError
from fingerprinting.media import DEFAULT_LIMITS, Limits, MediaKind
from fingerprinting.text import kinds
from fingerprinting.types import Depth, Extraction, Fingerprint, Modality, Prints, Role

_MAY_MOVE: Final = frozenset({"image/gif", "image/webp", "image/png"})

VIDEO_SOUND_ONLY: Final = "video-sound-only"
VIDEO_PICTURE_ONLY: Final = "video-picture-only"
"""The remarks that one half of a video tells nothing; the other counts."""


def extract(
    path: Path,
    *,
    name: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
    role: Role = Role.WORK,
    depth: Depth = Depth.STANDARD,
) -> Extraction:
    """Compute every fingerprint of a file. The SHA-256 of its bytes is the first.

    Nothing is written and nothing is fetched. Decoders are C libraries fed with strangers' bytes: where the file is
    not yours, call this in a process of its own that has limits.

    Args:
        path: where the bytes are.
        name: what the file is called, if not as `path` says. Content decides what it is; see `media.sniff`.
        limits: how large it may be.
        role: whether the file is to be found (a work) or asks what it shows (a query). Pictures get other views.
        depth: what a query is compared by; a work gets all that any depth compares.

    Raises:
        UnsupportedMediaError: a kind that we do not fingerprint.
        UnreadableMediaError: empty, damaged, incomplete, or nothing can be heard, seen or read in it.
        LimitExceededError: larger than `limits`.
        MissingExtraError: this depth needs a library that is not installed.
    """
    kind = media.sniff(media.read_head(path), name if name is not None else path.name)
    if kind.modality is Modality.TEXT and kind.media_type not in kinds.PACKED:
        media.check_text_size(path.stat().st_size, limits)
    digest = media.sha256(path, limits)
    kind, prints = _PRINTERS[kind.modality](path, kind, limits, role, depth)
    first = Fingerprint(algorithm="sha256", version=1, value=digest)
    return Extraction(
        modality=kind.modality,
        media_type=kind.media_type,
        fingerprints=(first, *prints.fingerprints),
        identifiable=prints.identifiable,
        notes=prints.notes,
    )


def extract_words(text: str, *, limits: Limits = DEFAULT_LIMITS) -> Extraction:
    """Compute every fingerprint of a text that lies in no file of its own. The SHA-256 is of it as UTF-8.

    It is text whatever it begins with: nothing but captions and web pages is told apart.

    Raises:
        UnreadableMediaError: nothing but space, or damaged captions.
        LimitExceededError: larger than `limits`.
    """
    from fingerprinting.text.fingerprints import fingerprint_given  # noqa: PLC0415 - as below

    raw = text.encode("utf-8", errors="replace")
    media.check_text_size(len(raw), limits)
    if not text.strip():
        raise UnreadableMediaError("There is no text here.")
    prints = fingerprint_given(text)
    return Extraction(
        modality=Modality.TEXT,
        media_type=kinds.of_captions(text) or kinds.PLAIN,
        fingerprints=(
            Fingerprint(algorithm="sha256", version=1, value=hashlib.sha256(raw).digest()),
            *prints.fingerprints,
        ),
        identifiable=prints.identifiable,
        notes=prints.notes,
    )


# Each modality's decoder is imported when it is first needed: a text needs neither Pillow nor FFmpeg.


def _image(path: Path, kind: MediaKind, limits: Limits, role: Role, depth: Depth) -> tuple[MediaKind, Prints]:
    from fingerprinting.image.fingerprints import fingerprint_image  # noqa: PLC0415

    prints = fingerprint_image(path, limits, role=role, depth=depth)
    if kind.media_type not in _MAY_MOVE or (role is Role.QUERY and depth is Depth.FAST):
        return kind, prints
    from fingerprinting.video.fingerprints import fingerprint_animation  # noqa: PLC0415

    moving = fingerprint_animation(path, limits, role=role, depth=depth)
    identifiable = prints.identifiable or moving.identifiable
    return kind, Prints((*prints.fingerprints, *moving.fingerprints), identifiable, prints.notes)


def _audio(path: Path, kind: MediaKind, limits: Limits, role: Role, depth: Depth) -> tuple[MediaKind, Prints]:
    from fingerprinting.audio.fingerprints import fingerprint_audio  # noqa: PLC0415

    return kind, fingerprint_audio(path, limits, role=role, depth=depth)


def _video(path: Path, kind: MediaKind, limits: Limits, role: Role, depth: Depth) -> tuple[MediaKind, Prints]:
    """Fingerprint a video by its moving picture and its sound; a container that holds sound alone is audio.

    What of the two can't be read is remarked, and the other counts.
    """
    from fingerprinting.container import tracks  # noqa: PLC0415
    from fingerprinting.video.fingerprints import fingerprint_video  # noqa: PLC0415

    found = tracks(path, limits)
    if not found.has_video:
        subtype = kind.media_type.partition("/")[2]
        return _audio(path, MediaKind(Modality.AUDIO, f"audio/{subtype}"), limits, role, depth)
    unreadable: UnreadableMediaError | None = None
    seen = heard = Prints((), identifiable=False)
    try:
        seen = fingerprint_video(path, limits, role=role, depth=depth)
    except UnreadableMediaError as error:
        unreadable = error
    if found.has_sound:
        try:
            heard = _audio(path, kind, limits, role, depth)[1]
        except UnreadableMediaError as error:
            unreadable = None if unreadable is None else error
    if unreadable is not None and not heard.identifiable:
        raise unreadable
    return kind, _both(seen, heard, has_sound=found.has_sound)


def _both(seen: Prints, heard: Prints, *, has_sound: bool) -> Prints:
    """Join what a video shows and what it sounds like. Where one of them tells nothing, only that is remarked."""
    prints = (*seen.fingerprints, *heard.fingerprints)
    if seen.identifiable and heard.identifiable:
        return Prints(prints, notes=tuple(dict.fromkeys((*seen.notes, *heard.notes))))
    if seen.identifiable:
        return Prints(prints, notes=(*seen.notes, *((VIDEO_PICTURE_ONLY,) if has_sound else ())))
    if heard.identifiable:
        return Prints(prints, notes=(*heard.notes, VIDEO_SOUND_ONLY))
    return Prints(prints, identifiable=False, notes=seen.notes or heard.notes)


def _text(path: Path, kind: MediaKind, limits: Limits, role: Role, depth: Depth) -> tuple[MediaKind, Prints]:
    from fingerprinting.text.fingerprints import fingerprint_text  # noqa: PLC0415

    if kind.media_type == kinds.PDF:
        return _paper(path, limits, role, depth)
    if kind.media_type == kinds.EPUB:
        return _book(path, kind, limits, role, depth)
    return kind, fingerprint_text(path, kind.media_type, limits)


def _paper(path: Path, limits: Limits, role: Role, depth: Depth) -> tuple[MediaKind, Prints]:
    """Fingerprint a PDF by its words, and by the pictures of its pages that have none."""
    from fingerprinting.text import fingerprints, pdf  # noqa: PLC0415

    paper = pdf.read(path, limits)
    remarks: tuple[str, ...] = ()
    try:
        shown = _pictures(path, paper.pictures, limits, role, depth)
    except LimitExceededError:
        if paper.wordless is not None or role is Role.QUERY:
            raise  # what is asked about may be one of the pages that were not looked at
        shown, remarks = Prints((), identifiable=False), (fingerprints.PAGES_WITHOUT_TEXT,)
    if paper.wordless is not None:
        if not shown.identifiable:
            raise paper.wordless
        return MediaKind(Modality.PAGES, kinds.PDF), shown
    words = fingerprints.fingerprint_words(paper.text)
    if shown.identifiable:
        notes = shown.notes if not words.identifiable else (*words.notes, *shown.notes)
    else:
        notes = (*words.notes, *remarks)
    identifiable = words.identifiable or shown.identifiable
    return MediaKind(Modality.TEXT, kinds.PDF), Prints((*words.fingerprints, *shown.fingerprints), identifiable, notes)


def _book(path: Path, kind: MediaKind, limits: Limits, role: Role, depth: Depth) -> tuple[MediaKind, Prints]:
    """Fingerprint an EPUB by its words; where these identify nothing, by the pictures on its pages: a comic."""
    from fingerprinting.image import comics  # noqa: PLC0415
    from fingerprinting.image.pages import fingerprint_pages  # noqa: PLC0415
    from fingerprinting.text import epub, fingerprints  # noqa: PLC0415

    words, wordless = Prints((), identifiable=False), None
    try:
        words = fingerprints.fingerprint_text(path, kind.media_type, limits)
    except WordlessDocumentError as error:
        wordless = error
    if words.identifiable:
        return kind, words
    pictures = epub.pictures_of(path, limits)
    if pictures:
        shown = fingerprint_pages(comics.pages_of_book(path, pictures, limits), role, depth)
        if shown.identifiable:
            return MediaKind(Modality.PAGES, kind.media_type), shown
    if wordless is not None:
        raise wordless
    return kind, words


def _pictures(path: Path, numbers: tuple[int, ...], limits: Limits, role: Role, depth: Depth) -> Prints:
    if not numbers:
        return Prints((), identifiable=False)
    from fingerprinting.image.pages import fingerprint_pages  # noqa: PLC0415
    from fingerprinting.text import pdf_pictures  # noqa: PLC0415

    return fingerprint_pages(pdf_pictures.pages(path, numbers, limits), role, depth)


def _pages(path: Path, kind: MediaKind, limits: Limits, role: Role, depth: Depth) -> tuple[MediaKind, Prints]:
    from fingerprinting.image import comics  # noqa: PLC0415
    from fingerprinting.image.pages import fingerprint_pages  # noqa: PLC0415

    return kind, fingerprint_pages(comics.pages(path, limits), role, depth)


_PRINTERS: dict[Modality, Callable[[Path, MediaKind, Limits, Role, Depth], tuple[MediaKind, Prints]]] = {
    Modality.IMAGE: _image,
    Modality.AUDIO: _audio,
    Modality.VIDEO: _video,
    Modality.TEXT: _text,
    Modality.PAGES: _pages,
}
