"""Static files under names that hold their digest, so that browsers may keep them for a year."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from starlette.responses import FileResponse, Response

from optout.errors import NotFoundError

router = APIRouter(include_in_schema=False)

_FOLDER: Final = Path(__file__).parent / "static"
_A_YEAR: Final = "public, max-age=31536000, immutable"
_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@cache
def address(name: str) -> str:
    """The path at which a static file is served; it changes whenever the file does."""
    digest = hashlib.sha256((_FOLDER / name).read_bytes()).hexdigest()[:12]
    return f"/static/{digest}/{name}"


@router.get("/static/{digest}/{name}")
def static_file(digest: str, name: str) -> Response:
    """Serve a static file under its current name; an outdated name gets the current file, not cached."""
    path = _FOLDER / name
    if path.suffix not in _TYPES or not path.is_file() or path.parent != _FOLDER:
        raise NotFoundError("There is no such file.")
    caching = _A_YEAR if address(name) == f"/static/{digest}/{name}" else "no-cache"
    return FileResponse(path, media_type=_TYPES[path.suffix], headers={"Cache-Control": caching})


@router.get("/favicon.ico")
def favicon() -> Response:
    """Answer browsers that ask at the old place."""
    return FileResponse(_FOLDER / "mark.svg", media_type="image/svg+xml", headers={"Cache-Control": "max-age=86400"})
