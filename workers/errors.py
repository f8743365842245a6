"""What can go wrong outside: an address that is refused, a server that does not answer, a sandbox that won't start."""

from optout.errors import InvalidInputError, OptoutError


class FetchRefusedError(InvalidInputError):
    """The address will never be fetched: private, malformed, another scheme or port, or the server refuses for good."""

    code = "fetch-refused"


class FetchFailedError(OptoutError):
    """The server did not deliver this time (time-out, 5xx, broken connection); another attempt may succeed."""

    code = "fetch-failed"


class FetchTooLargeError(InvalidInputError):
    """What lies at the address is larger than we fetch."""

    code = "fetch-too-large"


class ContentChangedError(InvalidInputError):
    """What lies at the address of a work is not what was registered there; its owner has to say what it is now."""

    code = "content-changed"


class SandboxUnavailableError(OptoutError):
    """The child that decodes media could not be started or broke before it read a byte; the file is not to blame."""

    code = "sandbox-unavailable"


class SandboxBusyError(SandboxUnavailableError):
    """All decoders have work, and enough files wait for them already: nothing is wrong, and it is worth coming back."""

    code = "decoders-busy"
