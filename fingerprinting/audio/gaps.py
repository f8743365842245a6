"""The stretches of a recording that tell nothing, each with its reason, as notes that say where they lie."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

LEAST_SECONDS: Final = 2.0
"""Of shorter stretches nobody needs to know: what is around them is recognised."""

MOST_NOTED: Final = 10

SILENT: Final = "audio-part-silent"
MONOTONOUS: Final = "audio-part-monotonous"


@dataclass(frozen=True, slots=True)
class Gap:
    """From where to where, in seconds, nothing can be recognised; `code` says why (`SILENT`, `MONOTONOUS`)."""

    begin: float
    end: float
    code: str

    @property
    def note(self) -> str:
        """As a note: its code, a colon, and the span, such as `audio-part-silent:12.0-31.4`."""
        return f"{self.code}:{self.begin:.1f}-{self.end:.1f}"


def gaps(told: NDArray[np.bool_], is_loud: NDArray[np.bool_], block_seconds: float) -> tuple[Gap, ...]:
    """Find the stretches that tell nothing, in order of time.

    Args:
        told: whether each block can be recognised, shape (blocks,).
        is_loud: whether there is something else than silence in it, shape (blocks,).
        block_seconds: how long a block is.

    Returns:
        The longest ones, MOST_NOTED at most, none shorter than LEAST_SECONDS. One that is silent for the most part is
        silent, any other one is monotonous.
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([True], told, [True])).astype(np.int8)))
    found = []
    for begin, end in edges.reshape(-1, 2).tolist():
        if (end - begin) * block_seconds >= LEAST_SECONDS:
            code = MONOTONOUS if is_loud[begin:end].mean() > 0.5 else SILENT  # noqa: PLR2004 - the most part
            found.append(Gap(begin * block_seconds, end * block_seconds, code))
    longest = sorted(found, key=lambda gap: gap.begin - gap.end)[:MOST_NOTED]
    return tuple(sorted(longest, key=lambda gap: gap.begin))
