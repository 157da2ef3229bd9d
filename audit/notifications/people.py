"""The people of a tenant who are told of something."""

from collections.abc import Collection
from uuid import UUID

from access.models import GroupMembership, RoleBinding, User


def holders_of(permission: str) -> set[UUID]:
    """Ids of people who have the permission by a role of theirs or of a group of theirs, in the open scope."""
    live = RoleBinding.objects.live().filter(role__permissions__contains=[permission])
    groups = live.exclude(group=None).values("group_id")
    members = GroupMembership.objects.filter(group_id__in=groups).values_list("user_id", flat=True)
    return {*live.exclude(user=None).values_list("user_id", flat=True), *members}


def reachable(user_ids: Collection[UUID]) -> list[User]:
    """Those of them who are people of the tenant and not disabled, in the open scope."""
    return list(User.objects.filter(pk__in=list(user_ids), is_active=True).only("id", "email"))
