"""The kept file of a work, for its owner and for those whom its owner lets see or hear it, as a browser plays it."""

import io
import shutil
import tempfile
from pathlib import Path
from typing import BinaryIO, Final
from uuid import UUID

from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from mediamanager.dependencies import CallerDep, ReadingDep, ResourcesDep, unit_of_work
from mediamanager.web import pages
from mediamanager.web.creator.new_works import FormDep
from optout.registry import showing

router = APIRouter(route_class=pages.PageRoute, include_in_schema=False)

_PLAIN: Final = "application/octet-stream"
_PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"})
"""What browsers show and never run; no SVG."""


@router.get("/works/{work_id}/media")
def work_media(work_id: UUID, session: ReadingDep, caller: CallerDep, resources: ResourcesDep) -> Response:
    """Serve a kept file, also in parts, so that a player can begin anywhere."""
    file = showing.kept_file(session, work_id=work_id, account_id=caller.account_id)
    path, temporary = _as_file(resources.storage.open(file.key))
    is_played = file.media_type in _PICTURES or file.media_type.startswith(("audio/", "video/"))
    return FileResponse(
        path,
        media_type=file.media_type if is_played else _PLAIN,
        headers={"Cache-Control": "private, no-store", "Content-Disposition": "inline"},
        background=BackgroundTask(path.unlink, missing_ok=True) if temporary else None,
    )


@router.post("/works/{work_id}/showing")
def set_showing(resources: ResourcesDep, creator: CallerDep, work_id: UUID, form: FormDep) -> Response:
    """Show the kept file to those who find a copy, or to nobody else any more."""
    with unit_of_work(resources) as session:
        shown = form.get("shown") == "yes"
        showing.show(session, work_id=work_id, account_id=creator.account_id, shown=shown)
    return pages.see_other(f"/works/{work_id}?done=saved")


def _as_file(stream: BinaryIO) -> tuple[Path, bool]:
    """A path to what was opened, and whether it is a copy that has to go: a store elsewhere has no file here."""
    with stream:
        name = getattr(stream, "name", None)
        if isinstance(stream, io.BufferedReader) and isinstance(name, str) and Path(name).is_file():
            return Path(name), False
        with tempfile.NamedTemporaryFile(prefix="mediamanager-", delete=False) as copy:
            shutil.copyfileobj(stream, copy)
        return Path(copy.name), True
