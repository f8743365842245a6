"""What routes ask for: the resources of this process, a unit of work, and a caller with the role that is needed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias, cast

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from mediamanager.api.meter import Counters
from optout.errors import NotAuthenticatedError, NotPermittedError
from optout.ledger.keys import LogKeys
from optout.registry.accounts import Principal
from optout.registry.lookups import Lookups
from optout.store import db, jobs
from optout.store.models.accounts import Role
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

_bearer: Final = HTTPBearer(auto_error=False, bearerFormat="crk_live_…", description="An API key of this registry.")


@dataclass(frozen=True, slots=True)
class Requires:
    """Lets a route be used by callers with one of some roles. Roles do not imply one another.

    As a dependency it yields the `Principal` that `security.Authentication` found.
    """

    roles: frozenset[Role]

    async def __call__(self, request: Request, _documented: Annotated[object, Security(_bearer)]) -> Principal:
        """Check the caller.

        Raises:
            NotAuthenticatedError: nobody is signed in and no key was sent.
            NotPermittedError: the caller has none of the roles.
        """
        principal = cast(Principal | None, request.state.principal)
        needed = " or ".join(sorted(self.roles))
        if principal is None:
            raise NotAuthenticatedError(f"This needs a key with the role {needed}: send it as Authorization: Bearer.")
        if self.roles.isdisjoint(principal.roles):
            has = ", ".join(sorted(principal.roles)) or "none"
            raise NotPermittedError(
                f"This needs the role {needed}; your key has: {has}. Ask the operator for a key with that role.",
                needed=needed,
            )
        return principal


CreatorDep: TypeAlias = Annotated[Principal, Depends(Requires(frozenset({Role.CREATOR})))]
PipelineDep: TypeAlias = Annotated[Principal, Depends(Requires(frozenset({Role.PIPELINE})))]
AskerDep: TypeAlias = Annotated[Principal, Depends(Requires(frozenset({Role.PIPELINE, Role.CREATOR})))]
AdminDep: TypeAlias = Annotated[Principal, Depends(Requires(frozenset({Role.ADMIN})))]
