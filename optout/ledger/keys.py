"""The registry's signing keys: one for the log, one for promises, each a file that only its owner may read."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from optout.errors import InvalidInputError, InvalidProofError, LogIntegrityError, StorageUnavailableError
from optout.proof.notes import Signer
from optout.proof.promises import KEY_SUFFIX
from optout.store import secret_files

FOLDER = "keys"


@dataclass(frozen=True, slots=True)
class LogKeys:
    """Both signers.

    Attributes:
        log: signs checkpoints; named as the log's origin.
        promise: signs promises; named `<origin>/promise`.
    """

    log: Signer
    promise: Signer

    @property
    def origin(self) -> str:
        """The log's name."""
        return self.log.name

    @property
    def published(self) -> str:
        """What `GET /v1/log/key` answers: a vkey a line, the log's first, then the promise key's."""
        return f"{self.log.verifier.vkey}\n{self.promise.verifier.vkey}\n"


def load_or_create(data_folder: Path, origin: str) -> LogKeys:
    """Load the keys in `keys/` of the data folder; those that are not there are drawn and written.

    Two processes that start at once end with the same keys: a file appears whole, and the first one stays.

    Raises:
        InvalidInputError: the keys belong to a log with another origin.
        LogIntegrityError: a key file was altered, or others than its owner may read it.
        StorageUnavailableError: the folder can't be read or written.
    """
    folder = data_folder / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return LogKeys(
            log=_load(folder / "log.key", origin),
            promise=_load(folder / "promise.key", origin + KEY_SUFFIX),
        )
    except OSError as error:
        raise StorageUnavailableError(f"the keys in {FOLDER}/ can't be used: {error.strerror}") from error


def _load(path: Path, name: str) -> Signer:
    secret_files.create_once(path, lambda: Signer(name, secrets.token_bytes(32)).skey + "\n")
    if not secret_files.is_private(path):
        raise LogIntegrityError(f"{path.name} may be read by others: chmod 600 it, and rotate it if they could have")
    try:
        signer = Signer.parse(path.read_text(encoding="utf-8"))
    except (InvalidProofError, UnicodeDecodeError) as error:
        raise LogIntegrityError(f"{path.name} is not a key file any more") from error
    if signer.name != name:
        raise InvalidInputError(
            f"the key in {path.name} is named {signer.name}: log_origin can't change once keys exist",
            field="log_origin",
        )
    return signer
