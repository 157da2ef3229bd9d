"""Rules of maintenance: partitions are there before they are needed, and a gap is an alarm."""

from datetime import UTC, date, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connections, transaction

from audit.models import AuditEvent
from audit.selectors import count_stray_events, list_partitions
from audit.services.partitions import create_partition, months_from
from tests.factories.audit import make_event, make_principal, moment, record
from vaultsite.kernel.tenancy.scope import tenant_scope


@pytest.fixture
def _emptied_default():
    """Take what a test put into the DEFAULT partition away again, which only a trigger's removal allows."""
    yield
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE audit_event_default DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM audit_event_default")
        cursor.execute("ALTER TABLE audit_event_default ENABLE TRIGGER USER")


def test_months_follow_one_another_over_the_years_end() -> None:
    assert months_from(date(2026, 11, 30), ahead=3) == [
        date(2026, 11, 1),
        date(2026, 12, 1),
        date(2027, 1, 1),
        date(2027, 2, 1),
    ]


def test_maintenance_makes_each_partition_once_and_says_so(tenant) -> None:
    record(tenant.pk, make_event())
    today = datetime.now(UTC).date()
    output = StringIO()
    call_command("maintain", months=14, stdout=output)
    names = {partition.name for partition in list_partitions()}
    assert {f"audit_event_{month:%Y_%m}" for month in months_from(today, ahead=14)} <= names
    assert "audit_event_default is empty" in output.getvalue()

    second = StringIO()
    call_command("maintain", months=14, stdout=second)
    assert "created" not in second.getvalue()
    assert {partition.name for partition in list_partitions()} == names


def test_a_new_partition_is_closed_like_the_others_and_takes_its_month(tenant) -> None:
    month = date(2041, 5, 1)
    create_partition(date(2041, 5, 17))
    event = make_event(time=moment("2041-05-31T23:59:59.999999+00:00"))
    record(tenant.pk, event)
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM audit_event WHERE id = %s", [event.id])
        assert cursor.fetchall() == [(f"audit_event_{month:%Y_%m}",)]
        cursor.execute(
            "SELECT relrowsecurity, relforcerowsecurity, has_table_privilege('vault_app', oid, 'SELECT'),"
            " (SELECT count(*) FROM pg_trigger WHERE tgrelid = pg_class.oid) FROM pg_class WHERE relname = %s",
            [f"audit_event_{month:%Y_%m}"],
        )
        assert cursor.fetchall() == [(True, True, False, 2)]


@pytest.mark.usefixtures("_emptied_default")
def test_an_event_without_a_partition_is_kept_and_raises_the_alarm(tenant) -> None:
    event = make_event(time=moment("1999-12-31T23:00:00+00:00"))
    record(tenant.pk, event)
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        assert AuditEvent.objects.filter(id=event.id).exists()
    assert count_stray_events() == 1
    with pytest.raises(CommandError, match="ALARM: 1 audit events") as alarm:
        call_command("maintain", stdout=StringIO())
    assert alarm.value.returncode == 2
    with pytest.raises(IntegrityError):
        create_partition(date(1999, 12, 1))
