import sys
import textwrap
from pathlib import Path

import pytest

from mediamanager.client import pool as pools
from mediamanager.client.pool import ExtractionPool
from mediamanager.client.queries import Query

pytestmark = pytest.mark.heavy


def child(tmp_path: Path, body: str) -> list[str]:
    """A child that says that it is ready and then treats each line as `body` says."""
    script = tmp_path / "child.py"
    script.write_text("import sys, time, os\nprint('ready', flush=True)\nfor line in sys.stdin:\n" + body)
    return [sys.executable, str(script)]


ANSWER = '    print(\'{"error": "read it"}\', flush=True)\n'


def test_files_come_back_in_order_and_a_bad_one_harms_no_other(tmp_path: Path) -> None:
    words = " ".join(f"word{number}x" for number in range(200))
    queries = []
    for number in range(12):
        path = tmp_path / f"{number}.txt"
        path.write_text(words if number % 3 else "")
        queries.append(Query(path.name, file=path))

    with ExtractionPool(2) as pool:
        results = list(pool.run(queries))

    assert [one.query.path for one in results] == [query.path for query in queries]
    assert [one.error is not None for one in results] == [number % 3 == 0 for number in range(12)]
    digests = {one.extraction.fingerprints[0].algorithm for one in results if one.extraction}
    assert digests == {"sha256"}


def test_a_file_that_kills_the_decoder_is_one_error_and_the_run_goes_on(tmp_path: Path) -> None:
    command = child(tmp_path, "    if 'bad' in line: os.abort()\n" + ANSWER)
    queries = [Query(name, file=Path(name)) for name in ("one", "bad", "two", "bad", "three")]

    with ExtractionPool(1, command=command) as pool:
        errors = [one.error for one in pool.run(queries)]

    assert errors[0] == errors[2] == errors[4] == "read it"
    assert errors[1] is not None
    assert "ended the decoder" in errors[1]


def test_a_file_that_hangs_the_decoder_is_given_up(tmp_path: Path) -> None:
    command = child(tmp_path, "    if 'bad' in line: time.sleep(60)\n" + ANSWER)
    queries = [Query(name, file=Path(name)) for name in ("bad", "good")]

    with ExtractionPool(1, command=command, seconds_per_file=1.5) as pool:
        first, second = pool.run(queries)

    assert first.error == "reading this file took more than 1.5 seconds, and was given up."
    assert second.error == "read it"


@pytest.mark.parametrize("answer", ["", "no json", "[]", "{}", '{"fingerprints": []}'])
def test_an_answer_that_is_none_is_an_error(tmp_path: Path, answer: str) -> None:
    command = child(tmp_path, f"    print({answer!r}, flush=True)\n")

    with ExtractionPool(1, command=command) as pool:
        [one] = pool.run([Query("a", file=Path("a"))])

    assert one.extraction is None
    assert one.error is not None


@pytest.mark.parametrize("command", [["/nowhere/python"], [sys.executable, "-c", "raise SystemExit(3)"]])
def test_a_child_that_can_not_start_leaves_every_file_unread(command: list[str]) -> None:
    with ExtractionPool(1, command=command) as pool:
        results = list(pool.run([Query("a", file=Path("a")), Query("b", file=Path("b"))]))

    assert all("no process could be started" in (one.error or "") for one in results)


def test_what_needs_no_reading_starts_no_process() -> None:
    with ExtractionPool(1, command=["/nowhere/python"]) as pool:
        known, failed = pool.run([Query("known"), Query("failed", error="gone")])

    assert (known.error, failed.error) == (None, "gone")


def test_whoever_stops_early_waits_for_no_file(tmp_path: Path) -> None:
    body = textwrap.indent("if 'slow' in line: time.sleep(60)\n", "    ") + ANSWER
    queries = (Query(name, file=Path(name)) for name in ["quick"] + ["slow"] * 50)

    with ExtractionPool(1, command=child(tmp_path, body)) as pool:
        results = pool.run(queries)
        # The first result is given out when enough is waiting behind it, so a slow one is being read by now.
        assert next(results).error == "read it"
        results.close()  # type: ignore[attr-defined] # it is a generator

    assert pool._children == set()


def test_the_input_is_read_only_a_little_ahead(tmp_path: Path) -> None:
    taken = 0

    def queries() -> object:
        nonlocal taken
        for number in range(10_000):
            taken = number
            yield Query(f"{number}")

    with ExtractionPool(1) as pool:
        next(pool.run(queries()))  # type: ignore[arg-type] # a generator of queries

    assert taken <= pools._AHEAD_PER_WORKER + 1
