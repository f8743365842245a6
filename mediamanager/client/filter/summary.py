"""What came of a filter run, in numbers."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from mediamanager.client.verdicts import EXIT_NOTHING_RESERVED, EXIT_RESERVED, EXIT_UNCHECKED, Verdict


@dataclass(frozen=True, slots=True)
class Summary:
    """A finished run.

    Attributes:
        verdicts: how many items by verdict.
        unchecked: how many had an error, whatever their verdict.
        degraded: something is kept although it could not be checked.
        notes: what was left out of the input, said aloud.
        noun: what an item is called.
    """

    output: Path
    verdicts: Counter[Verdict]
    kept: int
    excluded: int
    review: int
    unchecked: int
    degraded: bool
    notes: tuple[str, ...] = ()
    noun: str = "file"

    @property
    def exit_status(self) -> int:
        """0 when nothing is reserved, 1 when something is, 2 when something could not be checked."""
        if self.unchecked:
            return EXIT_UNCHECKED
        reserved = self.verdicts[Verdict.DISALLOWED] + self.verdicts[Verdict.CONDITIONAL]
        return EXIT_RESERVED if reserved else EXIT_NOTHING_RESERVED
