"""Remove drafts that nobody has changed for long, with a warning before."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from datasets.models import Draft, DraftStatus
from datasets.services.drafts.open import named, remove_draft, told
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

_BATCH: Final = 500


def expire_drafts() -> int:
    """As vault_system, over all tenants: warn of drafts about to expire, remove those that have. Returns how many went.

    A draft that is being published is left alone; a published one goes in silence, its version stays.
    """
    rows = _due(Draft.objects.using("system").exclude(status=DraftStatus.PUBLISHING)).order_by("expires_at")
    return sum(_settle(tenant_id, pk) for tenant_id, pk in rows.values_list("tenant_id", "pk")[:_BATCH])


def _due(rows: QuerySet[Draft]) -> QuerySet[Draft]:
    now = timezone.now()
    is_warned = Q(warned_at__isnull=False) | Q(status=DraftStatus.PUBLISHED)
    soon = Q(expires_at__lte=now + timedelta(days=settings.DRAFT_WARNING_DAYS))
    return rows.filter(Q(expires_at__lte=now) | (soon & ~is_warned))


def _settle(tenant_id: UUID, pk: UUID) -> bool:
    """Warn of one draft or remove it; what was changed in the meantime is left alone. Whether it went."""
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        rows = Draft.objects.select_for_update(no_key=True, of=("self",)).select_related("dataset")
        draft = _due(rows.exclude(status=DraftStatus.PUBLISHING)).filter(pk=pk).first()
        if draft is None:
            return False
        is_over = draft.expires_at <= timezone.now()
        if draft.status == DraftStatus.DRAFT:
            _announce(draft, EventType.DRAFT_EXPIRED if is_over else EventType.DRAFT_EXPIRING)
        if is_over:
            remove_draft(draft)
        else:
            Draft.objects.filter(pk=pk).update(warned_at=timezone.now())
        return is_over


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
