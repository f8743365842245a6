"""The files of a catalogue that holds every algorithm: documented, checked to the last byte, refused when foreign."""

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from well_formed import VALUES

import docs
from fingerprinting.errors import CorruptIndexError
from fingerprinting.index import registry
from fingerprinting.types import Fingerprint
from optout.catalogue import folder, manifest
from optout.catalogue.folder import INDEX
from optout.catalogue.works import CatalogueWork
from optout.errors import CorruptCatalogueError

FORMAT_PAGES = ("catalogue-files.md", "index-files.md", "hamming-files.md")


@pytest.fixture
def built(tmp_path: Path, make_work: Callable[..., CatalogueWork]) -> Path:
    said = make_work("fox").statements
    prints = tuple(
        Fingerprint(name, registry.ALGORITHMS[name].version, value, unit=registry.ALGORITHMS[name].unit)
        for name, value in VALUES.items()
    )
    folder.build(tmp_path / "c", [CatalogueWork("fox", prints, said, "owner")])
    return tmp_path / "c"


def files(built: Path) -> Iterator[Path]:
    return (path for path in sorted(built.rglob("*")) if path.is_file())


def sign_again(built: Path) -> None:
    """Make every checksum above right again, as whoever writes such files by another program would."""
    for path in sorted((built / INDEX).rglob("manifest.json"), key=lambda path: -len(path.parts)):
        said = json.loads(path.read_bytes())
        for name, facts in said["files"].items():
            raw = (path.parent / name).read_bytes()
            facts.update(bytes=len(raw), sha256=hashlib.sha256(raw).hexdigest())
        path.write_text(json.dumps(said, indent=1, sort_keys=True))
    known = manifest._parse(built, (built / manifest.NAME).read_bytes())
    manifest.write(built, built_at=known.built_at, works=known.works, fingerprints=known.fingerprints)


def change(built: Path, path: Path, **changes: object) -> None:
    said = json.loads(path.read_bytes())
    for name, value in changes.items():
        (said if name in said else said["parameters"])[name] = value
    path.write_text(json.dumps(said, indent=1, sort_keys=True))
    sign_again(built)


def test_it_holds_every_algorithm_and_is_whole(built: Path) -> None:
    assert set(folder.verify(built).fingerprints) == set(registry.ALGORITHMS) == set(VALUES)


def test_a_flipped_bit_in_any_file_is_found_by_verify(built: Path) -> None:
    where = random.Random(6)
    for path in files(built):
        whole = path.read_bytes()
        raw = bytearray(whole)
        raw[where.randrange(len(raw))] ^= 1 << where.randrange(8)
        path.write_bytes(raw)
        with pytest.raises((CorruptCatalogueError, CorruptIndexError)) as caught:
            folder.verify(built)
        assert str(built) in str(caught.value)
        path.write_bytes(whole)
    folder.verify(built)


def test_a_truncated_file_is_refused_when_it_is_opened(built: Path) -> None:
    for path in files(built):
        whole = path.read_bytes()
        path.write_bytes(whole[:-1])
        with pytest.raises((CorruptCatalogueError, CorruptIndexError)):
            folder.open(built)
        path.write_bytes(whole)
    folder.open(built)


@pytest.mark.parametrize(("name", "says"), [("version", "format version is 9"), ("kind", "kind"), ("layout", "layout")])
def test_every_part_of_another_version_is_refused_when_it_is_opened(built: Path, name: str, says: str) -> None:
    """Not by its checksum: whoever wrote it knew what they did. One of each kind is enough."""
    manifests = {path: path.read_bytes() for path in built.rglob("manifest.json")}
    by_kind = {json.loads(raw)["kind"]: path for path, raw in manifests.items() if path.parent != built}
    assert len(by_kind) >= 9
    for kind, path in by_kind.items():
        if (name, kind) == ("layout", "segment"):
            continue  # what it holds is named by algorithm and version
        change(built, path, **{name: 9})
        with pytest.raises(CorruptIndexError, match=says):
            folder.open(built)
        for other, raw in manifests.items():
            other.write_bytes(raw)
    folder.verify(built)


def test_an_algorithm_or_a_version_of_it_that_is_not_known_is_refused(built: Path) -> None:
    index = built / INDEX
    (index / "pdq-256.v1").rename(index / "pdq-256.v7")
    text = (index / "manifest.json").read_text()
    (index / "manifest.json").write_text(text.replace("pdq-256.v1", "pdq-256.v7"))
    sign_again(built)

    with pytest.raises(CorruptIndexError, match=r"pdq-256\.v7 is an algorithm or version"):
        folder.open(built)


def test_every_file_and_array_is_documented(built: Path) -> None:
    reference = Path(docs.__file__).parent / "reference"
    pages = "".join((reference / page).read_text() for page in FORMAT_PAGES)

    names = {path.stem if path.suffix == ".npy" else path.name for path in files(built)}
    kinds = {json.loads(path.read_bytes())["kind"] for path in (built / INDEX).rglob("manifest.json")}

    assert {name for name in names | kinds | set(VALUES) if f"`{name}`" not in pages} == set()
