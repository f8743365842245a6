"""The fixed words: uses and their aggregates, preferences, evidence levels, scopes, carriers."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Use(StrEnum):
    """What is done with an asset: six disjoint leaves, and three aggregates of them."""

    TRAIN_GENAI = "train-genai"
    TRAIN_OTHER = "train-other"
    AI_INPUT = "ai-input"
    AI_INDEX = "ai-index"
    SEARCH = "search"
    TDM_OTHER = "tdm-other"
    TRAIN_AI = "train-ai"
    AI_ALL = "ai-all"
    ALL = "all"

    @property
    def leaves(self) -> tuple["Use", ...]:
        """The leaf uses that this use stands for; a leaf stands for itself."""
        return AGGREGATES.get(self, (self,))


LEAVES: tuple[Use, ...] = (
    Use.TRAIN_GENAI,
    Use.TRAIN_OTHER,
    Use.AI_INPUT,
    Use.AI_INDEX,
    Use.SEARCH,
    Use.TDM_OTHER,
)

AGGREGATES: Mapping[Use, tuple[Use, ...]] = MappingProxyType(
    {
        Use.TRAIN_AI: LEAVES[:2],
        Use.AI_ALL: LEAVES[:4],
        Use.ALL: LEAVES,
    }
)


class Preference(StrEnum):
    """What is wanted for one use; also the words of a verdict. UNKNOWN means that nothing was said: never consent."""

    ALLOWED = "allowed"
    CONDITIONAL = "conditional"
    DISALLOWED = "disallowed"
    UNKNOWN = "unknown"


class EvidenceLevel(StrEnum):
    """How well a claimant's right to speak is shown, weakest first."""

    SELF_DECLARED = "self-declared"
    ACCOUNT = "account"
    DOMAIN = "domain"
    VERIFIED = "verified"

    @property
    def rank(self) -> int:
        """0 for the weakest level; levels compare by rank."""
        return _EVIDENCE_RANKS[self]


_EVIDENCE_RANKS: Final = {level: rank for rank, level in enumerate(EvidenceLevel)}


class Scope(StrEnum):
    """What a claim is about, widest first. Of what one claimant says, the narrower wins."""

    ACCOUNT = "account"
    COLLECTION = "collection"
    WORK = "work"

    @property
    def rank(self) -> int:
        """0 for the widest."""
        return list(Scope).index(self)


class Carrier(StrEnum):
    """Where a statement was found. A word is never renamed: catalogues hold them."""

    CLAIM = "claim"
    ROBOTS_TXT = "robots-txt"
    HTTP_HEADER = "http-header"
    HTML = "html"
    WELL_KNOWN = "well-known"  # tdmrep.json, ai.txt
    METADATA = "metadata"  # embedded in the file, unsigned: XMP, IPTC, EPUB
    MANIFEST = "manifest"  # embedded or beside, signed: C2PA
    LICENCE = "licence"  # a licence document: RSL
