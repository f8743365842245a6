"""The verifier against the proof room, on logs that are whole, altered, rewritten and signed with broken rules."""

import base64
import dataclasses
import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
import synthetic_logs
from synthetic_logs import SIGNER, make_leaf, make_leaves

from mediamanager.audit import reports, verifier
from mediamanager.audit.reports import Outcome, Report
from mediamanager.audit.signatures import MissingError
from optout.errors import InvalidProofError
from optout.proof import checkpoints, entries, merkle, tiles
from optout.proof.checkpoints import Checkpoint
from optout.proof.notes import Signer
from optout.proof.tiles import TileReader

VKEY = SIGNER.verifier.vkey
LEAVES = make_leaves(300)
FILES = synthetic_logs.log_files(LEAVES)
FEW = synthetic_logs.log_files(LEAVES[:12])


class DictSource:
    """A log in a dictionary."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def read(self, path: str, limit: int) -> bytes:
        if path not in self.files:
            raise MissingError(f"{path} is not there")
        return self.files[path][: limit + 1]


def audit(
    files: dict[str, bytes], vkey: str | None = VKEY, receipt: str | None = None, old: str | None = None
) -> Report:
    return reports.audit_log(
        "a log", lambda: DictSource(files), vkey=vkey, receipt=receipt, old_note=old.encode() if old else None
    )


def proof_room_accepts(files: dict[str, bytes]) -> bool:
    """The first implementation's opinion of the same files: signature, tiles, entries; not the rules of replay."""
    try:
        checkpoint = checkpoints.open_checkpoint(files["checkpoint"].decode(), [SIGNER.verifier])
        leaves = list(synthetic_logs.read_leaves(files, checkpoint.size))
        for leaf in leaves:
            entries.parse(leaf)
        tree = merkle.MemoryTree(map(merkle.leaf_hash, leaves))
        reader = TileReader(checkpoint.size, lambda tile: files[tile.path])
        for tile in tiles.tiles_between(0, checkpoint.size):
            nodes = [merkle.Node(8 * tile.level, 256 * tile.index + i) for i in range(tile.width)]
            if reader.tile(tile) != tree.read(nodes):
                return False
    except (InvalidProofError, UnicodeDecodeError, KeyError):
        return False
    return tree.root() == checkpoint.root


def receipt_json(index: int, size: int = 300, **parts: str) -> str:
    receipt = dataclasses.replace(synthetic_logs.make_receipt(LEAVES[:size], index), **parts)
    return json.dumps(dataclasses.asdict(receipt))


def note_of(leaves: list[bytes], signer: Signer = SIGNER) -> str:
    tree = merkle.MemoryTree(map(merkle.leaf_hash, leaves))
    return Checkpoint(signer.name, tree.size, tree.root()).sign(signer)


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 300])
def test_a_whole_log_holds(size: int) -> None:
    files = synthetic_logs.log_files(LEAVES[:size])

    report = audit(files)

    assert report.outcome is Outcome.HOLDS, report.checks
    assert proof_room_accepts(files)
    assert report.size == sum(report.entries.values()) == size
    assert set(files) == {"key", "checkpoint", *(path for path, _ in verifier.paths(size))}
    assert verifier.count_paths(size) == len(files) - 2


def test_a_tree_of_three_levels_is_rebuilt() -> None:
    leaves = [b"%d" % i for i in range(65_537)]
    files = synthetic_logs.log_files(leaves)
    walked = verifier.Walked()
    tree = verifier._Tree(DictSource(files), walked)

    for leaf in leaves:
        tree.append(merkle.leaf_hash(leaf))
    tree.finish()

    assert tree.root() == checkpoints.parse(files["checkpoint"].decode().split("\n\n")[0] + "\n").root
    assert walked.tiles == 257 + 1 + 1 == sum(path.startswith("tile/") and "entries" not in path for path in files)


