"""A work as the pages show it: its name, its live claim, why it failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from babel.support import NullTranslations
from sqlalchemy.orm import Session

from mediamanager.web import sentences
from optout.registry import claims, delays, works
from optout.registry.delays import Delay
from optout.store.models.claims import Claim
from optout.store.models.works import Work


@dataclass(frozen=True, slots=True)
class Row:
    """One work. `claim` is the live one; `failure` and `delayed` are sentences in the reader's language.

    `delayed` says why a pending work is not read yet; `retry_at` is None while it is being tried.
    """

    work: Work
    name: str
    claim: Claim | None
    failure: str | None
    delayed: str | None
    retry_at: datetime | None


def rows(session: Session, found: Sequence[Work], words: NullTranslations) -> list[Row]:
    """Works with their live claims, in the order given."""
    live = {claim.work_id: claim for claim in claims.live_for_works(session, [w.id for w in found])}
    late = delays.of_works(session, found)
    return [
        Row(work, name(work), live.get(work.id), _failure(work, words), *_delay(late.get(work.id), words))
        for work in found
    ]


def row(session: Session, *, work_id: UUID, account_id: UUID, words: NullTranslations) -> Row:
    """One work of an account; NotFoundError if it is not theirs."""
    return rows(session, [works.get(session, work_id=work_id, account_id=account_id)], words)[0]


def name(work: Work) -> str:
    """What a work is called: its title, else its file or address, else the beginning of its number."""
    return work.title or work.file_name or work.source_url or str(work.id)[:8]


def _failure(work: Work, words: NullTranslations) -> str | None:
    if work.failure_code is None:
        return None
    return sentences.failure(work.failure_code, work.failure_sentence or "", words)


def _delay(delay: Delay | None, words: NullTranslations) -> tuple[str | None, datetime | None]:
    if delay is None:
        return None, None
    return sentences.delay(delay.code, delay.sentence, words), delay.next_attempt_at
