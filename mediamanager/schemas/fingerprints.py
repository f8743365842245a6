"""A fingerprint on the wire. Its value is hex or base64, as the algorithm's registry entry says."""

from pydantic import Field

from mediamanager.schemas.base import WireModel


class WireFingerprint(WireModel):
    """What one algorithm computed, encoded for JSON."""

    algorithm: str = Field(min_length=1, max_length=40, examples=["pdq-256"])
    version: int = Field(default=1, ge=1, le=1000)
    value: str = Field(min_length=1, max_length=4_000_000, description="hex for hashes and keys, base64 for the rest")
    quality: float = Field(default=100.0, ge=0, le=100)
    span: list[float] | None = Field(default=None, max_length=4)
