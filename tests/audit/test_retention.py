"""Rules of retention: a month goes only when its events are proven elsewhere, and then proofs still verify."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import ProgrammingError, connections, transaction

from audit.log.checkpoints import sign_checkpoint
from audit.log.sealer import seal_tenant
from audit.log.witnessing import witness_checkpoints
from audit.models import AuditEvent, AuditLeaf, AuditMonthDrop
from audit.proofs.bundle import public_keys
from audit.proofs.events import prove_event
from audit.proofs.retention import drop_old_months
from audit.proofs.verify_export import check_proof, read_keys
from audit.services.partitions import create_partition, months_from
from tests.audit.proofs.logs import copy_event, event_at, grow, insert_drop, seq_of, tamper
from tests.audit.test_verification import found
from tests.factories.audit import make_event, make_principal, moment, record
from vaultsite.config import VaultConfig
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.tenancy.scope import tenant_scope

#: No other test has events of these months.
MONTHS = iter(months_from(date(2015, 1, 1), ahead=23))
TODAY = date(2017, 6, 15)


@pytest.fixture(autouse=True)
def _retention(settings) -> None:
    """What maintenance is called with is what the verification goes by."""
    settings.VAULT = settings.VAULT | {"AUDIT_RETENTION_MONTHS": 4}


@pytest.fixture
def month() -> date:
    """A month of its own, with a partition; other tests' months are gone by then."""
    first = next(MONTHS)
    create_partition(first)
    return first


@pytest.fixture
def old_event(tenant, month):
    """An event of that month, the others of the organization are of today."""
    event = make_event(time=moment(f"{month.isoformat()}T12:00:00+00:00"))
    record(tenant.pk, event)
    seal_tenant(tenant.pk, window=None)
    return event


def has_event(tenant, event) -> bool:
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        return AuditEvent.objects.filter(pk=event.id).exists()


def test_zero_drops_nothing_and_twelve_months_are_kept_by_default(tenant, old_event) -> None:
    assert (VaultConfig.audit_retention_months, VaultConfig.audit_online_months) == (12, 3)
    assert drop_old_months(keep=0, today=TODAY) == []
    assert has_event(tenant, old_event)
    grow(tenant.pk)
    drop_old_months(keep=4, today=TODAY)


def test_a_month_within_retention_stays(tenant, month, old_event) -> None:
    grow(tenant.pk)
    assert drop_old_months(keep=36, today=TODAY) == []
    assert has_event(tenant, old_event)
    drop_old_months(keep=4, today=TODAY)


def test_a_dropped_month_keeps_its_proofs_and_is_told(tenant, month, old_event, tmp_path) -> None:
    grow(tenant.pk)
    principal = make_principal(tenant.pk)
    with tenant_scope(tenant.pk, principal):
        kept = prove_event(tenant.pk, old_event.id).as_file()
    (dropped,) = drop_old_months(keep=4, today=TODAY)
    assert (dropped.month, dropped.events, dropped.kept_because) == (month, 1, "")
    assert not has_event(tenant, old_event)
    with tenant_scope(tenant.pk, principal):
        row = AuditMonthDrop.objects.get()
        told = AuditEvent.objects.get(pk=row.event_id)
        proof = prove_event(tenant.pk, old_event.id)
        assert AuditLeaf.objects.filter(event_id=old_event.id).exists()
    assert (told.type, told.records) == (EventType.AUDIT_MONTH_DROPPED, 0)
    assert (row.month, row.events, row.first_seq, row.last_seq) == (month, 1, proof.seq, proof.seq)
    assert proof.body is None
    assert "extra" not in proof.as_file()
    (tmp_path / "kept.tlog-proof").write_text(kept)
    assert check_proof(tmp_path / "kept.tlog-proof", read_keys(public_keys(tenant.pk)))[0].endswith("is in the log")
    assert found(tenant.pk) == []
    seal_tenant(tenant.pk)
    sign_checkpoint(tenant.pk)
    assert found(tenant.pk) == []


def forget_events_of(month: date) -> None:
    """Leave nothing that keeps the month for the tests that follow."""
    following = month + timedelta(days=32)
    for table, column in (("audit_event", "time"), ("audit_leaf", "event_time")):
        tamper(f"DELETE FROM {table} WHERE {column} >= %s AND {column} < %s", month, following.replace(day=1))
    drop_old_months(keep=4, today=TODAY)


