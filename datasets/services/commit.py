"""Turn a finished tree into a version: the one place where versions come to be and branches move."""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

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
    SubjectIndexEntry,
    Version,
    VersionKind,
    VersionProfile,
)
from datasets.selectors import resource_of
from datasets.services.branches import require_writable
from datasets.services.lineage import record_parents
from datasets.services.quotas import require_version_room
from datasets.services.version_quarantine import inherit
from datasets.services.writable import hold_open, hold_there
from datasets.tree.builder import TreeResult
from datasets.tree.version import version_id
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType

#: Counts of findings by (field, entity type).
Profile = Counter[tuple[str, str]]

_LABEL: Final = re.compile(r"v(\d{1,6})\.(\d{1,6})\.(\d{1,6})")
_VERIFY_BATCH: Final = 10_000
#: What may move a protected branch: a merge by its review, and the removal of personal data by its policy.
_UNASKED: Final = frozenset({VersionKind.MERGE, VersionKind.MASK})


@dataclass(frozen=True)
class NewVersion:
    """A finished, stored tree on its way to becoming a version of ``branch``.

    ``head`` is what the branch must still point at, and the first parent; ``merged`` the second one, if any. ``epoch``
    is the dataset's erasure epoch as it was before the tree was built. ``profile_change`` is by how much the findings
    differ from the head's. ``contributors`` are ids of who had a hand in it beside the author. ``seed``
    gives the nonce of the message; ``facts`` go into the event.
    """

    dataset_id: UUID
    branch: str
    kind: VersionKind
    head: Version | None
    epoch: int
    tree: TreeResult
    sealed_bytes: int
    profile_change: Profile
    author: UUID
    created_at: datetime
    seed: SecretKey
    merged: Version | None = None
    contributors: Collection[str] = ()
    label: str = ""
    message: str = ""
    purpose: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def commit_version(new: NewVersion) -> Version | None:
    """Insert the version and move the branch, in the open scope; None when the branch has moved or data was erased.

    The caller's job must be fenced in the same scope. Raises VersionLabelTaken, TreeObjectMissing, DatasetNotFound,
    DatasetArchived, BranchNotFound, BranchProtected, QuotaExceeded.
    """
    is_masking = new.kind == VersionKind.MASK  # which policies ask for, of archived datasets and protected branches too
    dataset = hold_there(new.dataset_id) if is_masking else hold_open(new.dataset_id)
    if new.kind not in _UNASKED:
        require_writable(dataset, new.branch)
    require_version_room(dataset, new.branch, sealed_bytes=new.sealed_bytes, records=new.tree.count)
    by = {"created_by": new.author}
    branch, _ = Branch.objects.select_for_update().get_or_create(dataset=dataset, name=new.branch, defaults=by)
    if branch.head_id != (new.head.pk if new.head else None) or dataset.erasure_epoch != new.epoch:
        return None
    _verify_stored(dataset, new.tree.new_chunks)
    version = _insert_version(dataset, new)
    branch.head, branch.moved_at = version, timezone.now()
    branch.save(update_fields=["head", "moved_at"])
    Dataset.objects.filter(pk=dataset.pk).update(updated_at=timezone.now())
    record_parents(version)
    inherit(dataset, version)
    emit(_versioned(dataset, version, new))
    return version


def _insert_version(dataset: Dataset, new: NewVersion) -> Version:
    nonce = new.seed.derive(b"version message").reveal()[:16]
    latest = Version.objects.filter(dataset=dataset).aggregate(Max("sequence"))["sequence__max"] or 0
    parents = [parent for parent in (new.head, new.merged) if parent is not None]
    digest = version_id(
        root=new.tree.root,
        parents=[bytes(parent.digest) for parent in parents],
        author_id=new.author,
        created_at=new.created_at,
        nonce=nonce,
        message=new.message,
    )
    version = Version(
        dataset=dataset,
        kind=new.kind,
        digest=digest,
        root=new.tree.root,
        parent=new.head,
        merge_parent=new.merged,
        sequence=latest + 1,
        label=_free_label(dataset, new),
        author=new.author,
        contributors=sorted({*new.contributors} - {str(new.author)}),
        message=new.message,
        message_nonce=nonce,
        record_count=new.tree.count,
        canonical_bytes=new.tree.canonical_bytes,
        chunk_count=new.tree.chunks,
        new_chunk_count=len(new.tree.new_chunks),
        new_sealed_bytes=new.sealed_bytes,
        created_at=new.created_at,
    )
    profile = read_profile(new.head) if new.head else Profile()
    profile.update(new.profile_change)
    version.profile = seal_column("version-profile", version.id.bytes, encode_profile(profile))
    version.save(force_insert=True)
    return version


