from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from synthetic_sound import RATE_HZ, melody, write_sound

from fingerprinting.types import Fingerprint
from mediamanager.client.checkable import CheckableSource
from mediamanager.client.checking import check
from mediamanager.client.offline import Catalogue
from mediamanager.client.queries import Askable, Query
from mediamanager.client.questions import Question
from mediamanager.client.source import Identity
from mediamanager.client.verdicts import Checked, SourceAnswer, Unanswered, Verdict, exit_status
from optout.catalogue.answers import Asset
from optout.consent.reasons import Code
from optout.consent.vocabulary import Preference, Use

A, C, D, U = Preference.ALLOWED, Preference.CONDITIONAL, Preference.DISALLOWED, Preference.UNKNOWN
ASSET = Asset((Fingerprint("sha256", 1, bytes(32)),))


class FakeSource(CheckableSource):
    """Answers the same about everything."""

    def __init__(self, said: Preference | str) -> None:
        self._said = said

    @property
    def name(self) -> str:
        return f"says {self._said}"

    def identity(self) -> Identity:
        return {"kind": "fake", "name": self.name}

    def answer(self, assets: Sequence[Asset], question: Question) -> list[SourceAnswer | Unanswered]:
        if isinstance(self._said, Preference):
            return [SourceAnswer(self._said, (), (), identifiable=True)] * len(assets)
        return [Unanswered(self._said)] * len(assets)


def ask(*said: Preference | str) -> Checked:
    [checked] = check([FakeSource(one) for one in said], [ASSET], Question(Use.SEARCH))
    return checked


@pytest.mark.parametrize(
    ("said", "verdict", "failed"),
    [
        ([D, A], "disallowed", 0),
        ([A, C], "conditional", 0),
        ([A, U], "unknown", 0),
        ([A, A], "allowed", 0),
        ([U, U], "unknown", 0),
        (["down", A], "unchecked", 1),
        (["down", U], "unchecked", 1),
        (["down", D], "disallowed", 1),
        (["down", C], "conditional", 1),
        (["down", "down"], "unchecked", 1),
    ],
)
def test_of_several_sources_the_most_restrictive_wins_and_silence_never_permits(
    said: list[Preference | str], verdict: str, failed: int
) -> None:
    for order in (said, said[::-1]):
        checked = ask(*order)

        assert checked.verdict == verdict
        assert (checked.error is not None) == failed
        assert exit_status([checked]) == (2 if failed else int(verdict in {"disallowed", "conditional"}))


def test_one_source_alone_is_not_said_to_be_combined() -> None:
    assert [step.code for step in ask(U).reasons] == []
    assert [step.code for step in ask(U, U).reasons] == [Code.SOURCES_COMBINED]


def test_what_can_not_be_asked_about_is_unchecked_among_the_others(inline: None, tmp_path: Path) -> None:
    queries: list[Askable] = [Query("broken", error="it is broken."), Query("nothing"), tmp_path / "missing", ASSET]

    checked = list(check([FakeSource(A)], queries, Question(Use.SEARCH)))

    assert [one.verdict for one in checked] == ["unchecked", "unchecked", "unchecked", "allowed"]
    assert checked[0].error == "it is broken."
    assert checked[1].error == "there is nothing to look it up by."


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (Fingerprint("sha256", 2, bytes(32)), "unknown version 2"),
        (Fingerprint("no-such", 1, bytes(32)), "unknown algorithm"),
        (Fingerprint("pdq-256", 1, bytes(31)), "32 bytes long"),
        (Fingerprint("pdq-256", 1, bytes(32), float("nan")), "quality"),
    ],
)
def test_a_malformed_fingerprint_leaves_its_asset_unchecked_and_no_other(
    catalogue: Path, inbox: Path, wrong: Fingerprint, says: str
) -> None:
    first, second, third, last = Catalogue.open(catalogue).check(
        [ASSET, Asset((wrong,)), inbox / "deep" / "copy.txt", Asset((wrong, *ASSET.fingerprints))]
    )

    assert [one.verdict for one in (first, second, third, last)] == ["unknown", "unchecked", "disallowed", "unchecked"]
    assert second.error is not None
    assert says in second.error
    assert first.error is None


def test_a_copied_passage_is_found_with_its_place_in_the_asset(catalogue: Path, inbox: Path) -> None:
    path = inbox / "deep" / "copy.txt"
    text = path.read_text()

    [checked] = Catalogue.open(catalogue).check([path])

    assert (checked.verdict, checked.matches[0].work) == ("disallowed", "fox.txt")
    span = checked.matches[0].query_span
    assert span is not None
    found = text[int(span[0]) : int(span[1])]
    assert abs(len(found) - sum(len(word) + 1 for word in text.split() if word.isupper() or "," in word)) < 20


def test_words_that_are_given_are_found_as_those_of_a_file_are(catalogue: Path, make_text: Callable[..., str]) -> None:
    [checked] = Catalogue.open(catalogue).check([Query("caption", text=f"Listen! {make_text('crow')}")])

    assert checked.verdict is Verdict.DISALLOWED
    span = checked.matches[0].query_span
    assert span is not None
    assert span[0] == len("Listen! ")


@pytest.mark.parametrize(
    ("sound", "code"), [(np.zeros(8 * RATE_HZ, np.int16), "audio-silent"), (melody(1), "audio-too-short")]
)
def test_what_cannot_be_recognised_is_told_with_the_reason(
    catalogue: Path, tmp_path: Path, sound: NDArray[np.int16], code: str
) -> None:
    [checked] = Catalogue.open(catalogue).check([write_sound(tmp_path / "asked.wav", sound)])

    assert (checked.verdict, checked.identifiable) == (Verdict.UNKNOWN, False)
    assert [remark.code for remark in checked.remarks] == [code]
    [line] = checked.as_json()["remarks"]
    assert line == {"code": code, "sentence": checked.remarks[0].sentence, "span": None}


def test_a_line_of_check_has_the_fields_that_people_script_against(catalogue: Path, inbox: Path) -> None:
    [checked] = Catalogue.open(catalogue).check([inbox / "deep" / "copy.txt"])

    line = checked.as_json()

    promised = {"path", "verdict", "use", "matches", "reasons", "identifiable", "error"}
    assert promised <= set(line)
    promised_of_a_match = {
        "work",
        "strength",
        "modality",
        "algorithm",
        "distance",
        "score",
        "threshold",
        "query_span",
        "work_span",
        "evidence",
    }
    matches = line["matches"]
    assert isinstance(matches, list)
    assert promised_of_a_match <= set(matches[0])


def test_an_asset_is_named_by_its_bytes_or_by_all_that_is_known() -> None:
    key, other = Fingerprint("key-url", 1, bytes(32)), Fingerprint("pdq-256", 1, bytes(32))

    assert ASSET.key == bytes(32)
    assert Asset((key, other)).key == Asset((other, key)).key
    assert Asset((key,)).key != Asset((other,)).key


@pytest.mark.parametrize("wrong", [{"use": "trian"}, {"depth": "deep"}, {"min_evidence": "some"}])
def test_a_wrong_word_is_refused_before_anything_is_asked(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="is not a valid"):
        FakeSource(A).check([ASSET], **wrong)  # type: ignore[arg-type] # the point of the test
