"""Groups: made, renamed, filled, removed. Who puts somebody into a group gives them all that the group holds."""

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Count, Prefetch, QuerySet
from django.db.models.functions import Now

from access.errors import NameTaken, UserNotFound
from access.models import Group, GroupMembership, RoleBinding, User
from access.models.group import LONGEST_GROUP_NAME
from access.ports import dataset_directory
from access.principals.errors import GroupNotFound
from access.services.authorize import authorize
from access.services.delegations import giving_action
from access.services.ending import end_access_without_role
from access.services.grants import refuse_own, refuse_wider
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal

#: Groups that one list shows.
MOST_LISTED: Final = 1000
_LONGEST_TEXT: Final = 300
_LONGEST_ID: Final = 255


def create_group(principal: Principal, *, display_name: str, description: str = "", external_id: str = "") -> Group:
    """A group without members that holds nothing. Raises AccessDenied, StepUpRequired, InvalidInput, NameTaken."""
    group = Group(id=uuid7(), display_name=display_name, description=description, external_id=external_id)
    authorize(principal, "group.manage", _resource(group.pk), facts={"act": "create"})
    _save(group)
    _tell(group.pk, "made", {})
    return group


def change_group(
    principal: Principal,
    *,
    group_id: UUID,
    display_name: str | None = None,
    description: str | None = None,
    external_id: str | None = None,
) -> Group:
    """Change what a group says of itself (None: as it is).

    Raises AccessDenied, StepUpRequired, GroupNotFound, InvalidInput, NameTaken.
    """
    authorize(principal, "group.manage", _resource(group_id), facts={"act": "change"})
    group = _find(group_id)
    group.display_name = group.display_name if display_name is None else display_name
    group.description = group.description if description is None else description
    group.external_id = group.external_id if external_id is None else external_id
    _save(group)
    _tell(group.pk, "changed", {})
    return _find(group_id)


def delete_group(principal: Principal, *, group_id: UUID) -> None:
    """Remove a group with all it holds; members who are left without any role are out at once.

    Raises AccessDenied, StepUpRequired, GroupNotFound, GrantTooWide.
    """
    authorize(principal, "group.manage", _resource(group_id), facts={"act": "delete"})
    group = _find(group_id)
    refuse_wider_group(principal, group.pk)
    members = list(group.memberships.values_list("user_id", flat=True))
    group.delete()
    _tell(group_id, "deleted", {"members": len(members)})
    end_access_without_role(members)


def add_members(principal: Principal, *, group_id: UUID, user_ids: Collection[UUID]) -> int:
    """Put people into a group; returns how many were not in it. Who manages no groups needs a delegation of this one.

    Raises AccessDenied, StepUpRequired, GroupNotFound, UserNotFound, GrantTooWide (oneself, or a group that holds more
    than the principal, who does not manage roles).
    """
    _decide_members(principal, group_id, add=user_ids)
    return _add(principal, group_id, user_ids)


def remove_members(principal: Principal, *, group_id: UUID, user_ids: Collection[UUID]) -> int:
    """Take people out of a group, whoever put them in; returns how many were in it. Whoever then has no role is out.

    Raises AccessDenied, StepUpRequired, GroupNotFound, GrantTooWide (oneself, or as for adding: policies may forbid
    things to the members of a group).
    """
    _decide_members(principal, group_id, remove=user_ids)
    return _remove(group_id, user_ids)


def set_members(principal: Principal, *, group_id: UUID, user_ids: Collection[UUID]) -> None:
    """Let a group have exactly these members. Raises what ``add_members`` and ``remove_members`` do."""
    held = set(GroupMembership.objects.filter(group_id=group_id).values_list("user_id", flat=True))
    added, removed = set(user_ids) - held, held - set(user_ids)
    _decide_members(principal, group_id, add=added, remove=removed)
    _add(principal, group_id, added)
    _remove(group_id, removed)


def list_groups(principal: Principal) -> list[Group]:
    """The groups of the tenant by name, each with ``member_count``. Raises AccessDenied."""
    authorize(principal, "group.read", ResourceRef("group"))
    rows = _with_roles().annotate(member_count=Count("memberships"))
    return list(rows.order_by("display_name")[:MOST_LISTED])


