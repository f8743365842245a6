"""`mediamanager audit`: against a registry over HTTP and against a folder; statuses, one JSON object, plain words."""

import dataclasses
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pytest
import synthetic_logs
from synthetic_logs import SIGNER, make_leaves

from mediamanager import cli
from mediamanager.audit import sources
from mediamanager.audit.reports import Outcome
from mediamanager.audit.signatures import MissingError, parse_key
from optout.proof import merkle

VKEY = SIGNER.verifier.vkey
LEAVES = make_leaves(260)
FILES = synthetic_logs.log_files(LEAVES)

Run: TypeAlias = Callable[..., tuple[int, str, str]]


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Tests are not to be written over."""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `mediamanager audit …`: its status, what it printed, what it complained about."""
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.delenv("MEDIAMANAGER_LOG_KEY", raising=False)

    def audit(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            cli.main(["audit", *map(str, words)])
        printed = capsys.readouterr()
        return int(left.value.code or 0), printed.out, printed.err

    return audit


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return synthetic_logs.write_files(tmp_path / "copy", FILES)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """The address of something that serves a log as a registry does."""
    synthetic_logs.write_files(tmp_path / "served" / "v1" / "log", FILES)
    handler = partial(QuietHandler, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def receipt(tmp_path: Path) -> Path:
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps(dataclasses.asdict(synthetic_logs.make_receipt(LEAVES, 7))))
    return path


def test_a_folder_that_holds_leaves_with_zero_and_says_what_was_checked(run: Run, folder: Path) -> None:
    status, out, _ = run("verify", folder, "--key", VKEY)

    assert status == 0
    assert "260 entries hashed anew" in out
    assert "claim.filed 174" in out
    assert out.endswith("It holds.\n")
    assert "--key" not in out


def test_a_registry_is_verified_over_http(run: Run, registry: str) -> None:
    status, out, _ = run("verify", registry, "--json")

    report = json.loads(out)
    assert (status, report["outcome"], report["size"]) == (0, "holds", 260)
    assert report["source"] == registry
    assert [check["check"] for check in report["checks"]] == ["signature", "entries", "tiles", "order"]


def test_without_a_key_it_is_said_that_the_operator_gave_it(run: Run, registry: str) -> None:
    status, out, _ = run("verify", registry)

    assert status == 0
    assert f"pass it with --key {VKEY}" in out


def test_a_key_may_lie_in_a_file(run: Run, folder: Path) -> None:
    status, out, _ = run("verify", folder, "--key", folder / "key")

    assert status == 0
    assert "--key" not in out


def test_a_copied_log_is_the_log_and_is_brought_up_to_date(run: Run, registry: str, tmp_path: Path) -> None:
    status, out, _ = run("log", registry, "--output", tmp_path / "copy")

    assert status == 0
    assert "260 entries are in" in out
    copied = {path.relative_to(tmp_path / "copy").as_posix(): path for path in (tmp_path / "copy").rglob("*")}
    assert {path: file.read_bytes() for path, file in copied.items() if file.is_file()} == FILES
    assert run("verify", tmp_path / "copy", "--key", VKEY)[0] == 0

    (tmp_path / "copy" / "tile/0/001.p/4").unlink()
    assert run("log", registry, "--output", tmp_path / "copy", "--key", VKEY)[0] == 0
    assert run("verify", tmp_path / "copy", "--key", VKEY)[0] == 0


def test_a_log_that_grows_while_it_is_copied_is_copied_as_it_is_then(tmp_path: Path) -> None:
    """The partial tiles of the first checkpoint are gone by the time that they are asked for."""
    before = synthetic_logs.log_files(LEAVES[:250])
    after = FILES
    notes = iter([before["checkpoint"]])

    class GrowingSource:
        def read(self, path: str, limit: int) -> bytes:
            if path == "checkpoint":
                return next(notes, after["checkpoint"])
            if path not in after:
                raise MissingError(path)
            return after[path]

    checkpoint = sources.download(GrowingSource(), parse_key(VKEY, given=True), tmp_path / "copy")

    assert checkpoint.size == 260
    assert {path: (tmp_path / "copy" / path).read_bytes() for path in FILES} == FILES


def test_a_tampered_folder_leaves_with_one_and_names_the_place(run: Run, folder: Path) -> None:
    data = bytearray((folder / "tile/0/000").read_bytes())
    data[32 * 200] ^= 1
    (folder / "tile/0/000").write_bytes(data)

    status, out, _ = run("verify", folder, "--key", VKEY)

    assert status == 1
    assert "tile/0/000 does not agree with the entries, from entry 200 on" in out
    assert "It does not hold" in out


def test_a_registry_that_published_nothing_yet_is_told_from_a_broken_one(run: Run, folder: Path) -> None:
    (folder / "checkpoint").unlink()

    status, out, _ = run("verify", folder, "--key", VKEY)

    assert status == 2
    assert "checkpoint is not there: nothing is published there yet" in out


def test_a_missing_file_leaves_with_two(run: Run, folder: Path) -> None:
    (folder / "tile/entries/000").unlink()

    status, out, _ = run("verify", folder, "--json")

    assert status == 2
    assert json.loads(out)["outcome"] == "undecided"


@pytest.mark.parametrize(
    "source",
    [
        "http://127.0.0.1:9",
        "ftp://example.com",
        "http://",
        "no-such-folder",
        "https://",
        "http://[bad",
        "http://127.0.0.1:99999",
        "http://a..b",
    ],
)
def test_a_source_that_can_not_be_had_leaves_with_two_and_no_traceback(run: Run, source: str) -> None:
    for command in (["verify", source], ["log", source, "--output", "nowhere"]):
        status, out, err = run(*command)

        assert status == 2
        assert "Traceback" not in out + err
    assert not Path("nowhere").exists()


def test_a_receipt_is_checked_against_the_log(run: Run, registry: str, receipt: Path) -> None:
    status, out, _ = run("verify", registry, "--key", VKEY, "--receipt", receipt)

    assert status == 0
    assert "entry 7 (claim.filed" in out
    assert "disallowed         train-genai" in out
    assert "work               a picture" in out


def test_a_log_must_extend_a_checkpoint_that_was_kept(run: Run, folder: Path, tmp_path: Path) -> None:
    kept, forged = tmp_path / "kept", tmp_path / "forged"
    kept.write_bytes(synthetic_logs.log_files(LEAVES[:100])["checkpoint"])
    forged.write_bytes(synthetic_logs.log_files(LEAVES[1:101])["checkpoint"])

    assert run("verify", folder, "--key", VKEY, "--from", kept)[0] == 0
    status, out, _ = run("verify", folder, "--key", VKEY, "--from", forged)
    assert status == 1
    assert "history was rewritten" in out


def test_a_receipt_and_a_proof_are_checked_offline(run: Run, receipt: Path, tmp_path: Path) -> None:
    (tmp_path / "a.tlog-proof").write_text(synthetic_logs.make_receipt(LEAVES, 7).tlog_proof)
    leaf_hash = merkle.leaf_hash(LEAVES[7]).hex()

    assert run("receipt", receipt, "--key", VKEY)[0] == 0
    assert run("proof", tmp_path / "a.tlog-proof", "--key", VKEY, "--leaf-hash", leaf_hash)[0] == 0
    assert run("proof", tmp_path / "a.tlog-proof", "--key", VKEY, "--leaf-hash", "00" * 32)[0] == 2
    assert run("receipt", tmp_path / "none.json", "--key", VKEY)[0] == 2


def test_wrong_usage_leaves_with_sixty_four(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a").touch()

    assert run("proof", tmp_path / "a", "--key", VKEY, "--leaf-hash", "xyz")[0] == 64
    assert run("verify")[0] == 64


def test_nothing_that_others_wrote_moves_the_cursor(run: Run, tmp_path: Path) -> None:
    body = '{"title":"\N{RIGHT-TO-LEFT OVERRIDE}\x9b2J"}'.encode()
    leaf = synthetic_logs.make_leaf(0).replace(
        synthetic_logs.commit(synthetic_logs.SALT, synthetic_logs.BODY).hex().encode(),
        synthetic_logs.commit(synthetic_logs.SALT, body).hex().encode(),
    )
    (tmp_path / "r.json").write_text(json.dumps(dataclasses.asdict(synthetic_logs.make_receipt([leaf], 0, body=body))))

    status, out, _ = run("receipt", tmp_path / "r.json", "--key", VKEY)

    assert status == 0
    assert "\x9b" not in out
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in out


def test_the_statuses_are_those_that_people_script_against() -> None:
    assert {outcome.name: int(outcome) for outcome in Outcome} == {"HOLDS": 0, "BROKEN": 1, "UNDECIDED": 2}


@pytest.mark.parametrize("damage", [lambda text: text[: len(text) // 2], lambda text: "\\xff\\xd8 a picture"])
def test_a_receipt_that_is_cut_off_or_another_file_is_called_what_it_is(
    run: Run, receipt: Path, tmp_path: Path, damage: Callable[[str], str]
) -> None:
    (tmp_path / "bad.json").write_text(damage(receipt.read_text()))

    status, shown, _ = run("receipt", tmp_path / "bad.json")

    assert status == 2
    assert "not a claim receipt" in shown
