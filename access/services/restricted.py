"""For which purposes somebody has restricted the use of their records: part of what decisions are made by."""

from collections.abc import Callable, Iterable
from uuid import uuid4

from access.models import PolicyEpoch
from access.services.policies_in_force import policies_changed
from vaultsite.kernel.tenancy.scope import current_tenant_id


def set_restricted_purposes(live: Callable[[], Iterable[str]]) -> None:
    """Decisions for the purposes that ``live`` gives say from now on that records are left out, in the open scope.

    It is asked once the epoch is locked until the scope ends: of two changes at once the later sees the earlier.
    """
    row, _ = PolicyEpoch.objects.select_for_update().get_or_create(id=current_tenant_id())
    row.restricted_purposes, row.stamp, row.number = sorted(set(live())), uuid4(), row.number + 1
    row.save(update_fields=["restricted_purposes", "stamp", "number"])
    policies_changed()
