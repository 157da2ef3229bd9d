"""A second copy of a region's objects, inside the region."""

from dataclasses import dataclass

from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.blobs.removal import removing_objects
from vaultsite.kernel.errors import BlobMissing, RegionNotServed
from vaultsite.kernel.regions import Region, is_served


@dataclass(frozen=True)
class Replicated:
    """How many objects were copied, and how many went because the region has them no more."""

    copied: int
    removed: int


def replicate(region: Region) -> Replicated:
    """Bring the replica of a region up to its store. Objects are written once, so one that is there is the one.

    What went from the store, by erasure or collection, goes from the replica too, but not while a backup copies.
    Raises RegionNotServed when the region has no replica or is not of this process's zones.
    """
    source, replica = _stores(region)
    names = set(source.names())
    copied = _copy(source, replica, names)
    gone = set(replica.names()) - set(source.names())
    with removing_objects() as may_go:
        for name in gone if may_go else ():
            replica.delete(name)
    return Replicated(copied, len(gone) if may_go else 0)


def bring_back(region: Region) -> Replicated:
    """Copy what the store of a region has lost back from its replica. Raises RegionNotServed as ``replicate``."""
    source, replica = _stores(region)
    return Replicated(_copy(replica, source, set(replica.names())), 0)


def _stores(region: Region) -> tuple[BlobStore, BlobStore]:
    if region.replica is None:
        raise RegionNotServed("The region has no replica")
    if not is_served(region):
        raise RegionNotServed
    return BlobStore.at(region.store), BlobStore.at(region.replica.store)


def _copy(source: BlobStore, target: BlobStore, names: set[str]) -> int:
    copied = 0
    for name in sorted(names - set(target.names())):
        try:
            body = source.get(name)
        except BlobMissing:
            continue  # removed in the meantime
        target.put(name, body)
        copied += 1
    return copied
