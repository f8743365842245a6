"""The log as static files."""

from collections.abc import Callable
from typing import Any

import api_bodies
import pytest
from starlette.testclient import TestClient

from mediamanager.dependencies import Resources
from optout.proof import checkpoints, merkle, notes, tiles


@pytest.fixture
def claims(client: TestClient, creator: Any, seed: int) -> list[dict[str, Any]]:
    made = []
    for number in range(3):
        work = client.post(
            "/v1/works", headers=creator.headers, json=api_bodies.by_fingerprints(seed * 10 + number)
        ).json()
        made.append(
            client.post(f"{work['status_url']}/claims", headers=creator.headers, json=api_bodies.NO_TRAINING).json()
        )
    return made


def test_before_the_first_entry_there_is_a_key_and_no_checkpoint(client: TestClient) -> None:
    assert client.get("/v1/log/key").text.count("\n") == 2
    assert client.get("/v1/log/checkpoint").status_code == 404


def test_the_tiles_under_a_checkpoint_hold_every_claim(
    client: TestClient, claims: list[dict[str, Any]], publish_log: Callable[[], None]
) -> None:
    publish_log()

    key = client.get("/v1/log/key").text.splitlines()[0]
    note = client.get("/v1/log/checkpoint")
    checkpoint = checkpoints.open_checkpoint(note.text, [notes.Verifier.parse(key)])
    reader = tiles.TileReader(checkpoint.size, lambda tile: client.get(f"/v1/log/{tile.path}").content)
    hashes = [one.hex() for one in reader.read([merkle.Node(0, index) for index in range(checkpoint.size)])]
    assert merkle.root(checkpoint.size, reader) == checkpoint.root
    assert {claim["log"]["leaf_hash"] for claim in claims} <= set(hashes)


def test_what_never_changes_may_be_cached_and_read_from_any_page(
    client: TestClient, claims: list[dict[str, Any]], publish_log: Callable[[], None], resources: Resources
) -> None:
    publish_log()
    paths = [one.key.removeprefix("log/") for one in resources.storage.list("log/tile/")]

    answers = [client.get(f"/v1/log/{path}") for path in paths]

    assert len(answers) >= 2
    for answer in answers:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/octet-stream"
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["access-control-allow-origin"] == "*"
    assert client.get("/v1/log/checkpoint").headers["cache-control"] == "public, max-age=5"


@pytest.mark.parametrize(
    "path",
    [
        "0/000",
        "0/999",
        "64/000",
        "-1/000",
        "0/1",
        "0/x000",
        "0/000.p/0",
        "0/000.p/1000",
        "0/000.p/../000",
        "..%2f..%2fkeys/log.key",
        "%2e%2e/%2e%2e/keys/log.key",
        "entries",
        "entries/000/../../checkpoint",
        "0/000%00",
        "0/%D9%A0%D9%A0%D9%A0",
    ],
)
def test_a_path_that_is_no_published_tile_is_not_there(client: TestClient, path: str) -> None:
    answer = client.get(f"/v1/log/tile/{path}")

    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_a_path_of_any_length_is_refused(client: TestClient) -> None:
    assert client.get(f"/v1/log/tile/0/{'x000/' * 50}000").status_code in {404, 422}
