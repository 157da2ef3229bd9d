"""Probes leave nothing behind: no rows, no events, no alerts of their own."""

from django.db import connections

from audit.models import AuditEvent
from tests.architecture.catalog import TENANT
from tests.compliance.posture.runs import guarded_tenant, officer_of, run_all
from tests.factories.access import acting

#: What a run itself writes.
OWN = {
    "compliance_probe_run",
    "compliance_probe_result",
    "audit_event",
    "audit_outbox",
    "audit_pendingnotice",
    "access_encryptionkey",
}


def test_a_run_leaves_its_results_and_nothing_else() -> None:
    tenant = guarded_tenant()
    officer = officer_of(tenant)
    run_all(tenant, officer)  # keys that are made at first use are made
    before = _counts(tenant.pk)
    run_all(tenant, officer)
    after = _counts(tenant.pk)
    grown = {table for table in TENANT if after[table] != before[table]}
    assert grown <= OWN, grown - OWN
    assert after["access_encryptionkey"] == before["access_encryptionkey"]
    with acting(tenant):
        latest = AuditEvent.objects.order_by("-time").values_list("type", flat=True)
        assert set(latest[:2]) == {"compliance.probes.run", "admin.access.write"}


def _counts(tenant_id: object) -> dict[str, int]:
    with connections["owner"].cursor() as cursor:
        found = {}
        for table in TENANT:
            cursor.execute(f'SELECT count(*) FROM "{table}" WHERE tenant_id = %s', [tenant_id])
            found[table] = cursor.fetchone()[0]
        return found
