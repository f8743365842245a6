"""Entries: the golden vectors of the format, one spelling only, commitments that open once."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout.errors import InvalidProofError
from optout.proof import entries, merkle
from optout.proof.entries import Entry

GOLDEN = json.loads((Path(__file__).parents[2] / "vectors" / "tlog" / "format.json").read_text())
LEAF = GOLDEN["leaves"][0].encode()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(max_codepoint=127)), inner, max_size=4)
    ),
    max_leaves=12,
)


def test_the_golden_leaf_is_made_byte_for_byte() -> None:
    body = entries.canonical(GOLDEN["body"])
    commitment = entries.commit(bytes.fromhex(GOLDEN["salt"]), body)
    made = Entry("claim.filed", "0" * 32, "0" * 31 + "7", datetime(2026, 11, 21, 10, tzinfo=UTC), commitment).encode()

    assert commitment.hex() == GOLDEN["commitment"]
    assert made == LEAF
    assert merkle.leaf_hash(made).hex() == GOLDEN["leaf_hash_0"]


def test_the_golden_tree_has_its_roots_and_its_proof() -> None:
    tree = merkle.MemoryTree(merkle.leaf_hash(leaf.encode()) for leaf in GOLDEN["leaves"])

    assert {size: merkle.root(int(size), tree).hex() for size in GOLDEN["roots"]} == GOLDEN["roots"]
    assert [one.hex() for one in merkle.consistency_proof(2, 3, tree)] == GOLDEN["consistency_2_3"]


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - hypothesis wants them naive
    st.none() | st.binary(min_size=32, max_size=32),
)
def test_an_entry_reads_back_as_it_was_written(moment: datetime, previous: bytes | None) -> None:
    moment = moment.replace(tzinfo=UTC, microsecond=moment.microsecond // 1000 * 1000)
    entry = Entry("claim.amended", "1" * 32, "2" * 32, moment, bytes(32), previous)

    assert entries.parse(entry.encode()) == entry


@given(JSON)
def test_json_has_one_spelling_that_survives_reading(value: entries.Json) -> None:
    spelled = entries.canonical(value)

    assert entries.canonical(json.loads(spelled)) == spelled


@pytest.mark.parametrize("value", [1.5, float("nan"), 2**53, {"é": 1}, "\ud800", {"a": [b"bytes"]}, {1: 2}], ids=repr)
def test_what_could_be_spelled_in_two_ways_is_not_spelled_at_all(value: entries.Json) -> None:
    with pytest.raises((InvalidProofError, AttributeError)):
        entries.canonical(value)


@pytest.mark.parametrize(
    "leaf",
    [
        b"",
        b"{}",
        b"[" * 4000,
        LEAF + b" ",
        LEAF.replace(b'"v":1', b'"v":1.0'),
        LEAF.replace(b'"v":1', b'"v":2'),
        LEAF.replace(b'"v":1', b'"v":true'),
        LEAF.replace(b'"v":1', b'"v":1,"w":1'),
        LEAF.replace(b"claim.filed", b"claim"),
        LEAF.replace(b"claim.filed", b"Claim.Filed"),
        LEAF.replace(b"454143c8", b"454143C8"),
        LEAF.replace(b"454143c8", b"454143c"),
        LEAF.replace(b"2026-11-21T10:00:00.000Z", b"2026-13-21T10:00:00.000Z"),
        LEAF.replace(b"2026-11-21T10:00:00.000Z", b"2026-11-21T10:00:00Z"),
        LEAF.replace(b'"subj"', b'"prev":"x","subj"'),
        LEAF.replace(b'{"body"', b'{"body":"","body"'),
        b'{"a":"' + b"a" * 5000 + b'"}',
    ],
)
def test_a_leaf_in_any_other_form_is_refused(leaf: bytes) -> None:
    with pytest.raises(InvalidProofError):
        entries.parse(leaf)


def test_a_commitment_opens_with_its_own_salt_and_body_only() -> None:
    salt, body = bytes.fromhex(GOLDEN["salt"]), entries.canonical(GOLDEN["body"])
    entry = entries.parse(LEAF)

    entries.open_commitment(entry, salt, body)

    for other_salt, other_body in [(bytes(32), body), (salt, body + b" "), (b"", body)]:
        with pytest.raises(InvalidProofError, match="not what the log entry committed to"):
            entries.open_commitment(entry, other_salt, other_body)


def test_a_time_without_a_zone_is_not_logged() -> None:
    with pytest.raises(InvalidProofError, match="without a zone"):
        entries.time_text(datetime(2026, 11, 21, 10))  # noqa: DTZ001 - that is the point


def test_each_entry_has_an_id_and_a_salt_of_its_own() -> None:
    assert len({entries.new_id() for _ in range(100)} | {entries.new_salt() for _ in range(100)}) == 200
