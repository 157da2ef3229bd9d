"""Standing permissions of groups on one dataset, given and taken as those of people are."""

from datetime import datetime
from uuid import UUID

from django.utils import timezone

from access.leases.errors import ObjectPermissionNotFound
from access.leases.terms import refuse_problems
from access.models import Group
from access.policy.builtin import reach
from access.principals.errors import GroupNotFound
from access.services.authorize import authorize
from access.services.grants import refuse_own_group, refuse_reach
from datasets.models import Dataset, DatasetGroupPermission
from datasets.selectors import get_dataset, resource_of
from datasets.services.permissions import LEVELS, WORDS, event_of, permission_of, take_away
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.tenancy.principal import Principal


def grant_to_group(
    principal: Principal, *, dataset_id: UUID, group_id: UUID, level: str, expires_at: datetime | None = None
) -> DatasetGroupPermission:
    """Give each member of a group ``level`` (a key of LEVELS) on a dataset, until ``expires_at`` or for good.

    Again moves the end. Raises DatasetNotFound, AccessDenied, GroupNotFound, GrantTooWide for what the principal may
    not do itself or to a group it is in, InvalidInput.
    """
    dataset = get_dataset(principal, dataset_id, action="permission.manage")
    until = expires_at.isoformat() if expires_at else None
    facts = {"group": str(group_id), "level": level if level in LEVELS else "", "expires_at": until}
    authorize(principal, "permission.manage", resource_of(dataset), facts=facts)
    refuse_problems(
        {
            "permission": "" if level in LEVELS else f"one of {', '.join(LEVELS)}",
            "expires_at": "is over" if expires_at is not None and expires_at <= timezone.now() else "",
        }
    )
    group = Group.objects.filter(pk=group_id).first()
    if group is None:
        raise GroupNotFound
    refuse_own_group(principal, group.pk)
    refuse_reach(principal, reach(LEVELS[level].permissions))
    row: DatasetGroupPermission
    row, _ = DatasetGroupPermission.objects.update_or_create(
        group=group,
        permission=permission_of(LEVELS[level].codename),
        content_object=dataset,
        defaults={"granted_by": principal.id, "expires_at": expires_at},
    )
    emit(event_of(EventType.ACCESS_GRANTED, row, {"granted_by": str(principal.id), "expires_at": until}))
    return row


def revoke_from_group(principal: Principal, *, dataset_id: UUID, group_id: UUID, level: str = "") -> int:
    """Take one permission of a group on a dataset away, or (no ``level``) all of them; returns how many.

    Raises DatasetNotFound, AccessDenied, ObjectPermissionNotFound, InvalidInput.
    """
    dataset = get_dataset(principal, dataset_id, action="permission.manage")
    authorize(principal, "permission.manage", resource_of(dataset), facts={"group": str(group_id), "change": "revoke"})
    refuse_problems({"permission": "" if level in {"", *LEVELS} else f"one of {', '.join(LEVELS)}"})
    rows = DatasetGroupPermission.objects.filter(content_object=dataset, group_id=group_id)
    rows = rows.filter(permission__codename=LEVELS[level].codename) if level else rows
    found = list(rows.select_related("permission", "content_object"))
    if not found:
        raise ObjectPermissionNotFound
    for row in found:
        take_away(row)
    return len(found)


def list_group_permissions(dataset: Dataset) -> list[DatasetGroupPermission]:
    """Those that live now, by group and level, for who is decided on already."""
    rows = DatasetGroupPermission.objects.live().filter(content_object=dataset).select_related("group", "permission")
    order = list(WORDS)
    return sorted(rows, key=lambda row: (row.group.display_name, order.index(row.permission.codename)))
