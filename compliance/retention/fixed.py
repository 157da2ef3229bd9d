"""What ends by the vault's own settings unless a policy over a store is shorter: how long it is kept, what is next."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, QuerySet

from audit.archive.overview import archived_months
from audit.models import AuditEvent
from audit.notifications.dispatch import KEPT as NOTIFICATION_KEPT
from compliance.retention.audit import kept_until, longest_minimum
from compliance.retention.preview import first_of_month
from compliance.retention.store_terms import StoreState, store_states
from datasets.models import Dataset, GuaranteedExport
from vaultsite.kernel.tenancy.scope import current_tenant_id


@dataclass(frozen=True)
class FixedPeriod:
    """``kept`` says for how long, ``setting`` what sets it; ``count`` of them stand, of which one ends ``next``.

    ``store`` names the one that a policy may shorten, ``days`` what a policy in force asks of it.
    """

    title: str
    kept: str
    setting: str
    count: int | None = None
    next: datetime | None = None
    store: str = ""
    days: int | None = None


def fixed_periods() -> list[FixedPeriod]:
    """Of the tenant whose scope is open: counts, nothing by name."""
    recipients = GuaranteedExport.objects.filter(delete_by__isnull=False)
    deleted = Dataset.objects.filter(deleted_at__isnull=False, purged_at=None)
    return [
        *(_stored(state) for state in store_states()),
        _period("Copies that recipients have for analytics", "as agreed", "the export", recipients, "delete_by"),
        _period(
            "Deleted datasets", f"{settings.DELETE_UNDO_DAYS} days", "VAULT_DELETE_UNDO_DAYS", deleted, "delete_after"
        ),
        FixedPeriod("Notifications", f"{NOTIFICATION_KEPT.days} days", "fixed"),
        _audit(),
    ]


def _stored(state: StoreState) -> FixedPeriod:
    usual = "as their makers say" if state.usual_days is None else f"{state.usual_days} days"
    days = state.term.days if state.term else None
    setting = state.store.setting or "the token vault"
    return FixedPeriod(state.title, usual, setting, state.standing, state.next, state.store.value, days)


def _audit() -> FixedPeriod:
    """Whole months go together, those of all organizations: the oldest of this one, when the setting lets it go."""
    months, rule = settings.VAULT["AUDIT_RETENTION_MONTHS"], settings.VAULT["AUDIT_DOCUMENTATION"]
    kept = f"{months} months" if months else "for ever"
    online = settings.VAULT["AUDIT_ONLINE_MONTHS"]
    kept = f"{kept}, {online} months of it online" if online and not 0 < months <= online else kept
    kept = f"{kept}, as documentation for {rule.upper()}" if rule else kept
    least = longest_minimum() if months else None
    oldest = _oldest() if months else None
    ends = [first_of_month(oldest, later=months + 1)] if oldest else []
    ends += [kept_until(oldest.date(), least)] if oldest and least else []
    return FixedPeriod(
        "Events of the audit",
        f"{kept}, and {least} days as long as a policy asks for that of data" if least else kept,
        "VAULT_AUDIT_RETENTION_MONTHS",
        next=max(ends, default=None),
    )


def _oldest() -> datetime | None:
    """When the oldest event was, or its month began, in the archive or in the database."""
    archived = archived_months(current_tenant_id())
    if archived:
        return datetime.combine(archived[-1].month, time(), UTC)
    return AuditEvent.objects.order_by("time").values_list("time", flat=True).first()


def _period(title: str, kept: str, setting: str, rows: QuerySet[Any], moment: str) -> FixedPeriod:
    found = rows.order_by().aggregate(count=Count("pk"), next=Min(moment))
    return FixedPeriod(title, kept, setting, found["count"], found["next"])
