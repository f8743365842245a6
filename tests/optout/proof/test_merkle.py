"""The tree: RFC 6962 hashes, the cases of transparency-dev/merkle, and proofs against a tree built in the plain way."""

import base64
import hashlib
import json
from pathlib import Path
from typing import TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout.errors import InvalidProofError
from optout.proof import merkle
from optout.proof.merkle import MemoryTree

VECTORS = Path(__file__).parents[2] / "vectors" / "tlog" / "merkle.json"
# Roots of 12 bytes, equal, with an empty proof: theirs compares them, ours refuses what is no SHA-256 hash.
STRICTER = {"consistency/additional/sizes-are-equal-one-and-proof-is-empty.json"}


class Case(TypedDict):
    name: str
    leafIdx: int
    treeSize: int
    root: str | None
    leafHash: str | None
    size1: int
    size2: int
    root1: str | None
    root2: str | None
    proof: list[str] | None
    wantErr: bool


def cases(kind: str) -> list[Case]:
    found: list[Case] = json.loads(VECTORS.read_text())[kind]
    return found


def raw(encoded: str | None) -> bytes:
    return base64.b64decode(encoded or "")


def plain_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + plain_root(leaves[:k]) + plain_root(leaves[k:])).digest()


def tree_of(size: int) -> MemoryTree:
    return MemoryTree(merkle.leaf_hash(b"%d" % i) for i in range(size))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (merkle.EMPTY_ROOT, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (merkle.leaf_hash(b""), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        (merkle.leaf_hash(b"L123456"), "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"),
        (merkle.node_hash(b"N123", b"N456"), "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"),
    ],
)
def test_hashes_are_those_of_rfc_6962(found: bytes, expected: str) -> None:
    assert found.hex() == expected


@pytest.mark.parametrize("case", cases("inclusion"), ids=lambda case: case["name"])
def test_inclusion_proofs_of_transparency_dev_are_judged_as_there(case: Case) -> None:
    proof = [raw(one) for one in case["proof"] or []]
    arguments = (case["leafIdx"], case["treeSize"], raw(case["leafHash"]), proof, raw(case["root"]))

    if case["wantErr"]:
        with pytest.raises(InvalidProofError):
            merkle.verify_inclusion(*arguments)
    else:
        merkle.verify_inclusion(*arguments)


@pytest.mark.parametrize("case", cases("consistency"), ids=lambda case: case["name"])
def test_consistency_proofs_of_transparency_dev_are_judged_as_there(case: Case) -> None:
    proof = [raw(one) for one in case["proof"] or []]
    arguments = (case["size1"], case["size2"], proof, raw(case["root1"]), raw(case["root2"]))

    if case["wantErr"] or case["name"] in STRICTER:
        with pytest.raises(InvalidProofError):
            merkle.verify_consistency(*arguments)
    else:
        merkle.verify_consistency(*arguments)


@pytest.mark.parametrize("size", range(20))
def test_a_root_is_that_of_the_plain_definition(size: int) -> None:
    assert tree_of(size).root() == plain_root([b"%d" % i for i in range(size)])


@given(st.integers(1, 70), st.data())
def test_every_leaf_can_be_proven_and_no_other_passes_for_it(size: int, data: st.DataObject) -> None:
    tree = tree_of(size)
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(index, size, tree)
    leaf = merkle.leaf_hash(b"%d" % index)

    merkle.verify_inclusion(index, size, leaf, proof, tree.root())

    with pytest.raises(InvalidProofError):
        merkle.verify_inclusion(index, size, merkle.leaf_hash(b"another"), proof, tree.root())
    with pytest.raises(InvalidProofError):
        merkle.verify_inclusion(index, size, leaf, [*proof, leaf], tree.root())


@given(st.integers(1, 70), st.data())
def test_every_prefix_can_be_proven_and_no_other_log_passes_for_it(size: int, data: st.DataObject) -> None:
    tree = tree_of(size)
    old = data.draw(st.integers(1, size))
    proof = merkle.consistency_proof(old, size, tree)
    old_root = merkle.root(old, tree)

    merkle.verify_consistency(old, size, proof, old_root, tree.root())

    with pytest.raises(InvalidProofError):
        merkle.verify_consistency(old, size, proof, merkle.leaf_hash(b"another"), tree.root())


def test_nothing_is_proven_about_what_is_not_there() -> None:
    tree = tree_of(5)

    with pytest.raises(InvalidProofError, match="not in a log of 5"):
        merkle.inclusion_proof(5, 5, tree)
    with pytest.raises(InvalidProofError, match="can't extend"):
        merkle.consistency_proof(0, 5, tree)
    with pytest.raises(InvalidProofError, match="can't extend"):
        merkle.consistency_proof(6, 5, tree)
