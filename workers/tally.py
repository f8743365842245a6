"""Counts in this process what went wrong, until it is written down or shown: by a heart, or by `/metrics`."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from fingerprinting.errors import FingerprintingError
from optout.errors import OptoutError

SANDBOX_FAILURES: Final = "sandbox_failures"

_counts: Counter[tuple[str, str]] = Counter()
_lock = threading.Lock()


def count(name: str, word: str) -> None:
    """Count one more."""
    with _lock:
        _counts[name, word] += 1


@contextmanager
def failures(name: str) -> Iterator[None]:
    """Count the domain errors that leave this block, by their codes."""
    try:
        yield
    except (OptoutError, FingerprintingError) as error:
        count(name, error.code)
        raise


def read(name: str) -> Mapping[str, int]:
    """What was counted under a name, by word."""
    with _lock:
        return {word: count for (one, word), count in _counts.items() if one == name}


def take() -> Mapping[tuple[str, str], int]:
    """Everything counted, which is then forgotten here: for who writes it down."""
    with _lock:
        taken = dict(_counts)
        _counts.clear()
        return taken


def give_back(taken: Mapping[tuple[str, str], int]) -> None:
    """What could not be written down after all."""
    with _lock:
        _counts.update(taken)
