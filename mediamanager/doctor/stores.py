"""Where things lie: the settings that say so, the database, the storage, the room on the disk, and the public log."""

import difflib
import os
import random
import secrets
import shutil
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from fingerprinting.errors import CorruptIndexError
from mediamanager.doctor.findings import Deployment, Finding, fine, weak, wrong
from optout.errors import ConflictError, InvalidProofError, NotFoundError, OptoutError
from optout.ledger.keys import open_keys
from optout.ledger.publish import PREFIX, read_tile
from optout.proof import checkpoints, merkle
from optout.proof.tiles import TileReader
from optout.registry.index_folder import IndexFolder
from optout.store import migrate
from optout.store.db import reading
from optout.store.models.log import HEAD_ID, LogEntry, LogHead
from optout.store.settings import Settings
from optout.store.storage import INCOMING
from optout.store.storage_url import open_storage
from workers.app import is_embedded

_OURS: Final = "MEDIAMANAGER_"
_OTHER_VARIABLES: Final = {"MEDIAMANAGER_URL", "MEDIAMANAGER_KEY", "MEDIAMANAGER_DEBUG"}
_LEAST_FREE_BYTES: Final = 1_000_000_000
_LEAST_FREE_PART: Final = 0.1
_SAMPLE: Final = 20
_MIGRATE: Final = "run `mediamanager migrate`, or start `mediamanager serve`, which does it"


def settings(_deployment: Deployment, environment: Mapping[str, str] = os.environ) -> Finding:
    """A variable that is no setting is a misspelt one: it does nothing, in silence."""
    known = {f"{_OURS}{name.upper()}" for name in Settings.model_fields} | _OTHER_VARIABLES
    strange = sorted(name for name in environment if name.startswith(_OURS) and name not in known)
    if not strange:
        return fine("every MEDIAMANAGER_ variable is a setting")
    near = difflib.get_close_matches(strange[0], known, n=1)
    return weak(
        f"no setting is called {', '.join(strange)}: it does nothing",
        f"write it {near[0]}" if near else "remove it; docs/reference/settings.md lists all settings",
    )


def data_folder(deployment: Deployment) -> Finding:
    """It is there where something lies in it, and the registry can write in it where it does."""
    chosen = deployment.settings
    folder = chosen.data_folder.absolute()
    writes = chosen.one_machine or chosen.storage_url.startswith("file:") or is_embedded(chosen)
    if not writes and not _keys_in_folder(chosen):
        return fine("nothing lies in it: database, broker, storage and keys are elsewhere")
    if not folder.is_dir():
        return wrong(
            f"there is no folder {folder}",
            "name the right one with --data or MEDIAMANAGER_DATA_FOLDER; for a new registry " + _MIGRATE,
        )
    # With everything else elsewhere, only the keys are read there, from a mount that may be read-only.
    if not os.access(folder, os.R_OK | os.X_OK | (os.W_OK if writes else 0)):
        return wrong(
            f"this user can't {'write' if writes else 'read'} in {folder}",
            "run the registry, and this command, as the user who owns the folder",
        )
    return fine(f"{folder} is here")


def _keys_in_folder(chosen: Settings) -> bool:
    elsewhere = (chosen.master_key, chosen.master_key_file, chosen.master_key_command)
    return chosen.log_key is None or chosen.promise_key is None or not any(elsewhere)


