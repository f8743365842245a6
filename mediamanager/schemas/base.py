"""What every wire model has in common: unknown fields are refused, so that a misspelt preference is never ignored."""

from typing import Annotated, TypeAlias

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticKnownError


def _written_out(value: object) -> object:
    """Refuse seconds since 1970, which pydantic would take: they say neither a zone nor that a time was meant."""
    if isinstance(value, bool | int | float) or (isinstance(value, str) and "-" not in value.strip()[1:]):
        raise PydanticKnownError("datetime_parsing", {"error": "it is a number"})
    return value


Moment: TypeAlias = Annotated[AwareDatetime, BeforeValidator(_written_out)]
"""A date and a time with its zone, written out."""


class WireModel(BaseModel):
    """The base of every request and answer."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True, allow_inf_nan=False)
