"""Forms that no page of ours sends: each gets a page with field and remedy, is not half done, and takes no memory."""

import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import api_bodies
import factories
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from fingerprinting.errors import CorruptIndexError
from mediamanager import policy
from mediamanager.app import create_app
from mediamanager.policy import Rule
from mediamanager.web import pages
from optout.registry import sessions as sign_ins
from optout.registry.accounts import Principal
from optout.store import db
from optout.store.models import Claim, Job, Role, Work
from optout.store.models.log import LogEntry
from optout.store.settings import Settings

BOUNDARY = "between"
BROWSER = {
    "Accept": "text/html",
    "Sec-Fetch-Site": "same-origin",
    "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
}
NEW = "/works/new"


def part(name: str, value: bytes | str, file: str | None = None, more: str = "") -> bytes:
    named = f'; filename="{file}"' if file is not None else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n{more}\r\n'
    return head.encode() + (value.encode() if isinstance(value, str) else value) + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


NO_AI = part("preset", "no-ai")
PICTURE = part("files", api_bodies.png(), "fox.png")
WHOLE = form(NO_AI, PICTURE)


@pytest.fixture
def app(built: Settings, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    monkeypatch.setattr(policy, "POLICY", {**policy.POLICY, ("GET", "/fail"): Rule(None)})
    return create_app(built.model_copy(update={"max_upload_bytes": 3_000_000}))


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, follow_redirects=False, headers=BROWSER, raise_server_exceptions=False) as made:
        with db.transaction(app.state.resources.sessions) as session:
            account = factories.make_account(session)
            token = sign_ins.open(session, Principal(account.id, None, frozenset({Role.CREATOR})))
        made.cookies.set("mediamanager", token)
        yield made


@pytest.fixture
def written(app: FastAPI, client: TestClient) -> Callable[[], Mapping[str, int]]:
    def rows() -> Mapping[str, int]:
        resources = app.state.resources
        with db.reading(resources.sessions) as session:
            found = {
                table.__tablename__: session.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (Work, Claim, Job, LogEntry)
            }
        return {**found, "media": len(list(resources.storage.list("")))}

    return rows


def is_page(answer: Any) -> bool:
    return '<header class="top">' in answer.text and answer.headers["content-type"].startswith("text/html")


