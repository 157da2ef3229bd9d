"""For which purposes somebody has restricted the use of their records: part of what decisions are made by."""

from collections.abc import Iterable
from uuid import uuid4

from access.models import PolicyEpoch
from access.services.policies_in_force import policies_changed
from vaultsite.kernel.tenancy.scope import current_tenant_id


def set_restricted_purposes(purposes: Iterable[str]) -> None:
    """Decisions for these purposes say from now on that records are left out, in the open scope."""
    named = sorted(set(purposes))
    row, is_new = PolicyEpoch.objects.select_for_update().get_or_create(
        id=current_tenant_id(), defaults={"restricted_purposes": named}
    )
    if not is_new:
        row.restricted_purposes, row.stamp, row.number = named, uuid4(), row.number + 1
        row.save(update_fields=["restricted_purposes", "stamp", "number"])
    policies_changed()
