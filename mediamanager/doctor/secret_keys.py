"""The keys: those that sign the log, and the master key that seals what identifies people."""

import os
from pathlib import Path
from typing import Final

from mediamanager.doctor.findings import Deployment, Finding, fine, weak, wrong
from optout.errors import OptoutError
from optout.ledger import keys
from optout.store import secret_files
from optout.store.db import reading
from optout.store.master_keys import MasterKeys
from optout.store.models.encryption import HEAD_ID, MasterKeyHead

_FILES: Final = ("log.key", "promise.key")


def log_keys(deployment: Deployment) -> Finding:
    """They are there, only their owner may read them, and they are those of this log."""
    chosen = deployment.settings
    files = [chosen.data_folder / keys.FOLDER / name for name in _FILES]
    if chosen.log_key is None and chosen.promise_key is None:
        missing = [file.name for file in files if not file.is_file()]
        if missing:
            return wrong(
                f"there is no {' and no '.join(missing)} in {files[0].parent}",
                "bring them back from your copy of keys/: without them nobody can go on with the log; for a new"
                " registry run `mediamanager migrate` or start `mediamanager serve`",
            )
        for file in files:
            problem = _access(file)
            if problem is not None:
                return problem
    try:
        keys.open_keys(chosen)
    except OptoutError as error:
        return wrong(
            str(error), "bring back the keys that belong to this log, or the MEDIAMANAGER_LOG_ORIGIN they name"
        )
    return fine(f"the keys of {chosen.log_origin} are here, and only their owner may read them")


def master_key(deployment: Deployment) -> Finding:
    """The key is at hand without which no name, contact or evidence can be read."""
    with reading(deployment.sessions) as session:
        head = session.get(MasterKeyHead, HEAD_ID)
    if head is None:
        return weak(
            "the database has no master key in force yet", "start the registry once: it draws one, or takes yours"
        )
    try:
        known = MasterKeys(deployment.settings)
        known.get(head.key_id)
    except OptoutError as error:
        return wrong(str(error), "bring back the master key that the database names, from your copy of it")
    return fine(f"master key {head.key_id} is at hand, from {known.source}")


def _access(file: Path) -> Finding | None:
    if not os.access(file, os.R_OK):
        return wrong(
            f"{file} can't be read by this user", "run the registry, and this command, as the user who owns it"
        )
    if not secret_files.is_private(file):
        return wrong(
            f"others may read {file}",
            f"chmod 600 {file}; if others could have copied it, begin a new log with new keys",
        )
    return None
