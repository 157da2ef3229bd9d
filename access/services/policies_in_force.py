"""Which policies hold now: read once for each epoch and process, asked for once in each scope."""

import logging
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Final
from uuid import UUID

from django.db.models import Case, When

from access.models import NEEDS_CONSENT, NO_STAMP, AccessPolicyVersion, PolicyEpoch, PolicyState, Purpose
from access.policy.cedar.compiled import CompiledPolicies
from access.policy.cedar.statement import Statement, read_statement
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.scope import current_scope

#: Tenants whose policies a process keeps.
_MAX_TENANTS: Final = 256
_MEMO: Final = "access.policies_in_force"
#: Stands for every purpose where one is restricted.
ALL_PURPOSES: Final = "*"
_CLOSED: Final = "forbid(principal, action, resource is Dataset);"
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PoliciesInForce:
    """A tenant's policies at one epoch: ``stamp`` tells them from any other set, ``number`` counts changes."""

    stamp: UUID
    number: int
    compiled: CompiledPolicies
    purposes: frozenset[str]
    #: Those under which records are released only where their people have agreed.
    consent_purposes: frozenset[str] = frozenset()
    #: Those from which records are left out because their people asked for it; ALL_PURPOSES for every one.
    restricted_purposes: frozenset[str] = frozenset()

    def restricts(self, purpose: str) -> bool:
        """Whether somebody's records are left out of the purpose."""
        return not self.restricted_purposes.isdisjoint({purpose, ALL_PURPOSES})


_kept: Final[OrderedDict[tuple[UUID, UUID], PoliciesInForce]] = OrderedDict()
_lock: Final = Lock()


def policies_in_force() -> PoliciesInForce:
    """The policies of the open scope's tenant, as the scope's transaction sees them when it first asks.

    One query a scope; two more where the process has not met the epoch yet.
    """
    scope = current_scope()
    found: PoliciesInForce | None = scope.memo.get(_MEMO)
    if found is None:
        found = scope.memo[_MEMO] = _of_epoch(scope.tenant_id)
    return found


def policies_changed() -> None:
    """Called by whoever changed policies, roles or purposes and goes on deciding in the same scope."""
    current_scope().memo.pop(_MEMO, None)


def statements_in_force() -> list[Statement]:
    """The tenant's own statements that are in force now, by name."""
    rows = AccessPolicyVersion.objects.filter(state=PolicyState.ACTIVE).select_related("policy")
    return [_statement(row) for row in rows.order_by("policy__name")]


def _statement(row: AccessPolicyVersion) -> Statement:
    """What a version says. One that this release cannot read any more closes the data until somebody looks at it."""
    try:
        return read_statement(row.statement_id, row.text)
    except VaultError:
        logger.exception("Access policy %s cannot be read: datasets of its tenant are closed", row.pk)
        return read_statement(row.statement_id, _CLOSED)


def _of_epoch(tenant_id: UUID) -> PoliciesInForce:
    row = PolicyEpoch.objects.filter(pk=tenant_id).values_list("stamp", "number", "restricted_purposes").first()
    stamp, number, restricted = row or (NO_STAMP, 0, [])
    key = (tenant_id, stamp)
    with _lock:
        found = _kept.get(key) if row else None
        if found is not None:
            _kept.move_to_end(key)
            return found
    purposes = Purpose.objects.filter(is_active=True).values_list(
        "code", Case(When(NEEDS_CONSENT, then=True), default=False)
    )
    known = dict(purposes)
    found = PoliciesInForce(
        stamp=stamp,
        number=number,
        compiled=CompiledPolicies(statements_in_force()),
        purposes=frozenset(known),
        consent_purposes=frozenset(code for code, asks in known.items() if asks),
        restricted_purposes=frozenset(restricted),
    )
    if row:  # without one nothing would tell the next set from this
        _keep(key, found)
    return found


def _keep(key: tuple[UUID, UUID], found: PoliciesInForce) -> None:
    with _lock:
        _kept[key] = found
        while len(_kept) > _MAX_TENANTS:
            _kept.popitem(last=False)