@pytest.mark.parametrize("lack", ["seal", "checkpoint", "witness"])
def test_a_month_that_is_not_proven_elsewhere_stays(tenant, month, lack, monkeypatch) -> None:
    event = make_event(time=moment(f"{month.isoformat()}T12:00:00+00:00"))
    record(tenant.pk, event)
    if lack != "seal":
        seal_tenant(tenant.pk, window=None)
    if lack == "witness":
        sign_checkpoint(tenant.pk)
    (kept,) = drop_old_months(keep=4, today=TODAY)
    assert kept.month == month
    assert ("not sealed" if lack == "seal" else "no witness") in kept.kept_because
    assert has_event(tenant, event)
    seal_tenant(tenant.pk, window=None)
    sign_checkpoint(tenant.pk)
    witness_checkpoints(tenant.pk)
    (dropped,) = drop_old_months(keep=4, today=TODAY)
    assert dropped.events == 1


def test_a_changed_event_is_not_dropped(tenant, month, old_event) -> None:
    """Retention is no way to get rid of the traces."""
    grow(tenant.pk)
    tamper("UPDATE audit_event SET body = body || ' '::bytea WHERE id = %s", old_event.id)
    (kept,) = drop_old_months(keep=4, today=TODAY)
    assert "not sealed as they are stored" in kept.kept_because
    forget_events_of(month)


def test_a_deletion_is_not_laundered_by_retention(tenant, month) -> None:
    """A leaf without its event keeps the month, and stays damage."""
    events = [make_event(time=moment(f"{month.isoformat()}T12:0{number}:00+00:00")) for number in range(3)]
    record(tenant.pk, *events)
    seal_tenant(tenant.pk, window=None)
    grow(tenant.pk)
    tamper("DELETE FROM audit_event WHERE id = %s", events[1].id)
    (kept,) = drop_old_months(keep=4, today=TODAY)
    assert (kept.month, kept.kept_because) == (month, "1 leaves have lost their event")
    assert has_event(tenant, events[0])
    assert [kind for _, kind in found(tenant.pk)] == ["event_missing"]
    forget_events_of(month)


def test_a_month_whose_copied_event_has_no_leaf_stays(tenant, month, old_event) -> None:
    grow(tenant.pk)
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        copy_event(connections["default"].cursor(), old_event.id, moment(f"{month.isoformat()}T13:00:00+00:00"))
    (kept,) = drop_old_months(keep=4, today=TODAY)
    assert "1 events are not sealed" in kept.kept_because
    forget_events_of(month)


def test_what_comes_while_a_month_is_looked_at_keeps_it(tenant, month, old_event) -> None:
    """Only under the lock is it certain that what was looked at is what goes."""
    grow(tenant.pk)
    with ThreadPoolExecutor(1) as maintenance:
        with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
            copy_event(cursor, old_event.id, moment(f"{month.isoformat()}T13:00:00+00:00"))
            running = maintenance.submit(_drop_elsewhere)
            wait_for_lock(f"audit_event_{month:%Y_%m}")
        (kept,) = running.result()
    assert (kept.month, kept.kept_because) == (month, "it changed while it was looked at")
    assert has_event(tenant, old_event)
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        assert not AuditMonthDrop.objects.exists()
        assert not AuditEvent.objects.filter(type=EventType.AUDIT_MONTH_DROPPED).exists()
    forget_events_of(month)


def _drop_elsewhere() -> list:
    try:
        return drop_old_months(keep=4, today=TODAY)
    finally:
        connections.close_all()


def wait_for_lock(table: str) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = to_regclass(%s)"
    deadline = time.monotonic() + 20
    with connections["owner"].cursor() as cursor:
        while time.monotonic() < deadline:
            if cursor.execute(waiting, [table]).fetchone() == (1,):
                return
            time.sleep(0.02)
    raise TimeoutError(table)


