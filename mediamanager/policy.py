"""Who may use which address: one table of method, route, roles, and whose things an id in it may name.

Every request to a route passes `admit` before anything of its body is read; a route that is not in the table is closed
to everybody. Roles do not imply one another. Somebody else's work, claim or account answers exactly as one that does
not exist, to every role: `NotFoundError`. `docs/reference/access.md` is written from this table, and a test holds every
route, with every role and every kind of owner, against it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from optout.errors import NotAuthenticatedError, NotPermittedError
from optout.registry.accounts import Principal
from optout.store.models.accounts import Role


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may use a route.

    Attributes:
        roles: callers with one of these; None: anybody, also without a key.
        own: parameters of the path or the query with the id of something that has to be the caller's own.
        of_registry: parameters with the id of something that belongs to nobody but the registry.
        lists_own: it lists things, and only those of the caller.
        or_shown: what is somebody else's is given, too, if its owner shows it to those who ask.
    """

    roles: frozenset[Role] | None
    own: tuple[str, ...] = ()
    of_registry: tuple[str, ...] = ()
    lists_own: bool = False
    or_shown: bool = False


Route: TypeAlias = tuple[str, str]
"""A method and the template of a path."""


def _for(
    *roles: Role,
    own: tuple[str, ...] = (),
    of_registry: tuple[str, ...] = (),
    lists_own: bool = False,
    or_shown: bool = False,
) -> Rule:
    return Rule(frozenset(roles), own, of_registry, lists_own, or_shown)


_ANYBODY: Final = Rule(None)
_CREATOR: Final = Role.CREATOR
_ASKERS: Final = (Role.PIPELINE, Role.CREATOR)

