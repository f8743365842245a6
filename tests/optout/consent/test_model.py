"""The product against a second implementation, on random histories; 200,000 of them by
`python tests/support/consent_histories.py`.
"""

from random import Random

import consent_histories
import pytest

from optout.consent import policy
from optout.consent.vocabulary import Use

pytestmark = pytest.mark.heavy


@pytest.mark.parametrize("first", range(0, 3000, 500))
def test_model_and_product_agree(first: int) -> None:
    differences = [line for seed in range(first, first + 500) for line in consent_histories.differences(seed)]

    assert differences == []


def test_histories_reach_every_verdict_and_every_rule() -> None:
    verdicts, codes = set(), set()
    for seed in range(400):
        random = Random(seed)
        model = consent_histories.history(random)
        for requester in ("pia", None):
            decision = policy.decide(
                consent_histories.statements(model),
                Use.TRAIN_GENAI,
                requester,
                consent_histories.moment(random.randint(0, 12)),
                known_at=consent_histories.moment(random.randint(0, 12)),
                grants=consent_histories.grants(model),
            )
            verdicts.add(decision.verdict)
            codes |= {step.code for step in decision.trace}

    assert len(verdicts) == len({"allowed", "conditional", "disallowed", "unknown"})
    assert {"narrower_said", "superseded", "withdrawn", "recorded_later", "grant_allows", "grant_revoked"} <= codes
    assert {"overridden_by_grant", "claimants_differ", "allow_not_authenticated", "no_longer_valid"} <= codes
    assert {"bound_elsewhere", "source_unread"} <= codes


@pytest.mark.parametrize(
    ("rule", "forgotten"),
    [
        ("SCOPES", ["work", "collection", "account"]),
        ("LEVELS", ["verified", "domain", "account", "self-declared"]),
        ("Model._in_time", lambda *_: True),
    ],
)
def test_a_model_that_forgets_a_rule_is_found_out(
    monkeypatch: pytest.MonkeyPatch, rule: str, forgotten: object
) -> None:
    monkeypatch.setattr(f"consent_model.{rule}", forgotten)

    assert any(consent_histories.differences(seed) for seed in range(500))
