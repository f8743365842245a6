"""Errors on the wire, in the form of RFC 9457."""

from pydantic import BaseModel, Field


class FieldProblem(BaseModel):
    """What is wrong with one field, and what would be right."""

    field: str = Field(examples=["assets.3.fingerprints.0.value"])
    message: str
    code: str


class Problem(BaseModel):
    """An `application/problem+json` body. `code` is stable; `detail` is for people."""

    type: str = Field(examples=["urn:mediamanager:problem:not-found"])
    title: str
    status: int
    detail: str
    code: str
    instance: str | None = Field(
        default=None, description="names this one occurrence where the operator's log has more about it"
    )
    errors: list[FieldProblem] = Field(default_factory=list)
    parameters: dict[str, str | int | float] = Field(
        default_factory=dict, description="what the detail is about: ids, limits, names of fields"
    )