def test_every_flipped_bit_of_a_small_log_is_found_by_both_implementations() -> None:
    chance = random.Random(1)
    places = [(path, at) for path, data in FEW.items() if path != "key" for at in range(len(data))]
    missed = []

    for path, at in chance.sample(places, 200):
        data = bytearray(FEW[path])
        data[at] ^= 1 << chance.randrange(8)
        files = FEW | {path: bytes(data)}
        if audit(files).outcome is Outcome.HOLDS or proof_room_accepts(files):
            missed.append((path, at))

    assert missed == []


def test_every_other_damage_is_found_by_both_implementations() -> None:
    chance = random.Random(2)
    missed = []

    for _ in range(40):
        path = chance.choice(sorted(set(FILES) - {"key"}))
        data = FILES[path]
        at = chance.randrange(len(data))
        damaged = chance.choice([data[:at], data[:at] + data[at + 1 :], data[:at] + b"\0" + data[at:], data + data[:1]])
        if damaged == data:
            continue
        files = FILES | {path: damaged}
        if audit(files).outcome is Outcome.HOLDS or proof_room_accepts(files):
            missed.append((path, at))

    assert missed == []


def test_what_is_missing_is_not_decided_about() -> None:
    for path in FEW:
        if path != "key":
            files = {other: data for other, data in FEW.items() if other != path}
            report = audit(files)
            assert report.outcome is Outcome.UNDECIDED
            assert f"{path} is not there" in report.checks[-1].detail


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("tile/0/000.p/12", "does not agree with the entries, from entry 0 on"),
        ("tile/entries/000.p/12", "entry 0 "),
    ],
)
def test_the_place_of_the_damage_is_named(path: str, says: str) -> None:
    data = bytearray(FEW[path])
    data[9] ^= 1

    report = audit(FEW | {path: bytes(data)})

    assert report.outcome is Outcome.BROKEN
    assert says in report.checks[-1].detail


def test_entries_and_tiles_altered_together_do_not_have_the_signed_root() -> None:
    forged = synthetic_logs.log_files([*LEAVES[:11], make_leaf(999, seconds=11)])

    report = audit(forged | {"checkpoint": FEW["checkpoint"]})

    assert report.outcome is Outcome.BROKEN
    assert "root that was signed" in report.checks[-1].detail


LATER = make_leaf(0, seconds=9)
FIRST, SECOND = make_leaf(0), make_leaf(1, subject=0, previous=merkle.leaf_hash(make_leaf(0)))


@pytest.mark.parametrize(
    ("leaves", "says"),
    [
        ([FIRST, make_leaf(2, subject=0, previous=merkle.leaf_hash(SECOND))], "one is left out"),
        ([FIRST, make_leaf(1, subject=0)], "one is left out"),
        ([make_leaf(1, previous=bytes(32))], "one is left out"),
        ([FIRST, make_leaf(0, subject=5, seconds=1)], "id of an earlier entry"),
        ([make_leaf(0, seconds=100), make_leaf(1, seconds=39)], "late or backdated"),
        (
            [LATER, make_leaf(1, subject=0, previous=merkle.leaf_hash(LATER), seconds=8)],
            "before the entry that it follows",
        ),
        ([b"hello"], "canonical JSON"),
        ([FIRST.replace(b'"v":1', b'"v":2')], "version 1"),
        ([FIRST.replace(b'"v":1', b'"v":true')], "version 1"),
        ([FIRST.replace(b'"v":1', b'"v":1,"x":"y"')], "'x'"),
        ([FIRST.replace(b":00.000Z", b":61.000Z")], "does not exist"),
        ([b"[" * 4000], "canonical JSON"),
        ([FIRST.replace(b'{"body"', b'{"body":"","body"')], "canonical JSON"),
        ([FIRST + b" " * 5000], "canonical JSON"),
    ],
)  # fmt: skip
def test_a_properly_signed_log_that_breaks_its_rules_is_misbehaviour(leaves: list[bytes], says: str) -> None:
    report = audit(synthetic_logs.log_files(leaves))

    assert report.outcome is Outcome.BROKEN
    assert says in report.checks[-1].detail


def test_an_entry_may_be_a_minute_behind_its_forerunners() -> None:
    report = audit(synthetic_logs.log_files([make_leaf(0, seconds=100), make_leaf(1, seconds=40)]))

    assert report.outcome is Outcome.HOLDS


