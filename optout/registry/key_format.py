"""What an API key looks like: `crk_<environment>_<id>_<secret>_<checksum>`; made here, and read without a database."""

import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass, field
from typing import Final

from optout.errors import NotAuthenticatedError
from optout.store.settings import Environment

# The prefix lets scanners of leaked secrets recognise a key, the checksum lets us refuse a mistyped one unread.
_KEY: Final = re.compile(r"(crk_([a-z]{1,16})_([0-9a-f]{16})_[0-9a-f]{64})_([0-9a-f]{8})")


@dataclass(frozen=True, slots=True)
class Key:
    """A key as its owner holds it. `text` is the secret: it is never stored, logged or printed twice."""

    id: str
    text: str = field(repr=False)

    @property
    def digest(self) -> bytes:
        """What is stored of it, 32 bytes: SHA-256. It has 256 random bits and needs no salt."""
        return hashlib.sha256(self.text.encode("ascii")).digest()


def make(environment: Environment) -> Key:
    """A new key, with an id and a secret that nobody can guess."""
    key_id = secrets.token_hex(8)
    body = f"crk_{environment}_{key_id}_{secrets.token_hex(32)}"
    return Key(key_id, f"{body}_{checksum(body)}")


def read(text: str, environment: Environment) -> Key:
    """Take apart what somebody presents as a key of this environment.

    Raises:
        NotAuthenticatedError: it is mistyped, or of another environment; `reason` says which.
    """
    parts = _KEY.fullmatch(text)
    if parts is None or not hmac.compare_digest(checksum(parts[1]), parts[4]):
        raise NotAuthenticatedError(
            f"this is not an API key: it should look like crk_{environment}_… and be complete", reason="malformed"
        )
    if parts[2] != environment:
        raise NotAuthenticatedError(
            f"this is a key for {parts[2]} registries, and this one is {environment}:"
            f" use a key that begins with crk_{environment}_",
            reason="environment",
        )
    return Key(parts[3], text)


def checksum(body: str) -> str:
    """Eight hex digits over everything before them. Against typing errors, not against people."""
    return f"{zlib.crc32(body.encode('ascii')):08x}"
