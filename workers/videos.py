"""The job's part that is about a video of YouTube: its words, its sound where that is wanted, and its thumbnail.

Each of them is read for itself. What can't be had now does not hold up what can: the work is ready by the one half, and
the other one is looked for again later.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias
from uuid import UUID

from fingerprinting.errors import FingerprintingError
from fingerprinting.media import Limits
from fingerprinting.types import FEATURES_MISSING, Extraction, Modality
from optout.errors import InvalidInputError
from optout.registry import video_facts, works
from optout.store import db, jobs
from optout.store.db import transaction
from workers import dispatch, sandbox, tally
from workers.errors import FetchFailedError, VideoUnavailableError
from workers.resources import Resources

if TYPE_CHECKING:
    from workers import youtube

_MISSING: Final = {Modality.TEXT: works.WORDS_MISSING, Modality.AUDIO: works.SOUND_MISSING}

_NAMES: Final = {Modality.TEXT: "captions", Modality.AUDIO: "sound", Modality.IMAGE: "thumbnail"}

# What goes wrong with one part and says nothing about the others; a sandbox that does not start is another matter.
_Trouble: TypeAlias = FetchFailedError | FingerprintingError | InvalidInputError


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a work.

    Attributes:
        extraction: of a video, all of its parts together.
        path: the file to keep, if its owner wants that: of a video the captions, else the sound.
        title: what its source calls it, if it does.
        later: why a part could not be had that may be had another time.
    """

    extraction: Extraction
    path: Path
    title: str | None = None
    later: FetchFailedError | None = None


def read(resources: Resources, work_id: UUID, video_id: str, wanted: Collection[Modality], folder: Path) -> Read:
    """Read what is wanted of a video: TEXT its captions, AUDIO its sound, IMAGE its thumbnail, if there is one.

    What YouTube says about it is noted, also if nothing can be read.

    Args:
        resources: of this worker.
        work_id: the work that it is.
        video_id: eleven characters.
        wanted: at least one of the three.
        folder: for files, as long as the caller needs them.

    Raises:
        FetchFailedError, FingerprintingError, InvalidInputError: nothing of it can be read, and why; if another attempt
            may help, one that says so.
        SandboxUnavailableError: try again later.
    """
    from workers import youtube, youtube_sound  # noqa: PLC0415 - few jobs need them

    guard, limits = resources.guard, Limits(max_bytes=resources.settings.max_upload_bytes)
    video = youtube.look(video_id, guard=guard, with_sound=Modality.AUDIO in wanted)
    _note(resources, work_id, video)
    files = {
        Modality.TEXT: folder / youtube.JSON3_NAME,
        Modality.AUDIO: folder / "sound",
        Modality.IMAGE: folder / "thumbnail.jpg",
    }

    def words(path: Path) -> None:
        path.write_bytes(video.words().data)

    def sound(path: Path) -> None:
        youtube_sound.download(video_id, video.sound, path, guard=guard, max_bytes=limits.max_bytes)

    def picture(path: Path) -> None:
        thumbnail = youtube.thumbnail(video_id, guard=guard)
        if thumbnail is None:
            raise FetchFailedError("YouTube did not give the thumbnail of this video. We try again.")
        path.write_bytes(thumbnail)

    parts: dict[Modality, Extraction] = {}
    troubles: dict[Modality, _Trouble] = {}
    for modality, fetch in ((Modality.TEXT, words), (Modality.AUDIO, sound), (Modality.IMAGE, picture)):
        # A picture shows which video it is and tells nothing of it: for itself it is no reason to be ready.
        if modality not in wanted or (modality is Modality.IMAGE and troubles and not parts):
            continue
        try:
            parts[modality] = _part(modality, files[modality], fetch, limits)
        except (FetchFailedError, FingerprintingError, InvalidInputError) as error:
            troubles[modality] = error
    if not parts:
        raise _most_hopeful(troubles.values())
    later = [one for one in troubles.values() if isinstance(one, FetchFailedError) and _may_pass(one)]
    if Modality.IMAGE in troubles and len(wanted) > 1:
        later = [one for one in later if one is not troubles[Modality.IMAGE]]
    return Read(_together(parts, troubles), files[next(iter(parts))], video.title, next(iter(later), None))


def _note(resources: Resources, work_id: UUID, video: "youtube.Video") -> None:
    """Before anything slow: what was said about the channel counts for a video that can't be read, too."""
    from workers import youtube_trainability  # noqa: PLC0415 - as above

    key = resources.settings.youtube_api_key
    asked = None if key is None else youtube_trainability.ask(video.id, key=key, guard=resources.guard)
    with transaction(resources.sessions) as session:
        video_facts.note(
            session,
            work_id,
            channel=video.channel,
            channel_title=video.channel_title,
            duration_seconds=video.duration_seconds,
            licence=video.licence,
            trainability=asked,
        )
        db.after_commit(session, lambda: dispatch.nudge(jobs.enqueued(session)))


def _part(modality: Modality, path: Path, fetch: Callable[[Path], None], limits: Limits) -> Extraction:
    fetch(path)
    with tally.failures(tally.SANDBOX_FAILURES):
        found = sandbox.extract(path, name=path.name, limits=limits)
    # A file of sound and picture has its sound, too.
    if found.modality is not modality and (modality, found.modality) != (Modality.AUDIO, Modality.VIDEO):
        raise FetchFailedError(f"What YouTube gave as the {_NAMES[modality]} of this video is something else.")
    return found


def _may_pass(error: _Trouble) -> bool:
    return isinstance(error, FetchFailedError) and not isinstance(error, VideoUnavailableError)


def _most_hopeful(troubles: Collection[_Trouble]) -> _Trouble:
    return next((one for one in troubles if _may_pass(one)), next(iter(troubles)))


def _together(parts: Mapping[Modality, Extraction], troubles: Collection[Modality]) -> Extraction:
    """All parts as one: the first says what the work is, and the thumbnail says nothing about what is recognised."""
    main = next(iter(parts.values()))
    told = [part for modality, part in parts.items() if modality is not Modality.IMAGE or part is main]
    notes = [note for part in told for note in part.notes]
    notes += [note for part in parts.values() for note in part.notes if note == FEATURES_MISSING]
    notes += [_MISSING[modality] for modality in troubles if modality in _MISSING]
    return replace(
        main,
        fingerprints=tuple(one for part in parts.values() for one in part.fingerprints),
        identifiable=any(part.identifiable for part in told),
        notes=tuple(dict.fromkeys(notes)),
        beside=frozenset(part.modality for part in parts.values()) - {main.modality},
    )
