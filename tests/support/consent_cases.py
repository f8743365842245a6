"""Reads the table of worked cases: sentences in a small fixed grammar, made statements, grants and questions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from optout.consent.grants import Grant
from optout.consent.preferences import parse_use
from optout.consent.standards import STANDARDS, Said, meaning, permitting_only
from optout.consent.statements import SourceToken, Statement
from optout.consent.vocabulary import Carrier, EvidenceLevel, Preference, Scope, Use

TABLE = Path(__file__).resolve().parents[2] / "docs/reference/consent-cases.md"
RECORDED = datetime(2026, 1, 1, tzinfo=UTC)
ASKED = datetime(2026, 6, 1, tzinfo=UTC)

_SCOPES = {"": Scope.WORK, " for the album": Scope.COLLECTION, " for all works": Scope.ACCOUNT}
_OPTION = re.compile(
    r" (at|from|until|recorded|withdrawn|revoked|terms|contact|version of|on|as known on|counting) (\S+)"
)
_PREFERS = re.compile(r"(\w+) \(([\w-]+)\)( for the album| for all works|) says (\w+) to ([\w-]+(?:, [\w-]+)*)(.*)")
_CARRIES = re.compile(r"([\w-]+) \(([\w-]+)\) (says|permits only) ([\w.-]+): (\S+(?: & \S+)*)(.*)")
_UNREAD = re.compile(r"([\w-]+) \(([\w-]+)\) can't be read(.*)")
_GRANTS = re.compile(r"(\w+) \(([\w-]+)\) grants (\w+) ([\w-]+(?:, [\w-]+)*)(.*)")
_ASKS = re.compile(r"(\w+) asks for ([\w-]+)(.*)")


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks what."""

    requester: str | None
    use: Use
    at: datetime
    known_at: datetime | None
    min_evidence: EvidenceLevel
    location: str | None


@dataclass(slots=True)
class Case:
    """One row of the table; statements and grants by the work that they are about."""

    number: str
    asked: Asked
    verdict: Preference
    sentence: str
    statements: dict[str, list[Statement]] = field(default_factory=lambda: {"A": []})
    grants: dict[str, list[Grant]] = field(default_factory=dict)


def read() -> list[Case]:
    """All rows, in order."""
    rows = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if re.match(r"\| (X?\d+b?) \|", line)]
    return [_case([cell.strip() for cell in row.strip("|").split(" | ")]) for row in rows]


def _case(cells: list[str]) -> Case:
    number, said, asked, verdict, sentence = cells
    case = Case(number, _asked(asked), Preference(verdict.strip("`")), sentence)
    for position, clause in enumerate(filter(None, said.split("; ")), 1):
        if clause == "nothing":
            continue
        work, _, rest = clause.rpartition(": ") if re.match(r"[AB]: ", clause) else ("A", "", clause)
        work, rest = (clause[0], clause[3:]) if re.match(r"[AB]: ", clause) else (work, rest)
        made = _grant(rest, f"g{position}") or _statement(rest, f"s{position}")
        if isinstance(made, Grant):
            case.grants.setdefault(work, []).append(made)
        else:
            case.statements.setdefault(work, []).append(made)
    return case


def _asked(text: str) -> Asked:
    who, use, rest = _match(_ASKS, text)
    options = _options(rest)
    return Asked(
        requester=None if who == "anybody" else who,
        use=parse_use(use),
        at=_day(options.get("on")) or ASKED,
        known_at=_day(options.get("as known on")),
        min_evidence=EvidenceLevel(options.get("counting", "self-declared")),
        location=options.get("at"),
    )


def _grant(text: str, name: str) -> Grant | None:
    found = _GRANTS.fullmatch(text)
    if found is None:
        return None
    who, level, grantee, uses, rest = found.groups()
    options = _options(rest)
    return Grant(
        id=name,
        grantor=who,
        grantee=grantee,
        evidence=EvidenceLevel(level),
        uses=frozenset(leaf for word in uses.split(", ") for leaf in parse_use(word).leaves),
        valid_from=_day(options.get("from")) or RECORDED,
        valid_until=_day(options.get("until")),
        recorded_at=_day(options.get("recorded")) or RECORDED,
        revoked_at=_day(options.get("revoked")),
    )


def _statement(text: str, name: str) -> Statement:
    if found := _PREFERS.fullmatch(text):
        who, level, scope, said, uses, rest = found.groups()
        leaves = [leaf for word in uses.split(", ") for leaf in parse_use(word).leaves]
        base = _plain(name, who, level, rest)
        return replace(base, uses=dict.fromkeys(leaves, Preference(said)), scope=_SCOPES[scope])
    if found := _CARRIES.fullmatch(text):
        carrier, level, how, standard, words, rest = found.groups()
        base = _plain(name, f"the {carrier}", level, rest)
        effects: dict[Use, Preference] = {}
        for word in words.split(" & "):
            token, _, said = word.partition("=")
            effects.update(meaning(standard, token, Said(said)))
        tokens = tuple(SourceToken(standard, STANDARDS[standard], word) for word in words.split(" & "))
        uses_said = permitting_only(effects) if how == "permits only" else effects
        return replace(base, uses=uses_said, carrier=Carrier(carrier), tokens=tokens)
    carrier, level, rest = _match(_UNREAD, text)
    return replace(_plain(name, f"the {carrier}", level, rest), carrier=Carrier(carrier), unread="malformed")


def _plain(name: str, who: str, level: str, rest: str) -> Statement:
    options = _options(rest)
    return Statement(
        id=name,
        source=who,
        carrier=Carrier.CLAIM,
        evidence=EvidenceLevel(level),
        uses={},
        valid_from=_day(options.get("from")) or RECORDED,
        valid_until=_day(options.get("until")),
        recorded_at=_day(options.get("recorded")) or RECORDED,
        terms_url=options.get("terms"),
        contact=options.get("contact"),
        series=options.get("version of"),
        withdrawn_at=_day(options.get("withdrawn")),
        location=options.get("at"),
    )


def _options(text: str) -> Mapping[str, str]:
    found = dict(_OPTION.findall(text))
    if _OPTION.sub("", text).strip():
        raise ValueError(f"not an option: {text}")
    return found


def _match(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    found = pattern.fullmatch(text)
    if found is None:
        raise ValueError(f"not in the grammar: {text}")
    return found.groups()


def _day(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)
