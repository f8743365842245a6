"""The process of `workers.sandbox` that strangers' files are decoded in: a nursery that forks a child for each file.

The nursery imports every decoder once, reads nothing of a stranger, and forks. Each child limits itself for good,
decodes one file and dies, so that no file finds anything that another one left behind. What a child answers is checked
by the parent, because a decoder fed with hostile bytes may have taken it over. The nursery runs with an empty
environment, is started by `workers.nursery`, and ends when the socket that is its standard input ends.
"""

import array
import contextlib
import ctypes
import gc
import json
import os
import resource
import select
import signal
import socket
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final, NoReturn

_CANNOT_START: Final = 3
"""A child's exit status when it could not be limited or lacks a decoder: the file was not judged."""

_MAX_REQUEST_BYTES: Final = 64 * 1024
_MAX_DESCRIPTORS: Final = 3
_MAX_OPEN_FILES: Final = 64
_MORE_PROCESSES: Final = 128
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_CHILD_SUBREAPER: Final = 36
_CHILDREN: Final = "/proc/thread-self/children"


def main(readable: list[str]) -> None:
    """Fork a child for each request on standard input: a line of JSON with descriptors beside it.

    The first descriptor is the child's lane, a socket that stays here: the child's end is told on it by a line of JSON,
    and who closes the other end has the child killed. The others are the child's.

    Args:
        readable: where Python and its libraries lie; a child may read nothing else.
    """
    control = socket.socket(fileno=0)
    _prepare()
    nursery, (awake, waking) = os.getpid(), _wake_on_child()
    control.sendall(b"ready\n")
    lanes: dict[int, socket.socket] = {}
    abandoned: set[int] = set()
    while True:
        ready = _ready([control.fileno(), awake, *(lanes[pid].fileno() for pid in lanes.keys() - abandoned)])
        if awake in ready:
            os.read(awake, 4096)
            abandoned -= _bury(lanes)
        for pid in [pid for pid in lanes.keys() - abandoned if lanes[pid].fileno() in ready]:
            os.kill(pid, signal.SIGKILL)
            abandoned.add(pid)
        if control.fileno() in ready:
            line, descriptors = _receive(control)
            if not line:
                _end_all(lanes)
                return
            lane = socket.socket(fileno=descriptors.pop(0))
            child = _forked(lane)
            if child == 0:
                _die_with(nursery)
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                os.close(awake)
                os.close(waking)  # who fills it holds up the nursery in its signal handler
                for each in (control, lane, *lanes.values()):  # what is said on them is the nursery's word
                    each.close()
                _child(line, descriptors, readable)
            for descriptor in descriptors:
                os.close(descriptor)
            if child is not None:
                lanes[child] = lane


def _prepare() -> None:
    """Load what children need, once; keep others from looking in; be the first to go when memory is short."""
    # Imported where it runs, under limits, and not where this module is only read.
    from workers import landlock, sandbox_decode, seccomp  # noqa: F401, PLC0415

    sandbox_decode.warm_up()
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
        libc.malloc_trim(0)
    gc.freeze()  # what is here stays: collecting it would copy its pages in every child


def _die_with(nursery: int) -> None:
    """End with the nursery: without it nobody would know this child any more."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != nursery:
            os._exit(_CANNOT_START)


def _wake_on_child() -> tuple[int, int]:
    """Two ends of a pipe, the first of which becomes readable when a child has ended."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    return reading, writing


def _ready(descriptors: list[int]) -> set[int]:
    """Wait until some of these have something to read, or ended; which."""
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _ in poll.poll()}


def _bury(lanes: dict[int, socket.socket]) -> set[int]:
    """Tell of each child that has ended, on its lane, when nothing of what it started runs any more; which."""
    ended = set()
    for pid in list(lanes):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            ended.add(pid)
            with lanes.pop(pid) as lane:
                _end_leftovers(spared=lanes)
                _tell(lane, os.waitstatus_to_exitcode(status))
    return ended


def _tell(lane: socket.socket, status: int) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more
        lane.sendall(json.dumps({"status": status}).encode() + b"\n")


def _forked(lane: socket.socket) -> int | None:
    """As `os.fork`; None where there is no room for one more process, which is told on its lane: the others go on."""
    try:
        return os.fork()
    except OSError:
        with lane:
            _tell(lane, _CANNOT_START)
        return None


def _end_all(lanes: dict[int, socket.socket]) -> None:
    """Kill our children by name, as not every system lists them, and whatever else has become ours."""
    for pid in lanes:
        os.kill(pid, signal.SIGKILL)
    _end_leftovers(spared=())


