"""English: sentences per code, and the words that stand in them."""

SENTENCES = {
    "statement_disallows": "The rightsholder says no to {use} (statement {statement}, {evidence}).",
    "statement_conditional": (
        "The rightsholder wants to be asked first about {use} (statement {statement}, {evidence})."
    ),
    "statement_conditional+terms_url": (
        "The rightsholder sets terms for {use}: {terms_url} (statement {statement}, {evidence})."
    ),
    "statement_allows": "The rightsholder says yes to {use} (statement {statement}, {evidence}).",
    "allow_not_authenticated": (
        "Somebody says yes to {use}, but has not shown that the work is theirs ({evidence}): "
        "this does not count as a permission (statement {statement})."
    ),
    "below_min_evidence": (
        "Statement {statement} says “{preference}” about {use}, but is only {evidence}; "
        "whoever asks here counts {minimum} and above."
    ),
    "not_yet_valid": "Statement {statement} says “{preference}” about {use}, but only from {valid_from} on.",
    "no_longer_valid": "Statement {statement} said “{preference}” about {use}, until {valid_until}.",
    "recorded_later": (
        "Statement {statement} says “{preference}” about {use}, but was not yet known then: "
        "it was recorded on {recorded_at}."
    ),
    "statement_conditional+contact": (
        "The rightsholder wants to be asked first about {use}, at {contact} (statement {statement}, {evidence})."
    ),
    "superseded": "Statement {statement} said “{preference}” about {use}, until its author replaced it by a later one.",
    "withdrawn": "Statement {statement} said “{preference}” about {use}, until it was withdrawn on {withdrawn_at}.",
    "narrower_said": (
        "Statement {statement} says “{preference}” about {use} for {scope}, "
        "but the same person says something else about less, and that counts."
    ),
    "bound_elsewhere": (
        "Statement {statement} says “{preference}” about {use}, but only for what lies at {location}, "
        "which is not where this was found."
    ),
    "overridden_by_grant": (
        "Statement {statement} says “{preference}” about {use}, but you hold a permission ({grant}) that goes before."
    ),
    "source_unread": (
        "There is a statement that could not be understood ({carrier}: {error}). "
        "It may be a reservation, so nothing counts as permitted for {use}."
    ),
    "more_statements": "{count} further statements about {use} were weighed and are not shown; they change nothing.",
    "grant_allows": "You hold a permission of the rightsholder for {use} (grant {grant}).",
    "grant_allows+valid_until": (
        "You hold a permission of the rightsholder for {use}, until {valid_until} (grant {grant})."
    ),
    "grant_not_authenticated": (
        "Somebody gave you a permission for {use}, but has not shown that the work is theirs ({evidence}): "
        "it does not count (grant {grant})."
    ),
    "grant_not_yet_valid": "Your permission for {use} begins only on {valid_from} (grant {grant}).",
    "grant_no_longer_valid": "Your permission for {use} ended on {valid_until} (grant {grant}).",
    "grant_revoked": "Your permission for {use} was taken back on {revoked_at} (grant {grant}).",
    "grant_recorded_later": (
        "Your permission for {use} was not yet known then: it was recorded on {recorded_at} (grant {grant})."
    ),
    "claimants_differ": "Several people claim this work, and they do not say the same about {use}.",
    "no_reservation_found": "No reservation was found for {use}. That is not a permission.",
    "uses_combined": "All uses together, {use}: {preference}.",
    "works_combined": "It shows {works} registered works, and all of them must allow: {preference}.",
    "sources_combined": "{sources} sources were asked, and the most restrictive answer counts: {preference}.",
    "work_found": "It is a copy of the registered work {work} ({strength}, by {algorithm}): {preference}.",
    "likely_match_for_review": (
        "It may be a copy of the registered work {work} (by {algorithm}), for which the answer is {preference}. "
        "A person should look; this alone decides nothing."
    ),
    "match_rejected": (
        "It looks like the registered work {work} (by {algorithm}), but it is known that it is not a copy of it."
    ),
    "no_match_found": "No registered work was recognised in it.",
    "not_identifiable": (
        "It holds too little to be recognised by what it looks or sounds like: only an exact copy would be found."
    ),
    "not_checked": "It could not be checked: {error} That is not a permission.",
}

UNKNOWN_CODE = "A step that this version can't explain: {code}."

USES = {
    "train-genai": "training generative AI",
    "train-other": "training other AI",
    "ai-input": "use as input of an AI",
    "ai-index": "indexing for an AI",
    "search": "search engines",
    "tdm-other": "other text and data mining",
    "train-ai": "training AI",
    "ai-all": "any AI use",
    "all": "any automated use",
}

PREFERENCES = {
    "allowed": "allowed",
    "conditional": "ask first",
    "disallowed": "not allowed",
    "unknown": "nothing known",
}

EVIDENCE = {
    "self-declared": "self-declared",
    "account": "known account",
    "domain": "verified domain",
    "verified": "verified",
}

SCOPES = {"account": "all their works", "collection": "a collection of works", "work": "this work"}

STRENGTHS = {"exact": "exact", "match": "sure match", "likely": "likely match"}

SAYS = {
    "disallowed": "Nobody may use it for: {uses}.",
    "conditional": "You want to be asked first about: {uses}.",
    "allowed": "It may be used for: {uses}.",
    "unknown": "You say nothing about: {uses}.",
}

PRESETS = {
    "no-ai": "No AI at all",
    "search-only": "Search yes, AI no",
    "ask-first": "Ask me first",
    "all-welcome": "All welcome",
}

PRESET_SAYS = {
    "no-ai": "Nobody may use it for AI: not to train one, not to feed one. You say nothing about search engines.",
    "search-only": "Search engines may show it. Nobody may use it for AI, or for any other automated analysis.",
    "ask-first": "Whoever wants to use it for AI has to ask you first, and leaves it out until you agree.",
    "all-welcome": "Everybody may use it: for AI, in search engines, for analysis.",
}

ALSO = {
    "terms_url": "The terms: {terms_url}.",
    "contact": "Ask at {contact}.",
    "languages": "Ask in: {languages}.",
    "valid_until": "This ends on {valid_until}.",
    "quotation": (
        "What both have in common takes less than about {quotation} seconds to say and is a small part of both: a "
        "quotation."
    ),
    "thin": "Only some of the words there are the same: both may only name the same things.",
    "shared_by_owners": (
        "{shared_by_owners} owners have a passage of it in works of theirs, so that it is nobody's alone (an "
        "advertisement, a song, a prayer) and does not count."
    ),
    "repeated_in_works": (
        "{repeated_in_works} works of its owner repeat a passage of it (a jingle, a sponsor's message), which does not "
        "count."
    ),
    "series": "The rest is little, and of the same series: that does not count either.",
}

AND = " and "

FIRST_DAY = "1"

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
