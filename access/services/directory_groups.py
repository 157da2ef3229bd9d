"""Groups that a directory provisions. It says who is in them; what they hold is an administrator's to say."""

from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from access.errors import NameTaken
from access.models import DirectoryGroup, DirectoryUser, Group, GroupMembership
from access.models.directory_group import SOURCE
from access.models.group import LONGEST_GROUP_NAME
from access.scim.documents import Change, members_of
from access.scim.errors import InvalidValue, ResourceNotFound
from access.scim.rendering import group_resource, group_rows, version_of_group
from access.scim.resources import Group as GroupResource
from access.scim.versions import Precondition
from access.services.administrators import keep_an_administrator
from access.services.authorize import authorize
from access.services.ending import end_access_without_role
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal

ACTION: Final = "group.provision"
_LONGEST_ID: Final = 255


def provision_group(principal: Principal, *, wanted: GroupResource) -> DirectoryGroup:
    """A new group that holds nothing. Raises AccessDenied, InvalidValue, NameTaken."""
    group = Group(id=uuid7())
    authorize(principal, ACTION, _resource(group.pk), facts={"act": "provision"})
    _write(wanted, group)
    DirectoryGroup.objects.create(group=group)
    _add(principal, group.pk, members_of(wanted))
    _tell(group.pk, "provisioned")
    return find_entry(group.pk)


def change_group(
    principal: Principal, *, group_id: UUID, change: Change[GroupResource], precondition: Precondition
) -> DirectoryGroup:
    """Let ``change`` say what the group shall be, from what it is; all of it is done or nothing.

    Who leaves it and has no other role is out at once. Raises AccessDenied, ResourceNotFound, VersionMismatch,
    NameTaken, a ScimError of the change, and Immutable where nobody would be left to administer the organization.
    """
    authorize(principal, ACTION, _resource(group_id), facts={"act": "change"})
    entry = _locked(group_id)
    precondition.require(version_of_group(entry))
    present = group_resource(entry, base="")
    before, said = members_of(present), (present.display_name, present.external_id)
    wanted = change(present)
    after = members_of(wanted)
    is_renamed = (wanted.display_name, wanted.external_id) != said
    if is_renamed:
        _write(wanted, entry.group)
        _touch(entry)
        _tell(group_id, "changed")
    _move(principal, entry, after - before, before - after)
    return find_entry(group_id)


def change_members(
    principal: Principal, *, group_id: UUID, wanted: Mapping[UUID, bool], precondition: Precondition
) -> DirectoryGroup:
    """change_group for some people, who shall be in the group (True) or not; the others are not asked for.

    Raises what change_group does.
    """
    authorize(principal, ACTION, _resource(group_id), facts={"act": "members"})
    entry = _locked(group_id, with_members=False)
    precondition.require(version_of_group(entry))
    rows = GroupMembership.objects.filter(group_id=group_id, source=SOURCE, user_id__in=wanted)
    held = set(rows.values_list("user_id", flat=True))
    shall = {user_id for user_id, is_in in wanted.items() if is_in}
    _move(principal, entry, shall - held, held - shall)
    return find_entry(group_id, with_members=False)


def remove_group(principal: Principal, *, group_id: UUID, precondition: Precondition) -> None:
    """Remove a group with all it holds; members who are left without any role are out at once.

    Raises AccessDenied, ResourceNotFound, VersionMismatch, and Immutable where nobody would be left to administer.
    """
    authorize(principal, ACTION, _resource(group_id), facts={"act": "remove"})
    entry = _locked(group_id)
    precondition.require(version_of_group(entry))
    members = list(entry.group.memberships.values_list("user_id", flat=True))
    with keep_an_administrator():
        entry.group.delete()
    _tell(group_id, "removed", members=len(members))
    end_access_without_role(members)


def find_entry(group_id: UUID, *, with_members: bool = True) -> DirectoryGroup:
    """The directory's entry of a group, in the open scope. Raises ResourceNotFound."""
    entry = group_rows(with_members=with_members).filter(group_id=group_id).first()
    if entry is None:
        raise ResourceNotFound
    return entry


def _locked(group_id: UUID, *, with_members: bool = True) -> DirectoryGroup:
    """The entry, which nobody else changes until the scope ends."""
    if not DirectoryGroup.objects.select_for_update().filter(group_id=group_id).exists():
        raise ResourceNotFound
    return find_entry(group_id, with_members=with_members)


def _move(principal: Principal, entry: DirectoryGroup, added: Collection[UUID], removed: Collection[UUID]) -> None:
    _add(principal, entry.group_id, added)
    _remove(entry.group_id, removed)
    if added or removed:
        _touch(entry)


def _touch(entry: DirectoryGroup) -> None:
    DirectoryGroup.objects.filter(pk=entry.pk).update(changed_at=Now())


def _write(wanted: GroupResource, group: Group) -> None:
    name, external_id = wanted.display_name or "", wanted.external_id or ""
    if not name.strip() or len(name) > LONGEST_GROUP_NAME or not name.isprintable() or name != name.strip():
        raise InvalidValue(f"displayName: 1 to {LONGEST_GROUP_NAME} printable characters, no space at either end")
    if len(external_id) > _LONGEST_ID or not external_id.isprintable():
        raise InvalidValue(f"externalId: at most {_LONGEST_ID} printable characters")
    if Group.objects.exclude(pk=group.pk).filter(display_name__iexact=name).exists():
        raise NameTaken("displayName")
    is_new = group._state.adding  # noqa: SLF001 - Django's own flag
    group.display_name, group.external_id = name, external_id
    try:
        with transaction.atomic():
            group.save(force_insert=is_new)
    except IntegrityError:
        raise NameTaken("displayName or externalId") from None
    Group.objects.filter(pk=group.pk).update(updated_at=Now())


def _add(principal: Principal, group_id: UUID, user_ids: Collection[UUID]) -> None:
    """People of the directory alone; who is in the group by somebody's hand is the directory's member from now on."""
    if not user_ids:
        return
    known = set(DirectoryUser.objects.filter(user_id__in=user_ids).values_list("user_id", flat=True))
    if known != set(user_ids):
        raise InvalidValue("members: somebody who is not there")
    held = GroupMembership.objects.filter(group_id=group_id, user_id__in=known)
    taken = set(held.values_list("user_id", flat=True))
    held.update(source=SOURCE)
    GroupMembership.objects.bulk_create(
        GroupMembership(id=uuid7(), group_id=group_id, user_id=one, source=SOURCE, added_by=principal.id)
        for one in sorted(known - taken)
    )
    _tell(group_id, "members_added", users=sorted(map(str, known)))


def _remove(group_id: UUID, user_ids: Collection[UUID]) -> None:
    if not user_ids:
        return
    with keep_an_administrator():
        GroupMembership.objects.filter(group_id=group_id, user_id__in=user_ids, source=SOURCE).delete()
    _tell(group_id, "members_removed", users=sorted(map(str, user_ids)))
    end_access_without_role(user_ids)


def _resource(group_id: UUID) -> ResourceRef:
    return ResourceRef("group", str(group_id))


def _tell(group_id: UUID, act: str, **facts: Any) -> None:
    emit(Event(EventType.GROUP_CHANGED, "update", _resource(group_id), metadata={"act": act, **facts}))
