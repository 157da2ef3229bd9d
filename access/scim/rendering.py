"""Rows as resources of SCIM, and their versions."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery
from scim2_models import Meta, Reference, ResponseParameters

from access.models import DirectoryEmail, DirectoryGroup, DirectoryUser, GroupMembership
from access.models.directory_group import SOURCE
from access.scim.resources import Email, EnterpriseUser, FullUser, Group, GroupOfUser, Member, Name, User

_MINE: Final = Q(source=SOURCE)


def user_rows() -> QuerySet[DirectoryUser]:
    """The people that the directory manages, with all that a resource shows of them."""
    groups = GroupMembership.objects.filter(_MINE).select_related("group").order_by("group__display_name")
    return DirectoryUser.objects.select_related("user").prefetch_related(
        Prefetch("emails", DirectoryEmail.objects.order_by("-is_primary", "value")),
        Prefetch("user__memberships", groups, to_attr="directory_memberships"),
    )


def group_rows(*, with_members: bool = True) -> QuerySet[DirectoryGroup]:
    """The groups that the directory manages; without ``with_members`` the resources have none."""
    mine = GroupMembership.objects.filter(_MINE, group=OuterRef("group_id")).order_by("-id")
    rows = DirectoryGroup.objects.select_related("group").annotate(
        members_count=Count("group__memberships", filter=Q(group__memberships__source=SOURCE)),
        last_member=Subquery(mine.values("id")[:1]),
    )
    if not with_members:
        return rows
    members = GroupMembership.objects.filter(_MINE).order_by("id")
    return rows.prefetch_related(Prefetch("group__memberships", members, to_attr="directory_members"))


def user_resource(entry: DirectoryUser, *, base: str) -> User:
    """``base`` is the address that SCIM is served at, without a slash at the end."""
    user = entry.user
    memberships: Sequence[GroupMembership] = user.directory_memberships  # by user_rows()
    name = Name(
        formatted=entry.formatted_name or None,
        given_name=entry.given_name or None,
        family_name=entry.family_name or None,
    )
    resource = FullUser(
        id=str(user.pk),
        external_id=user.external_id or None,
        user_name=user.username,
        name=name if name.model_dump(scim_ctx=None, exclude_none=True) else None,
        display_name=entry.display_name or None,
        active=user.is_active,
        emails=[_email(row) for row in entry.emails.all()] or None,
        groups=[_group_of_user(row, base) for row in memberships] or None,
        meta=_meta("User", f"{base}/Users/{user.pk}", entry, version_of_user(entry)),
    )
    if user.department:
        resource[EnterpriseUser] = EnterpriseUser(department=user.department)
    return resource


def group_resource(entry: DirectoryGroup, *, base: str) -> Group:
    """``base`` as for :func:`user_resource`."""
    group = entry.group
    members: Sequence[GroupMembership] = getattr(group, "directory_members", ())
    return Group(
        id=str(group.pk),
        external_id=group.external_id or None,
        display_name=group.display_name,
        members=[Member(value=str(row.user_id), ref=Reference(f"{base}/Users/{row.user_id}")) for row in members]
        or None,
        meta=_meta("Group", f"{base}/Groups/{group.pk}", entry, version_of_group(entry)),
    )


def version_of_user(entry: DirectoryUser) -> str:
    """A weak entity tag over everything that the resource shows."""
    user = entry.user
    memberships: Sequence[GroupMembership] = user.directory_memberships  # by user_rows()
    return _version(
        user.pk,
        user.external_id,
        user.username,
        user.is_active,
        user.department,
        entry.display_name,
        entry.formatted_name,
        entry.given_name,
        entry.family_name,
        entry.changed_at,
        [(row.value, row.type, row.is_primary) for row in entry.emails.all()],
        [(row.group_id, row.group.display_name) for row in memberships],
    )


def version_of_group(entry: DirectoryGroup) -> str:
    """A weak entity tag that asks for no members: of two sets that one table held, these tell which is which.

    Ids of memberships grow with time, so that a set with as many rows and the same last one is the same set.
    """
    group = entry.group
    counted: tuple[Any, Any] = entry.members_count, entry.last_member  # type: ignore[attr-defined]  # group_rows()
    return _version(group.pk, group.external_id, group.display_name, entry.changed_at, *counted)


def shows(parameters: ResponseParameters[Any], name: str) -> bool:
    """Whether an answer has the attribute ``name``, which is returned unless something else is asked for."""
    asked = {str(path).lower().rpartition(":")[2].partition(".")[0] for path in parameters.attributes or ()}
    excluded = {str(path).lower().rpartition(":")[2] for path in parameters.excluded_attributes or ()}
    return (not asked or name in asked) and name not in excluded


def _version(*facts: object) -> str:
    return f'W/"{hashlib.sha256(repr(facts).encode()).hexdigest()[:24]}"'


def _meta(kind: str, location: str, entry: DirectoryUser | DirectoryGroup, version: str) -> Meta:
    return Meta(
        resource_type=kind,
        created=entry.created_at,
        last_modified=entry.changed_at,
        location=location,
        version=version,
    )


def _email(row: DirectoryEmail) -> Email:
    return Email(value=row.value, type=Email.Type(row.type) if row.type else None, primary=row.is_primary)


def _group_of_user(row: GroupMembership, base: str) -> GroupOfUser:
    address = Reference[Any](f"{base}/Groups/{row.group_id}")
    return GroupOfUser(value=str(row.group_id), ref=address, display=row.group.display_name)
