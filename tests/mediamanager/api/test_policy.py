"""Every route, API and pages, with every role and none, on one's own things, somebody else's, and none that exist.

What has to come of each is read from `policy.POLICY`; the table itself is a page that people review.
"""

import re
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID, uuid4

import api_bodies
import factories
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from sqlalchemy import event, select
from starlette.testclient import TestClient

from mediamanager.dependencies import Resources
from mediamanager.policy import POLICY, Rule, admit
from mediamanager.web import static_files
from optout.consent.vocabulary import EvidenceLevel, Use
from optout.errors import NotPermittedError
from optout.ledger.publish import publish
from optout.registry import collections, grants, listings, non_matches
from optout.registry import sessions as sign_ins
from optout.registry.accounts import Principal
from optout.store import db
from optout.store.models import Account, Job
from optout.store.models.accounts import Role
from optout.store.models.collections import CollectionKind

Route: TypeAlias = tuple[str, str]
Owner: TypeAlias = Literal["own", "other", "absent"]
Outcome: TypeAlias = Literal["in", 401, 403, 404]

OWNERS: Final[tuple[Owner, ...]] = ("own", "other", "absent")
BODIES: Mapping[Route, Mapping[str, Any]] = {
    ("POST", "/v1/works/{work_id}/claims"): {"json": api_bodies.NO_TRAINING},
    ("PATCH", "/v1/claims/{claim_id}"): {"json": api_bodies.NO_TRAINING},
    ("POST", "/v1/collections/{collection_id}/claims"): {"json": api_bodies.NO_TRAINING},
    ("PATCH", "/v1/listings/{listing_id}"): {"json": {"stopped": True}},
    ("PATCH", "/v1/non-matches/{report_id}"): {"json": {"confirm": True}},
    ("POST", "/works/{work_id}/change"): {"data": {"preset": "no-ai"}},
    ("POST", "/collections/{collection_id}/change"): {"data": {"preset": "no-ai"}},
}


@dataclass(frozen=True, slots=True)
class Things:
    """What an address may name."""

    work_id: UUID
    claim_id: UUID
    collection_id: UUID
    grant_id: UUID
    report_id: UUID
    listing_id: UUID

    @property
    def ids(self) -> str:
        return "|".join(str(getattr(self, field.name)) for field in fields(self))


