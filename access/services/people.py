"""People looked at: who there are, and all that one of them holds."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet
from django.db.models.functions import Now

from access.errors import UserNotFound
from access.models import ApiKey, Delegation, GroupMembership, Lease, RoleBinding, User
from access.services.authorize import authorize
from access.services.browsers import Browser, signed_in_browsers
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

#: Rows of each kind that one person's page shows.
SHOWN: Final = 100


@dataclass(frozen=True)
class PersonInFull:
    """A person with whatever they may act by. ``bindings`` are their own and their groups', live ones only."""

    user: User
    bindings: list[RoleBinding]
    memberships: list[GroupMembership]
    browsers: list[Browser]
    keys: list[ApiKey]
    leases: list[Lease]
    delegations: list[Delegation]


def list_users(
    principal: Principal, *, after: str | None = None, limit: int, search: str = "", active: bool | None = None
) -> list[User]:
    """People by name, those after the name ``after``, with their live ``bindings`` and ``memberships``.

    ``search`` is how a user name or a full name begins, in any case. Raises AccessDenied.
    """
    authorize(principal, "user.read", ResourceRef("user"))
    rows = _with_holdings().order_by("username")
    if after is not None:
        rows = rows.filter(username__gt=after)
    if search:
        rows = rows.filter(Q(username__istartswith=search) | Q(full_name__istartswith=search))
    if active is not None:
        rows = rows.filter(is_active=active)
    return list(rows[:limit])


def get_user(principal: Principal, *, user_id: UUID) -> User:
    """One person with their live ``bindings`` and ``memberships``. Raises AccessDenied, UserNotFound."""
    authorize(principal, "user.read", ResourceRef("user", str(user_id)))
    user = _with_holdings().filter(pk=user_id).first()
    if user is None:
        raise UserNotFound
    return user


def get_person(principal: Principal, *, user_id: UUID) -> PersonInFull:
    """One person with all they may act by. Raises AccessDenied, UserNotFound."""
    user = get_user(principal, user_id=user_id)
    memberships = list(user.memberships.all())
    groups = [one.group_id for one in memberships]
    bindings = RoleBinding.objects.live().filter(Q(user=user) | Q(group__in=groups)).select_related("role", "group")
    return PersonInFull(
        user=user,
        bindings=list(bindings.order_by("role__name", "group__display_name")),
        memberships=memberships,
        browsers=signed_in_browsers(user_id=user.pk),
        keys=list(
            ApiKey.objects.filter(created_by=user.pk, revoked_at=None, expires_at__gt=Now())
            .select_related("service_account")
            .order_by("name")[:SHOWN]
        ),
        leases=list(
            Lease.objects.filter(holder=user.pk, revoked_at=None, expires_at__gt=Now()).order_by("expires_at")[:SHOWN]
        ),
        delegations=list(Delegation.objects.live().filter(user=user).select_related("group", "role")),
    )


def list_bindings(
    principal: Principal,
    *,
    user_id: UUID | None = None,
    group_id: UUID | None = None,
    service_account_id: UUID | None = None,
    after: UUID | None = None,
    limit: int,
) -> list[RoleBinding]:
    """Live role bindings in the order they were made, of everybody or of one holder. Raises AccessDenied."""
    authorize(principal, "role.read", ResourceRef("role_binding"))
    named = {"user_id": user_id, "group_id": group_id, "service_account_id": service_account_id}
    rows = RoleBinding.objects.live().filter(**{name: holder for name, holder in named.items() if holder})
    rows = rows if after is None else rows.filter(pk__gt=after)
    return list(rows.select_related("role").order_by("pk")[:limit])


def _with_holdings() -> QuerySet[User]:
    held = Prefetch("bindings", RoleBinding.objects.live().select_related("role").order_by("role__code"))
    groups = Prefetch("memberships", GroupMembership.objects.select_related("group").order_by("group__display_name"))
    return User.objects.prefetch_related(held, groups)
