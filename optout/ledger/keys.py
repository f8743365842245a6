"""The registry's signing keys: one for the log, one for promises, each a file that only its owner may read."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from optout.errors import InvalidInputError, InvalidProofError, LogIntegrityError, StorageUnavailableError
from optout.proof.checkpoints import open_checkpoint
from optout.proof.notes import Signer
from optout.proof.promises import KEY_SUFFIX
from optout.store import secret_files
from optout.store.models.log import LogEntry, LogHead
from optout.store.settings import Settings

FOLDER = "keys"
_FILES = ("log.key", "promise.key")


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


def open_keys(settings: Settings) -> LogKeys:
    """The keys that the settings name: as text, else the files in `keys/` of the data folder.

    Where the database is a file of this machine, files that are not there are drawn and written. Elsewhere other
    processes hold the keys already, and new ones would only part this process from them: `prepare` draws those.

    Raises:
        InvalidInputError: the keys are not there, are given by half, or belong to a log with another origin.
        LogIntegrityError: a key was altered, or others than its owner may read its file.
        StorageUnavailableError: the folder can't be read or written.
    """
    given = (settings.log_key, settings.promise_key)
    if given != (None, None):
        return _given(*given, settings.log_origin)
    folder = settings.data_folder / FOLDER
    if not settings.one_machine and not all((folder / name).exists() for name in _FILES):
        raise InvalidInputError(
            f"the log's keys are not in {folder.absolute()}: `mediamanager migrate` draws them for a new registry;"
            " else bring log.key and promise.key there, or set MEDIAMANAGER_LOG_KEY and MEDIAMANAGER_PROMISE_KEY",
            field="log_key",
        )
    return load_or_create(settings.data_folder, settings.log_origin)


def prepare(session: Session, settings: Settings) -> LogKeys:
    """The keys of the registry whose database this is; they are drawn for a new one, and only for a new one.

    Raises:
        LogIntegrityError: the log has begun, and these are not its keys, or none are here.
        InvalidInputError, StorageUnavailableError: as `open_keys`.
    """
    folder = settings.data_folder / FOLDER
    note = session.scalar(select(LogHead.note))
    is_begun = note is not None or session.scalar(select(LogEntry.number).limit(1)) is not None
    are_here = settings.log_key is not None or all((folder / name).exists() for name in _FILES)
    if is_begun and not are_here:
        raise LogIntegrityError(
            f"the log has begun, and its keys are not in {folder.absolute()}: bring them back, because a log can't"
            " go on under other keys"
        )
    keys = open_keys(settings) if are_here else load_or_create(settings.data_folder, settings.log_origin)
    if note is not None:
        try:
            open_checkpoint(note, [keys.log.verifier])
        except InvalidProofError as error:
            raise LogIntegrityError("the log was signed by another key so far: bring that key back") from error
    return keys


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


def _given(log: str | None, promise: str | None, origin: str) -> LogKeys:
    if log is None or promise is None:
        raise InvalidInputError("set both MEDIAMANAGER_LOG_KEY and MEDIAMANAGER_PROMISE_KEY, or none", field="log_key")
    return LogKeys(
        log=_parse(log, "MEDIAMANAGER_LOG_KEY", origin),
        promise=_parse(promise, "MEDIAMANAGER_PROMISE_KEY", origin + KEY_SUFFIX),
    )


def _load(path: Path, name: str) -> Signer:
    secret_files.create_once(path, lambda: Signer(name, secrets.token_bytes(32)).skey + "\n")
    if not secret_files.is_private(path):
        raise LogIntegrityError(f"{path.name} may be read by others: chmod 600 it, and rotate it if they could have")
    try:
        return _parse(path.read_text(encoding="utf-8"), path.name, name)
    except UnicodeDecodeError as error:
        raise LogIntegrityError(f"{path.name} is not a key file any more") from error


def _parse(text: str, source: str, name: str) -> Signer:
    try:
        signer = Signer.parse(text)
    except InvalidProofError as error:
        raise LogIntegrityError(f"{source} is not a key of a log") from error
    if signer.name != name:
        raise InvalidInputError(
            f"the key in {source} is named {signer.name}: log_origin can't change once keys exist",
            field="log_origin",
        )
    return signer
