"""Which of the formats that yt-dlp finds of a video is fetched for its sound: one file, in the original language."""

from collections.abc import Mapping
from typing import Any, Final

_ENOUGH_KBIT: Final = 48.0
"""Sound of fewer bits loses what it is known by; more of them only take longer to fetch."""


def sound_of(formats: object) -> dict[str, object] | None:
    """Choose among `formats` of yt-dlp: `url`, `bytes` (None: unknown), and `at`, when it may be fetched.

    A file of sound alone is preferred, then the language that is spoken to a dub, then the fewest bits that are enough.
    """
    found = [one for one in formats if _is_fetched(one)] if isinstance(formats, list) else []
    if not found:
        return None
    best = min(found, key=_order)
    return {
        "url": best["url"],
        "bytes": best.get("filesize") if isinstance(best.get("filesize"), int) else None,
        "at": float(best["available_at"]) if isinstance(best.get("available_at"), int | float) else None,
    }


def _is_fetched(one: object) -> bool:
    """Whether it is one file with sound that anybody can decode."""
    return (
        isinstance(one, dict)
        and isinstance(one.get("url"), str)
        and one.get("protocol") in {None, "http", "https"}
        and not one.get("has_drm")
        and one.get("acodec") not in {None, "none"}
    )


def _order(one: Mapping[str, Any]) -> tuple[object, ...]:
    kbit = _number(one.get("tbr"))
    is_squeezed = str(one.get("format_id", "")).endswith("-drc")  # loud and soft brought together: another sound
    return (
        one.get("vcodec") != "none",
        -_number(one.get("preference")),
        -_number(one.get("language_preference")),
        is_squeezed,
        kbit < _ENOUGH_KBIT,
        kbit if kbit >= _ENOUGH_KBIT else -kbit,
    )


def _number(said: object) -> float:
    return float(said) if isinstance(said, int | float) else 0.0
