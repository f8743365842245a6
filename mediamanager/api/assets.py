"""From the wire to the domain: assets and fingerprints, with errors that name the field in the request."""

from collections.abc import Iterable, Sequence

from fingerprinting.errors import InvalidFingerprintError
from fingerprinting.index import registry
from fingerprinting.types import Fingerprint
from mediamanager.schemas.fingerprints import WireFingerprint
from mediamanager.schemas.lookups import WireAsset
from optout.catalogue.answers import Asset
from optout.consent.identifiers import canonical_url, fingerprints_for
from optout.errors import InvalidInputError


def assets_of(wire: Sequence[WireAsset]) -> list[Asset]:
    """Read a batch, in its order.

    Raises:
        InvalidInputError: an address, id or digest can't be used; `field` is its path.
        InvalidFingerprintError: a fingerprint can't be used; `field` is its path.
    """
    return [_asset(asset, f"assets.{row}") for row, asset in enumerate(wire)]


def fingerprints_of(wire: Iterable[WireFingerprint], path: str) -> tuple[Fingerprint, ...]:
    """Read a list of fingerprints that stands at a path of the request.

    Raises:
        InvalidFingerprintError: one of them can't be used; `field` is its path.
    """
    return tuple(_fingerprint(one, f"{path}.{number}") for number, one in enumerate(wire))


def _asset(wire: WireAsset, path: str) -> Asset:
    try:
        keys = fingerprints_for(url=wire.url, youtube=wire.youtube, sha256=wire.sha256)
    except InvalidInputError as error:
        raise InvalidInputError(
            str(error), **{**error.parameters, "field": f"{path}.{error.parameters['field']}"}
        ) from error
    location = None if wire.url is None else canonical_url(wire.url)
    return Asset(
        tuple(dict.fromkeys(keys + fingerprints_of(wire.fingerprints, f"{path}.fingerprints"))),
        wire.identifiable,
        location,
    )


def _fingerprint(wire: WireFingerprint, path: str) -> Fingerprint:
    try:
        return registry.decode(wire.algorithm, wire.version, wire.value, wire.quality, wire.span)
    except InvalidFingerprintError as error:
        field = error.parameters.get("field", "value")
        raise InvalidFingerprintError(str(error), **{**error.parameters, "field": f"{path}.{field}"}) from error
