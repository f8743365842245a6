"""Which algorithms a file's fingerprints cover, and which it lacks since there are newer ones."""

from collections.abc import Collection
from collections.abc import Set as AbstractSet

from fingerprinting.index import registry
from fingerprinting.index.algorithm import spec_id
from fingerprinting.types import FEATURES_MISSING, Extraction, Modality

# A video is known by its sound, too.
_LOOKED_AT = {Modality.VIDEO: frozenset({Modality.VIDEO, Modality.AUDIO})}

# What a note says was not computed, because a library is missing.
_LACKING = {
    FEATURES_MISSING: {spec_id("sift-itq-128", 1), spec_id("video-sift-itq-128", 1), spec_id("pages-sift-itq-128", 1)}
}


def applied(extraction: Extraction, *, complete: bool) -> AbstractSet[str]:
    """The algorithms (`AlgorithmSpec.id`) that a file was given to, also those that found nothing to go by.

    Args:
        extraction: what was found.
        complete: it was made here and now, by every algorithm of today. Otherwise only those count that found
            something; all of them, where nothing but exact bytes can identify the file.
    """
    found = {spec_id(one.algorithm, one.version) for one in extraction.fingerprints}
    everything = complete or not extraction.identifiable
    lacking = {each for note in extraction.notes for each in _LACKING.get(note, ())}
    modalities = {extraction.modality, *extraction.beside}
    return found | (_of_today(modalities) - lacking) if everything else found


def missing(
    modality: Modality, given_to: Collection[str], *, beside: Collection[Modality] = frozenset()
) -> AbstractSet[str]:
    """The algorithms of today that a work was not given to yet.

    Args:
        modality: of its file.
        given_to: the algorithms that it was given to (`AlgorithmSpec.id`). Of those that its modality does not ask for
            (exact keys, a video's thumbnail), a newer version is missing where an older one is there.
        beside: what else of it is to be looked at.
    """
    had = {each.rpartition(".v")[0] for each in given_to}
    newer = {spec.id for spec in registry.ALGORITHMS.values() if spec.name in had}
    return (_of_today({modality, *beside}) | newer) - set(given_to)


def modalities(spec_ids: Collection[str]) -> AbstractSet[Modality | None]:
    """What has to be looked at for these algorithms of today; None: the address or the bytes."""
    return {spec.modality for spec in registry.ALGORITHMS.values() if spec.id in spec_ids}


def _of_today(modalities: Collection[Modality]) -> AbstractSet[str]:
    looked_at = {each for modality in modalities for each in _LOOKED_AT.get(modality, {modality})}
    return {spec.id for spec in registry.ALGORITHMS.values() if spec.modality in looked_at}
