"""What a child of the sandbox tries to find out how far it is shut in: the very things that an attacker would try."""

import os
import socket


def look(canary: str, port: int) -> dict[str, bool]:
    """Try to read a file and to reach a port of 127.0.0.1 that are there; to start a program, and to signal others.

    Returns:
        Whether each of `reads`, `connects`, `runs`, `signals` succeeded.
    """
    return {"reads": _reads(canary), "connects": _connects(port), "runs": _runs(), "signals": _signals()}


def _reads(path: str) -> bool:
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError:
        return False
    return True


def _connects(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return True
    except OSError:
        return False


def _runs() -> bool:
    try:
        pid = os.fork()
    except OSError:
        return False
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return True


def _signals() -> bool:
    try:
        os.kill(os.getppid(), 0)
    except OSError:
        return False
    return True
