"""The child of `workers.sandbox`: limits itself first, then decodes one file and prints what it found as JSON.

It runs in a process of its own with an empty environment. It is imported nowhere else, and what it prints is checked
by the parent, because a decoder fed with hostile bytes may have taken it over.
"""

import base64
import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_CANNOT_START = 3
_MAX_FILES = 64
_MORE_PROCESSES = 128


def main() -> None:
    """Read one request from standard input, answer it on standard output."""
    request = json.loads(sys.stdin.buffer.read())
    try:
        _limit(int(request["memory_bytes"]), int(request["cpu_seconds"]))
    except (OSError, ValueError):
        sys.exit(_CANNOT_START)
    sys.stdout.write(json.dumps(_answer(request)))
    sys.stdout.flush()


def _limit(memory_bytes: int, cpu_seconds: int) -> None:
    """Give up for good what a decoder does not need. Nothing of a stranger has been read yet."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    for which, limit, hard in (
        (resource.RLIMIT_AS, memory_bytes, memory_bytes),
        # The soft limit ends in SIGXCPU, which tells the parent why; the hard one in SIGKILL.
        (resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 5),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_NOFILE, _MAX_FILES, _MAX_FILES),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        resource.setrlimit(which, (limit, hard))
    _limit_processes()


def _answer(request: dict[str, object]) -> dict[str, object]:
    # Decoders are imported under the limits, and only here: they are the heaviest part of a start.
    from fingerprinting.errors import FingerprintingError  # noqa: PLC0415
    from fingerprinting.extract import extract  # noqa: PLC0415
    from fingerprinting.media import Limits  # noqa: PLC0415
    from fingerprinting.types import Role  # noqa: PLC0415

    name = request["name"]
    try:
        extraction = extract(
            Path(str(request["path"])),
            name=None if name is None else str(name),
            limits=Limits(**request["limits"]),  # type: ignore[arg-type]  # the parent dumped a Limits
            role=Role(str(request["role"])),
        )
    except FingerprintingError as error:
        return {"error": {"code": error.code, "message": str(error), "parameters": dict(error.parameters)}}
    except MemoryError:
        return {"out_of_memory": True}
    except ImportError:
        sys.exit(_CANNOT_START)
    except Exception as error:  # noqa: BLE001 - a decoder met bytes that it was not written for: the file's end, not ours
        return {"crash": type(error).__name__}
    return {
        "extraction": {
            "modality": extraction.modality,
            "media_type": extraction.media_type,
            "identifiable": extraction.identifiable,
            "notes": extraction.notes,
            "fingerprints": [
                {
                    "algorithm": each.algorithm,
                    "version": each.version,
                    "value": base64.b64encode(each.value).decode("ascii"),
                    "quality": each.quality,
                    "span": each.span,
                    "unit": each.unit,
                }
                for each in extraction.fingerprints
            ],
        }
    }


def _limit_processes() -> None:
    """Few more processes and threads than the user has by now; the kernel counts them per user, and not for root.

    None at all would be better, but video decoders start threads and fail without them.
    """
    mine, running = os.geteuid(), 0
    for process in Path("/proc").glob("[0-9]*/task"):
        with contextlib.suppress(OSError):  # it ended while we looked
            running += sum(1 for _ in process.iterdir()) if process.stat().st_uid == mine else 0
    hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    limit = running + _MORE_PROCESSES
    if running and (hard == resource.RLIM_INFINITY or limit < hard):
        resource.setrlimit(resource.RLIMIT_NPROC, (limit, limit))
