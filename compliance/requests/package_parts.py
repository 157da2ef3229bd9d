"""The file of a package as sealed parts in the store of its records' region, named so that leftovers are found."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Final
from uuid import UUID

from access.services.keyring import open_column, seal_column
from compliance.errors.requests import PackageExpired
from compliance.models import RequestPackage
from datasets.errors import DatasetNotFound
from datasets.services.residency import common_store
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.errors import BlobMissing
from vaultsite.kernel.regions import require_served, served_stores

KIND: Final = "subject-package"
#: Plaintext bytes of a part at most: what a download holds in memory.
PART_BYTES: Final = 4 * 1024 * 1024


def part_name(package_id: UUID, fence: int, number: int) -> str:
    """The blob of a part as written under a claim."""
    unique = hashlib.sha256(f"{KIND}/{package_id}/{fence}/{number}".encode()).hexdigest()[:32]
    return f"{KIND}/{unique[:2]}/{unique}"


def store_of(package: RequestPackage) -> BlobStore:
    """Where the datasets that a package is made of lie, inside a scope.

    Raises SeveralRegions when they lie in more than one region, RegionNotServed, DatasetNotFound.
    """
    return BlobStore.at(common_store(UUID(source["dataset_id"]) for source in package.sources))


def write_file(package: RequestPackage, fence: int, body: bytes) -> list[list[object]]:
    """Seal and store a file, inside a scope; returns what ``RequestPackage.parts`` keeps of it. Raises SeveralRegions,
    RegionNotServed.
    """
    store, package_id = store_of(package), package.pk
    parts: list[list[object]] = []
    for number, start in enumerate(range(0, len(body), PART_BYTES)):
        piece = body[start : start + PART_BYTES]
        name = part_name(package_id, fence, number)
        store.put(name, seal_column(KIND, _place(package_id, number), piece))
        parts.append([name, len(piece)])
    return parts


def read_part(package: RequestPackage, number: int, name: str) -> bytes:
    """Inside a scope. Raises PackageExpired when the file was removed meanwhile, IntegrityFailure, RegionNotServed."""
    try:
        sealed = store_of(package).get(name)
    except (BlobMissing, DatasetNotFound) as missing:
        raise PackageExpired from missing
    return open_column(KIND, _place(package.pk, number), sealed)


def remove_file(package: RequestPackage) -> None:
    """Delete every part of a file, and what workers that were killed left behind.

    Raises RegionNotServed when it lies where this process may not touch it, StorageUnavailable.
    """
    for store in _stores(package):
        for name, _ in package.parts:
            with suppress(BlobMissing):
                store.delete(name)
    remove_leftovers(package, fence=package.fence + 1)


def remove_leftovers(package: RequestPackage, *, fence: int) -> None:
    """Delete what claims before ``fence`` wrote and no row names."""
    named = {name for name, _ in package.parts}
    for store in _stores(package):
        for earlier in range(1, fence):
            for name in _written(store, package.pk, earlier):
                if name not in named:
                    with suppress(BlobMissing):
                        store.delete(name)


def _stores(package: RequestPackage) -> list[BlobStore]:
    """Where its file may lie: of a package whose row does not say, in any store that is served here."""
    if package.store:
        require_served([package.store])
        return [BlobStore.at(package.store)]
    return [BlobStore.at(alias) for alias in served_stores()]


def _written(store: BlobStore, package_id: UUID, fence: int) -> Iterator[str]:
    number = 0
    while store.exists(name := part_name(package_id, fence, number)):
        yield name
        number += 1


def _place(package_id: UUID, number: int) -> bytes:
    return package_id.bytes + number.to_bytes(4, "big")
