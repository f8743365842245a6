"""What routes ask for: the resources of this process, a unit of work, and the caller, who was let in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, TypeAlias, cast

from fastapi import Depends, Request
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from mediamanager import policy
from mediamanager.api.doing import Doing
from mediamanager.api.meter import Counters
from mediamanager.uses import Uses
from optout.errors import NotAuthenticatedError
from optout.ledger.keys import LogKeys
from optout.registry.accounts import Principal
from optout.registry.lookups import Lookups
from optout.store import db, jobs
from optout.store.settings import Settings
from optout.store.storage import Storage
from workers import dispatch


@dataclass(frozen=True, slots=True)
class Resources:
    """What one process opens once: `app.create_app` makes it when the application starts."""

    settings: Settings
    engine: Engine
    sessions: sessionmaker[Session]
    storage: Storage
    keys: LogKeys
    lookups: Lookups
    counters: Counters
    uses: Uses
    doing: Doing = field(default_factory=Doing)


def resources_of(request: Request) -> Resources:
    """The resources of the application that a request came to."""
    return cast(Resources, request.app.state.resources)


# These are coroutines because FastAPI would send a plain function to a thread, for nothing.
async def _resources(request: Request) -> Resources:
    return resources_of(request)


ResourcesDep: TypeAlias = Annotated[Resources, Depends(_resources)]


async def _counters(resources: ResourcesDep) -> Counters:
    return resources.counters


CountersDep: TypeAlias = Annotated[Counters, Depends(_counters)]


@contextmanager
def unit_of_work(resources: Resources) -> Iterator[Session]:
    """One transaction. Workers are told of the jobs that it promised once it has committed."""
    with db.transaction(resources.sessions) as session:
        yield session
        promised = jobs.enqueued(session)
        if promised:
            db.after_commit(session, lambda: dispatch.nudge(promised))


def get_session(resources: ResourcesDep) -> Iterator[Session]:
    """One unit of work for a route that writes."""
    with unit_of_work(resources) as session:
        yield session


def get_reading_session(resources: ResourcesDep) -> Iterator[Session]:
    """A session for a route that only reads: it never waits for a writer."""
    with db.reading(resources.sessions) as session:
        yield session


# Scope "function": the commit comes before the answer leaves, so that one that fails is a problem and never a 201.
SessionDep: TypeAlias = Annotated[Session, Depends(get_session, scope="function")]
ReadingDep: TypeAlias = Annotated[Session, Depends(get_reading_session, scope="function")]


async def admitted(request: Request) -> Principal | None:
    """The dependency of the whole application: who asks, if `policy.POLICY` lets them use this route.

    Raises:
        NotAuthenticatedError, NotPermittedError: it does not.
    """
    principal = cast(Principal | None, request.state.principal)
    policy.admit(request.method, request.scope["route"].path_format, principal)
    return principal


async def _caller(principal: Annotated[Principal | None, Depends(admitted)]) -> Principal:
    if principal is None:
        raise NotAuthenticatedError("This needs a key: send it as Authorization: Bearer.")
    return principal


CallerDep: TypeAlias = Annotated[Principal, Depends(_caller)]
"""Who asks, on a route that is not open to everybody. Which roles that takes stands in `policy.POLICY` alone."""
AdminDep = CallerDep
