"""How long a whole run of the probes takes, as one worker does it."""

import time
from uuid import uuid4

from access.services.tenants import create_tenant, operator
from audit.log.keys import create_keys
from compliance.models.posture import ProbeRun
from compliance.posture.catalog import PROBES
from compliance.posture.run import run_probes, start_probes
from tests.benchmarks.figures import Figure, Plan
from tests.factories.access import principal_with
from tests.factories.backup import drilled
from vaultsite.kernel.tenancy.scope import tenant_scope


def measure_probes(plan: Plan) -> list[Figure]:
    """``probes_s``: from the claim to the last signed result; the first run of a process loads the detectors."""
    tenant = create_tenant(slug=f"probed-{uuid4().hex[:12]}", name="Probed", mfa_roles=())
    officer = principal_with(tenant, "privacy_officer")
    drilled(tenant.pk)
    create_keys()  # what signs the audit signs results
    took = []
    for _ in range(min(plan.rounds, 3)):
        with tenant_scope(tenant.pk, officer):
            run = start_probes(officer)
        started = time.perf_counter()
        run_probes(tenant.pk, run.pk)
        took.append(time.perf_counter() - started)
        with tenant_scope(tenant.pk, operator(tenant.pk)):
            assert ProbeRun.objects.get(pk=run.pk).counts["error"] == 0
    note = f"worst of {len(took)} runs of {len(PROBES)} probes, one worker; results signed and kept"
    return [Figure("probes_s", round(max(took), 1), "s", 60, len(PROBES), plan.seed, note)]
