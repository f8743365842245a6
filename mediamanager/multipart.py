"""Reading a form: whole, as UTF-8, in little memory and one file on disk, or refused with what to mend."""

import io
import logging
import os
from collections import Counter
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from tempfile import SpooledTemporaryFile
from typing import Any, Final, cast

from python_multipart.multipart import parse_options_header
from starlette._utils import AwaitableOrContextManager, AwaitableOrContextManagerWrapper
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from mediamanager.problems import RefusedRequestError

# It warns of each form that is broken, which anybody may send any number of.
logging.getLogger("python_multipart").setLevel(logging.ERROR)

_FORM: Final = b"multipart/form-data"
_SIMPLE_FORM: Final = b"application/x-www-form-urlencoded"

_IN_MEMORY_BYTES: Final = 64 * 1024
"""How much of a form's files waits in memory before they go to disk."""

MAX_FIELDS: Final = 20
MAX_FIELD_BYTES: Final = 10_000
"""Of a form of which nothing else is said: it has a few short fields and no file."""


class FormRequest(Request):
    """A request whose form is read strictly: whoever reads it says what may be in it, or it may hold little."""

    def form(
        self,
        *,
        max_files: float = 0,
        max_fields: float = MAX_FIELDS,
        max_part_size: int = MAX_FIELD_BYTES,
    ) -> AwaitableOrContextManager[FormData]:
        """Read the form; `max_part_size` holds for all fields together that are no files.

        Raises:
            RefusedRequestError: 400; its `reason` is one of those below.
        """
        return AwaitableOrContextManagerWrapper(self._whole(max_files, max_fields, max_part_size))

    async def _whole(self, max_files: float, max_fields: float, max_bytes: int) -> FormData:
        if self._form is None:
            kind, options = parse_options_header(self.headers.get("content-type"))
            if options.get(b"charset", b"utf-8").lower() not in {b"utf-8", b"utf8"}:
                raise _refused("charset")
            try:
                async with aclosing(self.stream()) as stream:
                    if kind == _FORM:
                        self._form = await _Parser(self.headers, stream, max_files, max_fields, max_bytes).parse()
                    elif kind == _SIMPLE_FORM:
                        fields = {"max_fields": max_fields, "max_part_size": max_bytes}
                        self._form = await FormParser(self.headers, stream, **cast(Any, fields)).parse()
                    elif kind:
                        raise _refused("content-type")
                    else:
                        self._form = FormData()  # a button of a page has nothing to say
            except MultiPartException as error:
                reason = _reason(error.message)
                if reason == "too-many-files" and max_files == 0:
                    reason = "too-many-fields"  # a page that sends none has no such field
                raise _refused(reason, max_files=max_files, max_fields=max_fields) from error
        return self._form

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The body, piece by piece.

        Raises:
            RefusedRequestError: its sender went away. Nobody reads that answer, and it is no error of ours.
        """
        try:
            async with aclosing(super().stream()) as pieces:
                async for piece in pieces:
                    yield piece
        except ClientDisconnect as error:
            raise _refused("broken-off") from error


def check_names(form: FormData, *, files: Collection[str], several: Collection[str]) -> None:
    """Hold a form against what its page sends: a file where one belongs, and no field twice that is read once.

    Raises:
        RefusedRequestError: 422; it names the field.
    """
    for name, value in form.multi_items():
        if isinstance(value, UploadFile) and name not in files:
            raise _refused("file-in-field", name)
    for name, count in Counter(name for name, _ in form.multi_items()).items():
        if count > 1 and name not in several:
            raise _refused("doubled", name)


_DETAILS: Final = {
    "unreadable": "The form can't be read",
    "content-type": "This kind of body is not accepted here: send a form",
    "charset": "The form says that it is written in something else than UTF-8: send it as UTF-8",
    "broken-off": "The form ended before its end, and nothing of it was taken: send it again, complete",
    "too-many-files": "The form holds more than the {max_files:.0f} files that it may: send the others afterwards",
    "too-many-fields": "The form holds more than the {max_fields:.0f} fields that it may: leave the others out",
    "too-long": "What stands in the fields of the form is too long: shorten it",
    "file-in-field": "This holds a file, and has to be a text: write it into the field",
    "doubled": "This stands twice: send it once",
}
_STATUSES: Final = {"content-type": 415, "file-in-field": 422, "doubled": 422}
_MAX_SHOWN: Final = 40


def _refused(reason: str, field: str | None = None, **limits: float) -> RefusedRequestError:
    return RefusedRequestError(
        _STATUSES.get(reason, 400),
        f"{_DETAILS[reason].format(**limits)}.",
        reason=reason,
        field=None if field is None else field[:_MAX_SHOWN],
        **limits,
    )


def _reason(message: str) -> str:
    """What Starlette's sentences mean. One that is not known here is a form that can't be read."""
    known = {"Too many files": "too-many-files", "Too many fields": "too-many-fields", _BROKEN_OFF: "broken-off"}
    for beginning, reason in {**known, "Part exceeded": "too-long", "Field exceeded": "too-long"}.items():
        if message.startswith(beginning):
            return reason
    return "unreadable"


_BROKEN_OFF: Final = "Broken off"


class _Parser(MultiPartParser):
    """Starlette's parser, which itself takes what was cut off, and gives each field and each file memory of its own."""

    spool_max_size = _IN_MEMORY_BYTES

    def __init__(
        self, headers: Headers, stream: AsyncGenerator[bytes, None], max_files: float, max_fields: float, max_bytes: int
    ) -> None:
        super().__init__(headers, stream, max_files=max_files, max_fields=max_fields, max_part_size=max_bytes)
        self._is_whole = False
        self._left_bytes = max_bytes

    async def parse(self) -> FormData:
        """Read all of it.

        Raises:
            MultiPartException: it can't be read, is not complete, or has more than it may.
        """
        form = await super().parse()
        if not self._is_whole:
            for spool in self._files_to_close_on_error:
                spool.close()
            raise MultiPartException(_BROKEN_OFF)
        return form

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._current_part.file is None:
            self._left_bytes -= end - start
            if self._left_bytes < 0:
                raise MultiPartException("Part exceeded")
        super().on_part_data(data, start, end)

    def on_headers_finished(self) -> None:
        super().on_headers_finished()
        made = self._current_part.file
        if made is None:
            return
        spool = self._files_to_close_on_error[0]
        if len(self._files_to_close_on_error) > 1:
            self._files_to_close_on_error.pop().close()
        self._current_part.file = UploadFile(
            cast(Any, _Section(spool)), size=0, filename=made.filename, headers=made.headers
        )

    def on_end(self) -> None:
        self._is_whole = True


class _Section(io.RawIOBase):
    """One file of a form. All of them lie one after the other in a single spool, so that 200 take no 200 open files.

    They are written in order, each to its end before the next begins. Closing one closes all.
    """

    def __init__(self, spool: SpooledTemporaryFile[bytes]) -> None:
        self._spool = spool
        self._start = self._size = self._at = 0

    @property
    def _rolled(self) -> bool:
        """By this an `UploadFile` knows whether to go to a thread."""
        return bool(getattr(self._spool, "_rolled", True))

    def write(self, data: Any) -> int:
        """Append."""
        end = self._spool.seek(0, os.SEEK_END)
        if self._size == 0:
            self._start = end
        self._spool.write(data)
        self._size += len(data)
        return len(data)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # typeshed has a wider, abstract buffer
        """Read a piece."""
        self._spool.seek(self._start + self._at)
        piece = self._spool.read(max(0, min(len(buffer), self._size - self._at)))
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place of this file."""
        self._at = max(0, {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence] + offset)
        return self._at

    def close(self) -> None:
        """Let go of all files of the form."""
        self._spool.close()
        super().close()
