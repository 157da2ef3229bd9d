"""People, groups, programs, policies and requests by how their names begin, or by their ids; for who may list them."""

from uuid import UUID

from django.db.models import Q

from access.lease_selectors import within
from access.models import AccessPolicy, AccessRequest, Group, ServiceAccount, User
from access.selectors import may
from vaultsite.kernel.tenancy.principal import Principal


def people_found(principal: Principal, text: str, limit: int) -> list[User]:
    """People whose user name or full name begins with ``text``, in any case."""
    return _people(principal, Q(username__istartswith=text) | Q(full_name__istartswith=text), limit)


def person_of_id(principal: Principal, identifier: UUID) -> list[User]:
    return _people(principal, Q(pk=identifier), 1)


def _people(principal: Principal, wanted: Q, limit: int) -> list[User]:
    if not may(principal, "user.read"):
        return []
    return list(User.objects.filter(wanted).order_by("username")[:limit])


def groups_found(principal: Principal, text: str, limit: int) -> list[Group]:
    """Groups whose name begins with ``text``, in any case."""
    if not may(principal, "group.read"):
        return []
    return list(Group.objects.filter(display_name__istartswith=text).order_by("display_name")[:limit])


def programs_found(principal: Principal, text: str, limit: int) -> list[ServiceAccount]:
    """Service accounts whose name begins with ``text``, in any case."""
    if not may(principal, "serviceaccount.read"):
        return []
    return list(ServiceAccount.objects.filter(name__istartswith=text).order_by("name")[:limit])


def policies_found(principal: Principal, text: str, limit: int) -> list[AccessPolicy]:
    """Access policies whose name begins with ``text``, in any case."""
    if not may(principal, "policy.read"):
        return []
    return list(AccessPolicy.objects.filter(name__istartswith=text).order_by("name")[:limit])


def request_of_id(principal: Principal, identifier: UUID) -> list[AccessRequest]:
    """A request for access: one's own, or anybody's for who may read them."""
    known = Q() if may(principal, "access.read") else Q(requester=principal.id)
    return list(AccessRequest.objects.filter(known, within(principal), pk=identifier))
