"""Turn a finished tree into a version, or take everything of a failed ingest back."""

import re
import secrets
from typing import Any, Final

import orjson
from django.db.models import Max
from django.utils import timezone

from access.services.keyring import open_column, seal_column
from datasets.errors import TreeObjectMissing, VersionLabelTaken
from datasets.models import (
    Blob,
    BlobKind,
    BlobState,
    Branch,
    Chunk,
    Dataset,
    FindingsBlob,
    Ingest,
    SubjectIndexEntry,
    Version,
)
from datasets.services.ingest.build import Built, Profile
from datasets.tree.version import version_id
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.jobs import Claim

_LABEL: Final = re.compile(r"v(\d{1,6})\.(\d{1,6})\.(\d{1,6})")
_VERIFY_BATCH: Final = 10_000


def commit_version(
    ingest: Ingest, claim: Claim, parent: Version | None, built: Built, seed: SecretKey
) -> Version | None:
    """Insert the version, move the branch and finish the job, in one transaction; None when the branch has moved.

    Nothing of it is visible before; after it the job's seed is gone and its temporary objects are marked dead.
    """
    with claim.scope():
        dataset = Dataset.objects.select_for_update().get(pk=ingest.dataset_id)
        branch, _ = Branch.objects.select_for_update().get_or_create(dataset=dataset, name=ingest.branch)
        if branch.head_id != (parent.pk if parent else None):
            return None
        _verify_stored(ingest, built.tree.new_chunks)
        version = _insert_version(ingest, dataset, parent, built, seed)
        branch.head = version
        branch.save(update_fields=["head"])
        Dataset.objects.filter(pk=dataset.pk).update(updated_at=timezone.now())
        _settle_blobs(ingest)
        claim.finish(version=version, seed=None, progress={"stage": "done", "records": version.record_count})
        emit(_versioned(ingest, dataset, version))
    return version


def _insert_version(ingest: Ingest, dataset: Dataset, parent: Version | None, built: Built, seed: SecretKey) -> Version:
    nonce = seed.derive(b"version message").reveal()[:16]
    latest = Version.objects.filter(dataset=dataset).aggregate(Max("sequence"))["sequence__max"] or 0
    label = ingest.label or next_label(parent)
    if Version.objects.filter(dataset=dataset, label=label).exists():
        raise VersionLabelTaken(label=label)
    digest = version_id(
        root=built.tree.root,
        parents=[bytes(parent.digest)] if parent else [],
        author_id=ingest.requested_by,
        created_at=ingest.created_at,
        nonce=nonce,
        message=ingest.message,
    )
    version = Version(
        dataset=dataset,
        digest=digest,
        root=built.tree.root,
        parent=parent,
        sequence=latest + 1,
        label=label,
        author=ingest.requested_by,
        message=ingest.message,
        message_nonce=nonce,
        record_count=built.tree.count,
        canonical_bytes=built.tree.canonical_bytes,
        chunk_count=built.tree.chunks,
        new_chunk_count=len(built.tree.new_chunks),
        new_sealed_bytes=built.sealed_bytes,
        created_at=ingest.created_at,
    )
    before = read_profile(parent) if parent else Profile()
    before.update(built.profile_change)
    version.profile = seal_column("version-profile", version.id.bytes, _encode_profile(before))
    version.save(force_insert=True)
    return version


def next_label(parent: Version | None) -> str:
    """``v1.0.0`` for the first version, else the parent's label with the middle number raised."""
    match = _LABEL.fullmatch(parent.label) if parent else None
    return f"v{match[1]}.{int(match[2]) + 1}.0" if match else "v1.0.0"


def is_label(text: str) -> bool:
    return _LABEL.fullmatch(text) is not None


def read_profile(version: Version) -> Profile:
    """Counts of findings by (field, entity type) of a version."""
    rows = orjson.loads(open_column("version-profile", version.id.bytes, bytes(version.profile)))
    return Profile({(field, entity_type): count for field, entity_type, count in rows})


def _encode_profile(profile: Profile) -> bytes:
    return orjson.dumps([[*key, count] for key, count in sorted(profile.items()) if count > 0])


def _verify_stored(ingest: Ingest, digests: frozenset[bytes]) -> None:
    """Every chunk the version names must have its row now. Raises TreeObjectMissing."""
    wanted = sorted(digests)
    for start in range(0, len(wanted), _VERIFY_BATCH):
        batch = wanted[start : start + _VERIFY_BATCH]
        if Chunk.objects.filter(dataset_id=ingest.dataset_id, digest__in=batch).count() != len(batch):
            raise TreeObjectMissing


def _settle_blobs(ingest: Ingest) -> None:
    """Packs become the dataset's; parts and runs have done their work; reports stay with the ingest."""
    mine = Blob.objects.filter(job=ingest.pk)
    mine.filter(kind=BlobKind.PACK, state=BlobState.SEALED).update(job=None)
    mine.filter(kind__in=(BlobKind.PART, BlobKind.RUN)).update(state=BlobState.DEAD)
    reports = ingest.checkpoint.get("reports", [])
    mine.filter(kind=BlobKind.REPORT).exclude(pk__in=reports).update(state=BlobState.DEAD)
    mine.filter(kind=BlobKind.PACK).update(state=BlobState.DEAD)


def discard(ingest: Ingest) -> None:
    """Inside a scope: remove every row a failed ingest left in the tree and mark its objects dead."""
    packs = Blob.objects.filter(job=ingest.pk, kind=BlobKind.PACK)
    Chunk.objects.filter(blob__in=packs).delete()
    FindingsBlob.objects.filter(blob__in=packs).delete()
    SubjectIndexEntry.objects.filter(ingest=ingest.pk).delete()
    reports = ingest.checkpoint.get("reports", [])
    Blob.objects.filter(job=ingest.pk).exclude(kind=BlobKind.REPORT, pk__in=reports).update(state=BlobState.DEAD)


def _versioned(ingest: Ingest, dataset: Dataset, version: Version) -> Event:
    facts: dict[str, Any] = {
        "ingest": str(ingest.pk),
        "requested_by": str(ingest.requested_by),
        "version_id": bytes(version.digest).hex(),
        "records": version.record_count,
        "rejected": ingest.rejected_count,
        "new_sealed_bytes": version.new_sealed_bytes,
    }
    resource = ResourceRef(
        type="dataset",
        id=str(dataset.pk),
        dataset_id=dataset.pk,
        classification=dataset.classification,
        version=version.label,
    )
    return Event(type=EventType.VERSIONED, operation="write", resource=resource, purpose=ingest.purpose, metadata=facts)


def new_seed() -> SecretKey:
    return SecretKey(secrets.token_bytes(32))
