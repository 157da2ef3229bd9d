"""The file of a package as sealed parts in the blob store: named so that leftovers of killed workers are found."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Final
from uuid import UUID

from access.services.keyring import open_column, seal_column
from compliance.errors.requests import PackageExpired
from compliance.models import RequestPackage
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.errors import BlobMissing

KIND: Final = "subject-package"
#: Plaintext bytes of a part at most: what a download holds in memory.
PART_BYTES: Final = 4 * 1024 * 1024


def part_name(package_id: UUID, fence: int, number: int) -> str:
    """The blob of a part as written under a claim."""
    unique = hashlib.sha256(f"{KIND}/{package_id}/{fence}/{number}".encode()).hexdigest()[:32]
    return f"{KIND}/{unique[:2]}/{unique}"


def write_file(package_id: UUID, fence: int, body: bytes) -> list[list[object]]:
    """Seal and store a file, inside a scope; returns what ``RequestPackage.parts`` keeps of it."""
    parts: list[list[object]] = []
    for number, start in enumerate(range(0, len(body), PART_BYTES)):
        piece = body[start : start + PART_BYTES]
        name = part_name(package_id, fence, number)
        BlobStore.default().put(name, seal_column(KIND, _place(package_id, number), piece))
        parts.append([name, len(piece)])
    return parts


def read_part(package_id: UUID, number: int, name: str) -> bytes:
    """Inside a scope. Raises PackageExpired when the file was removed meanwhile, IntegrityFailure."""
    try:
        sealed = BlobStore.default().get(name)
    except BlobMissing as missing:
        raise PackageExpired from missing
    return open_column(KIND, _place(package_id, number), sealed)


def remove_file(package: RequestPackage) -> None:
    """Delete every part of a file, and what workers that were killed left behind."""
    store = BlobStore.default()
    for name, _ in package.parts:
        with suppress(BlobMissing):
            store.delete(name)
    remove_leftovers(package, fence=package.fence + 1)


def remove_leftovers(package: RequestPackage, *, fence: int) -> None:
    """Delete what claims before ``fence`` wrote and no row names."""
    store, named = BlobStore.default(), {name for name, _ in package.parts}
    for earlier in range(1, fence):
        for name in _written(package.pk, earlier):
            if name not in named:
                with suppress(BlobMissing):
                    store.delete(name)


def _written(package_id: UUID, fence: int) -> Iterator[str]:
    store, number = BlobStore.default(), 0
    while store.exists(name := part_name(package_id, fence, number)):
        yield name
        number += 1


def _place(package_id: UUID, number: int) -> bytes:
    return package_id.bytes + number.to_bytes(4, "big")