def get_group(principal: Principal, *, group_id: UUID) -> Group:
    """Raises AccessDenied, GroupNotFound."""
    authorize(principal, "group.read", _resource(group_id))
    return _find(group_id)


def list_members(principal: Principal, *, group_id: UUID) -> tuple[Group, list[GroupMembership]]:
    """A group and who is in it, by user name. Raises AccessDenied, GroupNotFound."""
    group = get_group(principal, group_id=group_id)
    return group, list(group.memberships.select_related("user").order_by("user__username")[:MOST_LISTED])


def refuse_wider_group(principal: Principal, group_id: UUID) -> None:
    """Raise GrantTooWide when the group's members may do more than the principal, unless it manages roles."""
    held = RoleBinding.objects.filter(group_id=group_id).values_list("role__permissions", flat=True)
    refuse_wider(principal, dataset_directory().permissions_of_group(group_id).union(*held))


def _decide_members(
    principal: Principal, group_id: UUID, *, add: Collection[UUID] = (), remove: Collection[UUID] = ()
) -> None:
    facts = {"act": "members", "add": sorted(map(str, add)), "remove": sorted(map(str, remove))}
    authorize(principal, giving_action(principal, "group", group_id), _resource(group_id), facts=facts)
    _find(group_id)
    refuse_own(principal, {*add, *remove})
    if add or remove:
        refuse_wider_group(principal, group_id)


def _add(principal: Principal, group_id: UUID, user_ids: Collection[UUID]) -> int:
    wanted = set(user_ids)
    known = set(User.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    if known != wanted:
        raise UserNotFound
    held = set(GroupMembership.objects.filter(group_id=group_id, user_id__in=wanted).values_list("user_id", flat=True))
    # What somebody decides by hand outlasts what a directory said.
    GroupMembership.objects.filter(group_id=group_id, user_id__in=held).update(source="")
    GroupMembership.objects.bulk_create(
        (GroupMembership(group_id=group_id, user_id=one, added_by=principal.id) for one in sorted(wanted - held)),
        ignore_conflicts=True,
    )
    _tell(group_id, "members_added", {"users": sorted(map(str, wanted - held))})
    return len(wanted - held)


def _remove(group_id: UUID, user_ids: Collection[UUID]) -> int:
    rows = GroupMembership.objects.filter(group_id=group_id, user_id__in=set(user_ids))
    removed = list(rows.values_list("user_id", flat=True))
    rows.delete()
    _tell(group_id, "members_removed", {"users": sorted(map(str, removed))})
    end_access_without_role(removed)
    return len(removed)


def _save(group: Group) -> None:
    problems = []
    name = group.display_name
    if not name.strip() or len(name) > LONGEST_GROUP_NAME or not name.isprintable() or name != name.strip():
        problems.append(FieldProblem("display_name", f"1 to {LONGEST_GROUP_NAME} printable characters"))
    if len(group.description) > _LONGEST_TEXT or not group.description.isprintable():
        problems.append(FieldProblem("description", f"At most {_LONGEST_TEXT} printable characters"))
    if len(group.external_id) > _LONGEST_ID or not group.external_id.isprintable():
        problems.append(FieldProblem("external_id", f"At most {_LONGEST_ID} printable characters"))
    if problems:
        raise InvalidInput(errors=problems)
    is_new = group._state.adding  # noqa: SLF001 - Django's own flag
    try:
        with transaction.atomic():
            group.save(force_insert=is_new, force_update=not is_new)
            Group.objects.filter(pk=group.pk).update(updated_at=Now())
    except IntegrityError:
        raise NameTaken("There is a group with this name or external id") from None
    group.refresh_from_db()


def _with_roles() -> QuerySet[Group]:
    """Groups whose ``bindings`` are those that live now."""
    return Group.objects.prefetch_related(Prefetch("bindings", RoleBinding.objects.live().select_related("role")))


def _find(group_id: UUID) -> Group:
    group = _with_roles().filter(pk=group_id).first()
    if group is None:
        raise GroupNotFound
    return group


def _resource(group_id: UUID) -> ResourceRef:
    return ResourceRef("group", str(group_id))


def _tell(group_id: UUID, act: str, facts: dict[str, Any]) -> None:
    if facts.get("users", True):
        emit(Event(EventType.GROUP_CHANGED, "update", _resource(group_id), metadata={"act": act, **facts}))
