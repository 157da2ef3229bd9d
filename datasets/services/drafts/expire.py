"""Remove drafts that nobody has changed for long, with a warning before."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from access.terms import Store, term_source
from datasets.models import Dataset, Draft, DraftStatus
from datasets.services.drafts.open import named, next_expiry, remove_draft, staged_ids, told
from datasets.services.holds import is_held
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope
from vaultsite.kernel.upkeep import add_up, first_of_each

_BATCH: Final = 500


def expire_drafts(of_tenant: UUID | None = None) -> int:
    """As vault_system, over all tenants or of one: warn of drafts about to expire, remove those that have.

    Returns how many went.

    A draft that is being published is left alone; a published one goes in silence, its version stays.
    """
    rows = _due(Draft.objects.using("system").exclude(status=DraftStatus.PUBLISHING))
    rows = rows.filter(tenant_id=of_tenant) if of_tenant else rows
    return add_up(_settle, first_of_each(rows, by="expires_at", limit=_BATCH))


def _due(rows: QuerySet[Draft]) -> QuerySet[Draft]:
    now = timezone.now()
    is_warned = Q(warned_at__isnull=False) | Q(status=DraftStatus.PUBLISHED)
    soon = Q(expires_at__lte=now + timedelta(days=settings.DRAFT_WARNING_DAYS))
    return rows.filter(Q(expires_at__lte=now) | (soon & ~is_warned))


def _settle(tenant_id: UUID, pk: UUID) -> bool:
    """Warn of one draft or remove it; what was changed in the meantime is left alone. Whether it went."""
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        # The dataset is locked before its draft, as by everything that changes one.
        of_draft = Draft.objects.filter(pk=pk).values("dataset_id")
        list(Dataset.objects.select_for_update(no_key=True).filter(pk__in=of_draft).values_list("pk"))
        rows = Draft.objects.select_for_update(no_key=True, of=("self",)).select_related("dataset")
        draft = _due(rows.exclude(status=DraftStatus.PUBLISHING)).filter(pk=pk).first()
        if draft is None:
            return False
        is_over = draft.expires_at <= timezone.now()
        if is_over and draft.status == DraftStatus.DRAFT and _is_held(draft):
            Draft.objects.filter(pk=pk).update(expires_at=next_expiry(), warned_at=None)
            return False
        if draft.status == DraftStatus.DRAFT:
            _announce(draft, EventType.DRAFT_EXPIRED if is_over else EventType.DRAFT_EXPIRING)
        if is_over:
            remove_draft(draft)
            term_source().tell_ended(Store.DRAFTS, 1)
        else:
            Draft.objects.filter(pk=pk).update(warned_at=timezone.now())
        return is_over


def _is_held(draft: Draft) -> bool:
    """A draft of what a legal hold keeps lives on: what is staged in it is nowhere else."""
    return is_held(draft.dataset_id, staged_ids(draft), with_versions=False)


def _announce(draft: Draft, kind: EventType) -> None:
    emit(
        Event(
            type=kind,
            operation="delete" if kind == EventType.DRAFT_EXPIRED else "update",
            severity="warning",
            resource=named(draft.dataset, draft),
            metadata=told(draft) | {"expires_at": draft.expires_at.isoformat()},
        )
    )