REFUSED: dict[str, tuple[bytes, int, str]] = {
    "ends in a file": (WHOLE[:-300], 400, "ended before its end"),
    "ends before the last boundary": (WHOLE[: -len(BOUNDARY) - 6], 400, "ended before its end"),
    "ends after one of two files": (form(NO_AI, PICTURE, part("files", bytes(5000), "b.png"))[:-2000], 400, "ended"),
    "ends in a choice": (form(PICTURE, part("preset", "all-welcome"))[:-20], 400, "ended before its end"),
    "is empty": (b"", 400, "ended before its end"),
    "has no file and no link": (form(NO_AI), 422, "Choose a file or paste a link."),
    "has an empty file": (form(NO_AI, part("files", b"", "fox.png")), 422, "This file is empty."),
    "has words for a file": (form(NO_AI, part("files", "fox")), 422, "Choose a file or paste a link."),
    "has a file in another field": (form(NO_AI, part("file", api_bodies.png(), "a.png")), 422, "Choose a file"),
    "makes two choices": (form(NO_AI, part("preset", "all-welcome"), PICTURE), 422, "“preset” stands twice"),
    "says twice how to ask": (form(NO_AI, *[part("contact", "a@b.example")] * 2, PICTURE), 422, "“contact” stands"),
    "has a file for a choice": (form(part("preset", "no-ai", "a.txt"), PICTURE), 422, "“preset” holds a file"),
    "has a file for links": (form(NO_AI, part("links", "https://a.example/", "a.txt")), 422, "“links” holds a file"),
    "has 10,000 fields": (form(*[part(f"f{n}", "1") for n in range(10_000)]), 400, "more fields than its page"),
    "has 201 files": (form(NO_AI, *[part("files", "x", f"{n}.txt") for n in range(201)]), 400, "At most 200 files"),
    "has a long field": (form(NO_AI, part("links", "a" * 600_000)), 400, "too long"),
    "has long fields": (form(*[part(f"f{n}", "a" * 60_000) for n in range(9)]), 400, "too long"),
    "has a name of 10,000 letters": (form(NO_AI, part("files", "x", "a" * 10_000 + ".png")), 400, "short names"),
    "has endless heads": (form(NO_AI, part("files", "x", "a.png", "X-A: b\r\n" * 20_000)), 400, "can&#39;t be read"),
    "has a part without a name": (
        form(f"--{BOUNDARY}\r\nContent-Disposition: form-data\r\n\r\nx\r\n".encode()), 400, "can&#39;t be read",
    ),
    "has a bomb": (form(NO_AI, part("files", b"PK\x03\x04" + bytes(99), "fox.png")), 422, "Unpack it"),
    "is too large": (form(NO_AI, part("files", bytes(5_000_000), "a.png")), 413, "together larger than 3 MB"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_form_that_can_not_be_used_is_a_page_that_says_what_to_do_and_writes_nothing(
    client: TestClient, written: Any, name: str
) -> None:
    body, status, said = REFUSED[name]
    before = written()

    answer = client.post(NEW, content=body)
    french = client.post(NEW, content=body, headers={"Accept-Language": "fr"})

    assert (answer.status_code, french.status_code) == (status, status)
    assert is_page(answer)
    assert said in answer.text
    assert said not in french.text or name.startswith("has a bomb")
    assert written() == before


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("multipart/form-data", 400),
        ("multipart/form-data; boundary=", 400),
        ("multipart/form-data; boundary=other", 400),
        (f"multipart/form-data; boundary={'b' * 5000}", 400),
        *((f"multipart/form-data; charset={name}; boundary={BOUNDARY}", 400) for name in
          ("undefined", "idna", "unicode_escape", "raw_unicode_escape", "utf-7", "utf-16", "zlib", "nonsense")),
        ("application/json", 415),
        ("text/plain", 415),
    ],
)  # fmt: skip
def test_a_form_of_another_kind_than_its_page_sends_is_refused(
    client: TestClient, written: Any, kind: str, status: int
) -> None:
    before = written()

    answer = client.post(
        NEW, content=form(NO_AI, part("links", r"https://a.example/\ud800"), PICTURE), headers={"Content-Type": kind}
    )

    assert (answer.status_code, is_page(answer)) == (status, True)
    assert written() == before


def test_the_same_forms_of_the_api_are_refused_with_the_remedy(client: TestClient) -> None:
    with db.transaction(client.app.state.resources.sessions) as session:  # type: ignore[attr-defined]
        secret = factories.make_key(session, factories.make_account(session), Role.CREATOR)[1]
    key = {"Authorization": f"Bearer {secret}"}
    whole = form(part("file", api_bodies.png(), "fox.png"), part("title", r"\ud800"), part("keep_media", "false"))
    unescaped = {"Content-Type": f"multipart/form-data; charset=unicode_escape; boundary={BOUNDARY}"}

    cut = client.post("/v1/works", content=whole[:-20], headers=key)
    strange = client.post("/v1/works", content=whole, headers={**key, **unescaped})
    large = client.post("/v1/works", content=form(part("file", bytes(5_000_000), "a.png")), headers=key)

    assert [one.status_code for one in (cut, strange, large)] == [400, 400, 413]
    assert "ended before its end" in cut.json()["detail"]
    assert "one part named `file`" in cut.json()["detail"]
    assert "UTF-8" in strange.json()["detail"]
    assert [one["field"] for one in large.json()["errors"]] == ["file"]
    assert large.json()["parameters"] == {"max_bytes": 3_000_000}
    assert "3.0 MB" in large.json()["errors"][0]["message"]


