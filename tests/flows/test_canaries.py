"""No secret, and nothing of what somebody registers, stands in any line that the API or the worker prints at debug."""

import json
import re
import time
from collections.abc import Iterator

import api_bodies
import httpx2
import pytest
import pytest_socket
from local_servers import answer, serving
from registry_process import RegistryProcess, wait_for

from optout.registry import accounts, sessions
from optout.store import db
from optout.store.models.accounts import Role
from optout.store.settings import Settings

pytestmark = pytest.mark.flow

OURS = {"Sec-Fetch-Site": "same-origin"}
TEXT = "\n".join(f"a canary sings its {n}th song of {n * 7} notes in yonder mine" for n in range(60))


class Canaries:
    """Words that nobody would print by chance, each for one place in which a secret can stand."""

    def __init__(self) -> None:
        self.words: dict[str, str] = {}

    def new(self, where: str) -> str:
        word = f"canary{len(self.words):02}q{abs(hash((where, time.time()))):x}"
        self.words[word] = where
        return word

    def keep(self, where: str, secret: str) -> str:
        """A secret of the registry's own making."""
        self.words[secret] = where
        return secret

    def found_in(self, text: str) -> dict[str, str]:
        found = {}
        for word, where in self.words.items():
            if word.lower() in text.lower():
                line = next(line for line in text.splitlines() if word.lower() in line.lower())
                found[where] = line[:300]
        return found


@pytest.fixture(scope="module", params=["human", "json"])
def running(
    tmp_path_factory: pytest.TempPathFactory, media_server_port: int, request: pytest.FixtureRequest
) -> Iterator[RegistryProcess]:
    pytest_socket.enable_socket()
    data = tmp_path_factory.mktemp("canaries")
    allowed = {"MEDIAMANAGER_FETCH_ALLOWED_NETWORKS": f"127.0.0.1:{media_server_port}"}
    made = RegistryProcess(data, {**allowed, "MEDIAMANAGER_LOG_FORMAT": request.param})
    try:
        yield made.start("--log-level", "debug")
    finally:
        made.stop()


def use_the_api(running: RegistryProcess, canaries: Canaries, key: str, port: int) -> None:
    """Register in every way, claim, ask; rightly and wrongly."""
    canaries.keep("key", key.split("_")[3])
    word = canaries.new
    text = f"{TEXT} {word('content')}".encode()
    url = f"http://127.0.0.1:{port}/{word('path of a URL')}.txt?token={word('query of a URL')}"
    with running.http(key) as client:
        client.headers["Idempotency-Key"] = word("idempotency key")
        named = {"file": (f"{word('file name')}.txt", text)}
        uploaded = client.post("/v1/works", files=named, data={"title": word("title")})
        assert uploaded.status_code == 202, uploaded.text
        del client.headers["Idempotency-Key"]
        broken = {"file": (f"{word('name of a broken file')}.png", api_bodies.png()[:60])}
        links = [
            url,
            f"http://127.0.0.1:{port}/{word('path of a missing URL')}?token={word('query of a missing URL')}",
            f"http://10.0.0.1/{word('path of a forbidden URL')}?token={word('query of a forbidden URL')}",
            f"http://user:{word('password in a URL')}@127.0.0.1:{port}/x",
        ]
        made = [uploaded, client.post("/v1/works", files=broken)]
        made += [client.post("/v1/works", json={"url": link, "title": word("title of a link")}) for link in links]
        said = {"preferences": {"train-ai": "disallowed"}, "terms_url": f"https://x.example/?t={word('terms')}"}
        client.post(f"{uploaded.headers['location']}/claims", json=said)
        pending = [one.headers["location"] for one in made if one.status_code < 300]
        assert len(pending) >= 4
        wait_for(lambda: all(client.get(place).json()["state"] != "pending" for place in pending[:2]), 60)
        # What fails and is tried again is logged at the first attempt.
        time.sleep(2)
        client.get(f"/v1/works?after={word('query')}")
        client.get(f"/v1/{word('path')}")
        client.post("/v1/works", json={word("field"): word("value"), "url": word("a URL that is none")})
        client.post(
            "/v1/works", content=f'{{"url": {word("malformed JSON")}', headers={"Content-Type": "application/json"}
        )
        client.post("/v1/works", files=named, data={"title": word("first title"), word("form field"): "x"})
        client.post("/v1/lookups/media", files={"file": (f"{word('name asked about')}.txt", text)})
        client.post("/v1/lookups", json={"assets": [{"url": f"https://x.example/?t={word('URL asked about')}"}]})


