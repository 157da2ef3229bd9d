"""Roles that a tenant makes of the catalogue of permissions. Nobody puts into a role what they do not hold."""

import re
from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction

from access.errors import NameTaken
from access.models import Role, RoleBinding, RoleInheritance
from access.policy.builtin import PERMISSIONS, reach
from access.principals.errors import BuiltinRoleFixed, RoleInUse, RoleNotFound
from access.services.authorize import authorize
from access.services.grants import find_roles, refuse_reach
from access.services.role_graph import reckon, worth_of
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal

#: Roles that one list shows, and that a tenant may have.
MOST_ROLES: Final = 500
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{1,62}")
_LONGEST_NAME: Final = 100
_LONGEST_TEXT: Final = 300


def create_role(
    principal: Principal,
    *,
    code: str,
    name: str,
    description: str = "",
    permissions: Collection[str] = (),
    inherits: Sequence[str] = (),
) -> Role:
    """A role of the tenant's own: ``permissions`` of the catalogue, and what the roles ``inherits`` (codes) permit.

    Raises AccessDenied, StepUpRequired, InvalidInput, NameTaken, HierarchyTooDeep, GrantTooWide (it would permit what
    the principal does not hold).
    """
    role = Role(id=uuid7(), code=code, name=name, description=description)
    authorize(principal, "role.manage", _resource(role.pk), facts=_facts(permissions, inherits))
    _refuse_misfits(role, permissions)
    if Role.objects.count() >= MOST_ROLES:
        raise InvalidInput(
            errors=[FieldProblem("code", f"There are {MOST_ROLES} roles, which is as many as there may be")]
        )
    role.own_permissions = sorted(set(permissions))
    parents = find_roles(inherits)
    _weigh(principal, role, parents, before=frozenset())
    try:
        with transaction.atomic():
            role.save(force_insert=True)
    except IntegrityError:
        raise NameTaken("There is a role with this code") from None
    _compose(role, parents)
    emit(_changed(role, "made"))
    return role


def change_role(
    principal: Principal,
    *,
    role_id: UUID,
    name: str | None = None,
    description: str | None = None,
    permissions: Collection[str] | None = None,
    inherits: Sequence[str] | None = None,
) -> Role:
    """Change a role of the tenant's own (None: as it is); whoever holds it has the change with the next request.

    Raises AccessDenied, StepUpRequired, RoleNotFound, BuiltinRoleFixed, InvalidInput, RoleCycle, HierarchyTooDeep,
    GrantTooWide (it would come to permit what the principal does not hold).
    """
    authorize(principal, "role.manage", _resource(role_id), facts=_facts(permissions or (), inherits or ()))
    role = _own_role(role_id)
    before = frozenset(role.permissions)
    role.name = role.name if name is None else name
    role.description = role.description if description is None else description
    role.own_permissions = role.own_permissions if permissions is None else sorted(set(permissions))
    _refuse_misfits(role, role.own_permissions)
    parents = None if inherits is None else find_roles(inherits)
    _weigh(principal, role, parents, before=before)
    role.save(update_fields=["name", "description", "own_permissions"])
    _compose(role, parents)
    emit(_changed(role, "changed"))
    return role


def delete_role(principal: Principal, *, role_id: UUID) -> None:
    """Remove a role that nobody holds and no role inherits.

    Raises AccessDenied, StepUpRequired, RoleNotFound, BuiltinRoleFixed, RoleInUse.
    """
    authorize(principal, "role.manage", _resource(role_id), facts={"act": "deleted"})
    role = _own_role(role_id)
    if RoleBinding.objects.live().filter(role=role).exists() or RoleInheritance.objects.filter(inherited=role).exists():
        raise RoleInUse
    RoleBinding.objects.filter(role=role).delete()  # those whose time was over
    event = _changed(role, "deleted")
    role.delete()
    emit(event)


