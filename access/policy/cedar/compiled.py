"""A tenant's policies as they are asked: sliced by action and role, each slice parsed once."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import cedarpy
import orjson

from access.policy.cedar.roles import role_statements
from access.policy.cedar.statement import Statement

#: Slices kept of one set; principals holding the same roles share theirs.
_MAX_SLICES: Final = 4096
#: No policy of a tenant speaks of these: one that forbids everything could never be retired.
UNGOVERNED: Final = frozenset({"policy.read", "policy.manage"})


@dataclass(frozen=True)
class Slice:
    """The statements that can matter to one action and one set of roles, with the parsed set of them."""

    statements: Mapping[str, Statement]
    parsed: cedarpy.PolicySet

    @classmethod
    def of(cls, statements: Iterable[Statement]) -> "Slice":
        named = {statement.id: statement for statement in statements}
        return cls(named, _parse(named.values()))

    def with_more(self, statements: Iterable[Statement]) -> "Slice":
        """This slice with others beside; not kept, so parsed each time."""
        return Slice.of([*self.statements.values(), *statements])

    @cached_property
    def mentions(self) -> frozenset[tuple[str, str]]:
        """The attributes that its statements ask for, as ("resource", "tags")."""
        return frozenset().union(*(statement.mentions for statement in self.statements.values()))


@dataclass
class CompiledPolicies:
    """Statements of a tenant's own, and what roles permit, ready to be asked. Never changed once made."""

    statements: Sequence[Statement] = ()
    _slices: OrderedDict[tuple[str, frozenset[str]], Slice] = field(default_factory=OrderedDict)
    _parts: OrderedDict[bytes, Slice] = field(default_factory=OrderedDict)

    def slice_for(self, action: str, roles: frozenset[str]) -> Slice:
        """What can matter to ``action`` done by who holds ``roles``."""
        key = (action, roles & self._roles_named)
        found = self._slices.get(key)
        if found is None:
            found = self._slices[key] = Slice.of([*role_statements(action), *self._own(*key)])
            if len(self._slices) > _MAX_SLICES:
                self._slices.popitem(last=False)
        return found

    def part(self, statement: Statement) -> Slice:
        """A slice of one statement or a piece of one, parsed once for all who ask about it."""
        key = orjson.dumps(statement.body)
        found = self._parts.get(key)
        if found is None:
            found = self._parts[key] = Slice.of([statement])
            if len(self._parts) > _MAX_SLICES:
                self._parts.popitem(last=False)
        return found

    def _own(self, action: str, roles: frozenset[str]) -> list[Statement]:
        return [one for one in self._by_action(action) if not one.role or one.role in roles]

    def _by_action(self, action: str) -> list[Statement]:
        if action in UNGOVERNED:
            return []
        return [one for one in self.statements if one.admits(action)]

    @cached_property
    def _roles_named(self) -> frozenset[str]:
        return frozenset(one.role for one in self.statements if one.role)


def _parse(statements: Iterable[Statement]) -> cedarpy.PolicySet:
    content = {statement.id: statement.body for statement in statements}
    return cedarpy.PolicySet.from_json_str(
        orjson.dumps({"staticPolicies": content, "templates": {}, "templateLinks": []}).decode()
    )
