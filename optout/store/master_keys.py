"""The master key: where it comes from, how it wraps the keys of subjects, and that nothing else ever does.

A source holds one key, or several while the master key is rotated, the newest first; the database says which of them
is in force (`optout.store.encryption`). The embedded set-up keeps its key in `keys/master.key` of the data folder, and
draws it when the registry starts for the first time. Everything else is the operator's: a file, an environment
variable, or a command that asks a key service.
"""

import hashlib
import os
import re
import secrets
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from optout.errors import InvalidInputError, MasterKeyError, SealedDataError
from optout.store import secret_files
from optout.store.settings import Settings

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
FOLDER: Final = "keys"
FILE: Final = "master.key"

_VERSION: Final = b"\x01"
_KEY = re.compile(r"[0-9a-fA-F]{64}")
_LARGEST_SOURCE: Final = 65_536
_COMMAND_SECONDS: Final = 30
_FEWEST_BYTES: Final = 8
"""A key with fewer different bytes than this was typed, not drawn: by chance it happens once in 10**30 keys."""


@dataclass(frozen=True, slots=True)
class MasterKey:
    """One master key. `id` names it in the database: 16 hex digits of its hash, which tell nothing of the key."""

    id: str
    secret: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: bytes) -> "MasterKey":
        """The key of these 32 bytes."""
        return cls(hashlib.sha256(b"mediamanager/master-key/1\0" + secret).hexdigest()[:16], secret)

    @property
    def text(self) -> str:
        """As a source spells it."""
        return self.secret.hex()

    def wrap(self, key: bytes, bound_to: bytes) -> bytes:
        """Encrypt another key: version 1 (1 byte), nonce (12), AES-256-GCM ciphertext and tag. `unwrap` undoes it."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return _VERSION + nonce + AESGCM(self.secret).encrypt(nonce, key, _VERSION + bound_to)

    def unwrap(self, wrapped: bytes, bound_to: bytes) -> bytes:
        """Decrypt what `wrap` made for the same purpose.

        Raises:
            SealedDataError: it was altered, or made by another key or for another purpose.
        """
        version, nonce, rest = wrapped[:1], wrapped[1 : 1 + NONCE_BYTES], wrapped[1 + NONCE_BYTES :]
        try:
            return AESGCM(self.secret).decrypt(nonce, rest, version + bound_to)
        except (InvalidTag, ValueError) as error:
            raise SealedDataError(
                "the wrapped key of a subject was altered in the database: bring the table subject_keys back"
            ) from error


class MasterKeys:
    """The master keys of one process, read from their source when first needed, and again when one is unknown.

    Keys that were read once are remembered: what another process rotates away is still needed by a transaction that
    began before. Safe to use from several threads.

    Raises:
        InvalidInputError: the settings name more than one source.
    """

    def __init__(self, settings: Settings) -> None:
        given = [
            name
            for name, value in (
                ("master_key", settings.master_key),
                ("master_key_file", settings.master_key_file),
                ("master_key_command", settings.master_key_command),
            )
            if value is not None
        ]
        if len(given) > 1:
            raise InvalidInputError(
                f"the master key has one source: set only one of {', '.join(given)}", field=given[0]
            )
        self._settings = settings
        self._file = settings.master_key_file or settings.data_folder.absolute() / FOLDER / FILE
        self.is_ours = not given
        """Whether the source is the file in the data folder, which this program writes itself."""
        self._known: Mapping[str, MasterKey] = MappingProxyType({})

    @property
    def source(self) -> str:
        """Where the keys come from, in words for the operator; never a key."""
        if self._settings.master_key is not None:
            return "MEDIAMANAGER_MASTER_KEY"
        if self._settings.master_key_command is not None:
            return "the command of MEDIAMANAGER_MASTER_KEY_COMMAND"
        return str(self._file)

    def get(self, key_id: str) -> MasterKey:
        """The key of an id.

        Raises:
            MasterKeyError: the source does not have it, or can't be read.
        """
        if key_id not in self._known:
            self.load()
        found = self._known.get(key_id)
        if found is None:
            have = ", ".join(key for key in self._known)
            raise MasterKeyError(
                f"the database needs the master key {key_id}, and {self.source} holds {have}:"
                " bring the right key back; nothing was read or written",
                needed=key_id,
            )
        return found

    def load(self) -> Sequence[MasterKey]:
        """Read the source; its keys in their order, the newest first.

        Raises:
            MasterKeyError: it can't be read, or does not hold keys.
        """
        text = self._read()
        words = re.split(r"[\s,]+", text.strip())
        keys = tuple(MasterKey.of(bytes.fromhex(word)) for word in words if _KEY.fullmatch(word))
        if len(keys) != len(words) or any(len(set(key.secret)) < _FEWEST_BYTES for key in keys):
            raise MasterKeyError(
                f"{self.source} does not hold a master key: 64 random hexadecimal digits,"
                " as `openssl rand -hex 32` prints them"
            )
        self._known = MappingProxyType({**self._known, **{key.id: key for key in keys}})
        return keys

    def first(self) -> MasterKey:
        """The newest key, for a database that has none in force yet; ours is drawn and written if it is not there.

        Raises:
            MasterKeyError: as `load`, or the data folder can't be written.
        """
        if self.is_ours:
            try:
                self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                secret_files.create_once(self._file, lambda: f"{_drawn().text}\n")
            except OSError as error:
                raise MasterKeyError(f"the master key can't be written to {self._file}: {error.strerror}") from error
        return self.load()[0]

    def add(self) -> MasterKey:
        """Draw a key and write it before the others into our file.

        Raises:
            MasterKeyError: as `load`, or the file can't be written.
        """
        new = _drawn()
        self._write([new, *self.load()])
        return new

    def keep(self, key: MasterKey) -> None:
        """Leave only one key in our file.

        Raises:
            MasterKeyError: the file can't be written.
        """
        self._write([key])

    def _write(self, keys: Sequence[MasterKey]) -> None:
        try:
            secret_files.replace(self._file, "".join(f"{key.text}\n" for key in keys))
        except OSError as error:
            raise MasterKeyError(f"{self._file} can't be written: {error.strerror}") from error

    def _read(self) -> str:
        if self._settings.master_key is not None:
            return self._settings.master_key
        if self._settings.master_key_command is not None:
            return _output(self._settings.master_key_command)
        return self._read_file()

    def _read_file(self) -> str:
        try:
            # A file of the operator's may be a mounted secret, whose mode is not theirs to choose.
            if self.is_ours and not secret_files.is_private(self._file):
                raise MasterKeyError(
                    f"others may read {self._file}: chmod 600 it, and rotate the master key if they could have"
                )
            with self._file.open(encoding="ascii", errors="replace") as file:
                return file.read(_LARGEST_SOURCE)
        except FileNotFoundError as error:
            raise MasterKeyError(
                f"the master key is missing: there is no {self._file}. Bring it back from where you keep a copy;"
                " without it names, contacts and what log entries said can't be read"
            ) from error
        except OSError as error:
            raise MasterKeyError(f"{self._file} can't be read: {error.strerror}") from error


def _drawn() -> MasterKey:
    return MasterKey.of(secrets.token_bytes(KEY_BYTES))


def _output(command: str) -> str:
    """What a command prints. Its complaints go to our standard error; what it printed is never repeated."""
    try:
        words = shlex.split(command)
        done = subprocess.run(  # noqa: S603 - the operator's own command, without a shell
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=_COMMAND_SECONDS, check=False,
            env=os.environ.copy(),
        )  # fmt: skip
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired) as error:
        what = "took too long" if isinstance(error, subprocess.TimeoutExpired) else "can't be run"
        raise MasterKeyError(
            f"the command that gives the master key {what}: see MEDIAMANAGER_MASTER_KEY_COMMAND"
        ) from (
            # The error would repeat the command and what it printed so far.
            None
        )
    if done.returncode != 0:
        raise MasterKeyError(f"the command that gives the master key ended with status {done.returncode}")
    return done.stdout[:_LARGEST_SOURCE].decode("ascii", errors="replace")
