from collections.abc import Callable
from pathlib import Path

import pytest

from mediamanager.client import building
from mediamanager.client.building import build, read_owners
from optout.catalogue import folder
from optout.consent.vocabulary import EvidenceLevel, Preference, Use
from optout.errors import InvalidInputError

NO = {Use.ALL: Preference.DISALLOWED}


@pytest.fixture
def references(tmp_path: Path, make_text: Callable[..., str], inline: None) -> Path:
    source = tmp_path / "references"
    (source / "deep").mkdir(parents=True)
    (source / "b.txt").write_text(make_text("b"))
    (source / "deep" / "a.txt").write_text(make_text("a"))
    return source


def test_each_file_is_a_work_called_by_its_path_and_owns_itself(references: Path, tmp_path: Path) -> None:
    built = build(references, tmp_path / "c", {Use.TRAIN_AI: Preference.CONDITIONAL})

    assert built.info.works == 2
    [said] = folder.open(tmp_path / "c").statements("deep/a.txt")
    assert (said.source, said.evidence) == ("deep/a.txt", EvidenceLevel.VERIFIED)
    assert said.uses[Use.TRAIN_OTHER] is Preference.CONDITIONAL
    assert said.uses[Use.SEARCH] is Preference.UNKNOWN


def test_what_can_not_be_read_is_listed_and_left_out(references: Path, tmp_path: Path) -> None:
    (references / "broken.png").write_bytes(b"")
    (references / "few.txt").write_text("Ten words.")

    built = build(references, tmp_path / "c", NO)

    assert list(built.skipped) == ["broken.png"]
    assert built.exact_only == {"few.txt": ("text-too-short",)}
    assert built.info.works == 3


def test_a_folder_without_one_readable_file_gives_no_catalogue(tmp_path: Path, inline: None) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "broken.png").write_bytes(b"")

    with pytest.raises(InvalidInputError, match=r"no file that can be read.*broken\.png: This file is empty"):
        build(tmp_path / "in", tmp_path / "c", NO)

    assert not (tmp_path / "c").exists()


def test_a_catalogue_among_the_references_is_no_reference(references: Path) -> None:
    build(references, references / "catalogue", NO)

    assert build(references, references / "catalogue", NO).info.works == 2


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="not a folder"):
        build(tmp_path / "missing", tmp_path / "c", NO)


def test_owners_come_from_a_table(references: Path, tmp_path: Path) -> None:
    table = tmp_path / "owners.csv"
    table.write_text('path, owner\nb.txt, "Fox, Ltd"\n\n', encoding="utf-8-sig")

    build(references, tmp_path / "c", NO, owners=read_owners(table))

    catalogue = folder.open(tmp_path / "c")
    assert catalogue.statements("b.txt")[0].source == "Fox, Ltd"
    assert catalogue.statements("deep/a.txt")[0].source == "deep/a.txt"


def test_an_owner_of_a_file_that_is_not_there_is_a_mistake(references: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"`c\.txt`"):
        build(references, tmp_path / "c", NO, owners={"c.txt": "x"})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a.txt\n", "line 1: give a path and an owner"),
        (b"a.txt,x\nb.txt,\n", "line 2"),
        (b"a.txt,x\na.txt,y\n", "two owners"),
        (b"a.txt,\xff\n", "UTF-8"),
    ],
)
def test_a_table_that_is_none_is_refused_by_its_line(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "owners.csv").write_bytes(content)

    with pytest.raises(InvalidInputError, match=says):
        read_owners(tmp_path / "owners.csv")


def test_a_build_that_is_interrupted_leaves_nothing(references: Path, tmp_path: Path) -> None:
    def interrupt(extracted: object, total: int) -> object:
        assert total == 2
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(references, tmp_path / "c", NO, watch=interrupt)  # type: ignore[arg-type] # it gives nothing back

    assert sorted(path.name for path in tmp_path.iterdir()) == ["references"]


def test_statements_of_a_catalogue_do_not_depend_on_a_clock() -> None:
    assert building._ALWAYS.year == 1970
