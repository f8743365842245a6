"""What a question costs among a million videos: captions of drawn words, as frequent as real ones are.

    ./run bench text.scale --videos 1000000 [--sponsors 1000] [--queries 200] [--output RESULT.json]

Words are drawn as unevenly as content words of real texts are: by the law of Zipf and Mandelbrot, with weights of
1 / (rank + 8) among 30,000, which gives the first one 1.3 % (measured in two manuals: 1.3 and 1.8 %). A twelfth of them
are set phrases of five, drawn from 100,000 with weights of 1 / (rank + 100), so that of two places in different videos
one pair in 5 million has three words in common (measured between fortunes, a jargon file and manuals: one in 2 to 100
million; between manuals of one field one in a million). Every third video reads out one of the sponsors, of which the
first are the most frequent. Times are those of an even speaker.

Each question is a text of 1,000 words, of which 420 are content words, as of speeches. Half of the questions hold a
minute of a video, a fifth of its words misheard; a quarter hold a sponsor's text instead, and the rest nothing of any.
Printed are bytes a video on the disk, milliseconds of processor time a question, the index being mapped from the disk,
and how many videos were found and wrongly named. A million videos of ten minutes take 7 GB of memory to build.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fingerprinting.index import postings
from fingerprinting.index.algorithm import SearchContext, Searcher
from fingerprinting.index.copies import Copies
from fingerprinting.index.postings import Piece
from fingerprinting.index.shingle import SPEC, ShingleSearcher
from fingerprinting.index.texts import Texts
from fingerprinting.text.normalise import Tokens
from fingerprinting.text.shingle_bytes import Shingles, Track, track_of
from fingerprinting.text.shingles import shingles
from fingerprinting.types import Depth, Fingerprint, Strength

_TOKENS = 630  # content words of ten minutes at 150 words a minute
_ASKED = 420  # of 1,000 words
_SPONSOR = 32  # of half a minute
_VOCABULARY = 30_000
_SPONSORED = 3
_CHUNK = 1_000
_MISHEARD = 0.2
_MINUTE = 63
_PHRASES, _PHRASE, _PHRASED = 100_000, 5, 1 / 12
_FLAT = {"words": 8, "sponsors": 8, "phrases": 100}  # the higher, the less frequent are the first
_PLACE = 100  # of what a sponsor has read out, in its video

Words = NDArray[np.uint64]


@dataclass(frozen=True)
class _Videos:
    """Videos that are drawn anew, each time the same, whenever they are asked for."""

    count: int
    sponsors: int

    def chunk(self, number: int) -> Words:
        """Draw the words of the next _CHUNK videos, shape (_CHUNK, _TOKENS)."""
        dice = np.random.default_rng((1, number))
        words = _spoken(dice, (_CHUNK, _TOKENS))
        texts = self.sponsor_texts()
        chosen = _drawn(dice, (_CHUNK,), self.sponsors, _FLAT["sponsors"])
        words[::_SPONSORED, _PLACE : _PLACE + _SPONSOR] = texts[chosen[::_SPONSORED]]
        return words

    def sponsor_texts(self) -> Words:
        """Draw what sponsors have read out, shape (sponsors, _SPONSOR)."""
        return _spoken(np.random.default_rng(2), (self.sponsors, _SPONSOR))

    def pieces(self) -> Iterator[Piece]:
        """Give the shingles of each video and the place of its first word."""
        for number in range(self.count // _CHUNK):
            for row, words in enumerate(self.chunk(number)):
                made = _shingled(words)
                yield (number * _CHUNK + row) * _TOKENS, made.hashes, made.positions


def main() -> None:
    arguments = _arguments()
    videos = _Videos(arguments.videos // _CHUNK * _CHUNK, arguments.sponsors)
    scratch = Path(tempfile.mkdtemp(prefix="scale-", dir=arguments.folder))
    try:
        began = time.process_time()
        _searcher(videos).save(scratch / "index")
        built = time.process_time() - began
        size = sum(file.stat().st_size for file in (scratch / "index").rglob("*") if file.is_file())
        result = {
            "videos": videos.count,
            "sponsors": videos.sponsors,
            "bytes_on_disk": size,
            "bytes_a_video": round(size / videos.count),
            "build_us_a_shingle": round(built * 1e6 / (videos.count * _TOKENS), 2),
            **_asked(SPEC.open(scratch / "index", False), videos, arguments.queries),
        }
    finally:
        shutil.rmtree(scratch)
    print(json.dumps(result, indent=1))
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(result, indent=1) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=int, default=100_000)
    parser.add_argument("--sponsors", type=int, default=1_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--folder", type=Path, help="where the index lies for the while (default: temporary files)")
    parser.add_argument("--output", type=Path, metavar="RESULT.json")
    return parser.parse_args()


def _drawn(dice: np.random.Generator, shape: tuple[int, ...], many: int, flat: int) -> NDArray[np.int64]:
    """Draw ranks of so many things, from 0 on."""
    weights = np.cumsum(1.0 / (np.arange(1, many + 1) + flat))
    ranks: NDArray[np.int64] = np.searchsorted(weights, dice.random(shape) * weights[-1], side="right")
    return np.minimum(ranks, many - 1)


def _spoken(dice: np.random.Generator, shape: tuple[int, int]) -> Words:
    """Draw words with set phrases among them, row by row: even numbers, as ids of words are, from 2 on."""
    words = _drawn(dice, shape, _VOCABULARY, _FLAT["words"])
    phrases = _drawn(np.random.default_rng(4), (_PHRASES, _PHRASE), _VOCABULARY, _FLAT["words"])
    number = max(1, round(shape[0] * shape[1] * _PHRASED / _PHRASE))
    rows, begins = dice.integers(shape[0], size=number), dice.integers(shape[1] - _PHRASE, size=number)
    words[rows[:, None], begins[:, None] + np.arange(_PHRASE)] = phrases[
        _drawn(dice, (number,), _PHRASES, _FLAT["phrases"])
    ]
    ids: Words = (words.astype(np.uint64) + np.uint64(1)) * np.uint64(2)
    return ids


def _shingled(words: Words) -> Shingles:
    return shingles(Tokens(words, np.arange(len(words), dtype=np.int64)))


def _searcher(videos: _Videos) -> ShingleSearcher:
    """Build what an index of these videos would be, without a fingerprint of each in memory."""
    count = videos.count
    numbers = np.fromiter((len(hashes) for _, hashes, _ in videos.pieces()), np.uint32, count)
    track = track_of(np.linspace(0.0, 600.0, _TOKENS + 1))
    knots = len(track.steps)
    texts = Texts(
        copies=Copies(np.arange(count), np.arange(count + 1)),
        works=np.arange(count),
        starts=np.arange(count + 1, dtype=np.int64) * _TOKENS,
        shingles=numbers,
        characters=np.zeros(count, dtype=np.uint32),
        halvings=np.zeros(count, dtype=np.uint8),
        knot_starts=np.arange(count + 1, dtype=np.int64) * knots,
        track=Track(np.tile(track.steps, count), np.tile(track.tenths, count)),
    )
    return ShingleSearcher(texts, postings.build(videos.pieces, int(numbers.sum(dtype=np.int64)), count * _TOKENS))


def _asked(searcher: Searcher, videos: _Videos, queries: int) -> dict[str, object]:
    """Ask questions, each twice, of which the second counts, as the pages of the first may have come from the disk."""
    dice = np.random.default_rng(3)
    context = SearchContext(Depth.STANDARD, videos.count)
    times, found, wrong = [], 0, 0
    for number in range(queries):
        words = _spoken(dice, (1, _ASKED))[0]
        work = None
        if number % 2:
            work = int(dice.integers(videos.count))
            # What a minute of a video says, misheard, but not its sponsor's text.
            minute = videos.chunk(work // _CHUNK)[work % _CHUNK, 2 * _PLACE : 2 * _PLACE + _MINUTE]
            heard = dice.random(_MINUTE) < _MISHEARD
            minute[heard] = _spoken(dice, (1, _MINUTE))[0][heard]
            words[_PLACE : _PLACE + _MINUTE] = minute
        elif number % 4:
            sponsor = int(_drawn(dice, (1,), videos.sponsors, _FLAT["sponsors"])[0])
            words[_PLACE : _PLACE + _SPONSOR] = videos.sponsor_texts()[sponsor]
        query = [(0, Fingerprint(SPEC.name, SPEC.version, _shingled(words).pack(), unit=SPEC.unit))]
        searcher.search(query, context)
        began = time.process_time()
        matches = searcher.search(query, context)
        times.append((time.process_time() - began) * 1000)
        if number % 4 != 2:  # what sponsors had read out is in many: owners decide whether it is one's own
            named = {match.work for match in matches if match.strength is Strength.MATCH}
            found += work in named
            wrong += len(named - {work})
    by_kind = {"a minute of a video": times[1::2], "nothing": times[::4], "a sponsor's text": times[2::4]}
    return {
        "found": f"{found} of {queries // 2}",
        "wrong": wrong,
        "ms": {kind: _spread(its) for kind, its in {"all": times, **by_kind}.items()},
    }


def _spread(times: list[float]) -> dict[str, float]:
    return {f"p{share}": round(float(np.percentile(times, share)), 2) for share in (50, 95, 100)}


if __name__ == "__main__":
    main()
