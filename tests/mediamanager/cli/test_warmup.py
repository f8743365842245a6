"""`mediamanager warmup` compiles every kernel, and keeps them where the next process finds them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from registry_process import children, wait_for

from fingerprinting.index import kernels
from mediamanager import warming
from mediamanager.cli import main

pytestmark = pytest.mark.heavy


def compiled(cache: Path) -> subprocess.CompletedProcess[str]:
    """Compile one module's kernels in a process of its own, as `warmup` compiles all of them: in a minute."""
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    environment["XDG_CACHE_HOME"] = str(cache)
    code = f"import {kernels.MODULES[0]}; from fingerprinting.index import kernels; print(kernels.cache_folder())"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_every_module_is_reported_with_its_time_and_at_the_end_the_folder(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["warmup", "--json"])

    assert ended.value.code == 0
    *modules, last = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["module"] for one in modules] == list(kernels.MODULES)
    assert last["seconds"] == pytest.approx(sum(one["seconds"] for one in modules), abs=0.01)
    assert last["folder"] == str(kernels.cache_folder())


def test_what_one_process_compiled_the_next_one_reads(tmp_path: Path) -> None:
    first = compiled(tmp_path)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nbc")}

    second = compiled(tmp_path)

    assert (first.returncode, second.returncode) == (0, 0)
    assert str(tmp_path) in first.stdout
    assert kept
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nbc")} == kept


def test_once_all_are_kept_a_registry_starts_no_process_for_them_and_before_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    kernels.cache_folder.cache_clear()
    others = set(children(os.getpid()))
    try:
        with warming.beside():
            assert set(children(os.getpid())) - others
        assert not set(children(os.getpid())) - others
        assert not kernels.are_kept()

        monkeypatch.setattr(kernels, "MODULES", ())  # all of them would take a minute
        assert not list(kernels.compile_all(at_once=1))

        assert kernels.are_kept()
        with warming.beside():
            assert not set(children(os.getpid())) - others
    finally:
        kernels.cache_folder.cache_clear()


@pytest.fixture
def nothing_to_compile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Children that compile find nothing compiled, and end at once."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    kernels.cache_folder.cache_clear()
    monkeypatch.setattr(kernels, "MODULES", ("ctypes",))
    monkeypatch.setattr(warming, "__name__", "ctypes")
    yield
    kernels.cache_folder.cache_clear()


def has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.usefixtures("nothing_to_compile")
@pytest.mark.parametrize("beside", [warming.beside, kernels._from_the_other_end])
def test_who_compiles_runs_nothing_that_lies_in_the_folder_where_somebody_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beside: Callable[[], AbstractContextManager[None]]
) -> None:
    (tmp_path / "ctypes.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [one for one in sys.path if one])
    others = set(children(os.getpid()))

    with beside():
        wait_for(lambda: all(map(has_ended, set(children(os.getpid())) - others)))

    assert not (tmp_path / "ran").exists()


@pytest.mark.usefixtures("nothing_to_compile")
def test_a_child_that_has_compiled_all_leaves_no_trace_among_processes() -> None:
    others = set(children(os.getpid()))

    with warming.beside():
        wait_for(lambda: not set(children(os.getpid())) - others, 30)


def test_interrupted_it_says_so_in_one_line_and_its_second_process_ends(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "mediamanager", "warmup"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, start_new_session=True) as process:
        second = wait_for(lambda: [pid for pid in children(process.pid) if str(tmp_path) in environ(pid)])
        wait_for(lambda: list(tmp_path.rglob("*.nbc")))  # both are at work
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does at Ctrl-C
        _, told = process.communicate(timeout=60)

    assert told == b"error: interrupted\n"
    assert all(map(has_ended, second))


def environ(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/environ").read_text()
    except OSError:
        return ""


def test_a_folder_that_others_may_write_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kernels.cache_folder.cache_clear()
    folder = kernels.cache_folder()
    assert folder is not None
    folder.chmod(0o777)
    kernels.cache_folder.cache_clear()

    try:
        assert kernels.cache_folder() is None
    finally:
        kernels.cache_folder.cache_clear()