def list_roles(principal: Principal) -> list[Role]:
    """The roles of the tenant, those that come with the vault first. Raises AccessDenied."""
    authorize(principal, "role.read", ResourceRef("role"))
    return list(Role.objects.order_by("-is_builtin", "name", "code")[:MOST_ROLES])


def get_role(principal: Principal, *, role_id: UUID) -> Role:
    """Raises AccessDenied, RoleNotFound."""
    authorize(principal, "role.read", _resource(role_id))
    return _find(role_id)


def inherited_directly(role: Role) -> list[str]:
    """Codes of the roles that ``role`` names, without what those inherit in turn; sorted."""
    return sorted(RoleInheritance.objects.filter(heir=role).values_list("inherited__code", flat=True))


def _weigh(principal: Principal, role: Role, parents: Sequence[Role] | None, *, before: frozenset[str]) -> None:
    """Refuse what the role would come to, inheriting ``parents`` (None: as before), before anything of it is written.

    ``before`` is what it permitted so far: only what it gains is measured. The roles of the tenant stay locked from
    here on, so that two changes at once cannot close a circle. Raises RoleCycle, HierarchyTooDeep, GrantTooWide.
    """
    rows = {row.pk: row for row in Role.objects.select_for_update().order_by("pk")} | {role.pk: role}
    edges = list(RoleInheritance.objects.values_list("heir_id", "inherited_id"))
    if parents is not None:
        edges = [edge for edge in edges if edge[0] != role.pk] + [(role.pk, parent.pk) for parent in parents]
    gained = reach(worth_of(rows.values(), edges)[role.pk].permissions) - reach(before)
    refuse_reach(principal, gained)


def _compose(role: Role, parents: Sequence[Role] | None) -> None:
    """Write what the role inherits, and reckon every role anew."""
    if parents is not None:
        RoleInheritance.objects.filter(heir=role).delete()
        RoleInheritance.objects.bulk_create(RoleInheritance(heir=role, inherited=one) for one in set(parents))
    reckon(Role.objects.all(), RoleInheritance.objects.all())
    role.refresh_from_db()


def _own_role(role_id: UUID) -> Role:
    role = _find(role_id)
    if role.is_builtin:
        raise BuiltinRoleFixed
    return role


def _find(role_id: UUID) -> Role:
    role = Role.objects.filter(pk=role_id).first()
    if role is None:
        raise RoleNotFound
    return role


def _refuse_misfits(role: Role, permissions: Collection[str]) -> None:
    problems = []
    if not _CODE.fullmatch(role.code):
        problems.append(FieldProblem("code", "2 to 63 lower-case letters, digits and underscores, a letter first"))
    if not role.name.strip() or len(role.name) > _LONGEST_NAME or not role.name.isprintable():
        problems.append(FieldProblem("name", f"1 to {_LONGEST_NAME} printable characters"))
    if len(role.description) > _LONGEST_TEXT or not role.description.isprintable():
        problems.append(FieldProblem("description", f"At most {_LONGEST_TEXT} printable characters"))
    if unknown := set(permissions) - PERMISSIONS:
        problems.append(FieldProblem("permissions", f"{len(unknown)} of them are not in the catalogue"))
    if problems:
        raise InvalidInput(errors=problems)


def _resource(role_id: UUID) -> ResourceRef:
    return ResourceRef("role", str(role_id))


def _facts(permissions: Collection[str], inherits: Sequence[str]) -> dict[str, Any]:
    """Only names that are in the catalogue, and codes that are roles: others may be anything somebody typed."""
    known = Role.objects.filter(code__in=inherits).values_list("code", flat=True)
    return {"permissions": sorted(set(permissions) & PERMISSIONS), "inherits": sorted(known)}


def _changed(role: Role, act: str) -> Event:
    facts = {"act": act, "role": role.code, "permissions": list(role.permissions), "inherited": list(role.inherited)}
    return Event(EventType.ROLE_CHANGED, "update", _resource(role.pk), metadata=facts)
