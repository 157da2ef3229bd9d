"""Rules of single probes: what counts as a defence that holds, and what says nothing about it."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from access.models import Tenant
from audit.models import AuditVerification
from compliance.models import Transfer
from compliance.models.posture import ProbeState
from compliance.posture.attempt import tried
from compliance.posture.outcome import Untried
from compliance.posture.probes import audit_append_only, audit_verify, cross_tenant, residency, restore_drill
from compliance.posture.sandbox import sandbox
from tests.compliance.posture.defences import BORDERED
from tests.compliance.posture.runs import guarded_tenant
from tests.factories.access import acting
from tests.factories.backup import drilled
from tests.isolation.rows import connect


def verified(tenant: Tenant, status: str, *, hours_ago: float) -> None:
    ended_at = timezone.now() - timedelta(hours=hours_ago)
    row = {"status": status, "created_at": ended_at, "finished_at": ended_at, "lease_until": ended_at}
    with acting(tenant):
        AuditVerification.objects.create(requested_by=tenant.pk, **row)


@pytest.mark.parametrize(
    "ended", [[("succeeded", 37)], [("succeeded", -1)], [("succeeded", 3), ("failed", 1)], [("running", 1)]]
)
def test_a_log_too_long_to_walk_is_not_proven_by_an_old_or_a_failed_verification(monkeypatch, ended) -> None:
    monkeypatch.setattr(audit_verify, "MOST_SECONDS", -1.0)
    tenant: Any = guarded_tenant()
    for status, hours_ago in ended:
        verified(tenant, status, hours_ago=hours_ago)
    with pytest.raises(Untried, match="too long"):
        audit_verify.probe(tenant.pk)
    verified(tenant, "succeeded", hours_ago=0)
    if ended != [("succeeded", -1)]:
        assert audit_verify.probe(tenant.pk).state == ProbeState.PASSED


def run_sql(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.rowcount


def test_only_a_refusal_of_the_database_is_one(tenant) -> None:
    with sandbox(tenant.pk):
        assert tried(lambda: run_sql("DELETE FROM audit_event")) is None
        assert tried(lambda: run_sql("SELECT 1")) == 1
        with pytest.raises(Untried, match="22012"):
            tried(lambda: run_sql("SELECT 1 / 0"))


@pytest.mark.parametrize("table", ["datasets_dataset", "audit_alert", "access_lease"])
def test_a_row_that_may_be_written_for_a_stranger_is_a_breach_whatever_must_be_unique(tenant, table) -> None:
    """The policy as it is, but for what may be written."""
    own = "tenant_id = (SELECT vault_tenant())"
    with connect("vault_owner") as owner:
        owner.execute(f"ALTER POLICY tenant ON {table} USING ({own}) WITH CHECK (true)")
    try:
        found = cross_tenant.probe(tenant.pk)
    finally:
        with connect("vault_owner") as owner:
            owner.execute(f"ALTER POLICY tenant ON {table} USING ({own}) WITH CHECK ({own})")
    assert found.state == ProbeState.FAILED
    assert [one.rsplit(" ", 1)[1] for one in found.facts["breaches"]] == ["written"]


def test_a_trigger_that_breaks_is_not_the_fence_of_the_audit(tenant) -> None:
    with connect("vault_owner") as owner:
        owner.execute("GRANT UPDATE ON audit_event TO vault_app")
        owner.execute(
            "CREATE FUNCTION probe_breaks() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'broken'; END $$"
        )
        owner.execute(
            "CREATE TRIGGER probe_breaks BEFORE UPDATE ON audit_event "
            "FOR EACH STATEMENT EXECUTE FUNCTION probe_breaks()"
        )
    try:
        with pytest.raises(Untried, match="P0001"):
            audit_append_only.probe(tenant.pk)
    finally:
        with connect("vault_owner") as owner:
            owner.execute("DROP TRIGGER probe_breaks ON audit_event")
            owner.execute("DROP FUNCTION probe_breaks()")
            owner.execute("REVOKE UPDATE ON audit_event FROM vault_app")


@pytest.mark.parametrize("hours_ago", [None, 24 * 31, -48])
def test_without_a_drill_of_this_month_nothing_is_proven_of_recovery(tenant, hours_ago) -> None:
    """Neither by one that is old, nor by one of the future."""
    if hours_ago is not None:
        drilled(tenant.pk, hours_ago=hours_ago)
    with pytest.raises(Untried, match="no backup was restored"):
        restore_drill.probe(tenant.pk)


def test_a_backup_that_is_late_is_a_breach(tenant) -> None:
    drilled(tenant.pk, hours_ago=24 * 3)
    found = restore_drill.probe(tenant.pk)
    assert (found.state, found.facts["breaches"]) == (
        ProbeState.FAILED, ["the newest complete backup is older than 26 hours"],
    )  # fmt: skip


def test_exports_over_borders_are_tried_and_leave_nothing_in_the_log_of_transfers(tenant, monkeypatch) -> None:
    monkeypatch.setitem(settings.VAULT, "REGIONS", BORDERED)
    found = residency.probe(tenant.pk)
    assert (found.state, found.facts["attempts"]) == (ProbeState.PASSED, 6)
    with acting(tenant):
        assert not Transfer.objects.exists()
