"""The whole visit, and the command: one broken part hides no other, and the exit status says how it went."""

import json
from types import MappingProxyType

import pytest

from mediamanager.cli import main
from mediamanager.doctor import checkup
from mediamanager.doctor.checkup import CHECKS, NEEDS, examine
from mediamanager.doctor.findings import Deployment, Finding, Grade, fine
from optout.errors import StorageUnavailableError
from optout.store.settings import Settings


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["doctor", *words])
    return int(ended.value.code or 0), capsys.readouterr().out


def test_a_registry_that_is_well_exits_with_0(healthy: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    status, printed = run(capsys, "--data", str(healthy.settings.data_folder), "--json")

    lines = [json.loads(line) for line in printed.splitlines()]
    assert status == 0
    assert [line["check"] for line in lines] == list(CHECKS)
    assert {line["grade"] for line in lines} <= {"ok", "warning"}
    assert all((line["remedy"] is None) == (line["grade"] == "ok") for line in lines)


def test_what_is_broken_exits_with_1_and_the_rest_is_still_told(
    healthy: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    (healthy.settings.data_folder / "keys" / "log.key").unlink()

    status, printed = run(capsys, "--data", str(healthy.settings.data_folder))

    assert status == 1
    assert "✗ wrong  log keys" in printed
    assert "to do: bring them back" in printed
    assert "· later  log " in printed
    assert "✓ well   database" in printed


def test_a_registry_that_is_not_there_is_not_made(
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = tmp_path_factory.mktemp("x") / "typo"

    status, _printed = run(capsys, "--data", str(nowhere))

    assert status == 1
    assert not nowhere.exists()


def test_settings_that_can_not_be_used_are_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MEDIAMANAGER_JOB_ATTEMPTS", "many")

    assert run(capsys)[0] == 64


def test_a_check_that_breaks_or_raises_hides_no_other_and_tells_no_secret(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_deployment: Deployment) -> Finding:
        raise ZeroDivisionError

    def raises(_deployment: Deployment) -> Finding:
        raise StorageUnavailableError("no answer from\n postgresql://me:s3cr3t@db/x")

    checks = {"breaks": breaks, "raises": raises, "last": lambda _deployment: fine("well")}
    monkeypatch.setattr(checkup, "CHECKS", MappingProxyType(checks))

    found = dict(examine(Deployment(settings)))

    assert [finding.grade for finding in found.values()] == [Grade.FAILED, Grade.FAILED, Grade.OK]
    assert "ZeroDivisionError" in found["breaks"].sentence
    assert found["raises"].sentence == "no answer from postgresql://***@db/x"


def test_what_a_check_needs_comes_before_it() -> None:
    order = list(CHECKS)

    assert all(order.index(need) < order.index(name) for name, needs in NEEDS.items() for need in needs)
