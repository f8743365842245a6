"""Asking about assets in batch, and the verdicts."""

from pydantic import Field, model_validator

from fingerprinting.types import Depth, Modality, Strength
from mediamanager.schemas.base import Moment, WireModel
from mediamanager.schemas.fingerprints import WireFingerprint
from optout.consent.vocabulary import EvidenceLevel, Preference, Use

MAX_ASSETS = 10_000


class WireAsset(WireModel):
    """One asset: exact keys, fingerprints, or both. At least one of them is needed."""

    sha256: str | None = Field(default=None, pattern=r"^[0-9a-fA-F]{64}$")
    url: str | None = Field(default=None, max_length=2048)
    youtube: str | None = Field(default=None, pattern=r"^[0-9A-Za-z_-]{11}$", description="video id")
    fingerprints: list[WireFingerprint] = Field(default_factory=list, max_length=100)
    identifiable: bool = True

    @model_validator(mode="after")
    def _has_something_to_look_up(self) -> "WireAsset":
        if not (self.sha256 or self.url or self.youtube or self.fingerprints):
            raise ValueError("give at least one of sha256, url, youtube, fingerprints")
        return self


class Question(WireModel):
    """What is asked about assets; also the fields beside `file` when one file is sent."""

    use: Use = Use.TRAIN_GENAI
    depth: Depth = Depth.STANDARD
    min_evidence: EvidenceLevel = EvidenceLevel.SELF_DECLARED
    at: Moment | None = Field(default=None, description="for this moment; `known_at` or now if left out")
    explain: bool = Field(default=True, description="false leaves `reasons` empty, which is quicker")
    known_at: Moment | None = Field(
        default=None, description="leave out what was recorded later: the verdict as it was known at this moment"
    )


class LookupRequest(Question):
    """Up to 10,000 assets and one use."""

    assets: list[WireAsset] = Field(min_length=1, max_length=MAX_ASSETS)


class WireMatch(WireModel):
    """A registered work found in an asset."""

    work: str
    strength: Strength
    modality: Modality | None
    algorithm: str
    version: int
    distance: int | None
    score: float | None
    threshold: float | None
    query_span: list[float] | None
    work_span: list[float] | None
    verdict: Preference
    evidence: dict[str, str | int | float | bool]


class WireReason(WireModel):
    """A step that led to the verdict: stable code, parameters, English sentence."""

    code: str
    parameters: dict[str, str | int | float]
    sentence: str


class WireAnswer(WireModel):
    """The verdict for one asset."""

    verdict: Preference
    use: Use
    matches: list[WireMatch]
    reasons: list[WireReason]
    identifiable: bool
    asset_key: str = Field(default="", description="names the asset where a match with it is reported as wrong")


class LookupResponse(WireModel):
    """A verdict per asset, in the order asked. `unknown` says that no reservation was found; it is not consent."""

    verdicts: list[WireAnswer]
    catalogue_version: int = Field(description="the number of the last change that these verdicts took into account")
    log_size: int