class World:
    """Sends requests that are right in all but, perhaps, who sends them."""

    def __init__(self, client: TestClient, resources: Resources) -> None:
        self._client = client
        self._resources = resources
        self._lasting: dict[UUID, Things] = {}
        with db.transaction(resources.sessions) as session:
            self._other = factories.make_account(session)
            self._job = session.scalars(select(Job.id)).first()

    def things_of(self, owner: Owner, account_id: UUID, route: Route) -> Things:
        """Things that a route may name. What is only read is made once; a route that changes things gets new ones."""
        if owner == "absent":
            return Things(*(uuid4() for _ in fields(Things)))
        account = account_id if owner == "own" else self._other.id
        if route[0] == "GET" or owner == "other":
            if account not in self._lasting:
                self._lasting[account] = self._make(account)
            return self._lasting[account]
        return self._make(account)

    def _make(self, account_id: UUID) -> Things:
        with db.transaction(self._resources.sessions) as session:
            account = session.get_one(Account, account_id)
            account.evidence = EvidenceLevel.VERIFIED
            work = factories.make_work(session, account)
            album = collections.create(
                session, account_id=account_id, kind=CollectionKind.ALBUM, name=secrets.token_hex(8)
            )
            collections.add_works(session, collection_id=album.id, account_id=account_id, work_ids=[work.id])
            pipeline = factories.make_account(session, evidence=EvidenceLevel.VERIFIED)
            factories.make_key(session, pipeline, Role.PIPELINE)
            grant = grants.give(session, grantor_id=account_id, grantee=pipeline.pseudonym, uses=[Use.SEARCH])
            report = non_matches.report(
                session, work_id=work.id, asset_key=secrets.token_bytes(32), reporter_id=pipeline.id
            )
            claim = factories.make_claim(session, work)
            url = f"https://www.youtube.com/@{secrets.token_hex(8)}"
            listing = listings.register(session, account_id=account_id, url=url).listing
            return Things(work.id, claim.id, album.id, grant.id, report.id, listing.id)

    def send(self, route: Route, headers: Mapping[str, str], things: Things) -> Any:
        method, path = route
        filled = path.format(**self._values(things)) if path != "/sign-in/link/{token}" else self._link()
        named = {"collection": things.collection_id}  # the others are works
        query = {name: str(named.get(name, things.work_id)) for name in POLICY[route].own if f"{{{name}}}" not in path}
        body = BODIES.get(route, {})
        if route == ("POST", "/v1/collections/{collection_id}/works"):
            body = {"json": {"works": [str(things.work_id)]}}
        self._client.cookies.clear()
        return self._client.request(method, filled, params=query, headers=dict(headers), follow_redirects=False, **body)

    def _values(self, things: Things) -> dict[str, Any]:
        _, _, digest, name = static_files.address("style.css").split("/")
        tile = next(key for key in self._resources.storage.list("log/tile/0/")).key.removeprefix("log/tile/")
        return {
            **asdict(things),
            "job_id": self._job,
            "path": tile,
            "index": 0,
            "digest": digest,
            "name": name,
        }

    def _link(self) -> str:
        with db.transaction(self._resources.sessions) as session:
            return f"/sign-in/link/{sign_ins.create_link(session, self._other.id, [Role.CREATOR])}"


@pytest.fixture(scope="module")
def world(client: TestClient, resources: Resources) -> World:
    with db.transaction(resources.sessions) as session:
        factories.make_claim(session, factories.make_work(session, factories.make_account(session)))
    publish(resources.sessions, resources.storage, resources.keys.log)
    return World(client, resources)


def outcome(answer: Any) -> Outcome:
    if answer.status_code == 401 or answer.headers.get("location", "").startswith("/sign-in?"):
        return 401
    for status in (403, 404):
        if answer.status_code == status:
            return status
    assert answer.status_code < 500, answer.text
    return "in"


def due(rule: Rule, role: Role | None, owner: Owner) -> Outcome:
    """What the table says of a caller with one role, or with no key."""
    if rule.roles is None:
        return "in"
    if role is None:
        return 401
    if role not in rule.roles:
        return 403
    return 404 if rule.own and owner != "own" else "in"


