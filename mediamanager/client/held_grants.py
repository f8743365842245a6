"""The grants that a pipeline holds, as the file that it fetched: verified, and used without a network."""

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from optout.errors import InvalidInputError, InvalidProofError
from optout.proof import grant_files
from optout.proof.grant_files import GrantFile
from optout.proof.notes import Verifier


@dataclass(frozen=True, slots=True)
class HeldGrants:
    """A file of grants that was signed by the registry whose key was given.

    Attributes:
        sha256: of the file, hex; it names in a receipt what was relied on.
    """

    file: GrantFile
    sha256: str

    @classmethod
    def open(cls, path: str | os.PathLike[str], key: str) -> Self:
        """Open and verify a file of grants.

        Args:
            path: as `mediamanager grants pull` wrote it.
            key: the vkey of the registry's promise key, from somewhere that is trusted.

        Raises:
            InvalidInputError: the file can't be read, or does not hold: `grants` is the field.
        """
        try:
            raw = Path(path).read_bytes()
            note = raw.decode("utf-8")
            found = grant_files.open_file(note, [Verifier.parse(key)], at=datetime.now(UTC))
        except (OSError, UnicodeDecodeError, InvalidProofError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise InvalidInputError(f"the grants in {path} can't be used: {reason}", field="grants") from error
        return cls(found, hashlib.sha256(raw).hexdigest())
