"""Claims with scopes, collections, grants and wrong matches, from the command line to the application and back."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import built_database
import factories
import pytest
from starlette.testclient import TestClient

from mediamanager.app import create_app
from mediamanager.cli import claims, collections, grants, matches
from mediamanager.cli.check import check
from mediamanager.cli.invoke import invoke
from mediamanager.client.creator import Creator
from optout.catalogue import folder
from optout.catalogue.works import CatalogueWork
from optout.consent.statements import Statement
from optout.consent.vocabulary import LEAVES, Carrier, EvidenceLevel, Preference, Use
from optout.registry import accounts
from optout.store import db
from optout.store.models.accounts import Role
from optout.store.models.base import utc_now
from optout.store.models.claims import Claim
from optout.store.settings import Settings

Command = Callable[..., tuple[int, list[dict[str, Any]], str]]

KEY = "--key"
ALLOWED = Preference.ALLOWED


@pytest.fixture
def client(tmp_path: Path, sqlite_template: Path) -> Iterator[TestClient]:
    settings = Settings(data_folder=tmp_path / "registry")
    with TestClient(create_app(built_database.copy(sqlite_template, settings))) as made:
        yield made


@pytest.fixture
def run(client: TestClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command against the application in this process; its status, its lines, and what it complained of."""

    @contextmanager
    def connect(registry: str, key: str | None) -> Iterator[Creator]:
        yield Creator(registry, key=key, http=client)  # type: ignore[arg-type] # the same interface, in process

    for module in (claims, collections, grants, matches):
        monkeypatch.setattr(module, "creator", connect)

    def call(app: Any, *words: str) -> tuple[int, list[dict[str, Any]], str]:
        capsys.readouterr()
        more = [] if "pull" in words or app is check else ["--json"]
        status = invoke(app, "mediamanager", [*words, *more])
        said = capsys.readouterr()
        lines = [json.loads(line) for line in said.out.splitlines() if line.startswith("{")]
        return status, lines, said.err

    return call


@pytest.fixture
def people(client: TestClient) -> dict[str, Any]:
    """Ann, a verified creator with a work; Pia, a verified pipeline."""
    resources = client.app.state.resources  # type: ignore[attr-defined] # an application of ours
    with db.transaction(resources.sessions) as session:
        ann = factories.make_account(session, evidence=EvidenceLevel.VERIFIED)
        pia = factories.make_account(session, evidence=EvidenceLevel.VERIFIED)
        work = factories.make_work(session, ann, seed=1)
        return {
            "ann": factories.make_key(session, ann, Role.CREATOR)[1],
            "pia": factories.make_key(session, pia, Role.PIPELINE)[1],
            "pia_id": pia.pseudonym,
            "ann_id": accounts.get_account(session, ann.id).pseudonym,
            "work": str(work.id),
            "promise_key": resources.keys.promise.verifier.vkey,
        }


def test_one_claim_covers_all_works_and_a_collection_its_own(run: Command, people: dict[str, Any]) -> None:
    asks = ("--registry", "http://testserver", KEY, people["ann"])
    _, [default], _ = run(claims.app, "file", "--all-works", "--prefer", "no-ai", *asks)
    _, [album], _ = run(collections.app, "create", "album", "Blue", *asks)
    _, [filled], _ = run(collections.app, "add", album["id"], people["work"], *asks)
    said = ("--prefer", "train-ai=conditional", "--contact", "a@example.org", "--language", "fr")
    _, [narrower], _ = run(claims.app, "file", "--collection", album["id"], *said, *asks)
    _, [applied], _ = run(claims.app, "applied", people["work"], "--use", "train-genai", *asks)

    assert (default["scope"], narrower["scope"], narrower["contact"]) == ("account", "collection", "a@example.org")
    assert filled["works"] == [people["work"]]
    assert applied["verdict"] == "conditional"
    before = ("--known-at", "2026-01-01T00:00:00Z")
    _, [then], _ = run(claims.app, "applied", people["work"], *before, *asks)
    assert then["verdict"] == "unknown"
    status, _, said_wrong = run(claims.app, "applied", people["work"], "--at", "2026-01-01", *asks)
    assert (status, "time zone" in said_wrong) == (64, True)
    status, _, said_wrong = run(claims.app, "file", "--prefer", "no-ai", *asks)
    assert (status, "--work" in said_wrong) == (64, True)


