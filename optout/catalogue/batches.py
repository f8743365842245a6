"""A batch is asked in parts, so that a flood of matches takes time and not memory; what is in it twice, once."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

from fingerprinting.index.algorithm import CrowdedError
from optout.catalogue.answers import Asset

MOST_FOUND: Final = 100_000
"""Matches of a part, unless a single asset has more: each takes about a kilobyte until it is decided from."""

Found = TypeVar("Found")


def distinct(assets: Sequence[Asset]) -> tuple[list[Asset], list[int]]:
    """Give the assets that differ, and for each of those given, which of these it is."""
    numbers: dict[Asset, int] = {}
    try:
        places = [numbers.setdefault(asset, len(numbers)) for asset in assets]
    except TypeError:  # made by hand, with a list in it: good enough to be asked about
        return list(assets), list(range(len(assets)))
    return list(numbers), places


def in_parts(
    assets: Sequence[Asset], search: Callable[[Sequence[Asset], int | None], Found]
) -> Iterator[tuple[Sequence[Asset], Found]]:
    """Search for assets, all at once if there is room for what is found, else for some at a time, in their order.

    Args:
        assets: may be empty.
        search: finds works for some assets; raises `CrowdedError` where it finds more than so many. None: any number.
    """
    waiting = [assets] if assets else []
    while waiting:
        part = waiting.pop()
        try:
            found = search(part, MOST_FOUND if len(part) > 1 else None)
        except CrowdedError:
            middle = len(part) // 2
            waiting += [part[middle:], part[:middle]]
            continue
        yield part, found
