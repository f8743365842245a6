"""Everything that can go wrong while reading media, each with a stable code and a sentence for its owner."""

from collections.abc import Mapping


class FingerprintingError(Exception):
    """The base of every error of this floor.

    Attributes:
        code: stable; programs and translations key on it.
        parameters: what the sentence is about, for a translation of it.
    """

    code = "fingerprinting-error"

    def __init__(self, message: str, **parameters: str | float) -> None:
        super().__init__(message)
        self.parameters: Mapping[str, str | int | float] = parameters


class UnsupportedMediaError(FingerprintingError):
    """The file is of a kind that we do not fingerprint."""

    code = "unsupported-media"


class UnreadableMediaError(FingerprintingError):
    """The file is of a kind that we know, but is empty, damaged or incomplete."""

    code = "unreadable-media"


class LockedDocumentError(UnreadableMediaError):
    """The file is a document that needs a password, or is protected against copying."""

    code = "locked-document"


class WordlessDocumentError(UnreadableMediaError):
    """The file is a document in which there is no text, or none whose letters can be told."""

    code = "wordless-document"


class LimitExceededError(FingerprintingError):
    """The file is larger (pixels, seconds, bytes) than we accept."""

    code = "limit-exceeded"


class InvalidFingerprintError(FingerprintingError):
    """A fingerprint has an unknown algorithm, an unknown version or a value of the wrong length."""

    code = "invalid-fingerprint"


class CorruptIndexError(FingerprintingError):
    """A folder of index files is incomplete, altered or of a version that we do not know."""

    code = "corrupt-index"


class WithheldIndexError(FingerprintingError):
    """An index was published without the part that this depth of matching searches."""

    code = "index-withheld"


class MissingExtraError(FingerprintingError):
    """A library that this depth of matching needs is not installed."""

    code = "missing-extra"
