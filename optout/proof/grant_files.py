"""The grants to one account as a signed note: what it was permitted, as the registry knew it when it signed.

It is for that account alone and works offline. A grant that was revoked later is still in an older file, so a file is
good for a limited time.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from optout.consent import spelling
from optout.consent.grants import Grant
from optout.errors import InvalidProofError
from optout.proof import notes
from optout.proof.entries import parse_time, time_text
from optout.proof.notes import Signer, Verifier
from optout.proof.promises import log_of

KIND: Final = "mediamanager.grants/v1"
GOOD_FOR: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class GrantFile:
    """What a registry says that one account was permitted.

    Attributes:
        log: origin of the registry's log.
        account: pseudonymous id of the grantee.
        issued_at: aware UTC, whole milliseconds.
        good_until: after that it counts no longer, and a new one has to be fetched.
    """

    log: str
    account: str
    issued_at: datetime
    grants: tuple[Grant, ...]

    @property
    def good_until(self) -> datetime:
        """When a new one has to be fetched."""
        return self.issued_at + GOOD_FOR

    @property
    def text(self) -> str:
        """The lines to be signed."""
        lines = [KIND, f"log {self.log}", f"account {self.account}", f"issued {time_text(self.issued_at)}"]
        spelled = (spelling.write_grant(grant) for grant in self.grants)
        lines += [json.dumps(one, sort_keys=True, separators=(",", ":")) for one in spelled]
        return "\n".join(lines) + "\n"


def sign(account: str, grants: Sequence[Grant], issued_at: datetime, signer: Signer) -> str:
    """Sign the grants to an account with the promise key.

    Raises:
        InvalidProofError: the signer is not a promise key.
    """
    return notes.sign(GrantFile(log_of(signer.name), account, issued_at, tuple(grants)).text, signer)


def open_file(note: str, verifiers: Iterable[Verifier], *, at: datetime) -> GrantFile:
    """Open a file of grants.

    Args:
        note: as `sign` made it.
        verifiers: the promise key of the registry.
        at: the present moment.

    Raises:
        InvalidProofError: it is malformed, not signed by that key, altered, or too old.
    """
    opened = notes.open_note(note, verifiers)
    try:
        kind, log, account, issued, *lines = opened.text.splitlines()
        grants = tuple(spelling.read_grant(json.loads(line)) for line in lines)
        words = [log.removeprefix("log "), account.removeprefix("account "), issued.removeprefix("issued ")]
        found = GrantFile(words[0], words[1], parse_time(words[2]), grants)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidProofError("this is not a file of grants") from error
    if kind != KIND:
        raise InvalidProofError("this is not a file of grants of a version that is read here")
    if any(grant.grantee != found.account for grant in grants):
        raise InvalidProofError("the file holds a grant to another account than its own")
    if not any(log_of(verifier.name) == found.log for verifier in opened.signed_by):
        raise InvalidProofError(f"the grants are not signed by the promise key of {found.log}")
    if at > found.good_until:
        raise InvalidProofError(
            f"the grants were signed on {found.issued_at.date()}, more than {GOOD_FOR.days} days ago, and may have "
            f"been revoked since: fetch them again with `mediamanager grants pull`"
        )
    return found