def use_the_pages(running: RegistryProcess, canaries: Canaries, key: str) -> None:
    """Sign in in both ways, register by form, go wrong."""
    word = canaries.new
    settings = Settings(data_folder=running.data)
    engine = db.engine(settings)
    with db.transaction(db.sessions(engine)) as session:
        owner = accounts.authenticate(session, key).account_id
        link = canaries.keep("one-time link", sessions.create_link(session, owner, [Role.CREATOR]))
    engine.dispose()
    with httpx2.Client(base_url=running.url, headers=OURS, timeout=30) as browser:
        browser.get(f"/sign-in/link/{link}")
        browser.post(f"/sign-in/link/{link}")
        browser.post(f"/sign-in/link/{word('unknown link')}")
        assert browser.get("/works").status_code == 200
        canaries.keep("cookie", next(iter(browser.cookies.values())))
        files = [("files", (f"{word('file of a form')}.txt", f"{TEXT} {word('text of a form')}".encode()))]
        files.append(("files", (f"{word('refused file of a form')}.png", b"")))
        form = {"preset": "no-ai", "links": f"https://x.invalid/?t={word('link of a form')}\n{word('no link')}"}
        taken = browser.post("/works/new", files=files, data=form, follow_redirects=True)
        assert taken.status_code == 200, taken.text
        browser.get(f"/works/added?work={word('id that is none')}&refused={word('words in an address')}")
        browser.post("/check", data={"link": f"https://x.example/?t={word('link to check')}"})
        browser.post("/sign-in", data={"key": word("mistyped key"), "next": f"/{word('onward')}"})
        browser.post("/sign-in", data={"key": key[:-1] + ("0" if key[-1] != "0" else "1")})
        browser.cookies.set("mediamanager", word("planted cookie"))
        browser.get("/works")
    with running.http(f"crk_live_{word('bearer')}") as stranger:
        stranger.get("/v1/works")


def test_nothing_that_people_send_is_printed(
    running: RegistryProcess, media_server_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    canaries = Canaries()
    with serving({}, port=media_server_port) as server:
        key = running.key("creator", "pipeline", name=canaries.new("name of an account"))
        use_the_api(running, canaries, key, server.port)
        use_the_pages(running, canaries, key)
        time.sleep(1)

    printed = running.log.read_text()
    assert "DEBUG" in printed or '"debug"' in printed
    assert "a request was answered" in printed
    assert canaries.found_in(printed) == {}


def test_a_file_behind_a_redirect_is_read_and_nothing_of_its_site_is_printed(
    running: RegistryProcess, media_server_port: int
) -> None:
    canaries = Canaries()
    path = f"/{canaries.new('path')}.txt?token={canaries.new('query')}"
    title = canaries.new("title")
    first = f"/{canaries.new('first path')}"
    cookie, name = canaries.new("cookie of a site"), canaries.new("file name of a site")
    routes = {
        first: answer(b"", status=302, location=path, set_cookie=f"session={cookie}"),
        path: answer(TEXT.encode(), content_type="text/plain", content_disposition=f'inline; filename="{name}.txt"'),
    }
    with (
        serving(routes, port=media_server_port) as server,
        running.http(running.key("creator")) as client,
    ):
        made = client.post("/v1/works", json={"url": server.url(first), "title": title}).json()
        wait_for(lambda: client.get(made["status_url"]).json()["state"] != "pending", 60)
        assert client.get(made["status_url"]).json()["state"] == "ready"

    assert canaries.found_in(running.log.read_text()) == {}


def test_the_canaries_can_be_found() -> None:
    canaries = Canaries()
    word = canaries.new("somewhere")

    assert canaries.found_in(f"x\n{json.dumps({'a': word})}\ny") == {"somewhere": json.dumps({"a": word})}
    assert re.fullmatch(r"canary\d\dq[0-9a-f]+", word)
