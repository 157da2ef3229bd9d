"""Probes as a job: asked for or due, run one after the other, each result signed and kept."""

import logging
import time
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models.functions import Now
from django.utils import timezone

from access.models import Tenant
from access.services.authorize import authorize
from compliance.errors.posture import ProbeRunNotFound, ProbesUnderWay
from compliance.models.posture import ProbeResult, ProbeRun, ProbeState, ProbeTrigger
from compliance.posture.catalog import PROBES
from compliance.posture.outcome import Outcome, Untried
from compliance.posture.signing import sign_statement
from compliance.posture.standing import Standing, count_states, standing
from compliance.posture.tell import tell_changes
from vaultsite.kernel.errors import JobFenced, RegionNotServed, VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.jobs import FINAL, Claim, enqueue, new_lease
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope
from vaultsite.kernel.turn import take_turn
from vaultsite.kernel.upkeep import add_up

READ: Final = "posture.read"
RUN: Final = "posture.run"
#: How often a tenant's probes are run without anybody asking.
EVERY: Final = timedelta(days=1)
logger = logging.getLogger("vault.posture")


def resource_of(run_id: UUID | str = "") -> ResourceRef:
    return ResourceRef("probe_run", str(run_id))


def start_probes(principal: Principal) -> ProbeRun:
    """Queue all probes for the caller's organization. Raises AccessDenied, ProbesUnderWay."""
    authorize(principal, RUN, resource_of())
    if ProbeRun.objects.exclude(status__in=FINAL).exists():
        raise ProbesUnderWay
    return _queue(principal, ProbeTrigger.PERSON)


def _queue(principal: Principal, trigger: ProbeTrigger) -> ProbeRun:
    run = ProbeRun.objects.create(
        trigger=trigger, probes=list(PROBES), requested_by=principal.id, lease_until=new_lease()
    )
    run.refresh_from_db()
    enqueue(run)
    return run


def plan_probes() -> int:
    """Over all active tenants: queue the probes of those whose last run is EVERY ago. Returns how many."""
    tenants = Tenant.objects.using("system").filter(is_active=True).order_by("pk")
    return add_up(_plan, list(tenants.values_list("pk")))


def _plan(tenant_id: UUID) -> bool:
    with tenant_scope(tenant_id, Principal.system(tenant_id)) as scope:
        # By the database's clock, which dates the runs; one from the future must not keep those of today away.
        recent = ProbeRun.objects.filter(created_at__gt=Now() - EVERY, created_at__lte=Now())
        if recent.exists() or ProbeRun.objects.exclude(status__in=FINAL).exists():
            return False
        _queue(scope.principal, ProbeTrigger.SCHEDULE)
    return True


def list_probe_runs(principal: Principal, *, limit: int, after: UUID | None = None) -> list[ProbeRun]:
    """The newest first, following the one of id ``after``. Raises AccessDenied."""
    authorize(principal, READ, resource_of())
    rows = ProbeRun.objects.order_by("-id")
    return list((rows if after is None else rows.filter(pk__lt=after))[:limit])


def get_probe_run(principal: Principal, run_id: UUID) -> ProbeRun:
    """Raises AccessDenied, ProbeRunNotFound."""
    authorize(principal, READ, resource_of(run_id))
    found = ProbeRun.objects.filter(pk=run_id).first()
    if found is None:
        raise ProbeRunNotFound
    return found


def run_probes(tenant_id: UUID, run_id: UUID) -> None:
    """Run what is left of a run's probes, and say what has changed. Work of a worker; no scope may be open."""
    take_turn(ProbeRun, tenant_id, run_id, _work, fail=_fail)


def _work(run: ProbeRun, held: Claim) -> None:
    with held.scope():
        done = set(ProbeResult.objects.filter(run=run).values_list("probe", flat=True))
        before = standing()
    for number, name in enumerate(run.probes, start=1):
        if name in PROBES and name not in done:
            _run_one(run, held, name)
        held.save(progress={"percent": 100 * number // (len(run.probes) + 1), "stage": name, "done": number})
    with held.scope():
        _finish(run, held, before)


def _run_one(run: ProbeRun, held: Claim, name: str) -> None:
    """What went wrong on the way is an error of the probe, and says nothing about the defence.

    Raises RegionNotServed: the probe is not tried here, and left to a worker that may.
    """
    started = time.monotonic()
    try:
        outcome = PROBES[name].run(held.tenant_id)
    except (JobFenced, RegionNotServed):
        raise
    except Untried as untried:
        outcome = Outcome(ProbeState.ERROR, {"reason": untried.reason})
    except Exception as error:
        logger.exception("the probe %s could not be tried", name)
        ended_in = getattr(error, "code", "") or type(error).__name__
        outcome = Outcome(ProbeState.ERROR, {"reason": f"it ended in {ended_in}"})
    with held.scope():
        _keep(run, name, outcome, int(1000 * (time.monotonic() - started)))


def _keep(run: ProbeRun, name: str, outcome: Outcome, duration_ms: int) -> ProbeResult:
    """Raises SigningKeyUnavailable: a result that nobody signed is none."""
    result_id, ended_at = uuid7(), timezone.now()
    signed = sign_statement(
        {
            "id": str(result_id),
            "tenant": str(run.tenant_id),
            "run": str(run.pk),
            "probe": name,
            "tried": PROBES[name].tried,
            "state": str(outcome.state),
            "facts": dict(outcome.facts),
            "ended_at": ended_at.isoformat(),
            "duration_ms": duration_ms,
        }
    )
    return ProbeResult.objects.create(
        id=result_id,
        run=run,
        probe=name,
        state=outcome.state,
        facts=dict(outcome.facts),
        ended_at=ended_at,
        duration_ms=duration_ms,
        statement=signed.statement,
        signature=signed.signature,
        signed_by=signed.signed_by,
    )


def _finish(run: ProbeRun, held: Claim, before: Standing) -> None:
    after = standing()
    states = list(ProbeResult.objects.filter(run=run).values_list("state", flat=True))
    counts = {state.value: states.count(state.value) for state in ProbeState}
    tell_changes(before, after)
    emit(Event(EventType.PROBES_RUN, "read", resource_of(run.pk), severity=_severity(counts), metadata=counts))
    posture = {one: count_states(after, one) for one in after.by_framework()}
    held.finish(counts=counts, posture=posture, progress={"percent": 100, "stage": "done", "done": len(run.probes)})


def _severity(counts: dict[str, int]) -> Any:
    return "critical" if counts["failed"] else "warning" if counts["error"] else "info"


def _fail(run: ProbeRun, held: Claim, error: VaultError) -> None:
    """Probes that could not be run prove nothing; the row and the audit say so."""
    event = Event(EventType.PROBES_RUN, "read", resource_of(run.pk))
    with held.scope():
        emit(event.ended_by(error))
        held.fail(error)
