"""Why a video of YouTube can't be read now, as its owner should hear it: a code, a sentence, and whether to come back.

YouTube tells these apart by a status of few words and a sentence in English, which is what yt-dlp asks for. A sentence
that nobody foresaw is told as it is, and as a failure to try again: unknown is never "gone".
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from workers.errors import FetchFailedError, VideoNotYetError, VideoUnavailableError

REMEDY: Final = "Register a file of the captions instead (.vtt, .srt)."

_PATIENCE: Final = timedelta(days=14)
"""YouTube writes down what is said within hours, rarely days; a video that is older has no captions for a reason."""

_MAX_REASON: Final = 300


@dataclass(frozen=True, slots=True)
class Seen:
    """What YouTube said about a video, in as far as it tells why there are no captions.

    Attributes:
        status: of its player (`OK`, `LOGIN_REQUIRED`, `ERROR`, …); None if it did not answer.
        reason: its sentence.
        live: yt-dlp's word (`is_live`, `is_upcoming`, `post_live`, `was_live`, `not_live`).
        tracks: how many tracks of captions it listed, also those that it did not give.
        published: seconds since 1970.
        begins: of a broadcast to come.
    """

    status: str | None = None
    reason: str = ""
    live: str | None = None
    tracks: int = 0
    published: float | None = None
    begins: float | None = None


@dataclass(frozen=True, slots=True)
class _State:
    """What is the matter, and what may help.

    Attributes:
        sentence: what is the matter.
        wait: before the second attempt, longer before each later one; None: waiting is no help.
        returning: what a registry does about it.
        remedy: what its owner can do.
    """

    sentence: str
    wait: timedelta | None = None
    returning: str = ""
    remedy: str = ""


_PRIVATE: Final = "youtube-private"
_DELETED: Final = "youtube-deleted"
_GONE: Final = "youtube-gone"
_AGE: Final = "youtube-age-restricted"
_MEMBERS: Final = "youtube-members-only"
_PAID: Final = "youtube-paid"
_REGION: Final = "youtube-region-locked"
_LIVE: Final = "youtube-live"
_UPCOMING: Final = "youtube-upcoming"
_NOT_YET: Final = "youtube-no-captions-yet"
_WITHHELD: Final = "youtube-captions-withheld"
_DISABLED: Final = "youtube-captions-disabled"
SOUND_WITHHELD: Final = "youtube-sound-withheld"
RATE_LIMITED: Final = "youtube-rate-limited"
CONSENT: Final = "youtube-consent-page"

_PUBLISH: Final = "Make it public or unlisted and register it again, or register a file of the captions (.vtt, .srt)."

STATES: Final = MappingProxyType(
    {
        _PRIVATE: _State(f"This video is private, so nobody can read its captions. {_PUBLISH}"),
        _DELETED: _State(f"This video was removed from YouTube. {REMEDY}"),
        _GONE: _State(f"YouTube has no video that can be watched under this link. Check the link. {REMEDY}"),
        _AGE: _State(f"YouTube shows this video to grown-ups who signed in only. {REMEDY}"),
        _MEMBERS: _State(f"YouTube shows this video to members of its channel only. {REMEDY}"),
        _PAID: _State(f"YouTube shows this video to those who paid for it only. {REMEDY}"),
        _REGION: _State(f"This video can't be watched in the country where this registry runs. {REMEDY}"),
        _LIVE: _State(
            "This video is live, or its recording is not ready.", timedelta(hours=2), "We come back for the recording."
        ),
        _UPCOMING: _State("This video has not begun yet.", timedelta(hours=6), "We come back when it is over."),
        _NOT_YET: _State(
            "It has no captions yet.", timedelta(hours=6), "We come back for them over a week.", remedy=REMEDY
        ),
        _WITHHELD: _State(
            "YouTube lists captions of this video but does not give them now.",
            timedelta(hours=6),
            "We come back.",
            remedy=REMEDY,
        ),
        SOUND_WITHHELD: _State(
            "YouTube does not give the sound of this video now.",
            timedelta(hours=6),
            "We come back.",
            remedy="You can register a file of the sound instead.",
        ),
        _DISABLED: _State(
            "This video has no captions though it is two weeks old or more: they are switched off, or nobody speaks in"
            " it. Switch them on in YouTube Studio and register it again, or have its sound read, or register a file of"
            " the captions."
        ),
        RATE_LIMITED: _State(
            "YouTube answers this registry no more for now, because it was asked too much.",
            timedelta(hours=1),
            "We come back later.",
        ),
        CONSENT: _State(
            "YouTube wants a person to agree to its cookies before it answers this registry.",
            timedelta(hours=6),
            "We come back later.",
            remedy=f"The operator can see this and let the registry run from another network. {REMEDY}",
        ),
    }
)
"""Every state by its code, which programs and translations key on."""

_BY_SENTENCE: Final = (
    (RATE_LIMITED, r"not a bot|unusual traffic|rate.limited|try again later|captcha"),
    (_AGE, r"confirm your age|age.restricted|inappropriate for some"),
    (_PRIVATE, r"\bprivate\b"),
    (_MEMBERS, r"\bmembers?\b|join this channel"),
    (_PAID, r"payment|\brent\b|purchase|\bpremium\b|\bbuy\b"),
    (_UPCOMING, r"premieres? in|live event will begin|will begin (?:in|shortly)"),
    (_REGION, r"your country|your (?:region|location)|blocked it (?:in|on)"),
    (_DELETED, r"removed|terminated|deleted|no longer available|closed their account|copyright"),
)
_BY_STATUS: Final = MappingProxyType(
    {
        "AGE_CHECK_REQUIRED": _AGE,
        "AGE_VERIFICATION_REQUIRED": _AGE,
        "LIVE_STREAM_OFFLINE": _UPCOMING,
        "ERROR": _GONE,
    }
)
_BY_LIVE: Final = MappingProxyType({"is_live": _LIVE, "post_live": _LIVE, "is_upcoming": _UPCOMING})


def why_none(seen: Seen, *, now: datetime) -> str | None:
    """The code of the state that a video without captions is in; None where YouTube said nothing that we know."""
    if seen.live is not None and seen.live in _BY_LIVE:
        return _BY_LIVE[seen.live]
    if seen.status is None:
        return None
    if seen.status == "OK":
        if seen.tracks:
            return _WITHHELD
        published = None if seen.published is None else datetime.fromtimestamp(seen.published, UTC)
        return _DISABLED if published is not None and now - published > _PATIENCE else _NOT_YET
    said = seen.reason.lower().replace("\u2019", "'")
    by_sentence = next((code for code, pattern in _BY_SENTENCE if re.search(pattern, said)), None)
    return by_sentence or _BY_STATUS.get(seen.status)


def error(code: str, video_id: str, *, begins: float | None = None) -> FetchFailedError:
    """What to raise for a video in one of `STATES`.

    Args:
        code: of the state.
        video_id: what it is about.
        begins: when a broadcast begins, in seconds since 1970, if that is known.
    """
    state = STATES[code]
    if state.wait is None:
        return VideoUnavailableError(state.sentence, code=code, video=video_id)
    wait = state.wait
    if code == _UPCOMING and begins is not None:
        until = datetime.fromtimestamp(begins, UTC) - datetime.now(UTC)
        wait = min(max(wait, until + wait), timedelta(days=30))
    return not_yet(code, wait, video=video_id)


def not_yet(code: str, wait: timedelta, **parameters: str) -> VideoNotYetError:
    """What to raise in a state in which waiting helps, to come back after some time."""
    state = STATES[code]

    def told(then: str) -> str:
        return " ".join(filter(None, (state.sentence, then, state.remedy)))

    return VideoNotYetError(
        told(state.returning), asked_once=told("Try again later."), code=code, wait=wait, **parameters
    )


def unknown(video_id: str, reason: str) -> FetchFailedError:
    """What to raise where nothing is known but a sentence, of YouTube or of yt-dlp."""
    told = reason.strip().rstrip(".")[:_MAX_REASON] or "it gave no reason"
    return FetchFailedError(f"YouTube did not give the captions of {video_id}: {told}. {REMEDY}")
