"""What ends by the vault's own settings, whatever the policies say: how long it is kept, and what is next."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, QuerySet

from anonymization.models import Token
from audit.models import AuditEvent, AuditExport
from audit.notifications.dispatch import KEPT as NOTIFICATION_KEPT
from compliance.retention.preview import first_of_month
from datasets.models import Dataset, Draft, DraftStatus, Export, GuaranteedExport


@dataclass(frozen=True)
class FixedPeriod:
    """``kept`` says for how long, ``setting`` what sets it; ``count`` of them stand, of which one ends ``next``."""

    title: str
    kept: str
    setting: str
    count: int | None = None
    next: datetime | None = None


def fixed_periods() -> list[FixedPeriod]:
    """Of the tenant whose scope is open: counts, nothing by name."""
    exports = Export.objects.filter(removed_at=None, expires_at__isnull=False)
    analytics = GuaranteedExport.objects.filter(removed_at=None, expires_at__isnull=False)
    recipients = GuaranteedExport.objects.filter(delete_by__isnull=False)
    audit = AuditExport.objects.filter(removed_at=None, expires_at__isnull=False)
    drafts = Draft.objects.exclude(status=DraftStatus.PUBLISHED)
    deleted = Dataset.objects.filter(deleted_at__isnull=False, purged_at=None)
    days = f"{settings.EXPORT_DAYS} days"
    return [
        _period("Files of exports", days, "VAULT_EXPORT_DAYS", exports, "expires_at"),
        _period("Files for analytics", days, "VAULT_EXPORT_DAYS", analytics, "expires_at"),
        _period("Copies that recipients have for analytics", "as agreed", "the export", recipients, "delete_by"),
        _period("Files of audit exports", days, "VAULT_EXPORT_DAYS", audit, "expires_at"),
        _period("Drafts", f"{settings.DRAFT_DAYS} days untouched", "VAULT_DRAFT_DAYS", drafts, "expires_at"),
        _period(
            "Deleted datasets", f"{settings.DELETE_UNDO_DAYS} days", "VAULT_DELETE_UNDO_DAYS", deleted, "delete_after"
        ),
        _period(
            "Tokens",
            "as their scope says",
            "the token vault",
            Token.objects.filter(expires_at__isnull=False),
            "expires_at",
        ),
        FixedPeriod("Notifications", f"{NOTIFICATION_KEPT.days} days", "fixed"),
        _audit(),
    ]


def _audit() -> FixedPeriod:
    """Whole months go together, those of all organizations: the oldest of this one, when the setting lets it go."""
    months, rule = settings.VAULT["AUDIT_RETENTION_MONTHS"], settings.VAULT["AUDIT_DOCUMENTATION"]
    kept = f"{months} months" if months else "for ever"
    oldest = AuditEvent.objects.order_by("time").values_list("time", flat=True).first() if months else None
    return FixedPeriod(
        "Events of the audit",
        f"{kept}, as documentation for {rule.upper()}" if rule else kept,
        "VAULT_AUDIT_RETENTION_MONTHS",
        next=first_of_month(oldest, later=months + 1) if oldest else None,
    )


def _period(title: str, kept: str, setting: str, rows: QuerySet[Any], moment: str) -> FixedPeriod:
    found = rows.order_by().aggregate(count=Count("pk"), next=Min(moment))
    return FixedPeriod(title, kept, setting, found["count"], found["next"])
