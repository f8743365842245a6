"""Who signed: Ed25519 (RFC 8032) and signed notes (C2SP), with the standard library alone. For verifying only.

A signature takes about 5 ms; the code is slow and not constant in time, which matters only where there is a secret. On
the public keys that `is_sound` accepts it agrees with OpenSSL: cofactorless, with canonical S and R.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import TypeAlias

NOTE_LIMIT = 1_000_000

_Point: TypeAlias = tuple[int, int, int, int]  # extended coordinates X, Y, Z, T: x = X/Z, y = Y/Z, x*y = T/Z

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT_OF_MINUS_ONE = pow(2, (_P - 1) // 4, _P)
_NEUTRAL: _Point = (0, 1, 1, 0)
_SIGN_BIT = 1 << 255
_KEY_BYTES = 32
_SIGNATURE_BYTES = 64


class MisbehaviourError(Exception):
    """What the log shows contradicts what its key signed, or breaks the rules of the log."""


class UndecidedError(Exception):
    """It can't be told: something is missing, did not answer, or is not what it should be."""


class MissingError(UndecidedError):
    """A file is not there, although the place where it should be can be read."""


@dataclass(frozen=True, slots=True)
class Key:
    """The log's public key; `given` tells whether whoever checks brought it along, or the operator handed it out."""

    name: str
    key_id: bytes
    public: bytes
    given: bool

    @property
    def vkey(self) -> str:
        """The key as text; `parse_key` is the inverse."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(bytes([1]) + self.public).decode()}"


def parse_key(vkey: str, *, given: bool) -> Key:
    """Read `name+keyid+base64`. Raises UndecidedError if it is not a sound Ed25519 key."""
    name, _, rest = vkey.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    raw = from_base64(encoded, "the key")
    expected = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    if len(raw) != 33 or raw[0] != 1 or key_id != expected.hex() or not is_sound(raw[1:]):  # noqa: PLR2004
        raise UndecidedError("the key is not a sound Ed25519 key of the form name+0123abcd+base64")
    return Key(name, expected, raw[1:], given)


def open_note(note: bytes, key: Key) -> str:
    """Return the text of a signed note, once the key is shown to have signed it. Lines of other keys are ignored.

    Raises:
        MisbehaviourError: a signature by this key does not hold.
        UndecidedError: it is malformed, or not signed by this key.
    """
    head, found, lines = to_text(note, "the checkpoint").rpartition("\n\n")
    text = head + "\n"
    malformed = not found or not lines.endswith("\n") or re.search(r"[\x00-\x09\x0b-\x1f]", text + lines)
    if malformed or len(note) > NOTE_LIMIT:
        raise UndecidedError("the checkpoint is not a signed note")
    signed = False
    for line in lines[:-1].split("\n"):
        match = re.fullmatch(r"— ([^\s+]+) ([A-Za-z0-9+/]+=*)", line)
        if not match:
            raise UndecidedError("a signature line of the checkpoint is malformed")
        signature = from_base64(match[2], "a signature")
        if match[1] == key.name and signature[:4] == key.key_id and not signed:
            signed = verify(key.public, text.encode(), signature[4:])
            if not signed:
                raise MisbehaviourError(f"the checkpoint bears the key of {key.name}, but its signature does not hold")
    if not signed:
        raise UndecidedError(f"the checkpoint is not signed by {key.name} ({key.key_id.hex()}): is this the right key?")
    return text


def is_sound(public_key: bytes) -> bool:
    """Whether this is a canonical point that is not of low order: a key with which not just anyone can "sign"."""
    point = _decompress(public_key)
    return point is not None and not _same(_multiply(8, point), _NEUTRAL)


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature of 64 bytes over the message was made with this public key of 32 bytes."""
    point = _decompress(public_key)
    scalar = int.from_bytes(signature[_KEY_BYTES:], "little")
    if point is None or len(signature) != _SIGNATURE_BYTES or scalar >= _ORDER:
        return False
    digest = hashlib.sha512(signature[:_KEY_BYTES] + public_key + message).digest()
    challenge = int.from_bytes(digest, "little") % _ORDER
    x, y, z, t = point
    # S*B = R + k*A, so R must be what S*B - k*A compresses to, byte for byte.
    result = _add(_multiply(scalar, _BASE), _multiply(challenge, (_P - x, y, z, _P - t)))
    return _compress(result) == signature[:_KEY_BYTES]


def to_text(data: bytes, what: str) -> str:
    """Decode UTF-8; UndecidedError for anything else."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise UndecidedError(f"{what} is not text") from error


def from_base64(encoded: str, what: str) -> bytes:
    """Decode base64 in its one canonical spelling; UndecidedError for anything else."""
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not raw or base64.b64encode(raw).decode() != encoded:
        raise UndecidedError(f"{what} is not base64 in its one canonical spelling")
    return raw


def _add(one: _Point, other: _Point) -> _Point:
    """RFC 8032 section 5.1.4."""
    x1, y1, z1, t1 = one
    x2, y2, z2, t2 = other
    a = (y1 - x1) * (y2 - x2) % _P
    b = (y1 + x1) * (y2 + x2) % _P
    c = 2 * t1 * t2 * _D % _P
    d = 2 * z1 * z2 % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _multiply(scalar: int, point: _Point) -> _Point:
    result = _NEUTRAL
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point = _add(point, point)
        scalar >>= 1
    return result


def _same(one: _Point, other: _Point) -> bool:
    return (one[0] * other[2] - other[0] * one[2]) % _P == 0 and (one[1] * other[2] - other[1] * one[2]) % _P == 0


def _compress(point: _Point) -> bytes:
    inverse = pow(point[2], -1, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(_KEY_BYTES, "little")


def _decompress(encoded: bytes) -> _Point | None:
    """RFC 8032 section 5.1.3; None for what is not the one encoding of a point."""
    number = int.from_bytes(encoded, "little")
    y, sign = number % _SIGN_BIT, number // _SIGN_BIT
    if len(encoded) != _KEY_BYTES or y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT_OF_MINUS_ONE % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _P - x
    return (x, y, 1, x * y % _P)


def _base() -> _Point:
    point = _decompress((4 * pow(5, -1, _P) % _P).to_bytes(_KEY_BYTES, "little"))
    if point is None:  # the base point of RFC 8032 is a point
        raise ArithmeticError
    return point


_BASE = _base()
