"""The registry with its database against a second implementation, on random histories; any number of them by
`python tests/support/consent_registry.py`.
"""

import consent_registry
import pytest
from sqlalchemy import Engine

from optout.registry import statements

pytestmark = [pytest.mark.heavy, pytest.mark.database("sqlite")]


def test_registry_and_model_agree(live_engine: Engine) -> None:
    assert consent_registry.differences(live_engine, range(25)) == []


def test_a_registry_that_reads_too_little_is_found_out(live_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "_add_collections", lambda *_arguments: None)

    assert consent_registry.differences(live_engine, range(8))