def database(deployment: Deployment) -> Finding:
    """It answers, and its tables are those of this version."""
    url = make_url(deployment.settings.database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return wrong(
            f"there is no database at {url.database}",
            "name the right folder with --data or MEDIAMANAGER_DATA_FOLDER; for a new registry " + _MIGRATE,
        )
    try:
        migrate.require_current(deployment.engine)
    except ConflictError as error:
        return wrong(str(error), _MIGRATE)
    except (OptoutError, DBAPIError) as error:
        said = str(error.orig) if isinstance(error, DBAPIError) else str(error)
        return wrong(said, "start the database, and set MEDIAMANAGER_DATABASE_URL to its address, user and password")
    return fine(f"{url.get_backend_name()} answers, its tables are of this version")


def storage(deployment: Deployment) -> Finding:
    """An object can be written, read back, written only once, and taken away again."""
    key, data = f"{INCOMING}doctor-{secrets.token_hex(8)}", secrets.token_bytes(1000)
    try:
        store = open_storage(deployment.settings)
        try:
            store.put(key, BytesIO(data))
            back, again = store.get(key), store.put_if_absent(key, b"another")
        finally:
            store.delete(key)
    except (OptoutError, OSError) as error:
        return wrong(
            str(error),
            "let the registry's user write there; for S3 check MEDIAMANAGER_STORAGE_URL, MEDIAMANAGER_S3_ENDPOINT_URL"
            " and the key of the bucket",
        )
    if back != data:
        return wrong("what was written does not come back as it was", "use another disk or object store: this one errs")
    if again:
        return wrong(
            "an object that exists was written over although that was forbidden",
            "use an object store that honours If-None-Match: without it the log can't be published safely",
        )
    return fine("a probe object was written, read and removed")


def index_folder(deployment: Deployment) -> Finding:
    """The index over works can be written there, and what is there can be used."""
    folder = deployment.settings.index_folder.absolute()
    if not os.access(_existing(folder), os.W_OK | os.X_OK) or not _existing(folder).is_dir():
        return weak(
            f"this user can't write in {folder}: every process that answers holds the whole index in its memory",
            "let the registry's user write there, or set MEDIAMANAGER_INDEX_FOLDER to a folder on a local disk",
        )
    try:
        found = IndexFolder(folder).open()
    except (CorruptIndexError, OSError) as error:
        return weak(str(error), "nothing: the next process that answers lookups makes it anew from the database")
    if found is None:
        return fine("there is none on the disk yet; the first thousands of works make one")
    works = sum(segment.size for segment in found.segments)
    return fine(f"{works} works in {len(found.segments)} segments, as of change {found.version}")


def disk(deployment: Deployment) -> Finding:
    """There is room for what comes."""
    chosen = deployment.settings
    places = [chosen.data_folder, chosen.index_folder]
    url = urlsplit(chosen.storage_url)
    if url.scheme == "file":
        places.append(Path(unquote(url.path)))
    place, usage = min(((one, shutil.disk_usage(_existing(one))) for one in places), key=lambda pair: pair[1].free)
    said = f"{usage.free / 1e9:.1f} GB of {usage.total / 1e9:.1f} GB are free at {place}"
    if usage.free < max(_LEAST_FREE_BYTES, 2 * chosen.max_upload_bytes):
        return wrong(said, "make room, or move the data folder: uploads are refused soon, and claims after them")
    if usage.free < _LEAST_FREE_PART * usage.total:
        return weak(said, "make room soon")
    return fine(said)


def log(deployment: Deployment) -> Finding:
    """What is published is what was signed, the database agrees, and a sample of entries is under the root."""
    with reading(deployment.sessions) as session:
        head = session.get(LogHead, HEAD_ID)
    if head is None or head.note is None or not head.published_size:
        return fine("the log is empty so far")
    try:
        problem = _contradiction(deployment, head.note, head.published_size)
    except NotFoundError as error:
        problem = f"a part of the published log is missing: {error}"
    except (InvalidProofError, UnicodeDecodeError) as error:
        problem = f"the published log is not what was signed: {error}"
    if problem is not None:
        return wrong(
            problem,
            "stop the registry; database, storage and keys are not of the same moment: bring back the newest backup of"
            " the part that is behind, and never delete what was published",
        )
    return fine(f"{head.published_size} entries are published, and the database agrees with them")


def _contradiction(deployment: Deployment, note: str, published_size: int) -> str | None:
    signer, store = open_keys(deployment.settings).log.verifier, open_storage(deployment.settings)
    shown = checkpoints.open_checkpoint(store.get(f"{PREFIX}checkpoint").decode(), [signer])
    signed = checkpoints.open_checkpoint(note, [signer])
    if not published_size <= shown.size <= signed.size:
        return f"{shown.size} entries are published; the database knows of {published_size}, and signed {signed.size}"
    reader = TileReader(shown.size, lambda tile: read_tile(store, tile))
    sample = sorted({shown.size - 1, *(random.randrange(shown.size) for _ in range(_SAMPLE))})  # noqa: S311 - a sample
    with reading(deployment.sessions) as session:
        rows = session.execute(select(LogEntry.index, LogEntry.leaf_hash).where(LogEntry.index.in_(sample))).all()
    leaves = {index: leaf_hash for index, leaf_hash in rows}  # noqa: C416 - a Row is no tuple to mypy
    for index in sample:
        if index not in leaves:
            return f"entry {index} is published and missing from the database"
        proof = merkle.inclusion_proof(index, shown.size, reader)
        # From the database's leaf through the published tiles to the signed root: all three agree, or this raises.
        merkle.verify_inclusion(index, shown.size, leaves[index], proof, shown.root)
    return None


def _existing(place: Path) -> Path:
    return place if place.exists() or place == place.parent else _existing(place.parent)
