"""Every row of docs/reference/consent-cases.md is what it says."""

import pytest
from consent_cases import Case, read

from optout.consent import explain, policy
from optout.consent.decisions import Decision
from optout.consent.replay import replay

CASES = read()
CONFLICTS = {"X1", "X2", "X2b", "X3", "X4", "X5", "X5b", "X6", "X7"}


def decided(case: Case) -> list[Decision]:
    asked = case.asked
    return [
        policy.decide(
            case.statements.get(work, []),
            asked.use,
            asked.requester,
            asked.at,
            asked.min_evidence,
            known_at=asked.known_at,
            grants=case.grants.get(work, []),
            location=asked.location,
        )
        for work in sorted({*case.statements, *case.grants})
    ]


def test_there_are_many_cases_and_all_conflicts() -> None:
    numbers = [case.number for case in CASES]

    assert len(numbers) >= 90
    assert len(set(numbers)) == len(numbers)
    assert set(numbers) >= CONFLICTS


@pytest.mark.parametrize("case", CASES, ids=[case.number for case in CASES])
def test_a_worked_case_comes_out_as_written(case: Case) -> None:
    decisions = decided(case)
    verdict = policy.combine_works(one.verdict for one in decisions)
    deciding = next(one for one in decisions if one.verdict is verdict)

    assert verdict is case.verdict
    assert explain.sentence(deciding.trace[0]) == case.sentence
    assert explain.sentence(deciding.trace[0], "fr") != case.sentence
    for one in decisions:
        assert replay(one.trace, case.asked.use) is one.verdict
