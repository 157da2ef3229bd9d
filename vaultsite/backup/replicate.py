"""A second copy of a region's objects, inside the region."""

from dataclasses import dataclass

from compliance.backup.named import named_objects
from compliance.errors.backup import StoreIncomplete
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.blobs.removal import removing_objects
from vaultsite.kernel.errors import BlobMissing, RegionNotServed
from vaultsite.kernel.regions import Region, is_served


@dataclass(frozen=True)
class Replicated:
    """How many objects were copied, and how many went because no row names them any more."""

    copied: int
    removed: int


def replicate(region: Region) -> Replicated:
    """Bring the replica of a region up to its store. Objects are written once, so one that is there is the one.

    Rows say what belongs in it: what none names any more, after erasure or collection, goes from the replica too, but
    not while a backup copies. Nothing goes, and StoreIncomplete is raised, when the store has lost what a row names.
    Raises RegionNotServed when the region has no replica or is not of this process's zones.
    """
    source, replica = _stores(region)
    held = set(replica.names())
    named = named_objects(source.alias)
    copied = _copy(source, replica, named.living - held)
    if lost := _lost(source, named.needed):
        raise StoreIncomplete(f"{len(lost)} objects are not in the store; bring them back from the replica")
    gone = held - named.living
    with removing_objects() as may_go:
        for name in gone if may_go else ():
            replica.delete(name)
    return Replicated(copied, len(gone) if may_go else 0)


def bring_back(region: Region) -> Replicated:
    """Copy what the store of a region has lost, and a row still names, back from its replica.

    Raises RegionNotServed as ``replicate``.
    """
    source, replica = _stores(region)
    named = named_objects(source.alias).living
    return Replicated(_copy(replica, source, named & set(replica.names()) - set(source.names())), 0)


def _lost(store: BlobStore, needed: frozenset[str]) -> frozenset[str]:
    """What is not there. Rows that ended since they were read took their objects along."""
    missing = needed - set(store.names())
    return missing & named_objects(store.alias).needed if missing else missing


def _stores(region: Region) -> tuple[BlobStore, BlobStore]:
    if region.replica is None:
        raise RegionNotServed("The region has no replica")
    if not is_served(region):
        raise RegionNotServed
    return BlobStore.at(region.store), BlobStore.at(region.replica.store)


def _copy(source: BlobStore, target: BlobStore, names: frozenset[str]) -> int:
    copied = 0
    for name in sorted(names):
        try:
            body = source.get(name)
        except BlobMissing:
            continue  # lost, or removed in the meantime
        target.put(name, body)
        copied += 1
    return copied
