"""Tiles: paths of the specification, a log that Tessera made, and an edge that grows to the tiles of a whole tree."""

import base64
import json
from pathlib import Path

import pytest
import synthetic_logs
from hypothesis import given, settings
from hypothesis import strategies as st

from optout.errors import InvalidProofError
from optout.proof import checkpoints, merkle, tiles
from optout.proof.edge import Edge
from optout.proof.merkle import MemoryTree
from optout.proof.notes import Verifier
from optout.proof.tiles import Bundle, Tile, TileReader

TESSERA = {
    path: base64.b64decode(data)
    for path, data in json.loads((Path(__file__).parents[2] / "vectors" / "tlog" / "tessera-log.json").read_text())[
        "files"
    ].items()
}
TESSERA_KEY = Verifier.parse("example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx")


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 1234067), "tile/0/x001/x234/067"),
        (Tile(0, 273, 112), "tile/0/273.p/112"),
        (Tile(2, 0, 1), "tile/2/000.p/1"),
        (Bundle(0, 255), "tile/entries/000.p/255"),
        (Bundle(123456789), "tile/entries/x123/x456/789"),
        (Tile(7, 123456789, 41), "tile/7/x123/x456/789.p/41"),
    ],
)
def test_paths_are_those_of_the_specification(tile: Tile | Bundle, path: str) -> None:
    assert tile.path == path
    assert tiles.parse_path(path) == tile


@pytest.mark.parametrize(
    "path",
    ["tile/0/0", "tile/0/1000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/x000/001", "tile/8/000", "tile/00/000",
     "tile/0/../key", "tile/0/000\n", "tile/entries/x1/234", "checkpoint", "tile/0/\u0660\u0660\u0660"],
)  # fmt: skip
def test_a_path_that_we_would_not_write_is_no_path(path: str) -> None:
    with pytest.raises(InvalidProofError):
        tiles.parse_path(path)


def test_seventy_thousand_entries_need_the_tiles_that_the_specification_names() -> None:
    needed = list(tiles.tiles_between(0, 70_000))

    assert [sum(1 for tile in needed if tile.level == level) for level in range(4)] == [274, 2, 1, 0]
    assert {tile.path for tile in needed if tile.width < tiles.WIDTH} == {
        "tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1",
    }  # fmt: skip


@pytest.mark.parametrize("size", range(1, 16))
def test_a_log_made_by_tessera_is_read_and_made_again(size: int) -> None:
    checkpoint = checkpoints.open_checkpoint(TESSERA[f"checkpoint.{size}"].decode(), [TESSERA_KEY])
    bundle = Bundle(0, size)
    leaves = tiles.decode_bundle(TESSERA[bundle.path], size)
    tree = MemoryTree(map(merkle.leaf_hash, leaves))
    reader = TileReader(size, lambda tile: TESSERA[tile.path])

    assert checkpoint.size == size
    assert tree.root() == merkle.root(size, reader) == checkpoint.root
    assert tiles.encode_bundle(leaves) == TESSERA[bundle.path]
    assert b"".join(map(merkle.leaf_hash, leaves)) == TESSERA[Tile(0, 0, size).path]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 700), min_size=1, max_size=4).map(sorted))
def test_an_edge_grows_to_the_same_tiles_and_root_as_a_whole_tree(sizes: list[int]) -> None:
    leaves = [b"%d" % i for i in range(sizes[-1])]
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
    made: dict[str, bytes] = {}
    old = 0

    for size in sizes:
        edge = Edge(TileReader(old, lambda tile: made[tile.path]))
        for bundle in tiles.bundles_between(old, size):
            first = bundle.index * tiles.WIDTH
            made.update((tile.path, data) for tile, data in edge.extend(hashes[first : first + bundle.width]))
        made.update((tile.path, data) for tile, data in edge.partial())
        assert edge.root() == MemoryTree(hashes[:size]).root()
        assert {tile.path for tile in tiles.tiles_between(old, size)} <= made.keys()
        old = size

    expected = synthetic_logs.log_files(leaves)
    assert {path: data for path, data in expected.items() if path in made} == {
        path: data for path, data in made.items() if path in expected
    }


def test_an_edge_refuses_entries_that_have_changed() -> None:
    hashes = [merkle.leaf_hash(b"%d" % i) for i in range(5)]
    edge = Edge(TileReader(3, lambda _: b"".join(hashes[:3])))

    with pytest.raises(InvalidProofError, match="have changed"):
        list(edge.extend([hashes[0], hashes[4], hashes[2], hashes[3]]))


@pytest.mark.parametrize("data", [b"\x00", b"\x00\x02a", b"\x00\x01a\x00", b"\x00\x01a\x00\x01b"])
def test_a_bundle_that_does_not_hold_its_entries_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidProofError):
        tiles.decode_bundle(data, 1)


def test_an_entry_that_is_too_long_for_the_format_is_refused() -> None:
    with pytest.raises(InvalidProofError, match="65535"):
        tiles.encode_bundle([bytes(65_536)])


def test_a_tile_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(InvalidProofError, match="must have 96"):
        TileReader(3, lambda _: bytes(64)).read([merkle.Node(0, 0)])
