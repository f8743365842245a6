"""The main job with real processes: register, opt out, ask, prove."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from local_servers import answer, serving
from registry_process import RegistryProcess, run, wait_for

pytestmark = pytest.mark.flow


def register(served: RegistryProcess, key: str, *words: str) -> list[dict[str, Any]]:
    done = run("register", *words, "--registry", served.url, "--key", key, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def ask(served: RegistryProcess, key: str, data: bytes, use: str = "train-genai") -> dict[str, Any]:
    with served.http(key) as http:
        body = {"assets": [{"sha256": hashlib.sha256(data).hexdigest()}], "use": use}
        answered = http.post("/v1/lookups", json=body)
    assert answered.status_code == 200, answered.text
    return dict(answered.json()["verdicts"][0])


def test_a_creator_opts_out_a_pipeline_asks_and_an_auditor_verifies(
    served: RegistryProcess, people: Any, prose: Path, tmp_path: Path
) -> None:
    said = register(served, people.creator, str(prose), "--prefer", "train-ai=disallowed")[0]
    assert said["state"] == "ready"

    answered = ask(served, people.pipeline, prose.read_bytes())
    assert answered["verdict"] == "disallowed"
    assert [match["work"] for match in answered["matches"]] == [said["work"]]
    assert ask(served, people.pipeline, b"a stranger")["verdict"] == "unknown"
    assert ask(served, people.pipeline, prose.read_bytes(), use="search")["verdict"] == "unknown"

    receipt = tmp_path / "receipt.json"
    kept = run("claims", "receipt", said["claim"], "--registry", served.url, "--key", people.creator,
               "--output", str(receipt))  # fmt: skip
    assert kept.returncode == 0, kept.stderr
    verified = run("audit", "verify", served.url, "--receipt", str(receipt))
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_a_copy_with_other_punctuation_is_found_by_its_words(
    served: RegistryProcess, people: Any, prose: Path, tmp_path: Path
) -> None:
    said = register(served, people.creator, str(prose), "--prefer", "no-ai")[0]
    copy = tmp_path / "copy.txt"
    copy.write_text(re.sub(r"[,.\n]", " ; ", prose.read_text()).upper(), encoding="utf-8")

    done = run("check", str(copy), "--registry", served.url, "--key", people.pipeline, "--use", "train-genai", "--json")

    assert done.returncode == 1, done.stderr
    line = json.loads(done.stdout)
    assert line["verdict"] == "disallowed"
    assert said["work"] in {match["work"] for match in line["matches"]}


def test_registering_again_gives_the_same_work_and_a_new_preference_replaces_the_old_one(
    served: RegistryProcess, people: Any, prose: Path
) -> None:
    first = register(served, people.creator, str(prose), "--prefer", "train-ai=disallowed")[0]
    same = register(served, people.creator, str(prose), "--prefer", "train-ai=disallowed")[0]
    other = register(served, people.creator, str(prose), "--prefer", "search=disallowed")[0]

    assert first["work"] == same["work"] == other["work"]
    assert first["claim"] == same["claim"] != other["claim"]
    assert ask(served, people.pipeline, prose.read_bytes(), use="search")["verdict"] == "disallowed"
    assert ask(served, people.pipeline, prose.read_bytes(), use="train-genai")["verdict"] == "unknown"


def test_a_claim_that_is_withdrawn_no_longer_counts(served: RegistryProcess, people: Any, prose: Path) -> None:
    said = register(served, people.creator, str(prose), "--prefer", "all=disallowed")[0]
    assert ask(served, people.pipeline, prose.read_bytes())["verdict"] == "disallowed"

    there = ("--registry", served.url, "--key", people.creator)
    withdrawn = run("claims", "withdraw", said["claim"], *there, "--json")

    assert json.loads(withdrawn.stdout)["state"] == "withdrawn"
    assert ask(served, people.pipeline, prose.read_bytes())["verdict"] == "unknown"


def test_local_registration_sends_fingerprints_and_no_media(served: RegistryProcess, people: Any, prose: Path) -> None:
    said = register(served, people.creator, str(prose), "--local", "--prefer", "no-ai")[0]

    assert said["state"] == "ready"
    assert ask(served, people.pipeline, prose.read_bytes())["verdict"] == "disallowed"
    assert not [path for path in (served.data / "storage").rglob("*") if said["work"] in path.name]


def test_an_address_is_fetched_by_the_worker(
    served: RegistryProcess, people: Any, prose: Path, media_server_port: int
) -> None:
    with serving({"/prose.txt": answer(prose.read_bytes())}, port=media_server_port) as server:
        said = register(served, people.creator, server.url("/prose.txt"), "--prefer", "no-ai")[0]

    assert said["state"] == "ready"
    assert ask(served, people.pipeline, prose.read_bytes())["verdict"] == "disallowed"


def test_what_can_not_be_registered_says_why_and_exits_with_2(
    served: RegistryProcess, people: Any, prose: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "papers.7z"
    broken.write_bytes(b"7z\xbc\xaf\x27\x1c and so on")
    words = [str(broken), str(prose), "http://169.254.169.254/", str(tmp_path / "absent.txt")]

    done = run("register", *words, "--registry", served.url, "--key", people.creator, "--json")

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 2
    assert [line["state"] for line in lines] == [None, "ready", "failed", None]
    assert "Archives" in lines[0]["error"]
    assert "public internet" in lines[2]["error"]
    assert "Traceback" not in done.stderr


def test_the_media_of_a_work_is_gone_once_it_is_fingerprinted(
    served: RegistryProcess, people: Any, prose: Path
) -> None:
    said = register(served, people.creator, str(prose))[0]
    kept = register(served, people.creator, str(write_beside(prose, "kept")), "--keep-media")[0]

    media = served.data / "storage" / "media"
    wait_for(lambda: not (media / said["work"]).exists())
    assert (media / kept["work"]).exists()


def write_beside(path: Path, word: str) -> Path:
    other = path.with_name(f"{word}.txt")
    other.write_text(f"{word} {path.read_text()}", encoding="utf-8")
    return other


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["register", "x.txt", "--prefer", "train-ai=maybe"], 64, "maybe"),
        (["register", "x.txt", "--prefer", "fly=allowed"], 64, "fly"),
        (["works", "list", "--key", "crk_live_wrong"], 2, "key"),
        (["works", "status", "7f0f4c4e-0000-4000-8000-000000000000"], 2, "no work"),
        (["claims", "amend", "7f0f4c4e-0000-4000-8000-000000000000"], 64, "prefer"),
        (["claims", "show", "not-an-id"], 64, "this is not an id"),
    ],
)
def test_wrong_usage_is_one_line(
    served: RegistryProcess, people: Any, words: list[str], status: int, says: str
) -> None:
    done = run(*words, MEDIAMANAGER_URL=served.url, MEDIAMANAGER_KEY=people.creator)

    assert done.returncode == status, done.stderr
    assert done.stderr.startswith("error: ")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_registry_that_is_not_there_is_one_line(people: Any) -> None:
    done = run("works", "list", "--registry", "http://127.0.0.1:9", "--key", people.creator)

    assert done.returncode == 2
    assert done.stderr.startswith("error: the registry does not answer")
