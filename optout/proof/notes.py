"""Signed notes (C2SP signed-note v1): a text that anyone can read, and signatures by named Ed25519 keys below it."""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from optout.errors import InvalidProofError

ED25519 = 0x01
COSIGNATURE = 0x04
MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 100

_KEY_BYTES = 32
_SIGNATURE_BYTES = 64
_TIME_BYTES = 8
_LINE = "\u2014 "
_SKEY = "PRIVATE+KEY+"
_FORBIDDEN = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")  # control characters; halves of characters have no UTF-8
_P = 2**255 - 19
_LOW_ORDER = frozenset(
    # The eight points whose order divides 8, as y coordinates: a "signature" by one holds for any text.
    {
        0,
        1,
        _P - 1,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
    }
)


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name.

    Attributes:
        name: for a log, its origin.
        algorithm: `ED25519`, or `COSIGNATURE` for a witness, whose signature carries a time.
        public_key: 32 bytes, canonical and not of low order.
    """

    name: str
    algorithm: int
    public_key: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        if self.algorithm not in (ED25519, COSIGNATURE) or len(self.public_key) != _KEY_BYTES:
            raise InvalidProofError(f"the key of {self.name!r} is not an Ed25519 key")
        # Implementations differ on such keys (C2SP/CCTV ed25519), so that two verifiers could disagree about one note.
        y = int.from_bytes(self.public_key, "little") & ((1 << 255) - 1)
        if y >= _P or y in _LOW_ORDER:
            raise InvalidProofError(f"the key of {self.name!r} is degenerate: anyone could sign with it")

    @property
    def key_id(self) -> bytes:
        """Four bytes that say which key signed; a hint, not a proof."""
        payload = self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public_key
        return hashlib.sha256(payload).digest()[:4]

    @property
    def vkey(self) -> str:
        """The key as text, the form in which people publish and pass it on; `parse` is the inverse."""
        encoded = base64.b64encode(bytes([self.algorithm]) + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    @classmethod
    def parse(cls, vkey: str) -> "Verifier":
        """Read `name+keyid+base64`.

        Raises:
            InvalidProofError: it is malformed, or its key id is not that of its key.
        """
        parts = vkey.strip().split("+", 2)
        raw = _unbase64(parts[2]) if len(parts) == 3 else b""  # noqa: PLR2004 - name, id, key
        if not raw:
            raise InvalidProofError("a key looks like name+0123abcd+base64: this one does not")
        verifier = cls(parts[0], raw[0], raw[1:])
        if parts[1] != verifier.key_id.hex():
            raise InvalidProofError(f"the key of {verifier.name!r} was altered: its id is {verifier.key_id.hex()}")
        return verifier

    def verify(self, text: str, signature: bytes) -> bool:
        """Whether this key signed the text (for a witness: the text and the time before it)."""
        message = text.encode()
        if self.algorithm == COSIGNATURE:
            time, signature = signature[:_TIME_BYTES], signature[_TIME_BYTES:]
            message = b"cosignature/v1\ntime %d\n" % int.from_bytes(time, "big") + message
        if len(signature) != _SIGNATURE_BYTES:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, message)
        except (InvalidSignature, ValueError):  # ValueError: the bytes are no point of the curve
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with its name. Signing is deterministic: the same text gives the same note."""

    name: str
    seed: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.seed) != _KEY_BYTES:
            raise InvalidProofError(f"the private key of {self.name!r} does not have {_KEY_BYTES} bytes")

    def __repr__(self) -> str:
        """Never show the seed: representations end up in logs."""
        return f"Signer({self.name!r})"

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, ED25519, self._key.public_key().public_bytes_raw())

    @property
    def skey(self) -> str:
        """The secret as text, the form of a key file; `parse` is the inverse."""
        encoded = base64.b64encode(bytes([ED25519]) + self.seed).decode()
        return f"{_SKEY}{self.name}+{self.verifier.key_id.hex()}+{encoded}"

    @classmethod
    def parse(cls, skey: str) -> "Signer":
        """Read `PRIVATE+KEY+name+keyid+base64`.

        Raises:
            InvalidProofError: it is malformed. The message never shows it.
        """
        parts = skey.strip().removeprefix(_SKEY).split("+", 2)
        raw = _unbase64(parts[2]) if skey.startswith(_SKEY) and len(parts) == 3 else b""  # noqa: PLR2004 - as above
        if not raw or raw[0] != ED25519:
            raise InvalidProofError("this is not an Ed25519 signing key of the signed-note form")
        signer = cls(parts[0], raw[1:])
        if parts[1] != signer.verifier.key_id.hex():
            raise InvalidProofError(f"the signing key of {signer.name!r} was altered")
        return signer

    def sign(self, text: str) -> str:
        """Return the signature line over a note's text."""
        signature = self.verifier.key_id + self._key.sign(text.encode())
        return f"{_LINE}{self.name} {base64.b64encode(signature).decode()}\n"

    @property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


