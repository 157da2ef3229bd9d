"""Giving and taking roles. Nobody gives what they do not have, and nobody gives to themselves."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from access.auth.errors import ServiceAccountNotFound
from access.errors import ApiKeyNotFound, BindingNotFound, GrantTooWide, UserNotFound
from access.models import ApiKey, Role, RoleBinding, ServiceAccount, User, VaultSession
from access.policy.builtin import reach
from access.policy.scopes import expand
from access.services.authorize import authorize, may
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal


def bind_role(
    principal: Principal,
    *,
    role: str,
    user_id: UUID | None = None,
    api_key_id: UUID | None = None,
    service_account_id: UUID | None = None,
    expires_at: datetime | None = None,
) -> RoleBinding:
    """Give ``role`` (its code) to a user, an API key or a service account, until ``expires_at`` or for good.

    Giving a role again moves its end. Raises AccessDenied, GrantTooWide when the holder is the principal itself or a
    program that could then do more than the principal, UserNotFound, ApiKeyNotFound, ServiceAccountNotFound,
    InvalidInput for an unknown role or when not exactly one holder is named.
    """
    holder = user_id or api_key_id or service_account_id
    named = _facts_of_holder(user_id, api_key_id, service_account_id)
    held = RoleBinding.objects.filter(**named, role__code=role).first() if named else None
    binding_id = held.pk if held else uuid7()
    facts = named | grant_facts([role], expires_at=expires_at)
    authorize(principal, "role.manage", ResourceRef("role_binding", str(binding_id)), facts=facts)
    if len(named) != 1:
        raise InvalidInput(errors=[FieldProblem("user_id", "Name one user, API key or service account")])
    if holder == principal.id:
        raise GrantTooWide
    user = User.objects.filter(pk=user_id).first() if user_id else None
    api_key = ApiKey.objects.filter(pk=api_key_id).first() if api_key_id else None
    account = ServiceAccount.objects.filter(pk=service_account_id).first() if service_account_id else None
    if user is None and api_key is None and account is None:
        raise UserNotFound if user_id else ApiKeyNotFound if api_key_id else ServiceAccountNotFound
    found = find_roles([role])[0]
    if user is None:
        refuse_wider_key(principal, found.permissions, api_key.scopes if api_key else ())
    given = {"expires_at": expires_at, "granted_by": principal.id}
    binding, _ = RoleBinding.objects.update_or_create(
        user=user,
        api_key=api_key,
        service_account=account,
        role=found,
        defaults=given,
        create_defaults={"id": binding_id, **given},
    )
    return binding


def revoke_binding(principal: Principal, *, binding_id: UUID) -> None:
    """Take a role away; with the last one go the user's sessions. Raises AccessDenied, BindingNotFound."""
    binding = RoleBinding.objects.select_related("role").filter(pk=binding_id).first()
    facts: dict[str, Any] = {}
    if binding is not None:
        facts = _facts_of_holder(binding.user_id, binding.api_key_id, binding.service_account_id)
        facts |= grant_facts([binding.role.code], expires_at=binding.expires_at)
    authorize(principal, "role.manage", ResourceRef("role_binding", str(binding_id)), facts=facts)
    if binding is None:
        raise BindingNotFound
    binding.delete()
    if binding.user_id and not RoleBinding.objects.live().filter(user_id=binding.user_id).exists():
        VaultSession.objects.filter(user_id=binding.user_id).delete()


def find_roles(codes: Sequence[str]) -> list[Role]:
    """The roles of those codes, in their order; raises InvalidInput naming the ones that do not exist."""
    found = {role.code: role for role in Role.objects.filter(code__in=codes)}
    unknown = [FieldProblem("roles", "There is no such role") for code in codes if code not in found]
    if unknown:
        raise InvalidInput(errors=unknown)
    return [found[code] for code in codes]


def grant_roles(
    principal: Principal,
    roles: Sequence[Role],
    *,
    user: User | None = None,
    api_key: ApiKey | None = None,
    service_account: ServiceAccount | None = None,
) -> None:
    """Bind roles to a holder just made, as part of an action already authorized; raises GrantTooWide."""
    permissions = frozenset().union(*(role.permissions for role in roles))
    if user is None:
        refuse_wider_key(principal, permissions, api_key.scopes if api_key else ())
    else:
        refuse_wider(principal, permissions)
    holder = {"user": user, "api_key": api_key, "service_account": service_account}
    RoleBinding.objects.bulk_create(RoleBinding(**holder, role=role, granted_by=principal.id) for role in roles)


def refuse_wider(principal: Principal, permissions: frozenset[str]) -> None:
    """Raise GrantTooWide when ``permissions`` exceed the principal's own, unless it manages roles."""
    if not may(principal, "role.manage") and not permissions <= principal.permissions:
        raise GrantTooWide


def refuse_wider_key(principal: Principal, permissions: Iterable[str], scopes: Iterable[str]) -> None:
    """Raise GrantTooWide when a key with these would let its maker do more than they may: who makes it, holds it."""
    refuse_reach(principal, reach(frozenset(permissions), expand(scopes)))


def refuse_reach(principal: Principal, wanted: frozenset[tuple[str, str]]) -> None:
    """Raise GrantTooWide when ``wanted`` exceeds what the principal itself may do, whether or not it manages roles."""
    if not wanted <= reach(principal.permissions, principal.scopes):
        raise GrantTooWide


def grant_facts(
    roles: Sequence[str], *, scopes: Iterable[str] | None = None, expires_at: datetime | None = None
) -> dict[str, Any]:
    """What the audit keeps of a grant. Role codes nobody defined are left out: they may be anything."""
    facts: dict[str, Any] = {
        "roles": sorted(Role.objects.filter(code__in=roles).values_list("code", flat=True)),
        "expires_at": expires_at.isoformat() if expires_at else None,
    }
    return facts if scopes is None else facts | {"scopes": sorted(scopes)}


def _facts_of_holder(user_id: UUID | None, api_key_id: UUID | None, service_account_id: UUID | None) -> dict[str, Any]:
    named = {"user_id": user_id, "api_key_id": api_key_id, "service_account_id": service_account_id}
    return {name: str(holder) for name, holder in named.items() if holder}
