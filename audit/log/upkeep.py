"""The log's work across tenants: what goes wrong with one tenant's log is told there and stops no other."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce, Now

from access.models import Tenant
from audit.alerts.open import raise_alert, resolve_cause
from audit.log.checkpoints import due_tenants, sign_checkpoint
from audit.log.errors import TAMPERED
from audit.log.sealer import GRACE, LONG_GRACE, seal_stragglers, seal_tenant, straggling_tenants, waiting_tenants
from audit.log.witnessing import unwitnessed_tenants, witness_checkpoints
from audit.models import AuditCheckpoint, AuditLeaf
from audit.models.alert import Alert, AlertState
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_tenant_id, tenant_scope

logger = logging.getLogger("vault.audit")

#: Kind and cause of an alert.
Condition = tuple[str, str]
_UNSEALED: Final[Condition] = ("sealing.stalled", "sealing")
_CONDITIONS: Final[tuple[Condition, ...]] = (
    _UNSEALED,
    ("checkpoint.stopped", "signing"),
    ("checkpoint.stopped", "witnessing"),
)


def seal_all(*, window: timedelta | None = GRACE) -> int:
    """Seal the waiting events of every tenant; returns how many."""
    total = 0
    for tenant_id in waiting_tenants(window=window):
        with _reported(tenant_id):
            total += seal_tenant(tenant_id, window=window)
    return total


def seal_late() -> int:
    """Seal what was committed late, and what the outbox names and nobody found by its time; returns how many."""
    total = seal_all(window=LONG_GRACE)
    for tenant_id in straggling_tenants():
        with _reported(tenant_id):
            total += seal_stragglers(tenant_id)
    return total


def sign_all() -> int:
    """Sign the logs that are due, offer checkpoints to the witnesses that miss them; returns how many were signed."""
    signed = 0
    for tenant_id in due_tenants():
        with _reported(tenant_id):
            signed += sign_checkpoint(tenant_id) is not None
    for tenant_id in unwitnessed_tenants():
        with _reported(tenant_id):
            witness_checkpoints(tenant_id)
    return signed


def watch_all() -> int:
    """Raise an alert in every tenant whose events, checkpoints or witnesses are late; returns how many alerts.

    Alerts of what is late no more are resolved.
    """
    late = timedelta(seconds=settings.VAULT["AUDIT_LATE_SECONDS"])
    lists = (_unsealed_tenants(late), uncovered_tenants(late), unwitnessed_tenants(age=late))
    found = dict(zip(_CONDITIONS, map(set, lists), strict=True))
    raised = 0
    for tenant_id in Tenant.objects.using("system").order_by("pk").values_list("pk", flat=True):
        with _reported(tenant_id), tenant_scope(tenant_id, Principal.system(tenant_id)):
            raised += _tell([condition for condition in _CONDITIONS if tenant_id in found[condition]], late)
    return raised


def _unsealed_tenants(late: timedelta) -> list[UUID]:
    return [*waiting_tenants(window=LONG_GRACE, age=late), *straggling_tenants(age=late)]


def _tell(holding: Sequence[Condition], late: timedelta) -> int:
    """Raise what holds in the open scope, resolve what does not; returns how many alerts were raised."""
    for kind, cause in holding:
        raise_alert(kind=kind, cause=cause, severity="warning", facts={"late_seconds": late.total_seconds()})
    unresolved = Alert.objects.filter(kind__in={kind for kind, _ in _CONDITIONS}).exclude(state=AlertState.RESOLVED)
    for kind, cause in unresolved.values_list("kind", "cause"):
        if (kind, cause) in _CONDITIONS and (kind, cause) not in holding and not _still_holds(kind, late):
            resolve_cause(kind, cause)
    return len(holding)


def _still_holds(kind: str, late: timedelta) -> bool:
    """Whether an event waits that is too old for the quick searches: asked only where an alert is to end."""
    return kind == _UNSEALED[0] and bool(waiting_tenants(window=None, age=late, among=[current_tenant_id()]))


def uncovered_tenants(age: timedelta) -> list[UUID]:
    """Tenants with a sealed event that happened at least ``age`` ago and that no checkpoint covers."""
    checkpoints = AuditCheckpoint.objects.using("system").filter(tenant_id=OuterRef("pk")).order_by("-size")
    tenants = Tenant.objects.using("system").annotate(covered=Coalesce(Subquery(checkpoints.values("size")[:1]), 0))
    first = AuditLeaf.objects.using("system").filter(tenant_id=OuterRef("pk"), seq=OuterRef("covered"))
    waiting = tenants.annotate(since=Subquery(first.values("event_time")[:1])).filter(since__lte=Now() - age)
    return list(waiting.values_list("pk", flat=True))


@contextmanager
def _reported(tenant_id: UUID) -> Iterator[None]:
    """Log what goes wrong; what looks like tampering is an alert at once. Everything is tried again the next time."""
    try:
        yield
    except VaultError as fault:
        logger.error("audit log of %s: %s %s", tenant_id, fault.code, fault)  # noqa: TRY400 - it says why itself
        if isinstance(fault, TAMPERED):
            _raise_tampered(tenant_id, fault)
    except DatabaseError as fault:  # its message may hold a row
        logger.error("audit log of %s: %s", tenant_id, type(fault).__name__)  # noqa: TRY400
        _renew_connections()


def _raise_tampered(tenant_id: UUID, fault: VaultError) -> None:
    try:
        with tenant_scope(tenant_id, Principal.system(tenant_id)):
            raise_alert(kind="verification.failed", cause=fault.slug, severity="critical", facts=_facts(fault))
    except (VaultError, DatabaseError) as refused:
        logger.error("audit log of %s: no alert: %s", tenant_id, type(refused).__name__)  # noqa: TRY400
        _renew_connections()


def _renew_connections() -> None:
    """One that the error has broken is not handed to the next tenant."""
    for connection in connections.all(initialized_only=True):
        connection.close_if_unusable_or_obsolete()


def _facts(fault: VaultError) -> dict[str, object]:
    return {"code": fault.code, **{name: value for name, value in fault.extra.items() if value is not None}}
