"""The one tree of domain errors: stable codes, no HTTP status (a table in `mediamanager.problems` maps them)."""

from collections.abc import Mapping


class OptoutError(Exception):
    """The base of every domain error.

    Attributes:
        code: stable; clients, translations and the status table key on it.
        parameters: what the sentence is about: ids, limits, field names; never contents or secrets.
    """

    code = "optout-error"

    def __init__(self, message: str, **parameters: str | float) -> None:
        super().__init__(message)
        self.parameters: Mapping[str, str | int | float] = parameters


class InvalidInputError(OptoutError):
    """A value can't be used; `field` in the parameters names it and the message says what would be right."""

    code = "invalid-input"


class NotAuthenticatedError(OptoutError):
    """No key came with the request, or it is not one of ours, expired or revoked."""

    code = "not-authenticated"


class NotPermittedError(OptoutError):
    """The key is good, but its roles do not include what this needs."""

    code = "not-permitted"


class NotFoundError(OptoutError):
    """There is no such thing, or it is somebody else's: the two can't be told apart."""

    code = "not-found"


class ConflictError(OptoutError):
    """The thing exists in a state that does not allow this; the message says what to do instead."""

    code = "conflict"


class IdempotencyMismatchError(OptoutError):
    """This idempotency key came with another request before: a new request needs a new key."""

    code = "idempotency-mismatch"


class RequestInFlightError(OptoutError):
    """The same request, under the same idempotency key, is being done at this moment: ask again a little later."""

    code = "request-in-flight"


class StorageUnavailableError(OptoutError):
    """The media store or the database did not answer; nothing was written."""

    code = "storage-unavailable"


class MasterKeyError(OptoutError):
    """The key that all other keys are wrapped with is missing, malformed or another one; nothing was written."""

    code = "master-key"


class SealedDataError(OptoutError):
    """What was sealed does not open: altered, moved from another row, or from another backup than its key."""

    code = "sealed-data"


class LogIntegrityError(OptoutError):
    """What is stored contradicts what was signed: the log stops instead of signing on."""

    code = "log-integrity"


class InvalidProofError(OptoutError):
    """A note, tile, proof, promise or receipt is malformed, or does not show what it claims to show."""

    code = "invalid-proof"


class CorruptCatalogueError(OptoutError):
    """A catalogue folder is missing, incomplete, altered or of a version that we do not know."""

    code = "corrupt-catalogue"
