"""Forms of many files: each is read back as it was sent, from one file on disk and little memory."""

import os
import random
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import own_loop
import pytest
from starlette.datastructures import UploadFile
from starlette.types import Message

from mediamanager.multipart import FormRequest
from mediamanager.problems import RefusedRequestError

HEADERS = [(b"content-type", b"multipart/form-data; boundary=b")]


def body_of(files: list[bytes]) -> bytes:
    head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="%d"\r\n\r\n'
    return b"".join(head % number + data + b"\r\n" for number, data in enumerate(files)) + b"--b--\r\n"


def request_of(body: bytes, step: int = 10_000, *, breaks_off: bool = False) -> FormRequest:
    async def messages() -> AsyncIterator[Message]:
        for at in range(0, len(body), step):
            yield {"type": "http.request", "body": body[at : at + step], "more_body": True}
        yield {"type": "http.disconnect"} if breaks_off else {"type": "http.request", "body": b""}

    return FormRequest({"type": "http", "headers": HEADERS}, messages().__anext__)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("step", [7, 10_000, 10_000_000])
def test_each_file_of_a_form_is_read_back_as_it_was_sent_in_any_order(step: int) -> None:
    chance = random.Random(step)
    files = [chance.randbytes(chance.choice([0, 1, 900, 70_000])) for _ in range(3 if step == 7 else 30)]

    async def read() -> None:
        async with request_of(body_of(files), step).form(max_files=30) as form:
            sent = [one for one in form.getlist("files") if isinstance(one, UploadFile)]
            assert [one.size for one in sent] == [len(data) for data in files]
            for number in chance.sample(range(len(files)), len(files)):
                assert await sent[number].read() == files[number]
                assert await sent[number].read(10) == b""
                await sent[number].seek(5)
                assert await sent[number].read(10) == files[number][5:15]
                assert sent[number].file.seek(-3, os.SEEK_END) == max(0, len(files[number]) - 3)
                assert sent[number].file.read() == files[number][-3:]

    own_loop.run(read())


def test_200_files_take_one_open_file_and_hardly_any_memory() -> None:
    body = body_of([bytes(70_000)] * 200)

    async def read() -> tuple[int, int]:
        before = open_files()
        tracemalloc.start()
        async with request_of(body, 65_536).form(max_files=200):
            return open_files() - before, tracemalloc.get_traced_memory()[1]

    opened, peak = own_loop.run(read())
    tracemalloc.stop()

    assert opened == 1
    assert peak < 2_000_000  # what is sent of it is 14 MB


@pytest.mark.parametrize("breaks_off", [False, True])
def test_a_form_that_breaks_off_is_refused_and_its_files_are_gone(*, breaks_off: bool) -> None:
    before = open_files()

    with pytest.raises(RefusedRequestError, match="ended before its end") as refused:
        own_loop.run(
            _read(request_of(body_of([bytes(100_000)] * 3)[:-5_000], breaks_off=breaks_off)),
        )

    assert (refused.value.status_code, refused.value.reason) == (400, "broken-off")
    assert open_files() == before


async def _read(request: FormRequest) -> None:
    async with request.form(max_files=5):
        pass
