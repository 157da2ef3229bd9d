"""What roles come to with the roles they inherit: reckoned when roles change, and kept in their rows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from access.models import Role, RoleInheritance
from access.policy.builtin import PERMISSIONS
from access.principals.errors import HierarchyTooDeep, RoleCycle

#: Steps from a role to what it inherits by the longest way.
MOST_STEPS: Final = 5


@dataclass(frozen=True)
class Worth:
    """What a role comes to: its permissions and those it inherits, the codes it inherits, and the steps to the last."""

    permissions: frozenset[str]
    inherited: frozenset[str]
    steps: int


def worth_of(roles: Iterable[Role], edges: Iterable[tuple[UUID, UUID]]) -> Mapping[UUID, Worth]:
    """Role id -> Worth, for all roles of a tenant and all its edges (heir, inherited).

    Pure. Raises RoleCycle, HierarchyTooDeep.
    """
    by_id = {role.pk: role for role in roles}
    parents: dict[UUID, list[UUID]] = defaultdict(list)
    for heir, inherited in edges:
        parents[heir].append(inherited)
    found: dict[UUID, Worth] = {}
    for role_id in by_id:
        _visit(role_id, by_id, parents, found, ())
    return found


def reckon(roles: "QuerySet[Role]", edges: "QuerySet[RoleInheritance]") -> None:
    """Write what each role of one tenant comes to, where that is something else than its row says.

    Raises RoleCycle, HierarchyTooDeep.
    """
    rows = list(roles)
    worth = worth_of(rows, edges.values_list("heir_id", "inherited_id"))
    for role in rows:
        permissions, inherited = sorted(worth[role.pk].permissions), sorted(worth[role.pk].inherited)
        if not role.is_builtin and (permissions != role.permissions or inherited != role.inherited):
            roles.filter(pk=role.pk).update(permissions=permissions, inherited=inherited)


def _visit(
    role_id: UUID,
    by_id: Mapping[UUID, Role],
    parents: Mapping[UUID, list[UUID]],
    found: dict[UUID, Worth],
    way: tuple[UUID, ...],
) -> Worth:
    if role_id in way:
        raise RoleCycle
    if role_id in found:
        return found[role_id]
    if len(way) > MOST_STEPS:
        raise HierarchyTooDeep
    role = by_id[role_id]
    above = [(by_id[one], _visit(one, by_id, parents, found, (*way, role_id))) for one in parents.get(role_id, ())]
    steps = max((worth.steps + 1 for _, worth in above), default=0)
    if steps > MOST_STEPS:
        raise HierarchyTooDeep
    own = frozenset(role.permissions if role.is_builtin else role.own_permissions) & PERMISSIONS
    found[role_id] = Worth(
        permissions=own.union(*(worth.permissions for _, worth in above)),
        inherited=frozenset(parent.code for parent, _ in above).union(*(worth.inherited for _, worth in above)),
        steps=steps,
    )
    return found[role_id]
