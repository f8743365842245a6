"""Promises, receipts and batches: what they show, and that nothing else passes for it."""

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import synthetic_logs

from optout.consent.vocabulary import Preference
from optout.errors import InvalidProofError
from optout.proof import batches, merkle, notes, promises, receipts
from optout.proof.batches import BatchItem
from optout.proof.notes import Signer, Verifier

GOLDEN = json.loads((Path(__file__).parents[2] / "vectors" / "tlog" / "format.json").read_text())
LOG, WITNESS = Verifier.parse(GOLDEN["log_key"]), Verifier.parse(GOLDEN["witness_key"])
PROMISER = Signer("registry.example/log1/promise", bytes([3]) * 32)
DEADLINE = datetime(2026, 11, 21, 10, 1, tzinfo=UTC)


def test_the_golden_proof_verifies_with_its_witness() -> None:
    receipt = receipts.parse(GOLDEN["tlog_proof_0"])

    checkpoint = receipt.verify(bytes.fromhex(GOLDEN["leaf_hash_0"]), [LOG, WITNESS])

    assert (checkpoint.size, checkpoint.root.hex()) == (3, GOLDEN["roots"]["3"])
    assert notes.open_note(receipt.checkpoint, [LOG, WITNESS]).signed_by == (LOG, WITNESS)
    assert receipt.encode() == GOLDEN["tlog_proof_0"]


def test_a_cosignature_counts_only_with_the_time_that_it_names() -> None:
    later = GOLDEN["tlog_proof_0"].replace("3xwKNQAAAABlU/EA", "3xwKNQAAAABlU/EB")

    with pytest.raises(InvalidProofError, match=r"witness\.example"):
        receipts.parse(later).verify(bytes.fromhex(GOLDEN["leaf_hash_0"]), [LOG, WITNESS])


def test_the_witness_alone_does_not_speak_for_the_log() -> None:
    with pytest.raises(InvalidProofError, match="not signed by a key of that name"):
        receipts.parse(GOLDEN["tlog_proof_0"]).verify(bytes.fromhex(GOLDEN["leaf_hash_0"]), [WITNESS])


def test_no_flipped_bit_of_a_proof_goes_unnoticed() -> None:
    text = GOLDEN["tlog_proof_0"].split("— witness")[0].encode()
    leaf_hash = bytes.fromhex(GOLDEN["leaf_hash_0"])
    unnoticed = []

    for at in range(len(text)):
        flipped = bytes([*text[:at], text[at] ^ 1, *text[at + 1 :]]).decode("utf-8", "surrogateescape")
        try:
            receipts.parse(flipped).verify(leaf_hash, [LOG])
            unnoticed.append(at)
        except InvalidProofError:
            pass

    assert unnoticed == []


def test_a_receipt_with_something_extra_reads_and_writes_itself() -> None:
    receipt = dataclasses.replace(receipts.parse(GOLDEN["tlog_proof_0"]), extra=b"an application's")

    assert receipts.parse(receipt.encode()) == receipt


@pytest.mark.parametrize(
    "text",
    ["", "c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v1\n\n", "c2sp.org/tlog-proof@v1\nindex 01\n\na\n",
     "c2sp.org/tlog-proof@v1\nindex 1\n!\n\na\n", "c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\na\n",
     "c2sp.org/tlog-proof@v1\nextra !\nindex 1\n\na\n", "c2sp.org/tlog-proof@v2\nindex 0\n\na\n"],
)  # fmt: skip
def test_a_malformed_proof_is_refused(text: str) -> None:
    with pytest.raises(InvalidProofError):
        receipts.parse(text)


def test_a_claim_receipt_shows_entry_checkpoint_and_body() -> None:
    leaves = synthetic_logs.make_leaves(7)
    receipt = synthetic_logs.make_receipt(leaves, 4)

    entry, checkpoint = receipt.verify([synthetic_logs.SIGNER.verifier])

    assert (entry.encode(), checkpoint.size) == (leaves[4], 7)


@pytest.mark.parametrize(
    ("field", "value"),
    [("body", "{}"), ("salt", "00" * 32), ("salt", "xyz"), ("leaf", synthetic_logs.make_leaf(1).decode())],
)
def test_a_claim_receipt_with_another_part_shows_nothing(field: str, value: str) -> None:
    receipt = synthetic_logs.make_receipt(synthetic_logs.make_leaves(7), 4)

    with pytest.raises(InvalidProofError):
        dataclasses.replace(receipt, **{field: value}).verify([synthetic_logs.SIGNER.verifier])


def test_a_promise_says_what_will_be_in_which_log_by_when() -> None:
    note = promises.sign(bytes(range(32)), DEADLINE, PROMISER)

    promise = promises.open_promise(note, [PROMISER.verifier])

    assert promise == promises.Promise("registry.example/log1", bytes(range(32)), DEADLINE)
    assert promises.sign(bytes(range(32)), DEADLINE, PROMISER) == note


def test_a_promise_about_one_log_is_not_taken_from_the_key_of_another() -> None:
    other = Signer("other.example/promise", bytes([4]) * 32)
    note = notes.sign(promises.Promise("registry.example/log1", bytes(32), DEADLINE).text, other)

    with pytest.raises(InvalidProofError, match="not signed by that log's promise key"):
        promises.open_promise(note, [other.verifier])


def test_the_log_key_can_not_promise() -> None:
    with pytest.raises(InvalidProofError, match="not the name of a promise key"):
        promises.sign(bytes(32), DEADLINE, synthetic_logs.SIGNER)


@pytest.mark.parametrize("text", ["", "registry.example/log1\n0\n" + "A" * 43 + "=\n"])
def test_a_text_that_is_no_promise_is_refused(text: str) -> None:
    with pytest.raises(InvalidProofError, match="not the text of a promise"):
        promises.parse(text)


def test_a_promise_spelled_in_another_way_is_refused() -> None:
    text = promises.Promise("registry.example/log1", bytes(32), DEADLINE).text

    for other in (text.replace("A=\n", "B=\n"), text.replace("10:01", "25:01"), text + "more\n"):
        with pytest.raises(InvalidProofError):
            promises.parse(other)


def test_a_verdict_of_a_batch_is_proven_with_its_salt_and_in_its_place() -> None:
    items = [BatchItem(bytes([i]) * 32, Preference.UNKNOWN, bytes([i]) * 16) for i in range(9)]
    tree = batches.items_tree(items)
    proof = merkle.inclusion_proof(4, 9, tree)

    batches.verify_item(items[4], 4, 9, proof, tree.root())

    for other in (
        dataclasses.replace(items[4], verdict=Preference.ALLOWED),
        dataclasses.replace(items[4], salt=bytes(16)),
        dataclasses.replace(items[4], salt=b""),
        items[5],
    ):
        with pytest.raises(InvalidProofError):
            batches.verify_item(other, 4, 9, proof, tree.root())


def test_every_preference_has_a_byte_of_its_own_in_a_batch() -> None:
    hashes = {BatchItem(bytes(32), preference, bytes(16)).leaf_hash for preference in Preference}

    assert len(hashes) == len(Preference)
