"""The registry as one ASGI application: what it opens when it starts, what stands before its routes, its routes."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema
from starlette.types import Lifespan

from mediamanager import policy, problems
from mediamanager.api import (
    claims,
    collections,
    consent,
    grants,
    listings,
    log,
    lookups,
    non_matches,
    operations,
    overlaps,
    works,
)
from mediamanager.api.meter import Counters, Meter
from mediamanager.dependencies import Resources, admitted
from mediamanager.http_server import keep_what_is_loaded
from mediamanager.request_ids import RequestIds
from mediamanager.schemas.problems import Problem
from mediamanager.schemas.works import WorkByFingerprints, WorkByUpload, WorkByUrl
from mediamanager.security import Authentication, BodyLimit, SecurityHeaders
from mediamanager.uses import Uses
from mediamanager.web import pages, router
from optout.ledger.keys import open_keys
from optout.registry.lookups import Lookups
from optout.store import db, encryption
from optout.store.settings import Settings
from optout.store.storage_url import open_storage
from workers import dispatch

API_VERSION = "1.0"
"""Of the interface, not of the program: a change that breaks a client has a new first number and a new path."""

_ABOUT = (
    "Creators register works and say which uses they allow; pipelines ask before they train; anyone verifies the log. "
    "Errors are `application/problem+json` (RFC 9457) with a stable `code`."
)


_KEY = "ApiKey"
_KEY_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "crk_live_…",
    "description": "An API key of this registry. It needs one of the roles that an operation names in `x-roles`.",
}


class Registry(FastAPI):
    """A FastAPI application whose OpenAPI also holds the models that are named by reference only."""

    def openapi(self) -> dict[str, Any]:
        """Describe the API; made once."""
        if self.openapi_schema is None:
            made = super().openapi()
            _, definitions = models_json_schema(
                [(model, "validation") for model in (Problem, WorkByUpload, WorkByUrl, WorkByFingerprints)],
                ref_template="#/components/schemas/{model}",
            )
            made["components"]["schemas"] = {**definitions["$defs"], **made["components"]["schemas"]}
            made["components"]["securitySchemes"] = {_KEY: _KEY_SCHEME}
            for path, methods in made["paths"].items():
                for method, operation in methods.items():
                    roles = policy.POLICY[(method.upper(), path)].roles
                    if roles is not None:
                        operation["security"] = [{_KEY: []}]
                        operation["x-roles"] = sorted(roles)
        return super().openapi()


def create_app(settings: Settings) -> FastAPI:
    """Build the application. Nothing is opened before it starts; the tables have to be there by then.

    Raises (when it starts):
        StorageUnavailableError: the data folder can't be used.
        InvalidInputError: a setting contradicts what is there already.
        LogIntegrityError: a signing key was altered.
        MasterKeyError: the master key is missing, or not the one that the database needs.
    """
    # Python looks for a folder for temporary files at the first one, by writing into it: not on a disk that is full.
    tempfile.gettempdir()
    counters = Counters()
    app = Registry(
        title="Media Manager",
        version=API_VERSION,
        description=_ABOUT,
        lifespan=_lifespan(settings, counters),
        # The interactive pages of FastAPI load scripts from elsewhere, which no page of ours does.
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        # Every route, whoever adds it, is opened by the one table of `policy`, or not at all.
        dependencies=[Depends(admitted)],
    )
    problems.install(app, pages.answer)
    # What is added last stands outermost.
    app.add_middleware(Authentication)
    app.add_middleware(BodyLimit, settings=settings)
    app.add_middleware(problems.LastResort, answer=pages.answer)
    app.add_middleware(SecurityHeaders, settings=settings)
    app.add_middleware(Meter, counters=counters)
    app.add_middleware(RequestIds)
    for part in _ROUTERS:
        app.include_router(part)
    router.install(app)
    # FastAPI makes the routes of included routers when a path is first looked for, and plays with the warnings of the
    # whole process meanwhile: not among requests, of which one may fail by that, and the first one waits for it.
    for route in app.routes:
        route.matches({"type": "http", "method": "GET", "path": "/nowhere", "root_path": "", "headers": []})
    return app


_ROUTERS = (
    works.router,
    overlaps.router,
    consent.router,
    claims.router,
    collections.router,
    listings.router,
    grants.router,
    non_matches.router,
    lookups.router,
    log.router,
    operations.router,
)


def _operation_id(route: APIRoute) -> str:
    """Generated clients get our own function names."""
    return route.name


def _lifespan(settings: Settings, counters: Counters) -> Lifespan[FastAPI]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # One thread a request: the database pool is as large (see db.engine), so that nobody waits with one in hand.
        anyio.to_thread.current_default_thread_limiter().total_tokens = settings.request_threads
        dispatch.connect(settings)
        engine = db.engine(settings)
        sessions = db.sessions(engine)
        uses = Uses(sessions)
        lookups = Lookups(sessions, settings.index_folder)
        try:
            with db.transaction(sessions) as session:
                encryption.prepare(session)
            app.state.resources = Resources(
                settings=settings,
                engine=engine,
                sessions=sessions,
                storage=open_storage(settings),
                keys=open_keys(settings),
                lookups=lookups,
                counters=counters,
                uses=uses,
            )
            lookups.follow(keep_what_is_loaded)
            yield
        finally:
            lookups.close()
            uses.close()
            engine.dispose()

    return lifespan