@dataclass(frozen=True, slots=True)
class Note:
    """An opened note: its text, ending in a newline, and the keys that were shown to have signed it; at least one."""

    text: str
    signed_by: tuple[Verifier, ...]


def sign(text: str, *signers: Signer) -> str:
    """Sign a text by each signer.

    Raises:
        InvalidProofError: the text does not end in a newline, or holds a control character.
    """
    if not text.endswith("\n") or _FORBIDDEN.search(text) or not signers:
        raise InvalidProofError("a note's text ends in a newline and holds no other control character")
    return text + "\n" + "".join(signer.sign(text) for signer in signers)


def open_note(note: str, verifiers: Iterable[Verifier]) -> Note:
    """Open a note: its text, once at least one of the given keys has signed it. Other keys' lines are ignored.

    Raises:
        InvalidProofError: it is malformed, none of the keys signed it, or the line of one of them does not verify.
    """
    text, lines = split(note)
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    signed: dict[tuple[str, bytes], Verifier] = {}
    for name, key_id, signature in lines:
        verifier = known.get((name, key_id))
        if verifier is None or (name, key_id) in signed:
            continue
        if not verifier.verify(text, signature):
            raise InvalidProofError(f"the signature of {name} (key {key_id.hex()}) does not hold for this text")
        signed[name, key_id] = verifier
    if not signed:
        names = ", ".join(f"{verifier.name} ({verifier.key_id.hex()})" for verifier in known.values()) or "anyone"
        raise InvalidProofError(f"the note is not signed by {names}")
    return Note(text, tuple(signed.values()))


def split(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """Split a note into its text and (name, key id, signature) lines. Nothing is verified yet.

    Raises:
        InvalidProofError: it is malformed.
    """
    if len(note) > MAX_NOTE_BYTES or _FORBIDDEN.search(note) or not note.endswith("\n"):
        raise InvalidProofError("a signed note is short plain text that ends in a newline: this is not one")
    text, found, signatures = note.rpartition("\n\n")
    lines = signatures.split("\n")[:-1]
    if not found or not text or not lines or len(lines) > MAX_SIGNATURES:
        raise InvalidProofError("a signed note has a text, an empty line and signatures: this has not")
    return text + "\n", [_signature_line(line) for line in lines]


def _signature_line(line: str) -> tuple[str, bytes, bytes]:
    name, _, encoded = line.removeprefix(_LINE).partition(" ")
    raw = _unbase64(encoded)
    if not line.startswith(_LINE) or len(raw) <= 4:  # noqa: PLR2004 - four bytes of key id, then the signature
        raise InvalidProofError("a signature line of the note is malformed")
    _check_name(name)
    return name, raw[:4], raw[4:]


def _check_name(name: str) -> None:
    if not name or "+" in name or any(character.isspace() for character in name) or _FORBIDDEN.search(name):
        raise InvalidProofError("a key's name is not empty and holds neither a space nor a plus sign")


def _unbase64(encoded: str) -> bytes:
    """Decode standard base64 in its one canonical spelling; empty bytes if it is anything else."""
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return raw if base64.b64encode(raw).decode() == encoded else b""
