"""Runs are planned once a day for every tenant that has had a policy, and at any time by who manages retention."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from access.services.authorize import authorize
from compliance.models import RetentionClock, RetentionRun
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.jobs import FINAL, enqueue, new_lease
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope
from vaultsite.kernel.upkeep import add_up

#: A run begins no sooner after the one before, unless somebody asks for it.
EVERY: Final = timedelta(hours=24)


def start_run(principal: Principal) -> RetentionRun:
    """Queue a run; the one that has not ended, if any. Raises AccessDenied, StepUpRequired."""
    authorize(principal, "retention.manage", ResourceRef("retention_run"), facts={"change": "start"})
    return _queue(principal.id)


def plan_runs() -> int:
    """Over all tenants, as vault_system: queue the runs that are due. Returns how many."""
    tenants = RetentionClock.objects.using("system").values_list("tenant_id")
    return add_up(_plan, list(tenants))


def _plan(tenant_id: UUID) -> int:
    system = Principal.system(tenant_id)
    with tenant_scope(tenant_id, system):
        # What a clock that was ahead has dated later than now is not a run of the last day.
        lately = RetentionRun.objects.filter(created_at__range=(Now() - EVERY, Now()))
        if lately.exists() or _under_way() is not None:
            return 0
        _queue(system.id)
    return 1


def _under_way() -> RetentionRun | None:
    return RetentionRun.objects.exclude(status__in=FINAL).first()


def _queue(requested_by: UUID) -> RetentionRun:
    """One at a time: the constraint of the table says so."""
    run = RetentionRun(requested_by=requested_by, lease_until=new_lease(), progress={"stage": "queued"})
    try:
        with transaction.atomic():
            run.save(force_insert=True)
    except IntegrityError:
        under_way = _under_way()
        if under_way is None:  # it ended meanwhile
            return _queue(requested_by)
        return under_way
    run.refresh_from_db()
    enqueue(run)
    return run
