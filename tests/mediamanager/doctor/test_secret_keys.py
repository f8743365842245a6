"""Keys that are lost, open to others, or of another registry are told."""

import pytest

from mediamanager.doctor import secret_keys
from mediamanager.doctor.findings import Deployment, Grade
from optout.store.settings import Settings


def test_keys_in_their_place_are_well(healthy: Deployment) -> None:
    assert secret_keys.log_keys(healthy).grade is Grade.OK
    assert secret_keys.master_key(healthy).grade is Grade.OK


@pytest.mark.parametrize("name", ["log.key", "promise.key"])
def test_a_key_that_is_gone_is_told_and_not_drawn_anew(healthy: Deployment, name: str) -> None:
    file = healthy.settings.data_folder / "keys" / name
    file.unlink()

    finding = secret_keys.log_keys(healthy)

    assert (finding.grade, name in finding.sentence) == (Grade.FAILED, True)
    assert not file.exists()


def test_a_key_that_others_may_read_is_told(healthy: Deployment) -> None:
    (healthy.settings.data_folder / "keys" / "log.key").chmod(0o644)

    finding = secret_keys.log_keys(healthy)

    assert finding.grade is Grade.FAILED
    assert "chmod 600" in str(finding.remedy)


def test_a_key_that_is_no_key_or_of_another_log_is_told(healthy: Deployment) -> None:
    other = Deployment(Settings(data_folder=healthy.settings.data_folder, log_origin="example.org/other"))
    assert secret_keys.log_keys(other).grade is Grade.FAILED
    (healthy.settings.data_folder / "keys" / "log.key").write_text("torn")

    assert secret_keys.log_keys(healthy).grade is Grade.FAILED


def test_keys_from_the_environment_need_no_files(healthy: Deployment) -> None:
    folder = healthy.settings.data_folder / "keys"
    texts = {"log_key": (folder / "log.key").read_text(), "promise_key": (folder / "promise.key").read_text()}
    for name in ("log.key", "promise.key"):
        (folder / name).unlink()

    given = Deployment(Settings(data_folder=healthy.settings.data_folder, **texts))  # type: ignore[arg-type]

    assert secret_keys.log_keys(given).grade is Grade.OK


def test_another_master_key_is_told_and_a_missing_one_is_not_drawn(healthy: Deployment) -> None:
    file = healthy.settings.data_folder / "keys" / "master.key"
    other = Deployment(Settings(data_folder=healthy.settings.data_folder, master_key="0123456789abcdef" * 4))
    assert secret_keys.master_key(other).grade is Grade.FAILED
    file.unlink()

    finding = secret_keys.master_key(healthy)

    assert finding.grade is Grade.FAILED
    assert not file.exists()