NAMES = [
    "../../etc/passwd",
    "..",
    "/",
    "a\0b.png",
    "x\u202egnp.exe",
    "\u20ac" * 1000,
    "<script>alert(1)</script>",
    "a%0d%0aX: y",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_any_name_is_registered_and_shown_as_what_it_is(client: TestClient, name: str) -> None:
    answer = client.post(NEW, content=form(NO_AI, part("files", api_bodies.png(), name)))

    shown = client.get(answer.headers["location"])
    assert (answer.status_code, shown.status_code) == (303, 200)
    assert "<script>alert" not in shown.text
    assert "/etc/" not in shown.text


def test_the_page_after_one_work_and_199_refusals_of_long_names_can_be_opened(client: TestClient) -> None:
    refused = [part("files", b"", "\u20ac" * 300 + f"{n}.png") for n in range(199)]

    answer = client.post(NEW, content=form(NO_AI, PICTURE, *refused))

    assert len(answer.headers["location"]) < 20_000  # uvicorn reads no head of more than 64 KiB
    shown = client.get(answer.headers["location"])
    assert shown.status_code == 200
    assert "179 more were not taken" in shown.text


@pytest.mark.parametrize("address", ["/sign-in", "/language", "/theme"])
def test_a_form_that_anybody_may_send_is_held_in_little_memory(client: TestClient, address: str) -> None:
    client.cookies.clear()
    many = form(*[part(f"f{n}", bytes(100_000)) for n in range(25)])
    files = form(*[part("key", bytes(100_000), f"{n}") for n in range(25)])
    client.post(address, content=form())

    for body in (many, files):
        tracemalloc.start()
        answer = client.post(address, content=body)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

        assert (answer.status_code, is_page(answer)) == (400, True)
        assert peak < 1_500_000


def test_what_another_site_sends_is_a_page_too(client: TestClient, written: Any) -> None:
    before = written()

    answers = [
        client.post(NEW, content=WHOLE, headers=where)
        for where in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "", "Origin": "https://evil.example"})
    ]
    french = client.post(NEW, content=WHOLE, headers={"Sec-Fetch-Site": "cross-site", "Accept-Language": "fr"})

    assert [(one.status_code, is_page(one)) for one in answers] == [(403, True)] * 2
    assert "from a page of another site" in answers[0].text
    assert "another key" not in answers[0].text
    assert "autre site" in french.text
    assert written() == before


def test_a_sign_in_that_has_expired_is_asked_for_again_and_nothing_is_taken(client: TestClient, written: Any) -> None:
    client.cookies.clear()
    before = written()

    answers = [client.post(NEW, content=WHOLE, headers={"Cookie": one}) for one in ("", "mediamanager=old")]

    assert [(one.status_code, one.headers["location"]) for one in answers] == [(303, f"/sign-in?next={NEW}")] * 2
    assert written() == before


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("PUT", NEW, 405), ("DELETE", "/works", 405), ("GET", "/claims/fox/nothing", 404),
        ("GET", "/works/fox", 404), ("GET", "/log/99999999999999999999999", 404), ("GET", "/works?after=fox", 422),
        ("GET", "/works/added?work=fox", 422),
    ],
)  # fmt: skip
def test_an_address_that_no_page_leads_to_is_a_page(client: TestClient, method: str, address: str, status: int) -> None:
    answer = client.request(method, address)

    assert (answer.status_code, is_page(answer)) == (status, True)
    if status == 405:
        assert answer.headers["allow"]
    if status == 422:
        assert address.partition("?")[2].partition("=")[0] in answer.text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ZeroDivisionError("secret"), 500),
        (CorruptIndexError("secret"), 503),
        (OperationalError("SELECT secret", {}, Exception("secret")), 503),
        (OSError(28, "secret"), 503),
    ],
)
@pytest.mark.parametrize("route", [pages.PageRoute, None])
def test_what_is_ours_to_mend_is_a_page_that_says_little(
    app: FastAPI, client: TestClient, error: Exception, status: int, route: Any
) -> None:
    def fail() -> None:
        raise error

    app.router.add_api_route("/fail", fail, **({} if route is None else {"route_class_override": route}))

    answer = client.get("/fail")
    problem = client.get("/fail", headers={"Accept": "application/json"})

    assert (answer.status_code, is_page(answer)) == (status, True)
    assert "secret" not in answer.text
    assert ("retry-after" in answer.headers) is (status == 503)
    assert problem.status_code == status


def test_a_page_that_names_a_use_nobody_knows_repeats_little_of_it(client: TestClient) -> None:
    answer = client.post("/check", content=form(part("link", "https://a.example/"), part("use", "z" * 5000)))

    assert answer.status_code == 422
    assert "z" * 100 not in answer.text
