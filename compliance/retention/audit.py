"""What keeps events of the audit beyond the vault's retention: legal holds, and the longest minimum of the policies.

What must be kept for six years has to be accounted for as long: who did what with it is its documentation.
"""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from django.db.models import Max
from django.utils import timezone

from compliance.holds.audit import keeps_audit
from compliance.models import RetentionPolicy
from compliance.retention.preview import first_of_month


def why_kept(tenant_id: UUID, month: date) -> str:
    """Why an organization's events of the month that begins with ``month`` stay; empty: nothing keeps them.

    Asked by maintenance as the owner, in no scope.
    """
    if keeps_audit(tenant_id):
        return "a legal hold keeps events of it"
    policies = RetentionPolicy.objects.using("owner").filter(tenant_id=tenant_id, ended_at=None)
    days = policies.aggregate(longest=Max("minimum_days"))["longest"]
    if days is None or kept_until(month, days) <= timezone.now():
        return ""
    return f"a policy asks an organization to keep data for {days} days, and its events as long"


def kept_until(month: date, days: int) -> datetime:
    """When the last event of the month is so many days old."""
    return first_of_month(datetime(month.year, month.month, 1, tzinfo=UTC), later=1) + timedelta(days=days)


def longest_minimum() -> int | None:
    """The longest minimum of the policies in force, in the open scope."""
    longest: int | None = RetentionPolicy.objects.filter(ended_at=None).aggregate(days=Max("minimum_days"))["days"]
    return longest
