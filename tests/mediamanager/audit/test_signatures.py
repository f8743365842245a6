"""Ed25519 and notes without a library: OpenSSL's answers, the vectors, and keys that must be refused."""

import json
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from mediamanager.audit import signatures
from mediamanager.audit.signatures import MisbehaviourError, UndecidedError
from optout.errors import InvalidProofError
from optout.proof.notes import ED25519, Verifier

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "tlog" / "notes.json").read_text())
ORDER = 2**252 + 27742317777372353535851937790883648493


def openssl_verifies(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@settings(max_examples=12, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=80), st.integers(0, 511))
def test_signatures_are_judged_as_openssl_judges_them(seed: bytes, message: bytes, bit: int) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = private.public_key().public_bytes_raw(), private.sign(message)
    flipped = bytearray(signature)
    flipped[bit // 8] ^= 1 << bit % 8

    assert signatures.is_sound(public)
    assert signatures.verify(public, message, signature)
    assert not signatures.verify(public, message + b"!", signature)
    assert signatures.verify(public, message, bytes(flipped)) == openssl_verifies(public, message, bytes(flipped))


def test_edge_cases_on_sound_keys_are_judged_as_openssl_judges_them_and_other_keys_are_refused_by_both() -> None:
    cases = json.loads((Path(__file__).parents[2] / "vectors" / "tlog" / "ed25519.json").read_text())
    sound = 0

    for case in cases:
        public, signature, message = bytes.fromhex(case["key"]), bytes.fromhex(case["sig"]), case["msg"].encode()
        if signatures.is_sound(public):
            sound += 1
            verdict = openssl_verifies(public, message, signature)
            assert signatures.verify(public, message, signature) == verdict, case["number"]
            assert Verifier("a", ED25519, public).public_key == public
        else:
            with pytest.raises(InvalidProofError):
                Verifier("a", ED25519, public)

    assert 0 < sound < len(cases)


def test_a_scalar_has_one_spelling() -> None:
    private = Ed25519PrivateKey.from_private_bytes(bytes(32))
    signature = private.sign(b"text")
    larger = int.from_bytes(signature[32:], "little") + ORDER

    malleable = signature[:32] + larger.to_bytes(32, "little")

    assert not signatures.verify(private.public_key().public_bytes_raw(), b"text", malleable)
    assert not signatures.verify(private.public_key().public_bytes_raw(), b"text", signature[:63])


@pytest.mark.parametrize(
    "public",
    [
        bytes(32),
        (1).to_bytes(32, "little"),
        (2**255 - 20).to_bytes(32, "little"),
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
        bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
        (2**255 - 18).to_bytes(32, "little"),
        (2).to_bytes(32, "little"),
        ((1 << 255) + 1).to_bytes(32, "little"),
        b"short",
    ],
)
def test_a_key_with_which_anyone_could_sign_is_not_sound(public: bytes) -> None:
    assert not signatures.is_sound(public)


def test_a_note_opens_by_its_key_and_ignores_others() -> None:
    peter, enoch = (signatures.parse_key(key, given=True) for key in VECTORS["keys"])

    assert signatures.open_note(VECTORS["signed_by_both"].encode(), peter) == VECTORS["text"]
    assert signatures.open_note(VECTORS["signed_by_both"].encode(), enoch) == VECTORS["text"]
    assert [peter.vkey, enoch.vkey] == VECTORS["keys"]
    with pytest.raises(UndecidedError, match="right key"):
        signatures.open_note(VECTORS["signed"].encode(), enoch)


@pytest.mark.parametrize("note", [*(note.encode() for note in VECTORS["malformed"][:-1]), b"\xff\n\n\xff\n", b""])
def test_a_malformed_note_is_not_decided_about(note: bytes) -> None:
    with pytest.raises(UndecidedError):
        signatures.open_note(note, signatures.parse_key(VECTORS["keys"][0], given=True))


def test_a_bad_signature_of_the_key_is_misbehaviour() -> None:
    with pytest.raises(MisbehaviourError, match="does not hold"):
        signatures.open_note(VECTORS["bad_signature"].encode(), signatures.parse_key(VECTORS["keys"][0], given=True))


def test_no_mangled_key_is_read() -> None:
    key = VECTORS["keys"][0]
    mangled = [key[:at] + chr(ord(key[at]) + 1) + key[at + 1 :] for at in range(len(key))]
    cut = [key[:at] for at in range(len(key))] + [key[at:] for at in range(1, len(key))]

    for bad in [*mangled, *cut, *VECTORS["bad_keys"]]:
        with pytest.raises(UndecidedError):
            signatures.parse_key(bad, given=True)
