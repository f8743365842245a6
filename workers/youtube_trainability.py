"""Whom a video's owner lets train with it, as YouTube's own setting says: `videoTrainability` of its Data API."""

import io
import logging
from dataclasses import replace
from typing import Annotated, Final
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from workers.errors import FetchFailedError, FetchRefusedError, FetchTooLargeError
from workers.fetch import Ask, FetchLimits, fetch
from workers.network import Guard

logger = logging.getLogger(__name__)

ADDRESS: Final = "https://youtube.googleapis.com/youtube/v3/videoTrainability"
"""https://developers.google.com/youtube/data/video-trainability/reference/rest/v3/videoTrainability/get"""

_DOMAINS: Final = ("googleapis.com",)  # so that no redirect carries the key elsewhere
_LIMITS: Final = FetchLimits(max_bytes=100_000, max_seconds=15.0)


class _Answer(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)

    videoId: str  # noqa: N815 - the API's name
    permitted: list[Annotated[str, StringConstraints(min_length=1)]] = Field(min_length=1)


def ask(video_id: str, *, key: str, guard: Guard, address: str = ADDRESS) -> tuple[str, ...] | None:
    """Ask for a video's setting.

    Args:
        video_id: eleven characters.
        key: an API key of the operator's.
        guard: where connections may go; it is narrowed to the API's domain.
        address: another place of the API, for tests.

    Returns:
        `("all",)`, `("none",)` or the names of those who may. None where that can't be had: it is a fact to show beside
        a work, so nothing else waits for it, and the operator finds the reason in the log.
    """
    into = io.BytesIO()
    url = f"{address}?{urlencode({'id': video_id})}"
    try:
        fetch(
            url,
            into,
            guard=replace(guard, domains=_DOMAINS),
            limits=_LIMITS,
            ask=Ask(headers={"X-Goog-Api-Key": key, "Accept": "application/json"}),
        )
        said = _Answer.model_validate_json(into.getvalue())
    except (FetchFailedError, FetchRefusedError, FetchTooLargeError) as error:
        status = error.parameters.get("status")
        logger.warning("YouTube's Data API did not say who may train with a video", extra={"status": status})
        return None
    except ValidationError:
        logger.warning("YouTube's Data API answered with something that says nothing about who may train")
        return None
    return tuple(said.permitted) if said.videoId == video_id else None
