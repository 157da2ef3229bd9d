"""Tenants: made by the owner of the database, seeded with the built-in roles and purposes."""

from collections.abc import Collection
from contextlib import ExitStack
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError

from access.errors import NameTaken, TenantNotFound
from access.models import KeyPurpose, Purpose, Role, RoleInheritance, SignInPolicy, Tenant
from access.policy.builtin import PERMISSIONS, PURPOSES, ROLES, BuiltinRole
from access.selectors import find_tenant
from access.services.assurance import MFA_ROLES
from access.services.keyring import current_key
from access.services.role_graph import reckon
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import PLATFORM_TENANT_ID, SYSTEM_PRINCIPAL_ID, Principal
from vaultsite.kernel.tenancy.scope import tenant_scope


def operator(tenant_id: UUID) -> Principal:
    """Who runs a management command: somebody with the shell of the vault, who may do everything in the tenant."""
    return Principal(
        id=SYSTEM_PRINCIPAL_ID,
        kind="system",
        tenant_id=tenant_id,
        name="operator",
        roles=frozenset({"operator"}),
        permissions=PERMISSIONS,
        credential="console",
    )


def tenant_by_slug(slug: str) -> Tenant:
    """The active tenant; raises TenantNotFound."""
    tenant = find_tenant(slug)
    if tenant is None:
        raise TenantNotFound
    return tenant


def create_tenant(*, slug: str, name: str, mfa_roles: Collection[str] = MFA_ROLES) -> Tenant:
    """Make a tenant with the built-in roles, the purposes and its first keys; needs the ``owner`` connection.

    ``mfa_roles`` are codes of the built-in roles whose holders sign in with a second factor.

    Raises InvalidInput for a slug, name or role of the wrong shape, NameTaken, KeyUnavailable. Nothing is left on
    failure.
    """
    if not set(mfa_roles) <= ROLES.keys():
        raise InvalidInput(errors=[FieldProblem("mfa_roles", "There is no such role")])
    tenant = Tenant(slug=slug, name=name)
    try:
        tenant.clean_fields()
    except ValidationError as invalid:
        problems = [
            FieldProblem(field, message) for field, messages in invalid.message_dict.items() for message in messages
        ]
        raise InvalidInput(errors=problems) from None
    try:
        tenant.save(using="owner", force_insert=True)
    except IntegrityError:
        raise NameTaken("There is a tenant with this slug") from None
    _make_keys(PLATFORM_TENANT_ID)
    with ExitStack() as undo:
        undo.callback(tenant.delete, using="owner")
        with tenant_scope(tenant.pk, operator(tenant.pk)):
            _seed(tenant, mfa_roles)
        undo.pop_all()
    return tenant


def renew_builtin_roles(*, using: str, **_: object) -> None:
    """After a migration by the owner: the built-in roles of every tenant are those of this release.

    Permissions that a role gained or lost since the tenant was made are so for it too, and for what inherits it.
    """
    if using != "owner":
        return
    held = Role.objects.using("owner").filter(is_builtin=True)
    for code, role in ROLES.items():
        facts = _facts(role)
        held.filter(code=code).exclude(**facts).update(**facts)
    tenants = Tenant.objects.using("owner").filter(pk__in=held.values("tenant_id"))
    for tenant_id in tenants.values_list("pk", flat=True):
        roles = Role.objects.using("owner").filter(tenant_id=tenant_id)
        # A role of the tenant's own keeps its code.
        missing = ROLES.keys() - set(roles.values_list("code", flat=True))
        Role.objects.using("owner").bulk_create(
            Role(tenant_id=tenant_id, code=code, is_builtin=True, **_facts(ROLES[code])) for code in sorted(missing)
        )
        reckon(roles, RoleInheritance.objects.using("owner").filter(tenant_id=tenant_id))


def _facts(role: BuiltinRole) -> dict[str, Any]:
    return {"name": role.name, "description": role.description, "permissions": sorted(role.permissions)}


def _seed(tenant: Tenant, mfa_roles: Collection[str]) -> None:
    Role.objects.bulk_create(Role(code=code, is_builtin=True, **_facts(role)) for code, role in ROLES.items())
    Purpose.objects.bulk_create(Purpose(code=code, description=text) for code, text in PURPOSES.items())
    SignInPolicy.objects.create(mfa_roles=sorted(mfa_roles))
    _make_keys(tenant.pk)
    emit(Event(type=EventType.ADMIN_WRITE, operation="write", resource=ResourceRef("tenant", str(tenant.pk))))


def _make_keys(tenant_id: UUID) -> None:
    """Made early: what is refused later leaves nothing behind, so it must not have to make the key that counts it."""
    with tenant_scope(tenant_id, operator(tenant_id)):
        for purpose in (KeyPurpose.PLATFORM, KeyPurpose.PSEUDONYM):
            current_key(purpose)
