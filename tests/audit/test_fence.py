"""Rules of the event table: no row changes, no other tenant's shows, no partition leads around."""

import pytest
from django.db import DatabaseError, ProgrammingError, connections, transaction

from audit.models import AuditEvent
from audit.selectors import list_partitions
from tests.factories.audit import make_event, make_principal, record
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.scope import tenant_scope, unscoped

CHANGES = [
    "UPDATE audit_event SET purpose = 'other'",
    "DELETE FROM audit_event",
    "TRUNCATE audit_event",
]
INSERT = (
    "INSERT INTO audit_event SELECT %s, %s, now(), type, status, severity, operation, actor_id, actor_kind,"
    " resource_type, resource_id, dataset_id, classification, version, purpose, policy, request_id, failure_reason,"
    " body FROM audit_event LIMIT 1"
)


def execute(alias: str, sql: str, params: list | None = None) -> list | None:
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else None


@pytest.mark.parametrize("change", CHANGES)
def test_the_application_cannot_change_an_event(tenant, change) -> None:
    event = make_event()
    record(tenant.pk, event)
    with pytest.raises(ProgrammingError, match="permission denied"), tenant_scope(tenant.pk, make_principal(tenant.pk)):
        execute("default", change)
    with pytest.raises(ProgrammingError, match="permission denied"):
        execute("system", change)
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        assert AuditEvent.objects.get(id=event.id).purpose == "analytics"


@pytest.mark.parametrize("change", CHANGES)
def test_even_the_owner_is_refused(tenant, change) -> None:
    event = make_event()
    record(tenant.pk, event)
    partition = f"audit_event_{event.time:%Y_%m}"
    for statement in (change, change.replace("audit_event", partition)):
        with pytest.raises(ProgrammingError, match="never changed"):
            execute("owner", statement)


def test_no_partition_is_open_to_a_serving_role(tenant) -> None:
    record(tenant.pk, make_event())
    names = [partition.name for partition in list_partitions()]
    assert len(names) >= 14
    for name in names:
        for role in ("vault_app", "vault_system"):
            granted = "SELECT has_table_privilege(%s, %s, 'SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER')"
            assert execute("owner", granted, [role, name]) == [(False,)]
        with pytest.raises(ProgrammingError), tenant_scope(tenant.pk, make_principal(tenant.pk)):
            execute("default", f"SELECT count(*) FROM {name}")


def test_every_partition_is_under_forced_row_level_security_with_the_owners_policy_alone() -> None:
    unprotected = execute(
        "owner",
        "SELECT relname FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = 'audit_event'::regclass"
        " AND NOT (relrowsecurity AND relforcerowsecurity AND 'owner' = ALL (SELECT polname FROM pg_policy"
        " WHERE polrelid = c.oid) AND EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid))",
    )
    assert unprotected == []


def test_another_tenants_events_do_not_exist(tenant, rival) -> None:
    mine, theirs = make_event(), make_event()
    record(tenant.pk, mine)
    record(rival.pk, theirs)
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        assert AuditEvent.objects.filter(id=mine.id).exists()
        assert not AuditEvent.objects.filter(id=theirs.id).exists()
        assert execute("default", "SELECT DISTINCT tenant_id FROM audit_event") == [(tenant.pk,)]
    with unscoped("shows nothing"):
        assert execute("default", "SELECT count(*) FROM audit_event") == [(0,)]


def test_nobody_writes_into_another_tenants_audit(tenant, rival) -> None:
    record(tenant.pk, make_event())
    principal = make_principal(tenant.pk)
    with pytest.raises(DatabaseError, match="row-level security"), tenant_scope(tenant.pk, principal):
        execute("default", INSERT, [uuid7(), rival.pk])
    with pytest.raises(ProgrammingError, match="permission denied"):
        execute("system", INSERT, [uuid7(), tenant.pk])


def test_the_application_changes_nothing_that_waits_in_the_outbox(tenant) -> None:
    for statement in ("DELETE FROM audit_outbox", "UPDATE audit_outbox SET delivered_at = now()"):
        with pytest.raises(ProgrammingError), tenant_scope(tenant.pk, make_principal(tenant.pk)):
            execute("default", statement)
