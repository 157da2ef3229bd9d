"""The heads of a dataset that came back from a backup of before it was anonymized: anonymized again, before the past.

What an erasure of an anonymization spares are records of versions that such a backup does not have.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from django.utils import timezone

from datasets.models import Branch, Dataset, Masking, Version
from datasets.services.drafts.parent import find_many
from datasets.services.keys import load_keys
from datasets.services.masking.work import mask_heads
from datasets.services.pack_reader import PackReader
from vaultsite.kernel.errors import KeyDestroyed
from vaultsite.kernel.jobs import FINAL, JobStatus
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope


def mask_again(tenant_id: UUID, dataset_id: UUID, *, reason: str) -> bool:
    """Follow the head of each branch by a version without what was found; no scope may be open.

    False where that is refused: the dataset is held or deleted, no detector in use has looked into it, or there is no
    room. An anonymization that was under way in the backup goes on by itself later. Raises what may pass:
    KeyUnavailable, DetectionFailed.
    """
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        dataset = Dataset.objects.filter(pk=dataset_id, purged_at=None).first()
        if dataset is None:
            return False
        masking = Masking.objects.filter(dataset=dataset).exclude(status__in=FINAL).first()
        goes_on = masking is not None
        if masking is None:
            masking = Masking(dataset=dataset, reason=reason, requested_by=Principal.system(tenant_id).id)
        masking.status, masking.attempt, masking.lease_until = JobStatus.QUEUED, 0, timezone.now()
        masking.save()
    mask_heads(tenant_id, masking.pk, goes_on=goes_on)
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        return Masking.objects.get(pk=masking.pk).status != JobStatus.FAILED


def shown_by_heads(tenant_id: UUID, dataset_id: UUID, record_ids: Sequence[str]) -> Mapping[str, frozenset[bytes]]:
    """Record id -> the leaves that branches show under it, of those that are shown; no scope may be open.

    Nothing of a dataset without a key. Raises KeyUnavailable, RegionNotServed.
    """
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        heads = Branch.objects.filter(dataset_id=dataset_id, head__isnull=False).values("head_id")
        roots = {bytes(root) for root in Version.objects.filter(pk__in=heads).values_list("root", flat=True)}
        try:
            reader = PackReader(load_keys(dataset_id)) if roots else None
        except KeyDestroyed:
            reader = None
    shown: defaultdict[str, set[bytes]] = defaultdict(set)
    if reader is not None:
        for root in sorted(roots):
            for record in find_many(reader, root, sorted(set(record_ids))):
                shown[record.id].add(record.leaf)
    return {name: frozenset(leaves) for name, leaves in shown.items()}
