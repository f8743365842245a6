"""What a registry depends on around it: broker, workers, clock, libraries, and the address at which people reach it."""

import importlib
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

import httpx2
from kombu.exceptions import KombuError
from sqlalchemy import func, select, text

from fingerprinting.audio import chromaprint
from mediamanager.doctor.findings import Deployment, Finding, fine, weak, wrong
from optout.ledger.keys import open_keys
from optout.store import heartbeats, job_lists
from optout.store.db import reading
from optout.store.models.base import utc_now
from optout.store.models.jobs import JobState
from optout.store.models.log import LogEntry
from optout.store.storage import INCOMING
from optout.store.storage_url import open_storage
from workers import dispatch
from workers.app import make
from workers.errors import SandboxUnavailableError
from workers.sandbox import isolation

_LARGEST_DIFFERENCE: Final = timedelta(seconds=60)
_WRITTEN: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""This program did not exist before."""
_OVERDUE_SECONDS: Final = 300
_ANSWER_SECONDS: Final = 5.0
_LOCAL: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_LIBRARIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "av": "sound and video can't be read",
        "PIL": "pictures can't be read",
        "yt_dlp": "captions of YouTube videos can't be fetched",
    }
)


def broker(deployment: Deployment) -> Finding:
    """It takes messages."""
    try:
        dispatch.reach(make(deployment.settings))
    except (KombuError, OSError) as error:
        return wrong(
            f"the broker does not take messages: {error}",
            "start it, and set MEDIAMANAGER_BROKER_URL to its address; nothing is lost meanwhile, jobs are in the"
            " database",
        )
    return fine("the broker takes messages")


def workers(deployment: Deployment) -> Finding:
    """Somebody does the jobs, and somebody looks for those that are due."""
    with reading(deployment.sessions) as session:
        since = utc_now() - heartbeats.patience(deployment.settings)
        alive = heartbeats.alive(session, heartbeats.WORKER, since=since)
        swept = heartbeats.last_seen(session, heartbeats.SWEEP)
    if not alive:
        if deployment.settings.one_machine and deployment.served_at() is None:
            return weak("the registry does not run, so no worker does", "start `mediamanager serve`")
        return wrong("no worker was seen lately", "start `mediamanager worker`; its log says why if it does not stay")
    if swept is None or swept < since:
        return wrong(
            "nobody looks for due jobs", "start `mediamanager beat`: without it a lost message is never sent again"
        )
    notes = sorted({one.note for one in alive if one.note})
    if notes:
        return weak(f"a worker says: {notes[0]}", "see the check of the sandbox, on the machine of that worker")
    return fine(f"{len(alive)} seen lately")


def jobs(deployment: Deployment) -> Finding:
    """None has failed too often, and none waits for too long."""
    with reading(deployment.sessions) as session:
        counts, ages = job_lists.counts(session), job_lists.ages(session)
    parked = counts[JobState.PARKED]
    if parked:
        return weak(
            f"{parked} failed too often and wait for you",
            "`mediamanager jobs list --state parked` says why; then `mediamanager jobs replay --state parked`",
        )
    if ages.overdue > _OVERDUE_SECONDS:
        return weak(f"one has been due for {ages.overdue:.0f} s", "start more workers, or see why they are busy")
    return fine(f"{counts[JobState.WAITING]} wait, {counts[JobState.RUNNING]} run, none failed too often")


def clock(deployment: Deployment) -> Finding:
    """It agrees with the log, the database and the storage: promises, sign-ins and S3 all depend on it."""
    remedy = "set the clock, and keep it by NTP (`timedatectl set-ntp true`)"
    now = utc_now()
    if now < _WRITTEN:
        return wrong(f"it says {now:%Y-%m-%d}, which is before this program was written", remedy)
    with reading(deployment.sessions) as session:
        recorded = session.scalar(select(func.max(LogEntry.recorded_at)))
        theirs = None
        if session.get_bind().dialect.name == "postgresql":
            theirs = session.scalar(text("SELECT clock_timestamp()"))
    if recorded is not None and recorded - now > _LARGEST_DIFFERENCE:
        return wrong(f"it is behind the last entry of the log by {recorded - now}", remedy)
    for name, moment in (("database", theirs), ("storage", _stored_at(deployment))):
        if moment is not None and abs(moment - utc_now()) > _LARGEST_DIFFERENCE:
            return wrong(
                f"it differs from that of the {name} by {abs(moment - utc_now())}", f"{remedy} on both machines"
            )
    return fine("it agrees with log, database and storage")


def libraries(_deployment: Deployment) -> Finding:
    """What reads media is installed."""
    for name, without in _LIBRARIES.items():
        try:
            importlib.import_module(name)
        except ImportError:
            return wrong(f"{name} is not installed: {without}", "pip install '.[server]', in a clone of Media Manager")
    if not chromaprint.has_library():
        return weak(
            "libchromaprint is not installed: sound is fingerprinted ten times slower",
            "install it: `apt install libchromaprint1`, `dnf install libchromaprint` or `brew install chromaprint`",
        )
    return fine("everything that reads media is installed")


def sandbox(_deployment: Deployment) -> Finding:
    """A hostile file that takes a decoder over reaches nothing. This machine's; workers say how theirs is."""
    try:
        found = isolation()
    except SandboxUnavailableError as error:
        return wrong(str(error), "see that this user may start processes, and that memory is left")
    if found.is_complete:
        return fine(found.sentence)
    return weak(
        found.sentence,
        "`apt install bubblewrap`; in a container allow user namespaces, or use a kernel with Landlock (5.13 or later)",
    )