def _end_leftovers(spared: Collection[int]) -> None:
    """Kill our children but for some. What an ended child left running has become ours on Linux."""
    with contextlib.suppress(OSError):
        while left := {int(pid) for pid in Path(_CHILDREN).read_text(encoding="ascii").split()} - set(spared):
            for pid in left:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _child(line: bytes, descriptors: list[int], readable: list[str]) -> NoReturn:
    """Limit this process for good, do what was asked, end."""
    status = _CANNOT_START
    try:
        request = json.loads(line)
        _limit(int(request["memory_bytes"]), int(request["cpu_seconds"]))
        confined = confine(readable, descriptors[1] if len(descriptors) > 1 else None)
        if set(request["walls"]) <= confined:
            status = _serve(request, descriptors, confined)
    finally:  # whatever happened: never back into the nursery's loop
        os._exit(status)


def _receive(control: socket.socket) -> tuple[bytes, list[int]]:
    """One request with its descriptors; nothing at the end."""
    line, descriptors = b"", array.array("i")
    while not line.endswith(b"\n") and len(line) < _MAX_REQUEST_BYTES:
        room = socket.CMSG_LEN(_MAX_DESCRIPTORS * descriptors.itemsize)
        piece, ancillary, _, _ = control.recvmsg(_MAX_REQUEST_BYTES, room)
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
        if not piece:
            return b"", list(descriptors)
        line += piece
    return line, list(descriptors)


def _limit(memory_bytes: int, cpu_seconds: int) -> None:
    """Give up for good what a decoder does not need. Nothing of a stranger has been read yet."""
    for which, limit, hard in (
        (resource.RLIMIT_AS, memory_bytes, memory_bytes),
        # The soft limit ends in SIGXCPU, which tells the parent why; the hard one in SIGKILL.
        (resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 5),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_NOFILE, _MAX_OPEN_FILES, _MAX_OPEN_FILES),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        resource.setrlimit(which, (limit, hard))


def _limit_processes() -> None:
    """Few more processes and threads than the user has by now; the kernel counts them per user, and not for root.

    None at all would be better, but video decoders start threads and fail without them. Seccomp can tell them apart.
    """
    mine, running = os.geteuid(), 0
    for process in Path("/proc").glob("[0-9]*/task"):
        with contextlib.suppress(OSError):  # it ended while we looked
            running += sum(1 for _ in process.iterdir()) if process.stat().st_uid == mine else 0
    hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    limit = running + _MORE_PROCESSES
    if running and (hard == resource.RLIM_INFINITY or limit < hard):
        resource.setrlimit(resource.RLIMIT_NPROC, (limit, limit))


def confine(readable: list[str], open_file: int | None) -> set[str]:
    """Take file system, network and other processes away, as far as this kernel can; what it could, by name."""
    from workers import landlock, seccomp  # noqa: PLC0415 - this module is read with nothing else there

    confined = set()
    with contextlib.suppress(OSError):
        landlock.restrict(readable, open_file)
        confined.add("landlock")
    with contextlib.suppress(OSError):
        seccomp.restrict()
        confined.add("seccomp")
    if "seccomp" not in confined:
        _limit_processes()
    return confined


def _serve(request: dict[str, Any], descriptors: list[int], confined: set[str]) -> int:
    """Do one of the things that a child can be asked for, and answer on the first descriptor."""
    if request["task"] == "captions":
        from workers.youtube_child import serve  # noqa: PLC0415 - yt-dlp takes most of a second, and few need it

        serve(request, socket.socket(fileno=descriptors[0]))
        return 0
    if request["task"] == "list":
        from workers.youtube_list_child import serve as serve_list  # noqa: PLC0415 - as above

        serve_list(request, socket.socket(fileno=descriptors[0]))
        return 0
    if request["task"] == "page":
        from workers.page_child import serve as serve_page  # noqa: PLC0415 - as above

        serve_page(request, socket.socket(fileno=descriptors[0]))
        return 0
    if request["task"] == "probe":
        from workers.sandbox_probe import look  # noqa: PLC0415

        answer: object = {**look(str(request["canary"]), int(request["port"])), "walls": sorted(confined)}
    else:
        from workers import sandbox_decode  # noqa: PLC0415

        serve_file = sandbox_decode.excerpts if request["task"] == "excerpts" else sandbox_decode.decode
        path = f"/proc/self/fd/{descriptors[1]}" if sys.platform == "linux" else str(request["path"])
        answer = serve_file(request, Path(path))
    with os.fdopen(descriptors[0], "w", encoding="ascii") as answering:
        json.dump(answer, answering)
    return 0
