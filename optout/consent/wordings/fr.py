"""French: sentences per code, and the words that stand in them. Spaces before `:` and inside `« »` do not break."""

SENTENCES = {
    "statement_disallows": "L'ayant droit refuse {use} (déclaration {statement}, {evidence}).",
    "statement_conditional": (
        "L'ayant droit veut être consulté d'abord pour {use} (déclaration {statement}, {evidence})."
    ),
    "statement_conditional+terms_url": (
        "L'ayant droit pose des conditions pour {use}\u00a0: {terms_url} (déclaration {statement}, {evidence})."
    ),
    "statement_allows": "L'ayant droit accepte {use} (déclaration {statement}, {evidence}).",
    "allow_not_authenticated": (
        "Quelqu'un accepte {use}, mais n'a pas montré que l'œuvre lui appartient ({evidence})\u00a0: "
        "cela ne vaut pas autorisation (déclaration {statement})."
    ),
    "below_min_evidence": (
        "La déclaration {statement} dit «\u00a0{preference}\u00a0» pour {use}, mais elle est seulement "
        "{evidence}\u00a0; le demandeur ne retient que le niveau {minimum} et au-dessus."
    ),
    "not_yet_valid": (
        "La déclaration {statement} dit «\u00a0{preference}\u00a0» pour {use}, mais seulement à partir du {valid_from}."
    ),
    "no_longer_valid": (
        "La déclaration {statement} disait «\u00a0{preference}\u00a0» pour {use}, jusqu'au {valid_until}."
    ),
    "recorded_later": (
        "La déclaration {statement} dit «\u00a0{preference}\u00a0» pour {use}, mais elle n'était pas encore "
        "connue\u00a0: elle a été enregistrée le {recorded_at}."
    ),
    "statement_conditional+contact": (
        "L'ayant droit veut être consulté d'abord pour {use}, à l'adresse {contact} "
        "(déclaration {statement}, {evidence})."
    ),
    "superseded": (
        "La déclaration {statement} disait «\u00a0{preference}\u00a0» pour {use}, "
        "jusqu'à ce que son auteur la remplace par une autre."
    ),
    "withdrawn": (
        "La déclaration {statement} disait «\u00a0{preference}\u00a0» pour {use}, "
        "jusqu'à son retrait le {withdrawn_at}."
    ),
    "narrower_said": (
        "La déclaration {statement} dit «\u00a0{preference}\u00a0» pour {use}, pour {scope}, "
        "mais la même personne dit autre chose de plus précis, et c'est cela qui compte."
    ),
    "bound_elsewhere": (
        "La déclaration {statement} dit «\u00a0{preference}\u00a0» pour {use}, mais seulement pour ce qui se trouve à "
        "l'adresse {location}, et ceci vient d'ailleurs."
    ),
    "overridden_by_grant": (
        "La déclaration {statement} dit «\u00a0{preference}\u00a0» pour {use}, "
        "mais vous avez une autorisation ({grant}) qui passe avant."
    ),
    "source_unread": (
        "Une déclaration n'a pas pu être comprise ({carrier}\u00a0: {error}). "
        "C'est peut-être une réserve, donc rien ne vaut autorisation pour {use}."
    ),
    "more_statements": (
        "{count} autres déclarations sur {use} ont été pesées et ne sont pas montrées\u00a0; elles ne changent rien."
    ),
    "grant_allows": "Vous avez une autorisation de l'ayant droit pour {use} (autorisation {grant}).",
    "grant_allows+valid_until": (
        "Vous avez une autorisation de l'ayant droit pour {use}, jusqu'au {valid_until} (autorisation {grant})."
    ),
    "grant_not_authenticated": (
        "Quelqu'un vous a donné une autorisation pour {use}, mais n'a pas montré que l'œuvre lui appartient "
        "({evidence})\u00a0: elle ne compte pas (autorisation {grant})."
    ),
    "grant_not_yet_valid": "Votre autorisation pour {use} ne commence que le {valid_from} (autorisation {grant}).",
    "grant_no_longer_valid": "Votre autorisation pour {use} a pris fin le {valid_until} (autorisation {grant}).",
    "grant_revoked": "Votre autorisation pour {use} a été retirée le {revoked_at} (autorisation {grant}).",
    "grant_recorded_later": (
        "Votre autorisation pour {use} n'était pas encore connue\u00a0: "
        "elle a été enregistrée le {recorded_at} (autorisation {grant})."
    ),
    "claimants_differ": (
        "Plusieurs personnes revendiquent cette œuvre, et elles ne disent pas la même chose pour {use}."
    ),
    "no_reservation_found": "Aucune réserve n'a été trouvée pour {use}. Ce n'est pas une autorisation.",
    "uses_combined": "Tous usages réunis, {use}\u00a0: {preference}.",
    "works_combined": (
        "Le fichier montre {works} œuvres enregistrées, et toutes doivent l'autoriser\u00a0: {preference}."
    ),
    "sources_combined": (
        "{sources} sources ont été consultées, et la réponse la plus restrictive compte\u00a0: {preference}."
    ),
    "work_found": ("C'est une copie de l'œuvre enregistrée {work} ({strength}, par {algorithm})\u00a0: {preference}."),
    "likely_match_for_review": (
        "C'est peut-être une copie de l'œuvre enregistrée {work} (par {algorithm}), "
        "pour laquelle la réponse est «\u00a0{preference}\u00a0». "
        "Une personne devrait regarder\u00a0; cela seul ne décide de rien."
    ),
    "match_rejected": (
        "Le fichier ressemble à l'œuvre enregistrée {work} (par {algorithm}), "
        "mais on sait que ce n'en est pas une copie."
    ),
    "no_match_found": "Aucune œuvre enregistrée n'y a été reconnue.",
    "not_identifiable": (
        "Il y a trop peu de contenu pour le reconnaître à l'image ou au son\u00a0: "
        "seule une copie exacte serait trouvée."
    ),
    "not_checked": "La vérification n'a pas pu se faire\u00a0: {error} Ce n'est pas une autorisation.",
}

