"""Replay: what was erased after the backup is erased again in the database that was brought back, before it is opened.

Every entry can be replayed any number of times, so a replay that was killed is simply begun anew.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from access.models import Tenant
from access.services.key_rotation import destroy_again
from compliance.backup.entries import ERASURE, KEY, PERSON, PURGE, REFUSAL, RELEASE, Entry
from compliance.models import LegalHold
from compliance.subjects.replay import PersonFacts, erase_beside_again
from datasets.errors import DatasetHeld
from datasets.models import Chunk, Dataset, Purge
from datasets.services.erasure.replay import ErasureFacts, is_asked_for, replay_erasure
from datasets.services.holds import lift_marks
from datasets.services.keeping import allowed_before
from datasets.services.masking.again import mask_again, shown_by_heads
from datasets.services.purge import run_purge, shred
from vaultsite.kernel.jobs import JobStatus
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope


@dataclass
class Replayed:
    """What a replay did, counted by kind and by organization; ``refused`` names what people must look at.

    ``unreadable_objects``: chunks and nodes of the backup that no key opens any more. ``lost`` says which records of
    anonymized datasets went as a whole, because they could not be anonymized again.
    """

    done: "Counter[str]" = field(default_factory=Counter)
    by_tenant: "Counter[str]" = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unreadable_objects: int = 0


def replay(entries: Iterable[Entry]) -> Replayed:
    """Replay the journal, as the system, tenant by tenant; no scope may be open.

    A minimum of the past keeps nothing of what is in the journal: that was asked, and answered, after the backup.

    Keys go first: nothing is read with them any more. Then holds that were released, which would keep what went after
    them; then whole datasets, then records, then what lay beside them of the same people. Entries of organizations
    that the backup does not know concern nothing in it.
    """
    known = {str(pk) for pk in Tenant.objects.using("system").values_list("pk", flat=True)}
    living = [entry for entry in entries if entry.tenant in known]
    withdrawn = {entry.id for entry in living if entry.kind == REFUSAL}
    found = Replayed()
    masked: dict[UUID, bool] = {}
    with allowed_before():
        for tenant in sorted({entry.tenant for entry in living}):
            own = [entry for entry in living if entry.tenant == tenant]
            _destroy(UUID(tenant), _keys_gone(own), found)
            for entry in own:
                if entry.kind == RELEASE:
                    _release(UUID(tenant), entry, found)
            for entry in own:
                if entry.kind == PURGE:
                    _purge(UUID(tenant), UUID(entry.id), found)
            for entry in own:
                if entry.kind == ERASURE and entry.id not in withdrawn:
                    _erase(UUID(tenant), entry, masked, found)
            for entry in own:
                if entry.kind == PERSON:
                    _erase_beside(UUID(tenant), entry, found)
    return found


def _keys_gone(entries: Iterable[Entry]) -> list[UUID]:
    """The destroyed keys, and those that went with a KEK."""
    keys = [entry for entry in entries if entry.kind == KEY]
    return [UUID(name) for entry in keys for name in (entry.id, *entry.facts.get("lost", ()))]


def _destroy(tenant_id: UUID, key_ids: list[UUID], found: Replayed) -> None:
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        destroyed = destroy_again(key_ids)
        found.unreadable_objects += Chunk.objects.filter(key_id__in=key_ids).count()
    _count(found, KEY, tenant_id, destroyed)


def _release(tenant_id: UUID, entry: Entry, found: Replayed) -> None:
    """End a hold as it was ended; why it might go is sealed under keys that the backup may not have."""
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        hold = LegalHold.objects.select_for_update(no_key=True).filter(pk=entry.id, released_at=None).first()
        if hold is None:
            return
        lift_marks(hold.pk)
        asked_at = datetime.fromisoformat(entry.facts["release_requested_at"])
        LegalHold.objects.filter(pk=hold.pk).update(
            release_reason=hold.release_reason if hold.release_requested_at == asked_at else None,
            release_requested_by=UUID(entry.facts["release_requested_by"]),
            release_requested_at=asked_at,
            released_by=UUID(entry.facts["released_by"]),
            released_at=datetime.fromisoformat(entry.facts["released_at"]),
        )
    _count(found, RELEASE, tenant_id, 1)


def _purge(tenant_id: UUID, dataset_id: UUID, found: Replayed) -> None:
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        dataset = Dataset.objects.select_for_update().filter(pk=dataset_id).first()
        if dataset is None:
            return
        try:
            if dataset.purged_at is None:
                shred(dataset)
        except DatasetHeld:
            found.refused.append(f"dataset {dataset_id} may not go: a hold of the backup keeps it")
            return
        purge = Purge.objects.filter(dataset_id=dataset_id).first()
        if purge is None:
            purge = Purge(dataset_id=dataset_id, requested_by=Principal.system(tenant_id).id)
        purge.status, purge.attempt, purge.lease_until = JobStatus.QUEUED, 0, timezone.now()
        purge.save()
    run_purge(tenant_id, purge.pk)
    _count(found, PURGE, tenant_id, 1)


def _erase(tenant_id: UUID, entry: Entry, masked: dict[UUID, bool], found: Replayed) -> None:
    facts, lost = ErasureFacts.from_json(entry.facts), 0
    if facts.spared is not None and not is_asked_for(tenant_id, UUID(entry.id)):
        facts, lost = _spare_heads(tenant_id, facts, facts.spared, masked)
    ended = replay_erasure(tenant_id, UUID(entry.id), facts)
    if ended == JobStatus.SUCCEEDED:
        _count(found, ERASURE, tenant_id, 1)
        if lost:
            found.lost.append(f"{lost} records of dataset {facts.dataset_id} could not be anonymized again: gone")
    elif ended:
        found.refused.append(f"erasure {entry.id} of dataset {entry.facts['dataset']} ended as {ended}")


def _spare_heads(
    tenant_id: UUID, facts: ErasureFacts, spared: Mapping[str, Sequence[str]], masked: dict[UUID, bool]
) -> tuple[ErasureFacts, int]:
    """What an erasure of an anonymization spares in a backup of before it, where its branches show the originals.

    They are anonymized first, once each dataset (``masked``), and show then what stays. Where that is refused the past
    goes all the same, with as many records of heads as are returned.
    """
    dataset_id = facts.dataset_id
    if dataset_id not in masked:
        masked[dataset_id] = mask_again(tenant_id, dataset_id, reason=facts.reason)
    shown = {
        name: {leaf.hex() for leaf in leaves}
        for name, leaves in shown_by_heads(tenant_id, dataset_id, facts.record_ids).items()
    }
    if not masked[dataset_id]:
        return facts, sum(not leaves <= set(spared.get(name, ())) for name, leaves in shown.items())
    stays = {name: sorted({*spared.get(name, ()), *shown.get(name, ())}) for name in facts.record_ids}
    return replace(facts, spared=stays), 0


def _erase_beside(tenant_id: UUID, entry: Entry, found: Replayed) -> None:
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        is_done = erase_beside_again(UUID(entry.id), PersonFacts.from_json(entry.facts))
    _count(found, PERSON, tenant_id, int(is_done))


def _count(found: Replayed, kind: str, tenant_id: UUID, number: int) -> None:
    found.done[kind] += number
    found.by_tenant[str(tenant_id)] += number
