"""What can go wrong while asking, each with a stable code and a sentence that says what to do."""


class ClientError(Exception):
    """The base of every error of the client. None of them ever counts as a permission."""

    code = "client-error"


class RegistryUnavailableError(ClientError):
    """The registry could not be reached, did not answer in time, or answered with something that is no answer."""

    code = "registry-unavailable"


class RegistryRefusedError(ClientError):
    """The registry understood the question and refuses it: no key, wrong role, something it does not know."""

    code = "registry-refused"


class KeyRefusedError(RegistryRefusedError):
    """No key, one that is not known, or one without the role that is needed: nothing else will be answered either."""

    code = "key-refused"


class UnknownInputError(ClientError):
    """The input is of a kind that can't be read, or a line of it can't be understood."""

    code = "unknown-input"


class OutputInUseError(ClientError):
    """The output folder holds something else: another run, or files that are not ours."""

    code = "output-in-use"


class UncheckedItemError(ClientError):
    """Something could not be checked, and the choice was to stop there."""

    code = "unchecked-item"
