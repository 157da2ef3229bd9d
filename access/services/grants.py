"""Giving and taking roles. Nobody gives what they do not have, and nobody gives to themselves."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from access.errors import ApiKeyNotFound, BindingNotFound, GrantTooWide, UserNotFound
from access.models import ApiKey, Role, RoleBinding, User, VaultSession
from access.services.authorize import authorize, may
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal


def bind_role(
    principal: Principal,
    *,
    role: str,
    user_id: UUID | None = None,
    api_key_id: UUID | None = None,
    expires_at: datetime | None = None,
) -> RoleBinding:
    """Give ``role`` (its code) to a user or to an API key, until ``expires_at`` or for good.

    Giving a role again moves its end. Raises AccessDenied, GrantTooWide when the holder is the principal itself,
    UserNotFound, ApiKeyNotFound, InvalidInput for an unknown role or when not exactly one holder is named.
    """
    holder = user_id or api_key_id
    authorize(principal, "role.manage", ResourceRef("role_binding", str(holder or "")))
    if (user_id is None) == (api_key_id is None):
        raise InvalidInput(errors=[FieldProblem("user_id", "Name either a user or an API key")])
    if holder == principal.id:
        raise GrantTooWide
    user = User.objects.filter(pk=user_id).first() if user_id else None
    api_key = ApiKey.objects.filter(pk=api_key_id).first() if api_key_id else None
    if user is None and api_key is None:
        raise UserNotFound if user_id else ApiKeyNotFound
    binding, _ = RoleBinding.objects.update_or_create(
        user=user,
        api_key=api_key,
        role=find_roles([role])[0],
        defaults={"expires_at": expires_at, "granted_by": principal.id},
    )
    return binding


def revoke_binding(principal: Principal, *, binding_id: UUID) -> None:
    """Take a role away; with the last one go the user's sessions. Raises AccessDenied, BindingNotFound."""
    authorize(principal, "role.manage", ResourceRef("role_binding", str(binding_id)))
    binding = RoleBinding.objects.filter(pk=binding_id).first()
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
    principal: Principal, roles: Sequence[Role], *, user: User | None = None, api_key: ApiKey | None = None
) -> None:
    """Bind roles to a holder just made, as part of an action already authorized; raises GrantTooWide."""
    refuse_wider(principal, frozenset().union(*(role.permissions for role in roles)))
    RoleBinding.objects.bulk_create(
        RoleBinding(user=user, api_key=api_key, role=role, granted_by=principal.id) for role in roles
    )


def refuse_wider(principal: Principal, permissions: frozenset[str]) -> None:
    """Raise GrantTooWide when ``permissions`` exceed the principal's own, unless it manages roles."""
    if not may(principal, "role.manage") and not permissions <= principal.permissions:
        raise GrantTooWide
