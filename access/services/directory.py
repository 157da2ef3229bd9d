"""What a directory may look at: the people and groups it manages, and what is served."""

from dataclasses import replace
from typing import Final
from uuid import UUID

from access.models import DirectoryGroup, DirectoryUser
from access.scim.attributes import GROUPS, USERS
from access.scim.queries import Page, Query, find_page
from access.scim.rendering import group_rows, user_rows
from access.services import directory_groups, directory_users
from access.services.authorize import authorize
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

ACTION: Final = "directory.read"


def allow_reading(principal: Principal, resource_type: str = "directory", resource_id: str = "") -> None:
    """Raises AccessDenied. Before the other functions here, which decide nothing."""
    authorize(principal, ACTION, ResourceRef(resource_type, resource_id))


def get_user(principal: Principal, *, user_id: UUID) -> DirectoryUser:
    """Raises AccessDenied, ResourceNotFound."""
    allow_reading(principal, "user", str(user_id))
    return directory_users.find_entry(user_id)


def get_group(principal: Principal, *, group_id: UUID, with_members: bool) -> DirectoryGroup:
    """Raises AccessDenied, ResourceNotFound."""
    allow_reading(principal, "group", str(group_id))
    return directory_groups.find_entry(group_id, with_members=with_members)


def find_users(query: Query) -> Page[DirectoryUser]:
    """Raises InvalidFilter, InvalidPath."""
    return find_page(query, USERS, user_rows())


def find_groups(query: Query, *, with_members: bool) -> Page[DirectoryGroup]:
    """Raises InvalidFilter, InvalidPath."""
    return find_page(query, GROUPS, group_rows(with_members=with_members))


def find_everything(query: Query, *, with_members: bool) -> tuple[Page[DirectoryUser], Page[DirectoryGroup]]:
    """A page of people and then groups, each with its own total. Raises InvalidFilter, InvalidPath.

    An attribute that neither has is wrong; one that only the other has is true of none.
    """
    users = find_page(query, USERS, user_rows(), beside=GROUPS)
    left = replace(query, start=max(query.start - users.total, 0), count=query.count - len(users.rows))
    groups = find_page(left, GROUPS, group_rows(with_members=with_members), beside=USERS)
    return users, groups
