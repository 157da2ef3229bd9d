"""Tenants whose defences all stand, and runs of their probes."""

from typing import Any

from access.models import Tenant, TotpDevice
from access.services.assurance import MFA_ROLES
from compliance.models.posture import ProbeRun
from compliance.posture.run import run_probes, start_probes
from compliance.posture.standing import Standing, standing
from tests.audit.proofs.logs import grow
from tests.conftest import new_tenant
from tests.factories.access import acting
from tests.factories.backup import drilled
from tests.factories.leases import person
from vaultsite.kernel.tenancy.principal import Principal


def guarded_tenant() -> Tenant:
    """A tenant that asks its mighty roles for a second factor, seals and signs its log, and was restored in a drill."""
    tenant: Any = new_tenant("posture", mfa_roles=tuple(sorted(MFA_ROLES)))
    grow(tenant.pk)
    drilled(tenant.pk)
    return tenant


def officer_of(tenant: Tenant, role: str = "privacy_officer") -> Principal:
    """Somebody with a row and a second factor."""
    principal = person(tenant, role)
    with acting(tenant):
        TotpDevice.objects.create(user_id=principal.id, name="app", sealed=b"sealed", last_step=0)
    return principal


def run_all(tenant: Tenant, principal: Principal | None = None) -> ProbeRun:
    """Run every probe here and now."""
    principal = principal or officer_of(tenant)
    with acting(tenant, principal):
        run = start_probes(principal)
    run_probes(tenant.pk, run.pk)
    with acting(tenant):
        return ProbeRun.objects.get(pk=run.pk)


def standing_of(tenant: Tenant) -> Standing:
    with acting(tenant):
        return standing()
