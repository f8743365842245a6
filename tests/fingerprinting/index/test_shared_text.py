"""What several owners have in common decides no match, and nobody takes anything from a work by quoting it."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fingerprinting.index import shared_text
from fingerprinting.index.segment import Index
from fingerprinting.index.shared_text import Registered
from fingerprinting.text.shingle_bytes import HASH_BITS, Shingles
from fingerprinting.types import Fingerprint, Match, Strength

Phrases = NDArray[np.uint64]
Text = Callable[..., Fingerprint]
Owners = dict[int, tuple[str, bool]]


@pytest.fixture
def fresh(rng: np.random.Generator) -> Callable[[int], Phrases]:
    return lambda count: rng.integers(0, 2**64, count, dtype=np.uint64)


def strengths(index: Index, asset: Fingerprint, owners: Owners) -> dict[int, Strength]:
    return {work: match.strength for work, match in matches(index, asset, owners).items()}


def matches(index: Index, asset: Fingerprint, owners: Owners) -> dict[int, Match]:
    found = index.search([[asset]])
    registered = [Registered(one, str(one.work), *owners[one.work]) for one in found]
    return {one.work: one for one in shared_text.decided(registered)}


def shown(works: int) -> Owners:
    return {work: (f"owner {work}", True) for work in range(works)}


def test_an_advertisement_in_many_independent_works_never_decides_alone(
    text: Text, fresh: Callable[[int], Phrases]
) -> None:
    advertisement, own = fresh(60), [fresh(300) for _ in range(25)]
    index = Index.build([(n, text(np.concatenate([each, advertisement, each[::-1]]))) for n, each in enumerate(own)])

    alone = matches(index, text(np.concatenate([fresh(200), advertisement, fresh(200)])), shown(25))
    copy = strengths(index, text(np.concatenate([own[3], advertisement])), shown(25))

    assert {one.strength for one in alone.values()} == {Strength.LIKELY}
    assert {one.evidence["shared_by_owners"] for one in alone.values()} == {25}
    assert {one.evidence["shared_evidence"] for one in alone.values()} == {21}
    assert [work for work, strength in copy.items() if strength is Strength.MATCH] == [3]


def test_what_is_shared_is_told_also_where_less_that_is_not_is_found_beside_it(
    text: Text, fresh: Callable[[int], Phrases]
) -> None:
    advertisement, own = fresh(60), [fresh(300) for _ in range(4)]
    index = Index.build([(n, text(np.concatenate([each, advertisement, each[::-1]]))) for n, each in enumerate(own)])

    found = matches(index, text(np.concatenate([own[2][100:114], fresh(200), advertisement, fresh(200)])), shown(4))

    assert found[2].strength is Strength.LIKELY
    assert found[2].evidence["shared_by_owners"] == 4


def test_a_work_is_found_by_its_own_part_although_a_longer_one_is_shared(
    text: Text, fresh: Callable[[int], Phrases]
) -> None:
    prayer, own = fresh(100), [fresh(300) for _ in range(4)]
    index = Index.build([(n, text(np.concatenate([each, prayer]))) for n, each in enumerate(own)])
    asset = text(np.concatenate([fresh(100), prayer, fresh(100), own[2][50:110], fresh(50)]))

    found = matches(index, asset, shown(4))

    assert found[2].strength is Strength.MATCH
    assert found[2].evidence["query_first_token"] == 300
    assert {work for work, one in found.items() if one.strength is Strength.MATCH} == {2}


@given(
    accounts=st.integers(1, 30),
    padding=st.integers(0, 400),
    excerpt=st.tuples(st.integers(0, 240), st.integers(60, 300)),
    seed=st.integers(0, 2**32 - 1),
)
def test_accounts_without_evidence_hide_no_work_however_many_they_are(
    accounts: int, padding: int, excerpt: tuple[int, int], seed: int
) -> None:
    rng = np.random.default_rng(seed)

    def made(*parts: NDArray[np.uint32]) -> Fingerprint:
        joined = np.concatenate(parts)
        return Fingerprint(
            "shingle-3", 3, Shingles(joined, np.arange(len(joined), dtype=np.uint32), len(joined)).pack()
        )

    def fresh(count: int) -> NDArray[np.uint32]:
        return rng.integers(0, 2**HASH_BITS, count, dtype=np.uint32)

    victim = fresh(300)
    begin, end = excerpt[0], min(300, excerpt[0] + excerpt[1])
    attack = [(n, made(fresh(padding), victim[begin:end], fresh(padding))) for n in range(1, accounts + 1)]
    index = Index.build([(0, made(victim)), *attack])
    owners: Owners = {0: ("victim", False), **{n: (f"account {n}", False) for n in range(1, accounts + 1)}}

    found = strengths(index, made(fresh(200), victim[begin:end], fresh(200)), owners)

    assert found[0] is Strength.MATCH


def test_whole_works_registered_by_several_are_found_under_each(text: Text, fresh: Callable[[int], Phrases]) -> None:
    song = fresh(200)
    index = Index.build([(work, text(np.concatenate([song, fresh(20)]))) for work in range(6)])

    assert set(strengths(index, text(song), shown(6)).values()) == {Strength.MATCH}
    assert len(strengths(index, text(song), shown(6))) == 6


def test_what_one_owner_repeats_in_many_works_is_shared_if_it_is_short(
    text: Text, fresh: Callable[[int], Phrases]
) -> None:
    jingle, chapter = fresh(60), fresh(200)
    works = [np.concatenate([fresh(500), jingle, fresh(100), chapter]) for _ in range(5)]
    index = Index.build([(work, text(phrases)) for work, phrases in enumerate(works)])
    owners: Owners = dict.fromkeys(range(5), ("show", False))

    by_jingle = matches(index, text(np.concatenate([fresh(99), jingle, fresh(99)])), owners)
    by_chapter = strengths(index, text(np.concatenate([fresh(99), chapter, fresh(99)])), owners)

    assert {(one.strength, one.evidence["repeated_in_works"]) for one in by_jingle.values()} == {(Strength.LIKELY, 5)}
    assert set(by_chapter.values()) == {Strength.MATCH}


def test_two_owners_share_nothing_yet(text: Text, fresh: Callable[[int], Phrases]) -> None:
    quoted = fresh(60)
    index = Index.build([(work, text(np.concatenate([fresh(300), quoted]))) for work in range(2)])

    found = strengths(index, text(np.concatenate([fresh(90), quoted, fresh(90)])), shown(2))

    assert set(found.values()) == {Strength.MATCH}


def test_another_episode_of_a_series_is_not_one_of_which_it_has_a_message_alone(
    text: Text, fresh: Callable[[int], Phrases]
) -> None:
    opening, message, own = fresh(40), fresh(60), [fresh(900) for _ in range(5)]
    episodes = [np.concatenate([opening, each]) for each in own]
    episodes[2] = np.concatenate([opening, own[2][:500], message, own[2][500:]])
    index = Index.build([(n, text(each)) for n, each in enumerate(episodes)])
    one_show = dict.fromkeys(range(5), ("the show", True))
    of_many = {work: (f"owner {work}", False) for work in range(5)}
    other = text(np.concatenate([opening, fresh(300), message, fresh(300)]))

    told = matches(index, other, one_show)[2]

    assert (told.strength, told.evidence["of_same_series"]) == (Strength.LIKELY, True)
    assert strengths(index, other, of_many)[2] is Strength.MATCH
    alone = text(np.concatenate([fresh(300), message, fresh(300)]))
    assert strengths(index, alone, one_show) == {2: Strength.MATCH}, "nothing says that it is of the show"


@pytest.mark.parametrize(
    "taken",
    [
        lambda opening, own: [np.concatenate([opening, own[2][:60]])],  # an excerpt goes on where the opening ends
        lambda opening, own: [opening, own[1][400:480], own[2][400:480]],  # more than two minutes of the series in all
        lambda opening, own: [own[2][300:360]],
        lambda opening, own: [opening, own[2][100:700]],
    ],
)
def test_what_is_taken_of_a_series_is_found(
    text: Text, fresh: Callable[[int], Phrases], taken: Callable[[Phrases, list[Phrases]], list[Phrases]]
) -> None:
    opening, own = fresh(40), [fresh(900) for _ in range(5)]
    index = Index.build([(n, text(np.concatenate([opening, each]))) for n, each in enumerate(own)])
    asset = text(np.concatenate([part for each in taken(opening, own) for part in (each, fresh(70))]))

    found = strengths(index, asset, dict.fromkeys(range(5), ("the show", True)))

    assert found[2] is Strength.MATCH
