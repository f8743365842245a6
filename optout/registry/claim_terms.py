"""What a claim says, checked before anything is written."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Required, TypedDict
from urllib.parse import urlsplit

from optout.consent import moments
from optout.consent.preferences import expand
from optout.consent.vocabulary import Preference, Use
from optout.errors import InvalidInputError
from optout.registry.texts import email
from optout.store.models.base import utc_now

MAX_URL: Final = 2048
MAX_LANGUAGES: Final = 10

_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


class Asking(TypedDict, total=False):
    """How to ask a claimant.

    `terms_url` is where licence terms can be read. `contact` is whom to ask: an e-mail address, or a web address with a
    form. `languages` are BCP 47 tags, the preferred one first.
    """

    terms_url: str | None
    contact: str | None
    languages: Sequence[str]


class Terms(Asking, total=False):
    """What a claimant says.

    Preferences may be for any uses: aggregates are expanded, what is not named is UNKNOWN.
    """

    preferences: Required[Mapping[Use, Preference]]
    valid_from: datetime | None
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class CheckedTerms:
    """The same, spelled out: a preference for each leaf, and a start."""

    preferences: Mapping[Use, Preference]
    valid_from: datetime
    valid_until: datetime | None
    terms_url: str | None
    contact: str | None
    languages: tuple[str, ...]


def check(terms: Terms, *, valid_from: datetime) -> CheckedTerms:
    """Check what somebody says; `valid_from` is its start if it does not name one.

    Raises:
        InvalidInputError: nothing is stated, or times, address, contact or languages can't be used.
    """
    leaves = expand(terms["preferences"])
    if all(said is Preference.UNKNOWN for said in leaves.values()):
        raise InvalidInputError(
            "say allowed, conditional or disallowed for at least one use: unknown states nothing", field="preferences"
        )
    start, end = period(terms.get("valid_from") or valid_from, terms.get("valid_until"))
    return CheckedTerms(
        leaves,
        start,
        end,
        _address(terms.get("terms_url"), "terms_url"),
        _contact(terms.get("contact")),
        _languages(terms.get("languages") or ()),
    )


def check_asking(asking: Asking) -> None:
    """Check how somebody wants to be asked.

    Raises:
        InvalidInputError: `field` names what can't be used.
    """
    _address(asking.get("terms_url"), "terms_url")
    _contact(asking.get("contact"))
    _languages(asking.get("languages") or ())


def period(valid_from: datetime, valid_until: datetime | None) -> tuple[datetime, datetime | None]:
    """Check from when until when something holds; in UTC.

    Raises:
        InvalidInputError: a time without zone or beyond the calendar, or an end that is past or not after the start.
    """
    moments.require(valid_from, "valid_from")
    moments.require(valid_until, "valid_until")
    if valid_until is not None and valid_until <= max(valid_from, utc_now()):
        raise InvalidInputError("valid_until must lie in the future, and after valid_from", field="valid_until")
    return valid_from.astimezone(UTC), None if valid_until is None else valid_until.astimezone(UTC)


def _address(url: str | None, field: str) -> str | None:
    if url is None:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if len(url) > MAX_URL or not url.isprintable() or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InvalidInputError(f"{field} must be an http or https address", field=field)
    if "@" in parts.netloc:  # it would be shown to everybody who asks, and may look like an address of somebody else
        raise InvalidInputError(f"{field} must hold no name or password: leave out what stands before @", field=field)
    return url


def _contact(contact: str | None) -> str | None:
    if contact is None or not contact.strip():
        return None
    if contact.startswith(("http://", "https://")):
        return _address(contact, "contact")
    return email(contact, field="contact")


def _languages(languages: Sequence[str]) -> tuple[str, ...]:
    if len(languages) > MAX_LANGUAGES:
        raise InvalidInputError(f"name at most {MAX_LANGUAGES} languages", field="languages")
    for tag in languages:
        if not _LANGUAGE.fullmatch(tag):
            raise InvalidInputError(f"`{tag}` is not a language tag: write en, fr or pt-BR", field="languages")
    return tuple(dict.fromkeys(languages))
