"""The plain words of the pages for the states that a video of YouTube can be in."""

from collections.abc import Mapping
from typing import Final


def _(text: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is said."""
    return text


VIDEO_STATES: Final[Mapping[str, str]] = {
    "youtube-private": _(
        "This video is private, so nobody can read its captions. Make it public or unlisted and register it again, or "
        "register a file of the captions."
    ),
    "youtube-deleted": _("This video was removed from YouTube. Register a file of the captions instead."),
    "youtube-gone": _(
        "YouTube has no video that can be watched under this link. Check the link, or register a file of the captions."
    ),
    "youtube-age-restricted": _(
        "YouTube shows this video to grown-ups who signed in only. Register a file of the captions instead."
    ),
    "youtube-members-only": _(
        "YouTube shows this video to members of its channel only. Register a file of the captions instead."
    ),
    "youtube-paid": _(
        "YouTube shows this video to those who paid for it only. Register a file of the captions instead."
    ),
    "youtube-region-locked": _(
        "This video can't be watched in the country where this registry runs. Register a file of the captions instead."
    ),
    "youtube-live": _("This video is live, or its recording is not ready. We come back for the recording."),
    "youtube-upcoming": _("This video has not begun yet. We come back when it is over."),
    "youtube-no-captions-yet": _(
        "This video has no captions yet. We come back for them over a week; you can also register a file of them."
    ),
    "youtube-captions-withheld": _(
        "YouTube lists captions of this video but does not give them now. We come back; you can also register a file "
        "of them."
    ),
    "youtube-sound-withheld": _(
        "YouTube does not give the sound of this video now. We come back; you can also register a file of the sound."
    ),
    "youtube-captions-disabled": _(
        "This video has no captions though it is two weeks old or more: they are switched off, or nobody speaks in it. "
        "Switch them on in YouTube Studio and register it again, or have its sound read, too, or register a file of "
        "the captions."
    ),
    "youtube-rate-limited": _(
        "YouTube answers this registry no more for now, because it was asked too much. We come back later."
    ),
    "youtube-consent-page": _(
        "YouTube wants a person to agree to its cookies before it answers this registry. We come back later; you can "
        "also register a file of the captions."
    ),
}
"""By the code of the state. What is not retried says what to do instead."""

LIST_STATES: Final[Mapping[str, str]] = {
    "youtube-list-gone": _(
        "YouTube shows no list of videos at this address: it is private, empty or gone. Check the link, make it public "
        "or unlisted, and try again."
    ),
}
"""The same for channels and playlists."""
