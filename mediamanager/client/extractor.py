"""A child process that fingerprints what it is told to: one JSON line in, one JSON line out, until its input ends.

Decoders are C libraries that are fed with strangers' bytes. One that crashes or hangs takes this process with it, and
not the run.
"""

import base64
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from fingerprinting.errors import FingerprintingError, UnreadableMediaError
from fingerprinting.extract import extract, extract_words
from fingerprinting.media import DEFAULT_LIMITS
from fingerprinting.types import Depth, Extraction, Fingerprint, Modality, Role, SpanUnit
from mediamanager.client.files import copy_part

if TYPE_CHECKING:
    from mediamanager.client.cells import StoredFile

Json: TypeAlias = dict[str, object]

READY = "ready\n"
"""The first line of a child that has loaded what it needs."""


def main() -> None:
    """Serve requests on stdin. Our answers keep the real stdout; what a library prints goes nowhere."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="ascii")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.dup2(nowhere, sys.stderr.fileno())
    answers.write(READY)
    answers.flush()
    for line in sys.stdin.buffer:
        answers.write(json.dumps(answer(json.loads(line))) + "\n")
        answers.flush()


def answer(request: Json) -> Json:
    """Fingerprint the file at `path`, those within others in `parts`, `cells` and `answers`, and `text`, as one.

    It never raises. Where cells and answers turn out to be empty and nothing else was given, it answers `nothing`.
    """
    try:
        role, depth = Role(str(request["role"])), Depth(str(request["depth"]))
        path, text = request.get("path"), request.get("text")
        found = [] if path is None else [extract(Path(str(path)), role=role, depth=depth)]
        found += [_of_part(*part, role, depth) for part in _parts(request)]
        found += _of_cells(request, role, depth)
        found += _of_answers(request, role, depth)
        if text is not None:
            found.append(extract_words(str(text)))
        return write(_together(found)) if found else {"nothing": True}
    except FingerprintingError as error:
        return {"error": str(error)}
    except OSError as error:
        return {"error": f"this file can't be read: {error.strerror}."}
    except MemoryError:
        return {"error": "this file needs more memory than there is."}
    except Exception as error:  # noqa: BLE001 - a decoder may raise anything; whatever it is, this file is unchecked
        return {"error": f"this file can't be read ({type(error).__name__}: {error})."}


def _parts(request: Json) -> Sequence[tuple[str, int, int, str]]:
    parts = request.get("parts", [])
    return [tuple(part) for part in parts] if isinstance(parts, list) else []


def _of_part(file: str, offset: int, size: int, name: str, role: Role, depth: Depth) -> Extraction:
    with tempfile.NamedTemporaryFile() as copy, Path(file).open("rb") as whole:
        if not copy_part(whole, offset, size, copy.file):
            raise UnreadableMediaError("The file that holds this one is cut off. Download it again and use that.")
        copy.flush()
        return extract(Path(copy.name), name=name, role=role, depth=depth)


def _of_cells(request: Json, role: Role, depth: Depth) -> list[Extraction]:
    if request.get("cells") is None:
        return []
    from mediamanager.client.cells import reader_of  # noqa: PLC0415 - reads what is an extra

    file, row, columns = cast("tuple[str, int, list[str]]", request["cells"])
    return [_of_stored(one, role, depth) for one in reader_of(Path(file), tuple(columns)).files(row)]


def _of_answers(request: Json, role: Role, depth: Depth) -> list[Extraction]:
    answers = cast("list[tuple[str, int]]", request.get("answers") or [])
    if not answers:
        return []
    from mediamanager.client.warc import payload  # noqa: PLC0415 - an extra

    found = []
    for file, offset in answers:
        with tempfile.NamedTemporaryFile() as copy:
            name = payload(Path(file), offset, copy.file, DEFAULT_LIMITS.max_bytes)
            copy.flush()
            if Path(copy.name).stat().st_size:
                found.append(extract(Path(copy.name), name=name, role=role, depth=depth))
    return found


def _of_stored(stored: "StoredFile", role: Role, depth: Depth) -> Extraction:
    if stored.data is None:
        return extract(stored.path, role=role, depth=depth)
    with tempfile.NamedTemporaryFile() as copy:
        copy.write(stored.data)
        copy.flush()
        return extract(Path(copy.name), name=stored.name, role=role, depth=depth)


def _together(found: Sequence[Extraction]) -> Extraction:
    """Make one of a file and the words that come with it: it is what the file is, and shows what either shows."""
    return replace(
        found[0],
        fingerprints=tuple(one for extraction in found for one in extraction.fingerprints),
        identifiable=any(extraction.identifiable for extraction in found),
        notes=tuple(note for extraction in found for note in extraction.notes),
    )


def write(extraction: Extraction) -> Json:
    """Put an extraction into JSON; `read` is the inverse."""
    return {
        "modality": extraction.modality,
        "media_type": extraction.media_type,
        "identifiable": extraction.identifiable,
        "notes": list(extraction.notes),
        "fingerprints": [
            [
                one.algorithm,
                one.version,
                base64.b64encode(one.value).decode("ascii"),
                float(one.quality),
                None if one.span is None else [float(number) for number in one.span],
                one.unit,
            ]
            for one in extraction.fingerprints
        ],
    }


def read(line: str) -> Extraction | str | None:
    """Read an answer: an extraction, the sentence that says why there is none, or None where there was nothing.

    Raises:
        ValueError, KeyError, TypeError: it is no answer.
    """
    parsed = json.loads(line)
    if "error" in parsed:
        return str(parsed["error"])
    if "nothing" in parsed:
        return None
    return Extraction(
        modality=Modality(parsed["modality"]),
        media_type=str(parsed["media_type"]),
        identifiable=bool(parsed["identifiable"]),
        notes=tuple(map(str, parsed["notes"])),
        fingerprints=tuple(
            Fingerprint(
                algorithm=algorithm,
                version=version,
                value=base64.b64decode(value, validate=True),
                quality=quality,
                span=None if span is None else tuple(span),
                unit=None if unit is None else SpanUnit(unit),
            )
            for algorithm, version, value, quality, span, unit in parsed["fingerprints"]
        ),
    )


if __name__ == "__main__":
    main()