def test_a_drop_says_no_more_than_its_event(tenant, month) -> None:
    grow(tenant.pk)
    events = [make_event(time=moment(f"{month.isoformat()}T12:0{number}:00+00:00")) for number in range(3)]
    record(tenant.pk, *events)
    seal_tenant(tenant.pk, window=None)
    grow(tenant.pk)
    (dropped,) = drop_old_months(keep=4, today=TODAY)
    assert dropped.events == 3
    seal_tenant(tenant.pk)
    assert found(tenant.pk) == []
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        first = AuditMonthDrop.objects.get().first_seq
    # A younger event is deleted, and its leaf moved among those of the dropped month.
    victim = event_at(tenant.pk, first - 1)
    tamper("DELETE FROM audit_event WHERE id = %s", victim)
    tamper("UPDATE audit_leaf SET event_time = %s WHERE event_id = %s", events[0].time, victim)
    assert found(tenant.pk) == [(first - 1, "event_missing")]
    tamper("UPDATE audit_month_drop SET first_seq = first_seq - 1 WHERE tenant_id = %s", tenant.pk)
    assert found(tenant.pk) == [(seq, "event_missing") for seq in range(first - 1, first + 3)]


def test_a_leaf_moved_between_those_of_a_dropped_month_is_found(tenant, month) -> None:
    """Its number fits, and its time is covered by no hash: the audit tells how many went."""
    grow(tenant.pk)
    noon = moment(f"{month.isoformat()}T12:00:00+00:00")
    for event_time in (noon, datetime.now(UTC), noon + timedelta(minutes=1)):
        record(tenant.pk, make_event(time=event_time))
        seal_tenant(tenant.pk, window=None)
    grow(tenant.pk)
    (dropped,) = drop_old_months(keep=4, today=TODAY)
    assert dropped.events == 2
    assert found(tenant.pk) == []
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        row = AuditMonthDrop.objects.get()
    assert row.last_seq == row.first_seq + 2
    victim = event_at(tenant.pk, row.first_seq + 1)
    tamper("DELETE FROM audit_event WHERE id = %s", victim)
    tamper("UPDATE audit_leaf SET event_time = %s WHERE event_id = %s", noon, victim)
    assert found(tenant.pk) == [(row.first_seq, "drop_differs")]


@pytest.mark.parametrize("is_later_told", [True, False])
def test_the_event_of_a_drop_may_be_dropped_itself(tenant, is_later_told) -> None:
    """The next drop has to cover it, and to be told."""
    grow(tenant.pk)
    lost = make_event(time=moment("2014-05-03T12:00:00+00:00"))
    record(tenant.pk, lost)
    seal_tenant(tenant.pk, window=None)
    seq = seq_of(tenant.pk, lost.id)
    first = make_event(time=moment("2014-06-20T12:00:00+00:00"), **told_of("2014-05", seq))
    record(tenant.pk, first)
    seal_tenant(tenant.pk, window=None)
    again = seq_of(tenant.pk, first.id)
    second = make_event(**told_of("2014-06", again, events=1 if is_later_told else 2))
    record(tenant.pk, second)
    grow(tenant.pk)
    tamper("DELETE FROM audit_event WHERE id IN (%s, %s)", lost.id, first.id)
    insert_drop(tenant.pk, first.id, month=date(2014, 5, 1), events=1, first_seq=seq, last_seq=seq)
    insert_drop(tenant.pk, second.id, month=date(2014, 6, 1), events=1, first_seq=again, last_seq=again)
    assert found(tenant.pk) == ([] if is_later_told else [(seq, "event_missing"), (again, "event_missing")])


def told_of(month: str, seq: int, *, events: int = 1) -> dict:
    """What an event that tells of a drop of one leaf has beside its time."""
    facts = {"month": month, "events": events, "first_seq": seq, "last_seq": seq}
    return {"type": EventType.AUDIT_MONTH_DROPPED, "metadata": facts}


@pytest.mark.parametrize("retention", [0, 4, 2000])
def test_a_drop_is_excused_only_past_the_retention(tenant, month, old_event, retention, settings) -> None:
    grow(tenant.pk)
    drop_old_months(keep=4, today=TODAY)
    seal_tenant(tenant.pk)
    settings.VAULT = settings.VAULT | {"AUDIT_RETENTION_MONTHS": retention}
    assert [kind for _, kind in found(tenant.pk)] == ([] if retention == 4 else ["event_missing"])


def test_no_serving_role_can_drop_a_month(tenant) -> None:
    statement = "SELECT audit_drop_partition('2016-01-01')"
    with pytest.raises(ProgrammingError, match="permission denied"), tenant_scope(tenant.pk, make_principal(tenant.pk)):
        connections["default"].cursor().execute(statement)
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic(using="system"):
        connections["system"].cursor().execute(statement)
