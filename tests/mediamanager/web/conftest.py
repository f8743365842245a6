"""A registry behind pages, and a creator who is signed in."""

from collections.abc import Callable, Iterator

import factories
import pytest
from signed_in import Signed
from starlette.testclient import TestClient

from mediamanager.app import create_app
from mediamanager.dependencies import Resources
from optout.consent.vocabulary import EvidenceLevel
from optout.store import db
from optout.store.models import Role
from optout.store.settings import Settings


@pytest.fixture
def client(built: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(built), follow_redirects=False) as made:
        yield made


@pytest.fixture
def resources(client: TestClient) -> Resources:
    found: Resources = client.app.state.resources  # type: ignore[attr-defined] # an application of ours
    return found


Signs = Callable[..., Signed]


@pytest.fixture
def signs(client: TestClient, resources: Resources) -> Signs:
    """Makes an account and signs it in."""

    def make(*, evidence: EvidenceLevel = EvidenceLevel.SELF_DECLARED) -> Signed:
        with db.transaction(resources.sessions) as session:
            account = factories.make_account(session, evidence=evidence)
            secret = factories.make_key(session, account, Role.CREATOR)[1]
            return Signed(client, resources, account.id, {"Authorization": f"Bearer {secret}"})

    return make