POLICY: Mapping[Route, Rule] = MappingProxyType(
    {
        # The API: works and claims.
        ("GET", "/v1/works"): _for(_CREATOR, own=("after",), lists_own=True),
        ("POST", "/v1/works"): _for(_CREATOR),
        ("GET", "/v1/works/{work_id}"): _for(_CREATOR, own=("work_id",)),
        ("GET", "/v1/works/{work_id}/overlaps"): _for(_CREATOR, own=("work_id",)),
        ("POST", "/v1/works/{work_id}/claims"): _for(_CREATOR, own=("work_id",)),
        ("GET", "/v1/works/{work_id}/claims"): _for(_CREATOR, own=("work_id",)),
        ("GET", "/v1/works/{work_id}/verdict"): _for(_CREATOR, own=("work_id",)),
        ("GET", "/v1/account/claims"): _for(_CREATOR, lists_own=True),
        ("POST", "/v1/account/claims"): _for(_CREATOR),
        ("GET", "/v1/listings"): _for(_CREATOR, lists_own=True),
        ("POST", "/v1/listings"): _for(_CREATOR),
        ("GET", "/v1/listings/{listing_id}"): _for(_CREATOR, own=("listing_id",)),
        ("PATCH", "/v1/listings/{listing_id}"): _for(_CREATOR, own=("listing_id",)),
        ("GET", "/v1/collections"): _for(_CREATOR, lists_own=True),
        ("POST", "/v1/collections"): _for(_CREATOR),
        ("GET", "/v1/collections/{collection_id}"): _for(_CREATOR, own=("collection_id",)),
        ("POST", "/v1/collections/{collection_id}/claims"): _for(_CREATOR, own=("collection_id",)),
        ("POST", "/v1/collections/{collection_id}/works"): _for(_CREATOR, own=("collection_id",)),
        ("DELETE", "/v1/collections/{collection_id}/works/{work_id}"): _for(_CREATOR, own=("collection_id", "work_id")),
        ("GET", "/v1/grants"): _for(_CREATOR, lists_own=True),
        ("POST", "/v1/grants"): _for(_CREATOR),
        ("GET", "/v1/grants/received"): _for(Role.PIPELINE, lists_own=True),
        ("GET", "/v1/grants/{grant_id}"): _for(_CREATOR, own=("grant_id",)),
        ("DELETE", "/v1/grants/{grant_id}"): _for(_CREATOR, own=("grant_id",)),
        # Whoever was shown a match may doubt it; only the work's owner settles that.
        ("GET", "/v1/non-matches"): _for(*_ASKERS, lists_own=True),
        ("POST", "/v1/non-matches"): _for(*_ASKERS),
        ("PATCH", "/v1/non-matches/{report_id}"): _for(_CREATOR, own=("report_id",)),
        ("GET", "/v1/claims/{claim_id}"): _for(_CREATOR, own=("claim_id",)),
        ("PATCH", "/v1/claims/{claim_id}"): _for(_CREATOR, own=("claim_id",)),
        ("DELETE", "/v1/claims/{claim_id}"): _for(_CREATOR, own=("claim_id",)),
        ("GET", "/v1/claims/{claim_id}/receipt"): _for(_CREATOR, own=("claim_id",)),
        # The API: asking. Answers name works by id, never their owners or titles.
        ("POST", "/v1/lookups"): _for(Role.PIPELINE),
        ("POST", "/v1/lookups/media"): _for(*_ASKERS),
        # The API: what everybody can read and check.
        ("GET", "/v1/log/key"): _ANYBODY,
        ("GET", "/v1/log/checkpoint"): _ANYBODY,
        ("GET", "/v1/log/tile/{path}"): _ANYBODY,
        ("GET", "/v1/openapi.json"): _ANYBODY,
        # Operations.
        ("GET", "/healthz"): _ANYBODY,
        ("GET", "/readyz"): _ANYBODY,
        ("GET", "/metrics"): _for(Role.ADMIN),
        # Pages for everybody.
        ("GET", "/"): _ANYBODY,
        ("GET", "/design"): _ANYBODY,
        ("GET", "/favicon.ico"): _ANYBODY,
        ("GET", "/static/{digest}/{name}"): _ANYBODY,
        ("POST", "/language"): _ANYBODY,
        ("POST", "/theme"): _ANYBODY,
        ("GET", "/log"): _ANYBODY,
        ("GET", "/log/{index}"): _ANYBODY,
        ("GET", "/sign-in"): _ANYBODY,
        ("POST", "/sign-in"): _ANYBODY,
        ("GET", "/sign-in/link/{token}"): _ANYBODY,
        ("POST", "/sign-in/link/{token}"): _ANYBODY,
        ("POST", "/sign-out"): _ANYBODY,
        # Pages of a creator.
        ("GET", "/works"): _for(_CREATOR, own=("after",), lists_own=True),
        ("GET", "/works/new"): _for(_CREATOR, own=("collection",)),
        ("POST", "/works/new"): _for(_CREATOR),
        ("GET", "/works/added"): _for(_CREATOR, own=("work",)),
        ("GET", "/works/{work_id}"): _for(_CREATOR, own=("work_id",)),
        ("GET", "/works/{work_id}/change"): _for(_CREATOR, own=("work_id",)),
        ("POST", "/works/{work_id}/change"): _for(_CREATOR, own=("work_id",)),
        ("POST", "/works/{work_id}/showing"): _for(_CREATOR, own=("work_id",)),
        ("GET", "/works/{work_id}/media"): _for(*_ASKERS, Role.MODERATOR, own=("work_id",), or_shown=True),
        ("GET", "/works/{work_id}/applied"): _for(_CREATOR, own=("work_id",)),
        ("GET", "/account/change"): _for(_CREATOR),
        ("POST", "/account/change"): _for(_CREATOR),
        ("GET", "/listings/{listing_id}"): _for(_CREATOR, own=("listing_id",)),
        ("POST", "/listings/{listing_id}"): _for(_CREATOR, own=("listing_id",)),
        ("GET", "/collections"): _for(_CREATOR, lists_own=True),
        ("POST", "/collections"): _for(_CREATOR),
        ("GET", "/collections/{collection_id}"): _for(_CREATOR, own=("collection_id",)),
        ("GET", "/collections/{collection_id}/change"): _for(_CREATOR, own=("collection_id",)),
        ("POST", "/collections/{collection_id}/change"): _for(_CREATOR, own=("collection_id",)),
        ("GET", "/collections/{collection_id}/add"): _for(_CREATOR, own=("collection_id", "after")),
        ("POST", "/collections/{collection_id}/works"): _for(_CREATOR, own=("collection_id",)),
        ("POST", "/collections/{collection_id}/works/{work_id}/remove"): _for(
            _CREATOR, own=("collection_id", "work_id")
        ),
        ("GET", "/grants"): _for(_CREATOR, own=("work", "collection"), lists_own=True),
        ("GET", "/grants/works"): _for(_CREATOR, own=("work", "after"), lists_own=True),
        ("POST", "/grants"): _for(_CREATOR),
        ("POST", "/grants/{grant_id}/revoke"): _for(_CREATOR, own=("grant_id",)),
        ("GET", "/reports"): _for(*_ASKERS, lists_own=True),
        ("POST", "/reports"): _for(*_ASKERS),
        ("POST", "/reports/{report_id}"): _for(_CREATOR, own=("report_id",)),
        ("GET", "/claims/{claim_id}/withdraw"): _for(_CREATOR, own=("claim_id",)),
        ("POST", "/claims/{claim_id}/withdraw"): _for(_CREATOR, own=("claim_id",)),
        ("GET", "/claims/{claim_id}/receipt"): _for(_CREATOR, own=("claim_id",)),
        ("GET", "/claims/{claim_id}/receipt.json"): _for(_CREATOR, own=("claim_id",)),
        # Pages for whoever asks.
        ("GET", "/check"): _for(*_ASKERS),
        ("POST", "/check"): _for(*_ASKERS),
        # Pages of the moderator: whatever is registered, by number, without titles and names.
        ("GET", "/moderation"): _for(Role.MODERATOR),
        ("GET", "/moderation/works/{work_id}"): _for(Role.MODERATOR, of_registry=("work_id",)),
        # Pages of the operator.
        ("GET", "/jobs"): _for(Role.ADMIN),
        ("POST", "/jobs/replay"): _for(Role.ADMIN),
        ("POST", "/jobs/{job_id}/replay"): _for(Role.ADMIN, of_registry=("job_id",)),
    }
)


def admit(method: str, path: str, principal: Principal | None) -> None:
    """Let a caller use a route, by its template.

    Raises:
        NotAuthenticatedError: the route needs a role, and nobody is signed in and no key was sent.
        NotPermittedError: the caller has none of the roles, or no rule opens the route to anybody.
    """
    rule = POLICY.get((method, path))
    if rule is None:
        raise NotPermittedError("No rule opens this address to anybody: tell the operator of this registry.")
    if rule.roles is None:
        return
    needed = " or ".join(sorted(rule.roles))
    if principal is None:
        raise NotAuthenticatedError(f"This needs a key with the role {needed}: send it as Authorization: Bearer.")
    if rule.roles.isdisjoint(principal.roles):
        has = ", ".join(sorted(principal.roles)) or "none"
        raise NotPermittedError(
            f"This needs the role {needed}; your key has: {has}. Ask the operator for a key with that role.",
            needed=needed,
        )
