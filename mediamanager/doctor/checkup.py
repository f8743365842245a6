"""The whole visit: every check in the order in which one should mend."""

import logging
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from mediamanager.doctor import secret_keys, stores, surroundings
from mediamanager.doctor.findings import Check, Deployment, Finding, Grade, wrong
from optout.errors import OptoutError
from workers.logs import without_secrets

logger = logging.getLogger(__name__)

CHECKS: Final[Mapping[str, Check]] = MappingProxyType(
    {
        "settings": stores.settings,
        "data folder": stores.data_folder,
        "disk": stores.disk,
        "index": stores.index_folder,
        "database": stores.database,
        "storage": stores.storage,
        "log keys": secret_keys.log_keys,
        "master key": secret_keys.master_key,
        "clock": surroundings.clock,
        "log": stores.log,
        "broker": surroundings.broker,
        "workers": surroundings.workers,
        "jobs": surroundings.jobs,
        "libraries": surroundings.libraries,
        "sandbox": surroundings.sandbox,
        "public address": surroundings.public_address,
    }
)

NEEDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "database": ("data folder",),
        "index": ("data folder",),
        "storage": ("data folder",),
        "log keys": ("data folder",),
        "broker": ("data folder",),
        "master key": ("database",),
        "clock": ("database", "storage"),
        "log": ("database", "storage", "log keys"),
        "workers": ("database",),
        "jobs": ("database",),
        "public address": ("log keys",),
    }
)
"""What has to be well before a check can tell anything."""


def examine(deployment: Deployment) -> Iterator[tuple[str, Finding]]:
    """Make every check; its name and what it found. No check makes another one, or the visit, fail."""
    failed: set[str] = set()
    for name, check in CHECKS.items():
        ailing = [need for need in NEEDS.get(name, ()) if need in failed]
        if ailing:
            finding = Finding(Grade.SKIPPED, "not looked at yet", f"mend {' and '.join(ailing)} first")
        else:
            finding = _look(check, deployment)
        if finding.grade in {Grade.FAILED, Grade.SKIPPED}:
            failed.add(name)
        yield name, finding


def _look(check: Check, deployment: Deployment) -> Finding:
    try:
        finding = check(deployment)
    except (OptoutError, SQLAlchemyError, OSError) as error:
        finding = wrong(str(error), "see what this says, and the log of the registry")
    except Exception as error:  # broad: a check that breaks must not hide what the others find
        logger.exception("a check broke")
        finding = wrong(f"this check broke: {type(error).__name__}", "please report it, with the lines of the log")
    # Errors of drivers repeat addresses, and addresses hold passwords.
    return Finding(finding.grade, " ".join(without_secrets(finding.sentence).split()), finding.remedy)
