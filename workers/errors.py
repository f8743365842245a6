"""What can go wrong outside: an address that is refused, a server that does not answer, a sandbox that won't start."""

from datetime import timedelta

from optout.errors import InvalidInputError, OptoutError


class FetchRefusedError(InvalidInputError):
    """The address will never be fetched: private, malformed, another scheme or port, or the server refuses for good."""

    code = "fetch-refused"


class FetchFailedError(OptoutError):
    """The server did not deliver this time (time-out, 5xx, broken connection); another attempt may succeed.

    Attributes:
        retry_after: how long to wait before the second attempt, and longer before each later one; None leaves it to
            the back-off of jobs.
    """

    code = "fetch-failed"
    retry_after: timedelta | None = None


class VideoNotYetError(FetchFailedError):
    """A video can't be read now, and will be later: `code` says why (`workers.youtube_states.STATES`).

    Attributes:
        asked_once: what to tell who does not come back by themselves, as a registry does.
    """

    code = "youtube-not-yet"

    def __init__(self, message: str, *, asked_once: str, code: str, wait: timedelta, **parameters: str | float) -> None:
        super().__init__(message, **parameters)
        self.asked_once = asked_once
        self.code = code
        self.retry_after = wait


class VideoUnavailableError(FetchFailedError):
    """A video can't be read, and trying again is no help: `code` says why (`workers.youtube_states.STATES`)."""

    code = "youtube-unavailable"

    def __init__(self, message: str, *, code: str, **parameters: str | float) -> None:
        super().__init__(message, **parameters)
        self.code = code


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
