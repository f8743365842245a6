"""The rules of docs/reference/consent.md once more, written from that page alone, as plainly as can be.

It imports nothing of the product. Times are whole days. Words are those of the page.
"""

from dataclasses import dataclass, field

LEAVES = ["train-genai", "train-other", "ai-input", "ai-index", "search", "tdm-other"]
USES = {leaf: [leaf] for leaf in LEAVES} | {"train-ai": LEAVES[:2], "ai-all": LEAVES[:4], "all": LEAVES}
LEVELS = ["self-declared", "account", "domain", "verified"]
SCOPES = ["account", "collection", "work"]
WORDS = ("disallowed", "conditional", "allowed")


@dataclass
class Version:
    recorded: int
    evidence: str
    said: dict[str, str]
    start: int
    end: int | None


@dataclass
class Claim:
    who: str
    scope: str
    versions: list[Version]
    withdrawn: int | None = None


@dataclass
class Signal:
    """What was found elsewhere than in the registry; `said` is None where it could not be read."""

    who: str
    recorded: int
    evidence: str
    said: dict[str, str] | None
    start: int
    end: int | None
    place: str | None


@dataclass
class Permission:
    who: str
    to: str
    evidence: str
    leaves: set[str]
    recorded: int
    start: int
    end: int | None
    revoked: int | None = None


@dataclass
class Model:
    """What happened to one work."""

    claims: list[Claim] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)
    permissions: list[Permission] = field(default_factory=list)

    def answer(
        self, use: str, requester: str | None, day: int, known: int, least: str, place: str | None = None
    ) -> str:
        """May this requester do this on this day with what was got there, as known on that day?"""
        words = {self._leaf(leaf, requester, day, known, least, place) for leaf in USES[use]}
        return next(word for word in ("disallowed", "conditional", "unknown", "allowed") if word in words)

    def _leaf(self, leaf: str, requester: str | None, day: int, known: int, least: str, place: str | None) -> str:
        heard = self._claims(leaf, day, known, least)
        for one in self.signals:
            here = one.place in (None, place) and self._in_time(one, day, known)
            if here and LEVELS.index(one.evidence) >= LEVELS.index(least):
                word = "unreadable" if one.said is None else one.said.get(leaf)
                may_open = one.evidence == "verified" or (one.place is not None and one.evidence == "domain")
                heard += [(one.who, one.evidence, word, may_open)] if word else []
        holding = [one for one in self.permissions if leaf in one.leaves and self._holds(one, requester, day, known)]
        grantors = {one.who for one in holding}
        # A grantor is verified, so that who has less evidence is whoever is not.
        left = [one for one in heard if not (holding and (one[1] != "verified" or one[0] in grantors))]
        counted = [word for _, _, word, may_open in left if word != "allowed" or may_open]
        counted += ["allowed"] if holding else []
        unread = any(word not in WORDS for word in counted)
        order = ("disallowed", "conditional") if unread else WORDS
        return next((word for word in order if word in counted), "unknown")

    def _claims(self, leaf: str, day: int, known: int, least: str) -> list[tuple[str, str, str, bool]]:
        """Who says what about a leaf, with which evidence: of one claimant the narrower of what can be read."""
        heard = []
        for claim in self.claims:
            version = self._speaks(claim, day, known)
            if version and LEVELS.index(version.evidence) >= LEVELS.index(least) and leaf in version.said:
                heard.append((claim, version.evidence, version.said[leaf]))
        narrowest = {
            claim.who: max(
                SCOPES.index(other.scope) for other, _, word in heard if other.who == claim.who and word in WORDS
            )
            for claim, _, word in heard
            if word in WORDS
        }
        return [
            (claim.who, evidence, word, evidence == "verified")
            for claim, evidence, word in heard
            if word not in WORDS or SCOPES.index(claim.scope) == narrowest[claim.who]
        ]

    def _speaks(self, claim: Claim, day: int, known: int) -> Version | None:
        candidates = [one for one in claim.versions if one.recorded <= known and one.start <= day]
        if not candidates:
            return None
        last = max(candidates, key=lambda one: one.recorded)
        if last.end is not None and day >= last.end:
            return None
        if claim.withdrawn is not None and claim.withdrawn <= day and claim.withdrawn <= known:
            return None
        return last

    def _holds(self, one: Permission, requester: str | None, day: int, known: int) -> bool:
        revoked = one.revoked is not None and one.revoked <= day and one.revoked <= known
        return one.to == requester and one.evidence == "verified" and self._in_time(one, day, known) and not revoked

    def _in_time(self, one: Signal | Permission, day: int, known: int) -> bool:
        return one.recorded <= known and one.start <= day and (one.end is None or day < one.end)