def test_every_route_is_in_the_table_and_the_table_names_no_other(app: FastAPI) -> None:
    served = {
        (method, found.path_format or found.path)
        for found in iter_route_contexts(app.routes)
        for method in found.methods or ()
        if method != "HEAD"
    }
    described = {(method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods}

    assert served == set(POLICY)
    assert described < served


def test_every_id_in_an_address_has_an_owner_in_the_table() -> None:
    public = {"path", "digest", "name", "index", "token"}
    for (_, path), rule in POLICY.items():
        named = set(re.findall(r"{(\w+)}", path))
        assert named <= {*rule.own, *rule.of_registry, *public}, path
        assert rule.roles is not None or named <= public, path


@pytest.mark.parametrize("role", [*Role, None], ids=str)
def test_every_role_gets_from_every_route_what_the_table_says(
    world: World, call_as: Callable[..., Any], role: Role | None
) -> None:
    caller = call_as(role or Role.CREATOR)
    headers = {} if role is None else caller.headers

    wrong = []
    for route, rule in POLICY.items():
        for owner in OWNERS if rule.own else OWNERS[:1]:
            things = world.things_of(owner, caller.account_id, route)
            got = outcome(world.send(route, headers, things))
            if got != due(rule, role, owner):
                wrong.append((route, owner, got, due(rule, role, owner)))

    assert wrong == []


def test_somebody_with_every_role_still_gets_only_their_own(world: World, call_as: Callable[..., Any]) -> None:
    caller = call_as(*Role)

    wrong = []
    for route, rule in POLICY.items():
        for owner in OWNERS if rule.own else ():
            got = outcome(world.send(route, caller.headers, world.things_of(owner, caller.account_id, route)))
            if got != due(rule, Role.CREATOR, owner):
                wrong.append((route, owner, got))

    assert wrong == []


@pytest.fixture
def asked(resources: Resources) -> Iterator[list[str]]:
    """The statements that requests sent to the database; not those of the threads beside them."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not threading.current_thread().name.startswith(("uses", "follow-index", "fold-index")):
            statements.append(statement)

    event.listen(resources.engine, "before_cursor_execute", note)
    yield statements
    event.remove(resources.engine, "before_cursor_execute", note)


OWNED = [route for route, rule in POLICY.items() if rule.own]


@pytest.mark.parametrize("route", OWNED, ids=" ".join)
def test_what_is_somebody_elses_can_not_be_told_from_what_is_not_there(
    world: World, creator: Any, asked: list[str], route: Route
) -> None:
    """The same status, headers and body, and the same questions to the database, so that it takes as long."""
    seen = []
    for owner in ("other", "absent"):
        things = world.things_of(owner, creator.account_id, route)
        asked.clear()
        answer = world.send(route, creator.headers, things)
        said = re.sub(things.ids, "THE ID", answer.text)
        seen.append((answer.status_code, sorted(answer.headers), said, tuple(asked)))

    assert seen[0][0] == 404
    assert len(seen[0][3]) > 0
    assert seen[0] == seen[1]


HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
INLINE: Final = re.compile(
    r"<script(?![^>]*\ssrc=)|<style|<[^>]+\s(?:style|on[a-z]+)=|javascript:|<base\b", re.IGNORECASE
)
"""What the policy for scripts and styles would block: a page that has it is broken for everybody."""


@pytest.mark.parametrize("roles", [(), tuple(Role)], ids=["nobody", "everybody"])
def test_every_route_answers_with_the_security_headers_and_no_page_needs_inline_code(
    world: World, call_as: Callable[..., Any], roles: tuple[Role, ...]
) -> None:
    caller = call_as(*roles or (Role.CREATOR,))

    wrong: list[object] = []
    for route, rule in POLICY.items():
        for owner in OWNERS if rule.own else OWNERS[:1]:
            answer = world.send(
                route, caller.headers if roles else {}, world.things_of(owner, caller.account_id, route)
            )
            wrong += [(route, name) for name, value in HEADERS.items() if answer.headers.get(name) != value]
            policy = dict(
                part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";")
            )
            if {"'self'"} != {policy["script-src"], policy["style-src"], policy["form-action"]}:
                wrong.append((route, policy))
            if {"'none'"} != {policy[name] for name in ("default-src", "object-src", "base-uri", "frame-ancestors")}:
                wrong.append((route, policy))
            if "cache-control" not in answer.headers:
                wrong.append((route, "cache-control"))
            if rule.roles is not None and answer.headers["cache-control"] != "no-store":
                wrong.append((route, answer.headers["cache-control"]))
            if "text/html" in answer.headers.get("content-type", "") and (found := INLINE.search(answer.text)):
                wrong.append((route, found[0]))

    assert wrong == []


def test_a_route_that_is_not_in_the_table_is_closed_to_everybody() -> None:
    with pytest.raises(NotPermittedError, match="No rule"):
        admit("GET", "/v2/everything", Principal(uuid4(), None, frozenset(Role)))


def test_roles_do_not_imply_one_another() -> None:
    admin = Principal(uuid4(), None, frozenset({Role.ADMIN}))

    admit("GET", "/metrics", admin)
    with pytest.raises(NotPermittedError, match="needs the role creator; your key has: admin"):
        admit("GET", "/v1/works", admin)
