"""Decoders that were taken over: nurseries whose children do what a test says, under the real limits."""

import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import workers
from fingerprinting.errors import UnreadableMediaError
from workers import sandbox
from workers.isolation import Isolation, Way
from workers.nursery import Nursery, readable
from workers.sandbox_pool import Pool

_ROOT = str(Path(workers.__file__).parent.parent)

Instead = Callable[..., Pool]
"""What makes nurseries whose children run some lines: see the fixture of the workers' tests."""

UNKNOWN = Isolation(is_wrapped=False, walls=(), can_read=True, can_connect=True, can_run=True)


def program(act: str, *, walls: bool = True) -> str:
    """A nursery's program whose children run some lines with `request` and `descriptors` at hand; None of them returns.

    With `walls=False` it is a system that has neither Landlock nor seccomp.
    """
    return f"""
import ctypes, json, os, resource, signal, socket, subprocess, sys, time
sys.path[:0] = {[_ROOT]!r}
from workers import sandbox_child
def act(request, descriptors, confined):
{textwrap.indent(textwrap.dedent(act), "    ")}
    return 0
def say(message):
    os.write(descriptors_of[0], message.encode() if isinstance(message, str) else message)
def tell(message):
    say(json.dumps({{"error": {{"code": "unreadable-media", "message": str(message), "parameters": {{}}}}}}))
descriptors_of = []
def serve(request, descriptors, confined):
    descriptors_of[:] = descriptors
    return act(request, descriptors, confined)
sandbox_child._serve = serve
if {not walls}:
    sandbox_child.confine = lambda readable, open_file: set()
from workers import sandbox_decode
sandbox_decode.warm_up = lambda: None
sandbox_child.main({readable()!r})
"""


def command(act: str, *, walls: bool = True) -> tuple[str, ...]:
    return (sys.executable, "-I", "-c", program(act, walls=walls))


@contextmanager
def pool_of(*argv: str, size: int = 2) -> Iterator[Pool]:
    """A pool whose nurseries are started by one command."""

    def find() -> tuple[Way, Nursery]:
        return Way(argv, UNKNOWN), Nursery(argv)

    pool = Pool(size, find)
    yield pool
    pool.close()


def told(path: Path, name: str | None = None) -> str:
    """What a stand-in tells, by way of an error's sentence."""
    with pytest.raises(UnreadableMediaError) as caught:
        sandbox.extract(path, name=name)
    return str(caught.value)
