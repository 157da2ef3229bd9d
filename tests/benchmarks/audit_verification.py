"""How fast a whole log is verified, beside hashing the same bytes and nothing else."""

import time
from hashlib import sha256
from random import Random
from uuid import UUID, uuid4

from django.db import connection

from access.services.tenants import create_tenant, operator
from audit.log.checkpoints import sign_checkpoint
from audit.log.sealer import seal_tenant
from audit.models import AuditLeaf
from audit.proofs.heads import Trust
from audit.proofs.verification import LogVerification
from tests.benchmarks.audit_log import happen
from tests.benchmarks.figures import Figure, Plan
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: Events recorded before the log is sealed and signed once.
_PART = 50_000
#: Rows that the baseline fetches at once.
_FETCHED = 10_000
_BODIES = "SELECT body FROM audit_event WHERE tenant_id = %s"


def measure_verifying(plan: Plan) -> list[Figure]:
    """``verify_events_s``: leaves, tree, columns, checkpoints; ``verify_ratio``: against SHA-256 of the same bodies."""
    tenant = create_tenant(slug=f"verified-{uuid4().hex[:12]}", name="Verified", mfa_roles=())
    who = operator(tenant.pk)
    size = _grow(who, plan.large, Random(plan.seed))
    rates, hashed = [], []
    for _ in range(min(plan.rounds, 3)):
        hashed.append(size / _hash(who.tenant_id))
        rates.append(size / _verify(who.tenant_id))
    best, baseline = max(rates), max(hashed)
    note = (
        f"best of {len(rates)} over {size} events; hashing the same bodies in one stream and nothing else: "
        f"{baseline:,.0f}/s. One process: fetching rows and reading JSON for the columns take most of it"
    )
    return [
        Figure("verify_events_s", round(best), "events/s", round(baseline), size, plan.seed, note),
        Figure("verify_ratio", round(best / baseline, 2), "ratio", None, size, plan.seed, note),
    ]


def _grow(who: Principal, wanted: int, rng: Random) -> int:
    seal_tenant(who.tenant_id, window=None)
    leaves = AuditLeaf.objects.using("system").filter(tenant_id=who.tenant_id)
    while (missing := wanted - leaves.count()) > 0:
        happen(who, min(missing, _PART), rng)
        seal_tenant(who.tenant_id)
        sign_checkpoint(who.tenant_id)
    return leaves.count()


def _verify(tenant_id: UUID) -> float:
    trust, principal = Trust.of(tenant_id), Principal.system(tenant_id)
    started = time.perf_counter()
    with tenant_scope(tenant_id, principal):
        verification = LogVerification.begin(tenant_id, trust, [])
    while not verification.is_walked:
        with tenant_scope(tenant_id, principal):
            verification.step()
    with tenant_scope(tenant_id, principal):
        verification.conclude()
    assert verification.findings == []
    return time.perf_counter() - started


def _hash(tenant_id: UUID) -> float:
    started = time.perf_counter()
    with (
        tenant_scope(tenant_id, Principal.system(tenant_id)),
        connection.connection.cursor(name="bodies", binary=True) as cursor,
    ):
        cursor.itersize = _FETCHED
        for (body,) in cursor.execute(_BODIES, [tenant_id]):
            sha256(b"\x00" + body).digest()
    return time.perf_counter() - started
