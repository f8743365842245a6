"""What a child of the sandbox does with its one file: fingerprint it, and put what comes of it into JSON."""

import base64
import io
import os
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from PIL import Image

from fingerprinting.errors import FingerprintingError
from fingerprinting.extract import extract
from fingerprinting.media import Limits
from fingerprinting.types import Depth, Extraction, Role

_SIDE: Final = 96


def warm_up() -> None:
    """Fingerprint a small picture, sound and text of our own, so that children find everything loaded and computed."""
    import pypdfium2  # noqa: F401, PLC0415

    Image.init()
    if sys.platform != "linux":
        return  # there is no file without a file system
    noise = Image.effect_noise((_SIDE, _SIDE), 90).resize((4 * _SIDE, 4 * _SIDE))
    picture, sound = io.BytesIO(), io.BytesIO()
    noise.save(picture, "JPEG")
    with wave.open(sound, "wb") as recording:
        recording.setparams((1, 2, 11025, 0, "NONE", "NONE"))
        recording.writeframes(noise.tobytes())
    for sample in (picture.getvalue(), sound.getvalue(), b"a few words of our own are enough here " * 9):
        file = os.memfd_create("sample")
        try:
            os.write(file, sample)
            extract(Path(f"/proc/self/fd/{file}"), role=Role.WORK)
        finally:
            os.close(file)


def decode(request: dict[str, Any], path: Path) -> dict[str, object]:
    """Fingerprint a file as a request of `workers.sandbox` says; the answer has the form of `workers.sandbox_wire`.

    Raises:
        ImportError: a decoder is missing, which says nothing about the file.
    """

    def extraction() -> dict[str, object]:
        found = extract(
            path,
            name=request["name"],
            limits=Limits(**request["limits"]),
            role=Role(request["role"]),
            depth=Depth(request["depth"]),
        )
        return {"extraction": _on_the_wire(found)}

    return _judged(extraction)


def excerpts(request: dict[str, Any], path: Path) -> dict[str, object]:
    """Read the words of a text between some of its tokens; the answer is of the same form as that of `decode`."""

    def read() -> dict[str, object]:
        from fingerprinting.text.excerpts import excerpts as read_excerpts  # noqa: PLC0415

        tokens = [(int(first), int(last)) for first, last in request["tokens"]]
        found = read_excerpts(path, request["media_type"], tokens, Limits(**request["limits"]))
        return {
            "excerpts": [
                None if one is None else {"span": list(one.span), "words": one.words, "timed": one.timed}
                for one in found
            ]
        }

    return _judged(read)


def _judged(read: Callable[[], dict[str, object]]) -> dict[str, object]:
    """Read a file; what goes wrong is said of the file."""
    try:
        return read()
    except FingerprintingError as error:
        return {"error": {"code": error.code, "message": str(error), "parameters": dict(error.parameters)}}
    except MemoryError:
        return {"out_of_memory": True}
    except ImportError:
        raise
    except Exception as error:  # noqa: BLE001 - a decoder met bytes that it was not written for: the file's end, not ours
        return {"crash": type(error).__name__}


def _on_the_wire(extraction: Extraction) -> dict[str, object]:
    return {
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