def test_a_default_says_that_it_is_contested_and_when_it_ends(
    run: Command, people: dict[str, Any], client: TestClient, capsys: pytest.CaptureFixture[str]
) -> None:
    resources = client.app.state.resources  # type: ignore[attr-defined] # an application of ours
    with db.transaction(resources.sessions) as session:
        other = factories.make_account(session)
        factories.make_claim(session, factories.make_work(session, other, seed=1), preferences={Use.ALL: ALLOWED})
    asks = ("--registry", "http://testserver", KEY, people["ann"])
    until = (utc_now() + timedelta(days=3)).isoformat()
    _, [filed], _ = run(claims.app, "file", "--all-works", "--prefer", "no-ai", "--valid-until", until, *asks)
    _, [shown], _ = run(claims.app, "show", filed["id"], *asks)
    assert [(one["state"], one["ends_soon"], one["has_ended"]) for one in (filed, shown)] == [
        ("contested", True, False)
    ] * 2

    invoke(claims.app, "mediamanager", ["show", filed["id"], *asks])
    assert f"ends on {until[:10]}" in capsys.readouterr().out
    with db.transaction(resources.sessions) as session:
        claim = session.get_one(Claim, UUID(filed["id"]))
        claim.valid_from, claim.valid_until = (utc_now() - timedelta(hours=hours) for hours in (2, 1))
    _, [ended], _ = run(claims.app, "show", filed["id"], *asks)
    assert (ended["state"], ended["ends_soon"], ended["has_ended"]) == ("active", False, True)
    invoke(claims.app, "mediamanager", ["show", filed["id"], *asks])
    assert "counts no longer: amend it to go on" in capsys.readouterr().out


def test_a_grant_works_offline_as_a_signed_file_until_then_and_for_nobody_else(
    run: Command, people: dict[str, Any], tmp_path: Path
) -> None:
    asks = ("--registry", "http://testserver", KEY, people["ann"])
    run(grants.app, "give", people["pia_id"], "--use", "train-ai", *asks)
    file, catalogue, asset = tmp_path / "pia.grants", tmp_path / "refs", tmp_path / "a.txt"
    asset.write_text("not a word of this matters, as the bytes are the work")
    no = Statement(
        "c", people["ann_id"], Carrier.CLAIM, EvidenceLevel.VERIFIED, dict.fromkeys(LEAVES, Preference.DISALLOWED),
        utc_now(), None, utc_now(),
    )  # fmt: skip
    folder.build(catalogue, [CatalogueWork("w", (factories.sha256(asset.read_bytes()),), (no,), people["ann_id"])])
    _, [pulled], _ = run(grants.app, "pull", "-o", str(file), "--registry", "http://testserver", KEY, people["pia"])
    asked = ("--catalogue", str(catalogue), "--json", "--workers", "1", str(asset))
    held = ("--grants", str(file), "--grants-key", people["promise_key"])

    assert (pulled["account"], pulled["grants"]) == (people["pia_id"], 1)
    assert [line["verdict"] for line in run(check, *asked)[1]] == ["disallowed"]
    assert [line["verdict"] for line in run(check, *held, *asked)[1]] == ["allowed"]
    assert [line["verdict"] for line in run(check, *held, "--use", "search", *asked)[1]] == ["disallowed"]
    status, _, said = run(check, "--grants", str(file), *asked)
    assert (status, "--grants-key" in said) == (64, True)
    file.write_text(file.read_text().replace('"train-genai"', '"search"'))
    status, lines, said = run(check, *held, *asked)
    assert (status, lines, "can't be used" in said) == (64, [], True)


def test_a_wrong_match_goes_from_the_pipeline_to_the_owner(run: Command, people: dict[str, Any]) -> None:
    key = "ab" * 32
    at = ("--registry", "http://testserver", KEY)
    _, [made], _ = run(matches.app, "wrong", people["work"], key, *at, people["pia"])
    _, waiting, _ = run(matches.app, "list", *at, people["ann"])
    _, [settled], _ = run(matches.app, "agree", made["id"], *at, people["ann"])

    assert (made["state"], [one["id"] for one in waiting], settled["state"]) == ("reported", [made["id"]], "confirmed")
    assert run(matches.app, "wrong", people["work"], "zz", *at, people["pia"])[0] != 0


def test_unknown_can_count_as_reserved(run: Command, people: dict[str, Any], tmp_path: Path) -> None:
    catalogue, asset = tmp_path / "refs", tmp_path / "a.txt"
    asset.write_text("words that nobody registered, and nobody will")
    folder.build(catalogue, [CatalogueWork("w", (factories.sha256(b"else"),), (), people["ann_id"])])
    asked = ("--catalogue", str(catalogue), "--json", "--workers", "1", str(asset))

    assert run(check, *asked)[0] == 0
    assert run(check, "--on-unknown", "drop", *asked)[0] == 1
