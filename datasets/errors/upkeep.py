"""Erasure, garbage collection and scrubbing: 4441 to 4459."""

from vaultsite.kernel.errors import VaultError


class DataCorruption(VaultError):
    """A stored chunk or node does not open, or its pack is gone: it is quarantined and nothing of it is served.

    The rest of the version stays readable. ``digest`` names the object, in hex.
    """

    code, slug, status = "VAULT_DATA_4441", "data-corruption", 500
    title = "A stored part of a version is damaged and has been quarantined"

    def __init__(self, digest: bytes) -> None:
        super().__init__(digest=digest.hex())


class ErasureNotFound(VaultError):
    """No such erasure, or none of a dataset the principal may know of: the two are not told apart."""

    code, slug, status = "VAULT_DATA_4442", "erasure-not-found", 404
    title = "No such erasure"
    outcome = "denied"


class ErasedMeanwhile(VaultError):
    """Records were erased from the dataset after the job began to build: what it has built must not be kept."""

    code, slug, status = "VAULT_DATA_4443", "erased-meanwhile", 503
    title = "Records were erased while a version was being built; it is built again"
    retry_after = 5


class ErasureUnderway(VaultError):
    """A job from before an erasure waits for its end: only then is all known that it must not bring back."""

    code, slug, status = "VAULT_DATA_4444", "erasure-underway", 503
    title = "Records of the dataset are being erased"
    retry_after = 5


class CollectionNotFound(VaultError):
    code, slug, status = "VAULT_DATA_4445", "garbage-collection-not-found", 404
    title = "No such garbage collection"
    outcome = "denied"


class ScrubNotFound(VaultError):
    code, slug, status = "VAULT_DATA_4446", "scrub-not-found", 404
    title = "No such scrub"
    outcome = "denied"