def test_entries_that_follow_words_of_later_versions_are_counted_under_their_word() -> None:
    report = audit(synthetic_logs.log_files([make_leaf(0, type="weather.changed")]))

    assert report.outcome is Outcome.HOLDS
    assert report.entries == {"weather.changed": 1}


def test_a_log_dated_in_the_future_is_not_decided_about() -> None:
    report = audit(synthetic_logs.log_files([make_leaf(0, seconds=10**9)]))

    assert report.outcome is Outcome.UNDECIDED
    assert "later than this machine's clock" in report.checks[-1].detail


def test_a_key_from_the_log_itself_is_marked_as_such() -> None:
    trusted, believed = audit(FEW), audit(FEW, vkey=None)

    assert trusted.as_json()["key_given"] is True
    assert believed.as_json()["key_given"] is False
    assert believed.outcome is Outcome.HOLDS


def test_another_key_decides_nothing() -> None:
    report = audit(FEW, vkey=Signer(SIGNER.name, bytes([9]) * 32).verifier.vkey)

    assert report.outcome is Outcome.UNDECIDED
    assert "is this the right key?" in report.checks[-1].detail


@pytest.mark.parametrize(("index", "size"), [(0, 1), (11, 12), (4, 100), (299, 300)])
def test_a_receipt_holds_against_the_log_that_it_came_from(index: int, size: int) -> None:
    report = audit(FILES, receipt=receipt_json(index, size))

    assert report.outcome is Outcome.HOLDS, report.checks
    assert {"receipt", "opening"} <= {check.name for check in report.checks}


@pytest.mark.parametrize(
    "change",
    [
        {"body": "{}"},
        {"salt": "00" * 32},
        {"salt": "zz"},
        {"leaf": LEAVES[5].decode()},
        {"leaf": "{}"},
        {"tlog_proof": "nothing"},
        {"tlog_proof": "c2sp.org/tlog-proof@v1\nindex 5\n\n" + note_of(LEAVES)},
    ],
)
def test_an_altered_receipt_proves_nothing(change: dict[str, str]) -> None:
    report = audit(FILES, receipt=receipt_json(4, **change))

    assert report.outcome is Outcome.UNDECIDED, report.checks


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"tlog_proof":1,"leaf":2,"body":3,"salt":4}', "[" * 9999])
def test_what_is_no_receipt_is_said_to_be_none(text: str) -> None:
    report = audit(FILES, receipt=text)

    assert report.outcome is Outcome.UNDECIDED
    assert "not a claim receipt" in report.checks[-1].detail


def test_a_receipt_for_an_entry_that_the_log_replaced_is_misbehaviour() -> None:
    rewritten = [*LEAVES[:9], make_leaf(999, seconds=9), *LEAVES[10:12]]

    report = audit(synthetic_logs.log_files(rewritten), receipt=receipt_json(9, 10))

    assert report.outcome is Outcome.BROKEN
    assert "history was rewritten" in report.checks[-1].detail


def test_a_receipt_newer_than_the_copy_of_the_log_is_not_decided_about() -> None:
    report = audit(FEW, receipt=receipt_json(40, 50))

    assert report.outcome is Outcome.UNDECIDED
    assert "is older than" in report.checks[-1].detail


@pytest.mark.parametrize("old", [0, 1, 12, 256, 299, 300])
def test_a_log_extends_its_own_earlier_checkpoints(old: int) -> None:
    report = audit(FILES, old=note_of(LEAVES[:old]))

    assert report.outcome is Outcome.HOLDS, report.checks


def test_a_damaged_copy_is_not_taken_for_a_rewritten_history() -> None:
    data = bytearray(FEW["tile/entries/000.p/12"])
    data[-3] ^= 1

    report = audit(FEW | {"tile/entries/000.p/12": bytes(data)}, old=note_of(LEAVES[:12]))

    assert report.outcome is Outcome.BROKEN
    assert "history" not in report.checks[-1].detail


