"""One real registry for the flow tests that do not hurt it, and the three people with their keys."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_socket
from registry_process import RegistryProcess, registry

PROSE = "\n".join(
    f"{n} wizards brew {n * 7} strange potions in copper kettles beside the northern harbour wall, singing"
    for n in range(40)
)


@dataclass(frozen=True)
class People:
    """The keys of a creator, a pipeline and an auditor."""

    creator: str
    pipeline: str
    auditor: str


@pytest.fixture(scope="session")
def media_server_port() -> int:
    """The port at which a test may serve media to the registry, although it is local."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, media_server_port: int) -> Iterator[RegistryProcess]:
    pytest_socket.enable_socket()
    allowed = {"MEDIAMANAGER_FETCH_ALLOWED_NETWORKS": f"127.0.0.1:{media_server_port}"}
    with registry(tmp_path_factory.mktemp("registry"), **allowed) as running:
        yield running


@pytest.fixture(scope="session")
def people(served: RegistryProcess) -> People:
    return People(*(served.key(role, name=role) for role in ("creator", "pipeline", "auditor")))


@pytest.fixture
def prose(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A text that only this test has."""
    path = tmp_path / "prose.txt"
    path.write_text(f"{request.node.name} tells of {request.node.name[::-1]}\n{PROSE}", encoding="utf-8")
    return path
