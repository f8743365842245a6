"""Moments that people and programs name, checked: with a time zone, and such that UTC has them."""

from datetime import UTC, datetime

from optout.errors import InvalidInputError


def require(moment: datetime | None, field: str) -> None:
    """Pass if a moment can be compared with others and stored; None is no moment, and passes.

    Raises:
        InvalidInputError: it has no time zone, or lies outside the years 1 to 9999 in UTC; `field` names it.
    """
    if moment is None:
        return
    if moment.utcoffset() is None:
        raise InvalidInputError(f"{field} needs a time zone, for instance 2026-01-31T12:00:00Z", field=field)
    try:
        moment.astimezone(UTC)
    except OverflowError:
        raise InvalidInputError(f"{field} must lie in the years 1 to 9999, in UTC", field=field) from None
