"""Who is in which group and holds which role because a directory said so. Without decisions of their own.

The administrator who mapped the directory's groups was decided on then; each sign-in only applies the mapping.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models.functions import Now

from access.models import Group, GroupMembership, Role, RoleBinding, User
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.scope import current_scope


def set_groups(user: User, group_ids: Collection[UUID], *, source: str) -> None:
    """Let ``source`` ("idp:<provider id>") have put the user into exactly these groups, in the open scope.

    Where somebody else put the user stays as it is, and ids that are no groups are nothing. Once all of a mapping is
    applied its caller calls ``ending.end_access_without_role``.
    """
    held = dict(GroupMembership.objects.filter(user=user).values_list("group_id", "source"))
    wanted = set(Group.objects.filter(pk__in=group_ids).values_list("pk", flat=True))
    added = wanted - held.keys()
    removed = {group for group, by in held.items() if by == source and group not in wanted}
    by = current_scope().principal.id
    GroupMembership.objects.bulk_create(
        GroupMembership(user=user, group_id=group, source=source, added_by=by) for group in sorted(added)
    )
    GroupMembership.objects.filter(user=user, group_id__in=removed, source=source).delete()
    _tell(user, EventType.GROUP_CHANGED, source, added=added, removed=removed)


def set_roles(user: User, role_ids: Collection[UUID], *, source: str) -> None:
    """The same for roles held by the user directly."""
    RoleBinding.objects.filter(user=user, role_id__in=role_ids, expires_at__lte=Now()).delete()
    held = dict(RoleBinding.objects.filter(user=user).values_list("role_id", "source"))
    wanted = set(Role.objects.filter(pk__in=role_ids).values_list("pk", flat=True))
    added = wanted - held.keys()
    removed = {role for role, by in held.items() if by == source and role not in wanted}
    by = current_scope().principal.id
    RoleBinding.objects.bulk_create(
        RoleBinding(user=user, role_id=role, source=source, granted_by=by) for role in sorted(added)
    )
    RoleBinding.objects.filter(user=user, role_id__in=removed, source=source).delete()
    _tell(user, EventType.ROLE_CHANGED, source, added=added, removed=removed)


def _tell(user: User, kind: EventType, source: str, *, added: Collection[UUID], removed: Collection[UUID]) -> None:
    if added or removed:
        facts: dict[str, Any] = {"act": "mapped", "source": source}
        facts |= {"added": sorted(map(str, added)), "removed": sorted(map(str, removed))}
        emit(Event(kind, "update", ResourceRef("user", str(user.pk)), metadata=facts))
