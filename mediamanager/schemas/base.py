"""What every wire model has in common: unknown fields are refused, so that a misspelt preference is never ignored."""

from pydantic import BaseModel, ConfigDict


class WireModel(BaseModel):
    """The base of every request and answer."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True, allow_inf_nan=False)