UNKNOWN_CODE = "Une étape que cette version ne sait pas expliquer\u00a0: {code}."

USES = {
    "train-genai": "l'entraînement d'une IA générative",
    "train-other": "l'entraînement d'une autre IA",
    "ai-input": "l'usage comme entrée d'une IA",
    "ai-index": "l'indexation pour une IA",
    "search": "les moteurs de recherche",
    "tdm-other": "toute autre fouille de textes et de données",
    "train-ai": "l'entraînement d'une IA",
    "ai-all": "tout usage par une IA",
    "all": "tout usage automatisé",
}

PREFERENCES = {
    "allowed": "autorisé",
    "conditional": "demander d'abord",
    "disallowed": "refusé",
    "unknown": "rien de connu",
}

EVIDENCE = {
    "self-declared": "sur simple déclaration",
    "account": "compte connu",
    "domain": "domaine vérifié",
    "verified": "vérifiée",
}

SCOPES = {"account": "toutes ses œuvres", "collection": "une collection d'œuvres", "work": "cette œuvre"}

STRENGTHS = {"exact": "exacte", "match": "correspondance sûre", "likely": "correspondance probable"}

SAYS = {
    "disallowed": "Personne ne peut l'utiliser pour\u00a0: {uses}.",
    "conditional": "Vous voulez être consulté d'abord pour\u00a0: {uses}.",
    "allowed": "Cela peut être utilisé pour\u00a0: {uses}.",
    "unknown": "Vous ne dites rien sur\u00a0: {uses}.",
}

PRESETS = {
    "no-ai": "Aucune IA",
    "search-only": "Recherche oui, IA non",
    "ask-first": "Demandez-moi d'abord",
    "all-welcome": "Tout est permis",
}

PRESET_SAYS = {
    "no-ai": (
        "Personne ne peut l'utiliser pour l'IA\u00a0: ni pour en entraîner une, ni pour en nourrir une. "
        "Vous ne dites rien des moteurs de recherche."
    ),
    "search-only": (
        "Les moteurs de recherche peuvent la montrer. Personne ne peut l'utiliser pour l'IA, "
        "ni pour une autre analyse automatique."
    ),
    "ask-first": (
        "Qui veut l'utiliser pour l'IA doit d'abord vous demander, et la laisse de côté jusqu'à votre accord."
    ),
    "all-welcome": "Tout le monde peut l'utiliser\u00a0: pour l'IA, dans les moteurs de recherche, pour l'analyser.",
}

ALSO = {
    "terms_url": "Les conditions\u00a0: {terms_url}.",
    "contact": "À demander à l'adresse {contact}.",
    "languages": "Langues\u00a0: {languages}.",
    "valid_until": "Cela prend fin le {valid_until}.",
    "quotation": (
        "Ce que les deux ont en commun se dit en moins de {quotation} secondes environ et n'est qu'une petite partie "
        "de chacun\u00a0: une citation."
    ),
    "thin": "Seule une partie des mots y est la même\u00a0: les deux ne nomment peut-être que les mêmes choses.",
    "shared_by_owners": (
        "{shared_by_owners} titulaires en ont un passage dans leurs œuvres\u00a0: il n'est à personne en particulier "
        "(une publicité, une chanson, une prière) et ne compte pas."
    ),
    "repeated_in_works": (
        "{repeated_in_works} œuvres de son titulaire en répètent un passage (un jingle, le message d'un mécène), qui "
        "ne compte pas."
    ),
    "series": "Le reste est peu de chose et vient de la même série\u00a0: cela ne compte pas non plus.",
}

AND = " et "

FIRST_DAY = "1er"

MONTHS = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)
