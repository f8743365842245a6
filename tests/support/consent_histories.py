"""Random histories of one work, told to the model and to the product; they have to answer alike.

`PYTHONPATH=. python tests/support/consent_histories.py --count 200000` runs many; differences come with seeds.
"""

import argparse
import sys
import time
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from consent_model import LEAVES, LEVELS, SCOPES, USES, WORDS, Claim, Model, Permission, Signal, Version

from optout.consent import policy
from optout.consent.grants import Grant
from optout.consent.replay import replay
from optout.consent.statements import Statement
from optout.consent.vocabulary import Carrier, EvidenceLevel, Preference, Scope, Use

DAYS = 12
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_PEOPLE = ("ann", "bob", "cat")
_PIPELINES = ("pia", "quinn", None)
_PLACES = ("https://h.example/a", "https://h.example/b", None)


def moment(day: int) -> datetime:
    return _EPOCH + timedelta(days=day)


def history(random: Random) -> Model:
    """File, amend, contest, find signals, grant, revoke and withdraw, one event a day at most."""
    model = Model()
    for day in range(random.randint(1, DAYS)):
        _happen(model, day, random)
    return model


def _happen(model: Model, day: int, random: Random) -> None:
    live = [claim for claim in model.claims if claim.withdrawn is None]
    given = [one for one in model.permissions if one.revoked is None]
    match random.choice(("file", "file", "amend", "amend", "find", "grant", "revoke", "withdraw", "nothing")):
        case "file":
            model.claims.append(Claim(random.choice(_PEOPLE), random.choice(SCOPES), [_version(day, random)]))
        case "amend" if live:
            random.choice(live).versions.append(_version(day, random))
        case "find":
            version = _version(day, random)
            said = random.choice((version.said, version.said, None))
            place, span = random.choice(_PLACES), (version.start, version.end)
            model.signals.append(Signal(random.choice(_PEOPLE), day, version.evidence, said, *span, place))
        case "withdraw" if live:
            random.choice(live).withdrawn = day
        case "grant":
            start, end = _span(day, random)
            leaves = set(USES[random.choice(list(USES))])
            who, to, level = random.choice(_PEOPLE), random.choice(_PIPELINES[:2]), random.choice(LEVELS[-2:])
            model.permissions.append(Permission(who, str(to), level, leaves, day, start, end))
        case "revoke" if given:
            random.choice(given).revoked = day
        case _:
            pass


def _version(day: int, random: Random) -> Version:
    start, end = _span(day, random)
    words = (*WORDS, *WORDS, "granted")  # the last is none of ours
    said = {leaf: random.choice(words) for leaf in LEAVES if random.random() < 0.6}
    return Version(day, random.choice((LEVELS[0], LEVELS[-1], random.choice(LEVELS))), said, start, end)


def _span(day: int, random: Random) -> tuple[int, int | None]:
    start = random.choice((day, day, random.randint(0, DAYS)))
    return start, random.choice((None, start + random.randint(1, 6)))


def statements(model: Model) -> list[Statement]:
    """The history as the policy is given it: a statement for each version of each claim, and for each signal."""
    return _of_claims(model) + [
        Statement(
            id=f"s{number}",
            source=one.who,
            carrier=Carrier.HTTP_HEADER,
            evidence=EvidenceLevel(one.evidence),
            uses=_uses(one.said or {}),
            valid_from=moment(one.start),
            valid_until=None if one.end is None else moment(one.end),
            recorded_at=moment(one.recorded),
            location=one.place,
            unread="malformed" if one.said is None else None,
        )
        for number, one in enumerate(model.signals)
    ]


def _uses(said: dict[str, str]) -> dict[Use, Any]:
    """A word that is none of ours stays what it is."""
    return {Use(leaf): Preference(word) if word in WORDS else word for leaf, word in said.items()}


def _of_claims(model: Model) -> list[Statement]:
    return [
        Statement(
            id=f"{number}.{position}",
            source=claim.who,
            carrier=Carrier.CLAIM,
            evidence=EvidenceLevel(version.evidence),
            uses=_uses(version.said),
            valid_from=moment(version.start),
            valid_until=None if version.end is None else moment(version.end),
            recorded_at=moment(version.recorded),
            scope=Scope(claim.scope),
            series=str(number),
            withdrawn_at=None if claim.withdrawn is None else moment(claim.withdrawn),
        )
        for number, claim in enumerate(model.claims)
        for position, version in enumerate(claim.versions)
    ]


def grants(model: Model) -> list[Grant]:
    """The permissions as the registry hands them to the policy."""
    return [
        Grant(
            id=f"g{number}",
            grantor=one.who,
            grantee=one.to,
            evidence=EvidenceLevel(one.evidence),
            uses=frozenset(map(Use, one.leaves)),
            valid_from=moment(one.start),
            valid_until=None if one.end is None else moment(one.end),
            recorded_at=moment(one.recorded),
            revoked_at=None if one.revoked is None else moment(one.revoked),
        )
        for number, one in enumerate(model.permissions)
    ]


def differences(seed: int, *, questions: int = 3) -> list[str]:
    """Where model and product answer one random history otherwise."""
    random = Random(seed)
    model = history(random)
    said, given = statements(model), grants(model)
    random.shuffle(said)
    found = []
    for _ in range(questions):
        use, requester, least = (
            random.choice(list(USES)),
            random.choice(_PIPELINES),
            random.choice([LEVELS[0], *LEVELS]),
        )
        day, known = random.randint(0, DAYS), random.randint(0, DAYS)
        place = random.choice(_PLACES)
        expected = model.answer(use, requester, day, known, least, place)
        decision = policy.decide(
            said,
            Use(use),
            requester,
            moment(day),
            EvidenceLevel(least),
            known_at=moment(known),
            grants=given,
            location=place,
        )
        if decision.verdict != expected or replay(decision.trace, Use(use)) is not decision.verdict:
            found.append(
                f"seed {seed}: {use} for {requester} at {place} on {day} as known on {known}, {least} and above: "
                f"model {expected}, product {decision.verdict}"
            )
    return found


def main() -> int:
    """Run as many histories as asked for; 1 if any differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--first", type=int, default=0, help="seed of the first one")
    asked = parser.parse_args()
    began, failed = time.monotonic(), 0
    for seed in range(asked.first, asked.first + asked.count):
        for difference in differences(seed):
            failed += 1
            sys.stdout.write(f"{difference}\n")
    seconds = time.monotonic() - began
    sys.stdout.write(f"{asked.count} histories, {failed} differences, {seconds:.0f} s\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
