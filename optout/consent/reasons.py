"""The steps that lead to a verdict, as stable codes with parameters; `explain` makes them sentences."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

Parameter: TypeAlias = str | int | float

NO_PARAMETERS: Mapping[str, Parameter] = MappingProxyType({})


class Code(StrEnum):
    """Every step there is. A code is never renamed or given a new meaning; parameters in braces."""

    # About one statement and one leaf use: {statement} its id, {use}, {evidence}, {preference} what it says.
    STATEMENT_DISALLOWS = "statement_disallows"
    STATEMENT_CONDITIONAL = "statement_conditional"  # {terms_url} when the statement names terms
    STATEMENT_ALLOWS = "statement_allows"
    ALLOW_NOT_AUTHENTICATED = "allow_not_authenticated"
    BELOW_MIN_EVIDENCE = "below_min_evidence"  # {minimum}
    NOT_YET_VALID = "not_yet_valid"  # {valid_from}
    NO_LONGER_VALID = "no_longer_valid"  # {valid_until}
    RECORDED_LATER = "recorded_later"  # {recorded_at}
    SUPERSEDED = "superseded"  # a later version of the same claim speaks
    WITHDRAWN = "withdrawn"  # {withdrawn_at}
    NARROWER_SAID = "narrower_said"  # {scope} its own; the same claimant says something about less
    BOUND_ELSEWHERE = "bound_elsewhere"  # {location} where it counts
    OVERRIDDEN_BY_GRANT = "overridden_by_grant"  # {grant}
    SOURCE_UNREAD = "source_unread"  # {carrier}, {error} a stable word
    MORE_STATEMENTS = "more_statements"  # {use}, {count} of those that the trace leaves out; no {statement}

    # About one grant to whoever asks and one leaf use: {grant} its id, {use}.
    GRANT_ALLOWS = "grant_allows"  # {valid_until} when it ends
    GRANT_NOT_AUTHENTICATED = "grant_not_authenticated"  # {evidence}
    GRANT_NOT_YET_VALID = "grant_not_yet_valid"  # {valid_from}
    GRANT_NO_LONGER_VALID = "grant_no_longer_valid"  # {valid_until}
    GRANT_REVOKED = "grant_revoked"  # {revoked_at}
    GRANT_RECORDED_LATER = "grant_recorded_later"  # {recorded_at}

    # About what follows.
    CLAIMANTS_DIFFER = "claimants_differ"  # {use}
    NO_RESERVATION_FOUND = "no_reservation_found"  # {use}
    USES_COMBINED = "uses_combined"  # {use} an aggregate, {preference}
    WORKS_COMBINED = "works_combined"  # {works} how many, {preference}
    SOURCES_COMBINED = "sources_combined"  # {sources} how many, {preference}

    # About what was recognised in an asset. Of a text further parameters say why it is no more than likely, or what of
    # it does not count: {quotation} seconds that one takes at most, {thin}, {shared_by_owners}, {repeated_in_works},
    # {series}.
    WORK_FOUND = "work_found"  # {work}, {strength}, {algorithm}, {preference}
    LIKELY_MATCH_FOR_REVIEW = "likely_match_for_review"  # {work}, {algorithm}, {preference}
    MATCH_REJECTED = "match_rejected"  # {work}, {algorithm}: known not to be a copy, and so left out
    NO_MATCH_FOUND = "no_match_found"
    NOT_IDENTIFIABLE = "not_identifiable"
    NOT_CHECKED = "not_checked"  # {error} a sentence


@dataclass(frozen=True, slots=True)
class Reason:
    """One step that led to a verdict, as a stable code with parameters; `consent.explain` makes it a sentence."""

    code: str
    parameters: Mapping[str, Parameter] = field(default_factory=lambda: NO_PARAMETERS)
