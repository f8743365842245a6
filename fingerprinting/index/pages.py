"""Pages of comics and scans in the index: each is a picture by itself, of a work of which others may be found, too.

`pages-dct-256` and `pages-sift-itq-128` are searched by the searchers of `dct-256` and `sift-itq-128`, whose rows are
views of pages. Single pictures ask them as well, and pages ask single pictures (see `crossing`).
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fingerprinting.image import page_bytes
from fingerprinting.image.page_bytes import PageView
from fingerprinting.index import dct, features
from fingerprinting.index import folder as folders
from fingerprinting.index.algorithm import AlgorithmSpec, Encoding, Entry, SearchContext, Searcher
from fingerprinting.types import EvidenceValue, Fingerprint, Match, Modality, SpanUnit, Strength

_KIND: Final = "pages"
_LAYOUT: Final = 1
_SHAPES: Final = {"works": ("<i8", 1), "pages": ("<u4", 1)}
_RANK: Final = {Strength.EXACT: 0, Strength.MATCH: 1, Strength.LIKELY: 2}


class PageSearcher:
    """Pages of works, searchable by one algorithm of single pictures."""

    def __init__(
        self, spec: AlgorithmSpec, works: NDArray[np.int64], pages: NDArray[np.uint32], inner: Searcher
    ) -> None:
        self._spec = spec
        self._works = works
        self._pages = pages
        self._inner = inner

    @property
    def count(self) -> int:
        """How many views of pages it holds."""
        return len(self._works)

    def search(self, queries: Sequence[Entry], context: SearchContext) -> list[Match]:
        """Find the works of whose pages assets show one, or a part of one; the surest is reported, and how many."""
        asked = list(self._asked(queries))
        # Each page could be mistaken for another: it is their number that the limits must be fit for.
        wider = dataclasses.replace(context, registry_size=max(context.registry_size, len(self._works)), room=None)
        found: defaultdict[tuple[int, int], list[tuple[int, Match]]] = defaultdict(list)
        prints = [(nth, fingerprint) for nth, (_, _, fingerprint) in enumerate(asked)]
        for match in self._inner.search(prints, wider):
            asset, page, _ = asked[match.asset]
            found[asset, int(self._works[match.work])].append((page, match))
            context.require_room(len(found))
        return [self._best(asset, work, matches) for (asset, work), matches in found.items()]

    def entries(self) -> Iterator[Entry]:
        """Give back what it was built from, each page by itself."""
        for row, fingerprint in self._inner.entries():
            value = page_bytes.write([PageView(int(self._pages[row]), fingerprint)])
            yield int(self._works[row]), Fingerprint(self._spec.name, self._spec.version, value, unit=self._spec.unit)

    def save(self, folder: Path) -> None:
        """Write it into a new folder."""
        arrays: dict[str, folders.Array] = {"works": self._works, "pages": self._pages}
        with folders.new_folder(folder) as scratch:
            self._inner.save(scratch / "pictures")
            folders.write(scratch, _KIND, arrays, {"layout": _LAYOUT}, {"pictures": scratch / "pictures"})

    def _asked(self, queries: Sequence[Entry]) -> Iterator[tuple[int, int, Fingerprint]]:
        """Give asset, page (0: a single picture) and fingerprint of every picture that asks."""
        for asset, fingerprint in queries:
            if fingerprint.algorithm != self._spec.name:
                yield asset, 0, fingerprint
                continue
            for view in page_bytes.read(fingerprint.value, page_bytes.OF_PICTURE[self._spec.name]):
                yield asset, view.page, view.print

    def _best(self, asset: int, work: int, matches: Sequence[tuple[int, Match]]) -> Match:
        page, best = min(matches, key=lambda each: _order(each[1]))
        alike = [each for each in matches if each[1].strength is best.strength]
        evidence: dict[str, EvidenceValue] = {
            **best.evidence,
            "work_page": int(self._pages[best.work]),
            "pages": len({int(self._pages[match.work]) for _, match in alike}),
        }
        if page:
            evidence["asset_page"] = page
        return dataclasses.replace(
            best, asset=asset, work=work, algorithm=self._spec.name, version=self._spec.version, evidence=evidence
        )


def numbered(found: Sequence[Match], grouped: Mapping[str, Sequence[Entry]]) -> list[Match]:
    """Say of matches of an asset with pages on which page of it they lie, which `still` has written for a span."""
    with_pages = {asset for spec in SPECS for asset, one in grouped.get(spec.id, ()) if one.algorithm == spec.name}
    return [
        dataclasses.replace(match, query_span=None, evidence={**match.evidence, "asset_page": int(match.query_span[0])})
        if match.asset in with_pages and match.query_span is not None and len(match.query_span) == 2  # noqa: PLR2004
        else match
        for match in found
    ]


def stills(pages: Fingerprint) -> Iterator[Fingerprint]:
    """Give pages as pictures of their own, whose spans are the number of the page, twice: see `numbered`."""
    for view in page_bytes.read(pages.value, page_bytes.OF_PICTURE[pages.algorithm]):
        yield dataclasses.replace(view.print, span=(float(view.page), float(view.page)))


def _order(match: Match) -> tuple[int, float, float]:
    return _RANK[match.strength], float(match.distance or 0), -(match.score or 0.0)


def _spec(algorithm: str, inner: AlgorithmSpec) -> AlgorithmSpec:
    def check(fingerprint: Fingerprint) -> str | None:
        if fingerprint.span is not None:
            return "it is of several pages and has no span"
        try:
            views = page_bytes.read(fingerprint.value, inner.name)
        except ValueError as error:
            return f"the value can't be read: {error}"
        return next((said for view in views if (said := inner.check(view.print)) is not None), None)

    def build_pages(entries: Sequence[Entry]) -> PageSearcher:
        works: list[int] = []
        numbers: list[int] = []
        prints: list[Entry] = []
        for work, fingerprint in entries:
            for view in page_bytes.read(fingerprint.value, inner.name):
                prints.append((len(works), view.print))
                works.append(work)
                numbers.append(view.page)
        return PageSearcher(spec, np.array(works, np.int64), np.array(numbers, np.uint32), inner.build(prints))

    def open_folder(folder: Path, verify: bool) -> PageSearcher:  # noqa: FBT001 - the shape that AlgorithmSpec asks for
        contents = folders.read(folder, _KIND, verify=verify)
        folders.require_layout(folder, contents, _LAYOUT)
        folders.require(folder, contents, _SHAPES)
        if contents.children != ("pictures",):
            raise folders.corrupt(folder, "the pictures are missing")
        pictures = inner.open(folder / "pictures", verify)
        works, pages = contents.arrays["works"], contents.arrays["pages"]
        if not len(works) == len(pages) == pictures.count:
            raise folders.corrupt(folder, "its arrays do not belong together")
        return PageSearcher(spec, works, pages, pictures)

    spec = AlgorithmSpec(
        name=algorithm,
        version=page_bytes.VERSION,
        modality=Modality.PAGES,
        encoding=Encoding.BASE64,
        unit=SpanUnit.PIXELS,
        check=check,
        build=build_pages,
        open=open_folder,
    )
    return spec


HASHES: Final = _spec(page_bytes.HASHES, dct.SPEC)
FEATURES: Final = _spec(page_bytes.FEATURES, features.SPEC)
SPECS: Final = (HASHES, FEATURES)
