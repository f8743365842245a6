"""A registry that is well: schema, keys, a published claim, a worker that was just seen."""

from collections.abc import Iterator

import factories
import pytest
from sqlalchemy import Engine

from mediamanager.doctor.findings import Deployment
from optout.ledger import keys
from optout.ledger.publish import publish
from optout.store import db, encryption, heartbeats, jobs
from optout.store.settings import Settings
from optout.store.storage_url import open_storage


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(data_folder=tmp_path_factory.mktemp("registry"), max_upload_bytes=1)


@pytest.fixture
def healthy(settings: Settings, live_engine: Engine) -> Iterator[Deployment]:
    sessions = db.sessions(live_engine)
    with db.transaction(sessions) as session:
        encryption.prepare(session)
        signers = keys.prepare(session, settings)
        for _ in range(5):
            factories.make_claim(session, factories.make_work(session, factories.make_account(session)))
        (job,) = jobs.enqueued(session)
        lease = jobs.claim_due(session, job)
        assert lease is not None
        jobs.finish(session, lease)
        heartbeats.beat(session, "a-worker", heartbeats.WORKER)
        heartbeats.beat(session, heartbeats.SWEEP, heartbeats.SWEEP)
    publish(sessions, open_storage(settings), signers.log)
    deployment = Deployment(settings)
    yield deployment
    deployment.engine.dispose()