def _free_label(dataset: Dataset, new: NewVersion) -> str:
    """The label asked for, else the next after the parent's that no version of another branch has."""
    taken = Version.objects.filter(dataset=dataset)
    if new.label:
        if taken.filter(label=new.label).exists():
            raise VersionLabelTaken(label=new.label)
        return new.label
    label = next_label(new.head)
    if not taken.filter(label=label).exists():
        return label
    major, used = label.partition(".")[0], [0]
    for other in taken.filter(label__startswith=f"{major}.").values_list("label", flat=True):
        match = _LABEL.fullmatch(other)
        used.append(int(match[2]) if match else 0)
    return f"{major}.{max(used) + 1}.0"


def next_label(parent: Version | None) -> str:
    """``v1.0.0`` for the first version, else the parent's label with the middle number raised."""
    match = _LABEL.fullmatch(parent.label) if parent else None
    return f"v{match[1]}.{int(match[2]) + 1}.0" if match else "v1.0.0"


def is_label(text: str) -> bool:
    return _LABEL.fullmatch(text) is not None


def read_profile(version: Version) -> Profile:
    """Counts of findings by (field, entity type) of a version, by the latest set of detectors that scanned it whole."""
    later = VersionProfile.objects.filter(version=version).order_by("-id").first()
    row = later if later is not None else version
    rows = orjson.loads(open_column("version-profile", row.id.bytes, bytes(row.profile)))
    return Profile({(field, entity_type): count for field, entity_type, count in rows})


def encode_profile(profile: Profile) -> bytes:
    return orjson.dumps([[*key, count] for key, count in sorted(profile.items()) if count > 0])


def _verify_stored(dataset: Dataset, digests: frozenset[bytes]) -> None:
    """Every chunk the version names must have its row now. Raises TreeObjectMissing."""
    wanted = sorted(digests)
    for start in range(0, len(wanted), _VERIFY_BATCH):
        batch = wanted[start : start + _VERIFY_BATCH]
        if Chunk.objects.filter(dataset=dataset, digest__in=batch).count() != len(batch):
            raise TreeObjectMissing


def keep_packs(job: UUID) -> None:
    """The sealed packs of a job that ends well become the dataset's; what it had not finished is dead."""
    packs = Blob.objects.filter(job=job, kind=BlobKind.PACK)
    packs.filter(state=BlobState.SEALED).update(job=None)
    packs.update(state=BlobState.DEAD)


def discard_packs(job: UUID) -> None:
    """Inside a scope: remove every row that a failed job left in the tree, and mark its packs dead."""
    packs = Blob.objects.filter(job=job, kind=BlobKind.PACK)
    Chunk.objects.filter(blob__in=packs).delete()
    FindingsBlob.objects.filter(blob__in=packs).delete()
    SubjectIndexEntry.objects.filter(job=job).delete()
    packs.update(state=BlobState.DEAD)


def discard_findings(job: UUID) -> None:
    """Inside a scope: remove the findings that a rescan kept and did not note, and mark their packs dead.

    What it put into the subject index is true of the records there, noted or not, and stays.
    """
    packs = Blob.objects.filter(job=job, kind=BlobKind.PACK)
    FindingsBlob.objects.filter(blob__in=packs).delete()
    packs.update(state=BlobState.DEAD)


def _versioned(dataset: Dataset, version: Version, new: NewVersion) -> Event:
    facts: dict[str, Any] = {
        **new.facts,
        "branch": new.branch,
        "kind": str(new.kind),
        "requested_by": str(new.author),
        "version_id": bytes(version.digest).hex(),
        "records": version.record_count,
        "new_sealed_bytes": version.new_sealed_bytes,
    }
    return Event(
        type=EventType.VERSIONED,
        operation="write",
        resource=resource_of(dataset, version),
        purpose=new.purpose,
        metadata=facts,
    )