def test_a_partial_tile_that_was_removed_is_read_from_the_full_one() -> None:
    files = {path: data for path, data in FILES.items() if ".p/" not in path}
    old = synthetic_logs.log_files(LEAVES[:250])

    report = audit(files | {"checkpoint": old["checkpoint"]})

    assert report.outcome is Outcome.HOLDS, report.checks
    assert report.size == 250


def test_a_log_that_was_rewritten_does_not_extend_its_earlier_checkpoint() -> None:
    report = audit(FILES, old=note_of([*LEAVES[:11], make_leaf(999)]))

    assert report.outcome is Outcome.BROKEN
    assert "history was rewritten" in report.checks[-1].detail


def test_a_split_view_in_what_was_kept_is_misbehaviour() -> None:
    report = audit(FILES, receipt=receipt_json(4, 12), old=note_of([*LEAVES[:11], make_leaf(999)]))

    assert report.outcome is Outcome.BROKEN
    assert "split view" in report.checks[-1].detail


def test_a_shorter_log_than_the_kept_checkpoint_is_not_decided_about() -> None:
    assert audit(FEW, old=note_of(LEAVES)).outcome is Outcome.UNDECIDED


def test_a_receipt_is_checked_without_its_log() -> None:
    with_key = reports.audit_receipt("r", receipt_json(7), VKEY)
    with_its_own_key = reports.audit_receipt("r", receipt_json(7))
    altered = reports.audit_receipt("r", receipt_json(7, body="{}"), VKEY)

    assert (with_key.outcome, with_its_own_key.outcome, altered.outcome) == (
        Outcome.HOLDS, Outcome.HOLDS, Outcome.UNDECIDED,
    )  # fmt: skip
    assert with_its_own_key.as_json()["key_given"] is False


@pytest.mark.parametrize("index", [0, 7, 255, 256, 299])
def test_a_proof_is_checked_for_the_leaf_that_it_is_about(index: int) -> None:
    text = synthetic_logs.make_receipt(LEAVES, index).tlog_proof

    good = reports.audit_proof("p", text, merkle.leaf_hash(LEAVES[index]), VKEY)
    other = reports.audit_proof("p", text, merkle.leaf_hash(b""), VKEY)

    assert (good.outcome, other.outcome) == (Outcome.HOLDS, Outcome.UNDECIDED)


def test_every_size_and_index_is_climbed_as_the_proof_room_climbs() -> None:
    for size in range(1, 40):
        tree = merkle.MemoryTree(map(merkle.leaf_hash, LEAVES[:size]))
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, tree)
            leaf = merkle.leaf_hash(LEAVES[index])
            assert verifier._climb(index, size, leaf, proof) == tree.root()
            assert verifier._climb(index, size, leaf, [*proof, leaf]) is None
            assert not proof or verifier._climb(index, size, leaf, proof[:-1]) != tree.root()


def test_the_merkle_vectors_are_judged_as_there() -> None:
    cases = json.loads((Path(__file__).parents[2] / "vectors" / "tlog" / "merkle.json").read_text())["inclusion"]

    for case in cases:
        root, leaf, *hashes = (
            base64.b64decode(text or "") for text in (case["root"], case["leafHash"], *(case["proof"] or []))
        )
        if any(len(one) != 32 for one in (leaf, *hashes)) or not 0 <= case["leafIdx"] < case["treeSize"]:
            assert case["wantErr"]
            continue
        found = verifier._climb(case["leafIdx"], case["treeSize"], leaf, hashes)
        assert (found != root) == case["wantErr"], case["name"]


def test_the_verifier_needs_the_standard_library_alone() -> None:
    code = (
        "import sys; before = set(sys.modules); from mediamanager.audit import reports, sources; "
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert set(loaded) - sys.stdlib_module_names == {"mediamanager"}


def test_the_verifier_stays_small_enough_to_be_read() -> None:
    folder = Path(verifier.__file__).parent

    lines = sum(len((folder / name).read_text().splitlines()) for name in ("verifier.py", "signatures.py"))

    assert lines < 700
    assert not re.search(r"\boptout\b.*import|import.*\boptout\b", (folder / "verifier.py").read_text())
