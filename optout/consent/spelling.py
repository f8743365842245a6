"""Statements and grants as JSON: one spelling for catalogues and for files of grants. What is not said is left out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, TypeAlias

from optout.consent.grants import Grant
from optout.consent.statements import SourceToken, Statement
from optout.consent.vocabulary import LEAVES, Carrier, EvidenceLevel, Preference, Scope, Use

JsonObject: TypeAlias = dict[str, object]

# By their words: an enumeration takes five times as long to find a member.
_PREFERENCES: Final[Mapping[object, Preference]] = {one.value: one for one in Preference}
_LEAF_USES: Final = {one.value: one for one in LEAVES}
_OPTIONAL_TEXTS: Final = ("contact", "subject", "series", "location", "unread", "raw_sha256", "parser")


def write(statement: Statement) -> JsonObject:
    """Spell a statement; `read` is the inverse."""
    spelled: JsonObject = {
        "id": statement.id,
        "source": statement.source,
        "carrier": statement.carrier,
        "evidence": statement.evidence,
        "uses": {use: statement.uses[use] for use in LEAVES if use in statement.uses},
        "valid_from": statement.valid_from.isoformat(),
        "valid_until": _time(statement.valid_until),
        "recorded_at": statement.recorded_at.isoformat(),
        "terms_url": statement.terms_url,
    }
    further: JsonObject = {name: getattr(statement, name) for name in _OPTIONAL_TEXTS}
    further["languages"] = list(statement.languages)
    further["scope"] = None if statement.scope is Scope.WORK else statement.scope
    further["withdrawn_at"] = _time(statement.withdrawn_at)
    further["tokens"] = [[one.standard, one.version, one.text] for one in statement.tokens]
    return spelled | {name: value for name, value in further.items() if value}


def read(spelled: Mapping[str, object]) -> Statement:
    """Read a statement.

    Raises:
        ValueError, KeyError, TypeError: it can't be understood. A word that this version does not know is an error
            too: it could be a reservation.
    """
    uses = spelled["uses"]
    languages, tokens = spelled.get("languages", []), spelled.get("tokens", [])
    if not (isinstance(uses, dict) and isinstance(languages, list) and isinstance(tokens, list)):
        raise TypeError("a statement has not the shape of one")
    start, end = _period(spelled)
    return Statement(
        id=_text(spelled["id"]),
        source=_text(spelled["source"]),
        carrier=Carrier(_text(spelled["carrier"])),
        evidence=EvidenceLevel(_text(spelled["evidence"])),
        uses={_leaf(use): _PREFERENCES[preference] for use, preference in uses.items()},
        valid_from=start,
        valid_until=end,
        recorded_at=_moment(spelled["recorded_at"]),
        terms_url=_optional_text(spelled["terms_url"]),
        languages=tuple(_text(one) for one in languages),
        scope=Scope(_text(spelled.get("scope", Scope.WORK))),
        withdrawn_at=_optional_moment(spelled.get("withdrawn_at")),
        tokens=tuple(SourceToken(*map(_text, one)) for one in tokens),
        **{name: _optional_text(spelled.get(name)) for name in _OPTIONAL_TEXTS},
    )


def write_grant(grant: Grant) -> JsonObject:
    """Spell a grant; `read_grant` is the inverse."""
    return {
        "id": grant.id,
        "grantor": grant.grantor,
        "grantee": grant.grantee,
        "evidence": grant.evidence,
        "uses": [leaf for leaf in LEAVES if leaf in grant.uses],
        "valid_from": grant.valid_from.isoformat(),
        "valid_until": _time(grant.valid_until),
        "recorded_at": grant.recorded_at.isoformat(),
        "revoked_at": _time(grant.revoked_at),
        "works": None if grant.works is None else sorted(grant.works),
    }


def read_grant(spelled: Mapping[str, object]) -> Grant:
    """Read a grant.

    Raises:
        ValueError, KeyError, TypeError: it can't be understood.
    """
    uses, works = spelled["uses"], spelled["works"]
    if not isinstance(uses, list) or not (works is None or isinstance(works, list)):
        raise TypeError("a grant has not the shape of one")
    start, end = _period(spelled)
    return Grant(
        id=_text(spelled["id"]),
        grantor=_text(spelled["grantor"]),
        grantee=_text(spelled["grantee"]),
        evidence=EvidenceLevel(_text(spelled["evidence"])),
        uses=frozenset(map(_leaf, uses)),
        valid_from=start,
        valid_until=end,
        recorded_at=_moment(spelled["recorded_at"]),
        revoked_at=_optional_moment(spelled["revoked_at"]),
        works=None if works is None else frozenset(map(_text, works)),
    )


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is missing")
    return value


def _optional_text(value: object) -> str | None:
    return None if value is None else _text(value)


def _leaf(value: object) -> Use:
    """Read a leaf use. An aggregate has no place in what was spelled out: nobody would look for it there."""
    return _LEAF_USES[_text(value)]


def _period(spelled: Mapping[str, object]) -> tuple[datetime, datetime | None]:
    start, end = _moment(spelled["valid_from"]), _optional_moment(spelled["valid_until"])
    if end is not None and end <= start:
        raise ValueError("it ends before it begins")
    return start, end


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment.utcoffset() is None:
        raise ValueError("a time has no zone")
    return moment


def _optional_moment(value: object) -> datetime | None:
    return None if value is None else _moment(value)
