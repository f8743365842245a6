"""Why a match of texts is no more than likely, or what of it does not count, as parameters of its reason."""

from collections.abc import Mapping

from fingerprinting.thresholds import SHINGLE_QUOTE_SECONDS
from fingerprinting.types import EvidenceValue
from optout.consent.reasons import Parameter


def text_parameters(evidence: Mapping[str, EvidenceValue]) -> dict[str, Parameter]:
    """Read them out of a match's evidence; none of one that is of no texts. `consent.explain` says each of them."""
    told: dict[str, Parameter] = {}
    # What is left of a long passage, of which something does not count, was not said in so short a time.
    if evidence.get("is_quotation") is True and "shared_evidence" not in evidence:
        told["quotation"] = round(SHINGLE_QUOTE_SECONDS)
    if evidence.get("is_thin") is True:
        told["thin"] = 1
    for name in ("shared_by_owners", "repeated_in_works"):
        count = evidence.get(name)
        if isinstance(count, int) and count:
            told[name] = count
    if evidence.get("of_same_series") is True:
        told["series"] = 1
    return told
