"""Signed notes and checkpoints: the vectors of golang.org/x/mod, and keys that must be refused."""

import json
from pathlib import Path

import pytest

from optout.errors import InvalidProofError
from optout.proof import checkpoints, notes
from optout.proof.checkpoints import Checkpoint
from optout.proof.notes import ED25519, Signer, Verifier

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "tlog" / "notes.json").read_text())
PETER, ENOCH = (Verifier.parse(key) for key in VECTORS["keys"])


def test_a_key_reads_and_writes_itself() -> None:
    assert [PETER.vkey, ENOCH.vkey] == VECTORS["keys"]
    assert Signer.parse(VECTORS["signing_key"]).skey == VECTORS["signing_key"]
    assert Signer.parse(VECTORS["signing_key"]).verifier == PETER


def test_a_signature_is_the_one_that_go_makes() -> None:
    assert notes.sign(VECTORS["text"], Signer.parse(VECTORS["signing_key"])) == VECTORS["signed"]


def test_a_note_opens_by_any_of_its_keys_and_ignores_the_others() -> None:
    assert notes.open_note(VECTORS["signed_by_both"], [PETER]) == notes.Note(VECTORS["text"], (PETER,))
    assert notes.open_note(VECTORS["signed_by_both"], [ENOCH, PETER]).signed_by == (PETER, ENOCH)


def test_the_example_of_the_specification_opens() -> None:
    opened = notes.open_note(VECTORS["example"]["note"], [Verifier.parse(VECTORS["example"]["key"])])

    assert opened.text == "This is an example message.\n"


@pytest.mark.parametrize("note", [*VECTORS["malformed"], VECTORS["signed"] + "\ud800\n"])
def test_a_malformed_note_is_refused(note: str) -> None:
    with pytest.raises(InvalidProofError):
        notes.open_note(note, [PETER])


def test_a_bad_signature_of_a_known_key_spoils_the_note() -> None:
    with pytest.raises(InvalidProofError, match="does not hold"):
        notes.open_note(VECTORS["bad_signature"], [PETER])


def test_a_note_of_strangers_is_refused() -> None:
    with pytest.raises(InvalidProofError, match="not signed by EnochRoot"):
        notes.open_note(VECTORS["signed"], [ENOCH])


def test_no_mangled_key_is_read() -> None:
    key = VECTORS["keys"][0]
    mangled = [key[:at] + chr(ord(key[at]) + 1) + key[at + 1 :] for at in range(len(key))]
    cut = [key[:at] for at in range(len(key))] + [key[at:] for at in range(1, len(key))]

    for bad in [*mangled, *cut, *VECTORS["bad_keys"]]:
        with pytest.raises(InvalidProofError):
            Verifier.parse(bad)


@pytest.mark.parametrize(
    "public_key",
    [
        (1).to_bytes(32, "little"),
        bytes(32),
        (2**255 - 20).to_bytes(32, "little"),
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
        bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
        (2**255 - 18).to_bytes(32, "little"),
    ],
    ids=["neutral", "order-4", "order-2", "order-8", "order-8-again", "not-canonical"],
)
def test_a_key_with_which_anyone_could_sign_is_refused(public_key: bytes) -> None:
    with pytest.raises(InvalidProofError, match="degenerate"):
        Verifier("a", ED25519, public_key)


def test_a_signer_does_not_show_its_secret() -> None:
    signer = Signer("a", bytes([7]) * 32)

    assert repr(signer) == "Signer('a')"


def test_a_checkpoint_reads_and_writes_itself() -> None:
    checkpoint = checkpoints.parse(VECTORS["checkpoint"])

    assert (checkpoint.origin, checkpoint.size) == ("go.sum database tree", 123456789012)
    assert checkpoint.text == VECTORS["checkpoint"]


@pytest.mark.parametrize(
    "text",
    [
        *VECTORS["bad_checkpoints"],
        "a\n01\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n",
        "a\n-1\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n",
        "a\n9999999999999999999\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n",
        "\n1\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n",
        "a\n1\nTszzRgjT\n",
        "a\n1\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(InvalidProofError):
        checkpoints.parse(text)


def test_a_checkpoint_of_one_log_is_not_opened_by_the_key_of_another() -> None:
    other = Signer("other.example/log", bytes([2]) * 32)
    note = notes.sign(Checkpoint("registry.example/log1", 0, bytes(32)).text, other)

    with pytest.raises(InvalidProofError, match="not signed by a key of that name"):
        checkpoints.open_checkpoint(note, [other.verifier])
