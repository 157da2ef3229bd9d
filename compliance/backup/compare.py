"""Compare a restored vault with what its backup says of the original: versions and roots, and records by chance.

A record is found from the root of its version down, opened, hashed, and its proof checked against the root that the
snapshot had: it is the record, under the version, that was backed up.
"""

import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from compliance.backup.contents import dataset_digests
from compliance.backup.manifest import Manifest
from datasets.errors import CorruptTree, InvalidProof, TreeObjectMissing
from datasets.errors.upkeep import DataCorruption
from datasets.models import Blob, Version
from datasets.services.keys import load_keys
from datasets.services.pack_reader import PackReader
from datasets.tree.chunk import ChunkCodec
from datasets.tree.digests import EMPTY_ROOT
from datasets.tree.node import Child
from datasets.tree.reader import iterate_chunk_children, prove, verify_proof
from vaultsite.kernel.errors import BlobMissing, IntegrityFailure, KeyDestroyed
from vaultsite.kernel.regions import DEFAULT_STORE
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

_FAULTS: Final = (CorruptTree, InvalidProof, TreeObjectMissing, DataCorruption, BlobMissing, IntegrityFailure)


@dataclass
class Tally:
    """What was compared of one organization."""

    tenant: str
    datasets: int = 0
    versions: int = 0
    records: int = 0
    mismatches: int = 0


def compare(manifest: Manifest, *, purged: Collection[str], records: int) -> list[Tally]:
    """Compare every dataset of every organization that is in the backup; ``purged`` ones were removed by the replay."""
    found = dataset_digests("owner")
    tallies = {tenant: Tally(tenant) for tenant in manifest.tenants}
    for place, digest in manifest.datasets.items():
        tenant, _, dataset = place.partition("/")
        if dataset not in purged:
            _compare_dataset(tallies[tenant], UUID(dataset), found.get(place), digest, records)
    return list(tallies.values())


def _compare_dataset(tally: Tally, dataset_id: UUID, found: str | None, expected: str, records: int) -> None:
    tenant_id = UUID(tally.tenant)
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        versions = list(Version.objects.filter(dataset_id=dataset_id).order_by("sequence"))
        reader = PackReader(load_keys(dataset_id)) if versions else None
        if Blob.objects.filter(dataset_id=dataset_id).exclude(store=DEFAULT_STORE).exists():
            reader = None  # its objects lie in another region, and in no backup
    tally.datasets += 1
    tally.versions += len(versions)
    tally.mismatches += found != expected
    if reader is not None:
        for is_right in _read(reader, bytes(versions[-1].root), records):
            tally.records += 1
            tally.mismatches += not is_right


def _read(reader: PackReader, root: bytes, records: int) -> Iterator[bool]:
    """Of up to ``records`` records in as many places of a tree, whether each opens and belongs to the root.

    Nothing of what a destroyed key sealed: that it does not open is how it should be.
    """
    if root == EMPTY_ROOT:
        return
    try:
        children = list(iterate_chunk_children(reader, root))
        for child in random.choices(children, k=records):  # noqa: S311 - which ones is no secret
            yield _is_right(reader, root, child)
    except KeyDestroyed:
        return
    except _FAULTS:
        yield False


def _is_right(reader: PackReader, root: bytes, child: Child) -> bool:
    """Whether a record of a chunk, picked by chance, is proven to belong to the root; so is a chunk of erased ones."""
    chunk = ChunkCodec().decode(reader.load(child.digest).body)
    if not len(chunk):
        return True
    record = chunk[random.randrange(len(chunk))]  # noqa: S311 - which one is no secret
    proof = prove(reader, root, record.id)
    if proof is None:
        return False
    verify_proof(root, record.leaf, proof)
    return True
