"""From a file to all of its fingerprints: the one entrance to this floor for media."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from fingerprinting import media
from fingerprinting.errors import UnsupportedMediaError
from fingerprinting.media import DEFAULT_LIMITS, Limits, MediaKind
from fingerprinting.types import Depth, Extraction, Fingerprint, Modality, Prints, Role


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
    if kind.modality is Modality.TEXT:
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


# Each modality's decoder is imported when it is first needed: a text needs neither Pillow nor FFmpeg.


def _image(path: Path, kind: MediaKind, limits: Limits, role: Role, depth: Depth) -> tuple[MediaKind, Prints]:
    from fingerprinting.image.fingerprints import fingerprint_image  # noqa: PLC0415

    return kind, fingerprint_image(path, limits, role=role, depth=depth)


def _audio(path: Path, kind: MediaKind, limits: Limits, role: Role, depth: Depth) -> tuple[MediaKind, Prints]:
    from fingerprinting.audio.fingerprints import fingerprint_audio  # noqa: PLC0415

    return kind, fingerprint_audio(path, limits, role=role, depth=depth)


def _video(path: Path, kind: MediaKind, limits: Limits, role: Role, depth: Depth) -> tuple[MediaKind, Prints]:
    """Fingerprint a video by its sound; a container that turns out to hold sound alone is audio."""
    from fingerprinting.container import tracks  # noqa: PLC0415

    found = tracks(path, limits)
    if not found.has_sound:
        raise UnsupportedMediaError(
            "This video has no sound, and only the sound of a video can be recognised for now. Use a video with sound,"
            " or single pictures of it.",
            kind=kind.media_type,
        )
    if not found.has_video:
        subtype = kind.media_type.partition("/")[2]
        return _audio(path, MediaKind(Modality.AUDIO, f"audio/{subtype}"), limits, role, depth)
    _, prints = _audio(path, kind, limits, role, depth)
    return kind, dataclasses.replace(prints, notes=(*prints.notes, "video-sound-only"))


def _text(path: Path, kind: MediaKind, limits: Limits, _role: Role, _depth: Depth) -> tuple[MediaKind, Prints]:
    from fingerprinting.text.fingerprints import fingerprint_text  # noqa: PLC0415

    return kind, fingerprint_text(path, kind.media_type, limits)


_PRINTERS: dict[Modality, Callable[[Path, MediaKind, Limits, Role, Depth], tuple[MediaKind, Prints]]] = {
    Modality.IMAGE: _image,
    Modality.AUDIO: _audio,
    Modality.VIDEO: _video,
    Modality.TEXT: _text,
}