def public_address(deployment: Deployment) -> Finding:
    """What people type leads to this very registry."""
    at = deployment.served_at() if deployment.settings.one_machine else None
    url = deployment.settings.public_url
    if at is not None and "public_url" not in deployment.settings.model_fields_set:
        url = at
    try:
        with httpx2.Client(trust_env=False, timeout=_ANSWER_SECONDS, follow_redirects=False) as http:
            answer = http.get(f"{url.rstrip('/')}/v1/log/key")
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        if deployment.settings.one_machine and at is None:
            return weak("the registry does not run, so its address was not tried", "start `mediamanager serve`")
        return wrong(
            f"{url} does not answer: {type(error).__name__}",
            "set MEDIAMANAGER_PUBLIC_URL to the address that people use; check DNS, proxy and certificate",
        )
    return _answered(deployment, url, answer)


def _answered(deployment: Deployment, url: str, answer: httpx2.Response) -> Finding:
    if answer.is_redirect:
        target = answer.headers.get("location", "another address")
        return wrong(f"{url} sends people on to {target}", "set MEDIAMANAGER_PUBLIC_URL to the address they end at")
    if answer.status_code != httpx2.codes.OK:
        return wrong(f"{url} answers {answer.status_code}", "see the log of the registry, or of the proxy before it")
    if answer.text != open_keys(deployment.settings).published:
        return wrong(
            f"another registry answers at {url}", "set MEDIAMANAGER_PUBLIC_URL to this one's address, or mend the proxy"
        )
    if url.startswith("http://") and urlsplit(url).hostname not in _LOCAL:
        return weak(
            f"{url} is not encrypted: keys and sign-ins can be read on the way",
            "put a proxy with TLS before it, and set MEDIAMANAGER_PUBLIC_URL to the https:// address",
        )
    return fine(f"{url} leads here")


def _stored_at(deployment: Deployment) -> datetime | None:
    """What the storage's clock says."""
    key = f"{INCOMING}doctor-{secrets.token_hex(8)}"
    store = open_storage(deployment.settings)
    store.put(key, BytesIO(b"what time is it?"))
    try:
        return next((one.modified_at for one in store.list(key)), None)
    finally:
        store.delete(key)
