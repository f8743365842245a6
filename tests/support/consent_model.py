"""The rules of docs/reference/consent.md once more, written from that page alone, as plainly as can be.

It imports nothing of the product. Times are whole days. Words are those of the page.
"""

from dataclasses import dataclass, field

LEAVES = ["train-genai", "train-other", "ai-input", "ai-index", "search", "tdm-other"]
USES = {leaf: [leaf] for leaf in LEAVES} | {"train-ai": LEAVES[:2], "ai-all": LEAVES[:4], "all": LEAVES}
LEVELS = ["self-declared", "account", "domain", "verified"]
SCOPES = ["account", "collection", "work"]


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
    permissions: list[Permission] = field(default_factory=list)

    def answer(self, use: str, requester: str | None, day: int, known: int, least: str) -> str:
        """May this requester do this on this day, as known on that day?"""
        words = {self._leaf(leaf, requester, day, known, least) for leaf in USES[use]}
        return next(word for word in ("disallowed", "conditional", "unknown", "allowed") if word in words)

    def _leaf(self, leaf: str, requester: str | None, day: int, known: int, least: str) -> str:
        speaking = []
        for claim in self.claims:
            version = self._speaks(claim, day, known)
            if version and LEVELS.index(version.evidence) >= LEVELS.index(least) and leaf in version.said:
                speaking.append((claim, version))
        # Of one claimant the narrower.
        speaking = [
            (claim, version)
            for claim, version in speaking
            if not any(
                other.who == claim.who and SCOPES.index(other.scope) > SCOPES.index(claim.scope)
                for other, _ in speaking
            )
        ]
        holding = [one for one in self.permissions if leaf in one.leaves and self._holds(one, requester, day, known)]
        counted = ["allowed"] if holding else []
        for claim, version in speaking:
            lifted = holding and (version.evidence != "verified" or claim.who in {one.who for one in holding})
            may_say_so = version.said[leaf] != "allowed" or version.evidence == "verified"
            if not lifted and may_say_so:
                counted.append(version.said[leaf])
        return next((word for word in ("disallowed", "conditional", "allowed") if word in counted), "unknown")

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
        in_time = one.recorded <= known and one.start <= day and (one.end is None or day < one.end)
        return one.to == requester and one.evidence == "verified" and in_time and not revoked
