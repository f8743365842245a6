"""Taking system calls away from a process for good, where the kernel has seccomp: no socket, program, process, write.

What a decoder needs is reading, memory and threads. So everything that opens a connection, starts a program or another
process, signals or watches others, or changes a file answers EPERM from here on; numbers of another architecture end
the process. It is a second wall inside bubblewrap, and the first one where that is missing (as in most containers).

Source: Linux `Documentation/userspace-api/seccomp_filter.rst`; numbers from the kernel's `unistd_64.h` and
`asm-generic/unistd.h`.
"""

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Iterator, Mapping
from typing import Final

_ARCHITECTURES: Final = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Which column below, and how the kernel names the architecture (`AUDIT_ARCH_…`)."""

# Name: number on x86_64, on aarch64 (None: it does not exist there).
_DENIED: Final[Mapping[str, tuple[int, int | None]]] = {
    # connections
    "socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201), "accept": (43, 202),
    "accept4": (288, 242), "io_uring_setup": (425, 425),
    # programs and processes
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, None), "vfork": (58, None), "setsid": (112, 157),
    "setpgid": (109, 154), "setrlimit": (160, 164),
    # other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kill": (62, 129),
    "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424), "shmget": (29, 194), "shmat": (30, 196),
    "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180),
    # files
    "creat": (85, None), "truncate": (76, 45), "unlink": (87, None), "unlinkat": (263, 35), "rmdir": (84, None),
    "mkdir": (83, None), "mkdirat": (258, 34), "mknod": (133, None), "mknodat": (259, 33), "rename": (82, None),
    "renameat": (264, 38), "renameat2": (316, 276), "link": (86, None), "linkat": (265, 37), "symlink": (88, None),
    "symlinkat": (266, 36), "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "chown": (92, None),
    "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54), "utime": (132, None), "utimes": (235, None),
    "utimensat": (280, 88), "futimesat": (261, None), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "inotify_init": (253, None),
    "inotify_init1": (294, 26), "fanotify_init": (300, 262),
    # the system itself, for a service that runs as root
    "chroot": (161, 51), "pivot_root": (155, 41), "mount": (165, 40), "umount2": (166, 39), "open_tree": (428, 428),
    "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432),
    "fspick": (433, 433), "mount_setattr": (442, 442), "unshare": (272, 97), "setns": (308, 268), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "keyctl": (250, 219), "add_key": (248, 217),
    "request_key": (249, 218), "memfd_secret": (447, 447), "kexec_load": (246, 104), "kexec_file_load": (320, 294),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "reboot": (169, 142),
    "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60), "syslog": (103, 116),
    "personality": (135, 92), "iopl": (172, None), "ioperm": (173, None), "settimeofday": (164, 170),
    "clock_settime": (227, 112), "adjtimex": (159, 171), "clock_adjtime": (305, 266), "sethostname": (170, 161),
    "setdomainname": (171, 162), "vhangup": (153, 58),
}  # fmt: skip

# Calls that newer C libraries try first; "not implemented" makes them fall back to one whose arguments can be seen.
_UNKNOWN: Final[Mapping[str, tuple[int, int]]] = {"clone3": (435, 435), "openat2": (437, 437)}

_CLONE: Final = (56, 220)
_OPEN: Final = (2, None)
_OPENAT: Final = (257, 56)
_TGKILL: Final = (234, 131)
_PRLIMIT64: Final = (302, 261)

_CLONE_THREAD: Final = 0x00010000
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_X32: Final = 0x40000000

_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_JUMP_EQUAL: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_JUMP_AT_LEAST: Final = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_JUMP_ANY_BIT: Final = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN: Final = 0x06  # BPF_RET | BPF_K
_KILL: Final = 0x80000000
_ALLOW: Final = 0x7FFF0000
_ERRNO: Final = 0x00050000

_NUMBER_AT: Final = 0
_ARCHITECTURE_AT: Final = 4
_ARGUMENTS_AT: Final = 16

_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_SET_SECCOMP: Final = 22
_SECCOMP_MODE_FILTER: Final = 2


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def restrict() -> None:
    """Restrict this thread and all that it starts, for good. Call it before there are other threads.

    Raises:
        OSError: the kernel or the architecture does not have it; nothing was taken away.
    """
    if sys.platform != "linux" or os.uname().machine not in _ARCHITECTURES:
        raise OSError(errno.ENOSYS, "no system calls are filtered here")
    program = b"".join(_program(*_ARCHITECTURES[os.uname().machine], os.getpid()))
    libc = ctypes.CDLL(None, use_errno=True)
    pointer = ctypes.byref(_Program(len(program) // 8, program))
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, pointer):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _program(column: int, architecture: int, pid: int) -> Iterator[bytes]:
    """The filter's instructions, 8 bytes each. Jumps are counted from the next instruction."""
    yield _instruction(_LOAD, _ARCHITECTURE_AT)
    yield _instruction(_JUMP_EQUAL, architecture, 1, 0)
    yield _instruction(_RETURN, _KILL)
    yield _instruction(_LOAD, _NUMBER_AT)
    yield _instruction(_JUMP_AT_LEAST, _X32, 0, 1)
    yield _instruction(_RETURN, _KILL)
    for numbers in _DENIED.values():
        yield from _answer(numbers[column], errno.EPERM)
    for unknown in _UNKNOWN.values():
        yield from _answer(unknown[column], errno.ENOSYS)
    yield from _unless(_CLONE[column], 0, (_JUMP_ANY_BIT, _CLONE_THREAD))
    yield from _unless(_TGKILL[column], 0, (_JUMP_EQUAL, pid))
    yield from _unless(_PRLIMIT64[column], 0, (_JUMP_EQUAL, 0))
    yield from _if_any(_OPEN[column], 1, _WRITING)
    yield from _if_any(_OPENAT[column], 2, _WRITING)
    yield _instruction(_RETURN, _ALLOW)


def _answer(number: int | None, code: int) -> Iterator[bytes]:
    if number is not None:
        yield _instruction(_JUMP_EQUAL, number, 0, 1)
        yield _instruction(_RETURN, _ERRNO | code)


def _unless(number: int, argument: int, allowed: tuple[int, int]) -> Iterator[bytes]:
    """Deny a call unless its argument passes a test."""
    yield _instruction(_JUMP_EQUAL, number, 0, 4)
    yield _instruction(_LOAD, _ARGUMENTS_AT + 8 * argument)
    yield _instruction(*allowed, 1, 0)
    yield _instruction(_RETURN, _ERRNO | errno.EPERM)
    yield _instruction(_RETURN, _ALLOW)


def _if_any(number: int | None, argument: int, bits: int) -> Iterator[bytes]:
    """Deny a call whose argument has any of some bits."""
    if number is not None:
        yield _instruction(_JUMP_EQUAL, number, 0, 4)
        yield _instruction(_LOAD, _ARGUMENTS_AT + 8 * argument)
        yield _instruction(_JUMP_ANY_BIT, bits, 0, 1)
        yield _instruction(_RETURN, _ERRNO | errno.EPERM)
        yield _instruction(_RETURN, _ALLOW)


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
