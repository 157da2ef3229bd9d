"""Rules of events: stored with what they tell of, or not at all."""

from contextlib import nullcontext, suppress
from dataclasses import FrozenInstanceError
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from access.models import Purpose
from audit.models import AuditEvent
from tests.factories.audit import make_event, make_principal
from vaultsite.kernel.errors import AuditUnavailable, InternalFault, InvalidInput, NoTenantScope, RefusedByFramework
from vaultsite.kernel.events import buffer
from vaultsite.kernel.events.buffer import EventBuffer, register_sink
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import RequestFacts
from vaultsite.kernel.tenancy.scope import durable_effect, tenant_scope


def scope_of(tenant):
    return tenant_scope(tenant.pk, make_principal(tenant.pk))


def stored(tenant, *events):
    """status and type by id, of those of ``events`` that are in the audit."""
    with scope_of(tenant):
        rows = AuditEvent.objects.filter(id__in=[event.id for event in events])
        return {row.id: (row.status, row.type) for row in rows}


def test_an_event_needs_a_scope():
    with pytest.raises(NoTenantScope):
        emit(make_event())


def test_events_are_stored_when_the_scope_commits(tenant):
    one, two = make_event(), make_event(type=EventType.CREATED)
    with scope_of(tenant):
        emit(one, primary=True)
        emit(two)
        assert not AuditEvent.objects.filter(id__in=[one.id, two.id]).exists()
    assert stored(tenant, one, two) == {
        one.id: ("success", "data.access.read"),
        two.id: ("success", "data.created"),
    }


def test_a_scope_without_events_stores_none(tenant):
    with scope_of(tenant):
        before = AuditEvent.objects.count()
    with scope_of(tenant):
        assert AuditEvent.objects.count() == before


@pytest.mark.parametrize(
    ("error", "status", "kind", "reason"),
    [
        (RefusedByFramework(), "denied", "data.access.denied", RefusedByFramework.code),
        (InvalidInput(), "failure", "data.access.write", InvalidInput.code),
        (RuntimeError("a value"), "failure", "data.access.write", "RuntimeError"),
    ],
)
def test_the_primary_event_tells_how_the_scope_ended(tenant, error, status, kind, reason):
    primary, other = make_event(type=EventType.ACCESS_WRITE), make_event()
    with suppress(type(error)), scope_of(tenant):
        emit(primary, primary=True)
        emit(other)
        raise error
    assert stored(tenant, primary, other) == {primary.id: (status, kind)}
    with scope_of(tenant):
        row = AuditEvent.objects.get(id=primary.id)
    assert row.failure_reason == reason
    assert b"a value" not in bytes(row.body)


def test_a_denial_of_another_kind_keeps_its_type():
    event = make_event(type=EventType.ADMIN_WRITE).ended_by(RefusedByFramework())
    assert (event.type, event.status, event.severity) == (EventType.ADMIN_WRITE, "denied", "warning")


def test_a_reason_once_given_is_kept():
    event = make_event(failure_reason="VAULT_AUTHZ_2003").ended_by(InternalFault())
    assert event.failure_reason == "VAULT_AUTHZ_2003"


def test_the_last_decision_is_the_primary_event(tenant):
    first, second = make_event(), make_event()
    with suppress(ZeroDivisionError), scope_of(tenant):
        emit(first, primary=True)
        emit(second, primary=True)
        raise ZeroDivisionError
    assert set(stored(tenant, first, second)) == {second.id}


def test_an_expected_decision_is_written_only_as_a_failure(tenant):
    quiet, failed = make_event(), make_event()
    for event, ends in ((quiet, nullcontext()), (failed, suppress(ZeroDivisionError))):
        with ends, scope_of(tenant) as scope:
            scope.events.expect(event, scope.principal, scope.request, scope.tenant_id)
            if event is failed:
                raise ZeroDivisionError
    assert stored(tenant, quiet, failed) == {failed.id: ("failure", "data.access.read")}


def test_a_rolled_back_savepoint_takes_its_events_with_it(tenant):
    kept, dropped, nested, later = (make_event() for _ in range(4))
    with scope_of(tenant):
        emit(kept)
        with suppress(ZeroDivisionError), transaction.atomic():
            emit(dropped)
            with transaction.atomic():
                emit(nested)
            raise ZeroDivisionError
        with transaction.atomic():
            emit(later)
    assert set(stored(tenant, kept, dropped, nested, later)) == {kept.id, later.id}


def test_equal_events_are_told_apart(tenant):
    """One of two equal events in a rolled-back savepoint: the other stays."""
    event = make_event()
    with scope_of(tenant):
        with suppress(ZeroDivisionError), transaction.atomic():
            emit(event)
            raise ZeroDivisionError
        emit(event)
    assert set(stored(tenant, event)) == {event.id}


def test_an_event_emitted_in_a_durable_effect_belongs_to_its_scope(tenant):
    event = make_event()
    with suppress(ZeroDivisionError), scope_of(tenant):
        with durable_effect():
            emit(event)
        raise ZeroDivisionError
    assert stored(tenant, event) == {}


def test_an_event_carries_who_and_which_request(tenant):
    event = make_event()
    principal = make_principal(tenant.pk)
    with tenant_scope(tenant.pk, principal, RequestFacts(request_id="request-1234")):
        emit(event)
    with scope_of(tenant):
        row = AuditEvent.objects.get(id=event.id)
    assert (row.actor_id, row.request_id) == (principal.id, "request-1234")


class FailingSink:
    """A sink of the real port that fails for one tenant, after the others have written."""

    def __init__(self, tenant_id, error):
        self.tenant_id = tenant_id
        self.error = error

    def __call__(self, events):
        if any(recorded.tenant_id == self.tenant_id for recorded in events):
            raise self.error


@pytest.fixture
def sinks(monkeypatch):
    monkeypatch.setattr(buffer, "_sinks", [*buffer._sinks])


@pytest.mark.parametrize("error", [DatabaseError("no room"), OSError("no room"), InternalFault()])
def test_what_one_sink_cannot_take_did_not_happen(tenant, sinks, error):
    register_sink(FailingSink(tenant.pk, error))
    event = make_event()
    with pytest.raises(AuditUnavailable) as refused, scope_of(tenant):
        Purpose.objects.create(code="undone")
        emit(event)
    assert refused.value.__cause__ is error
    buffer._sinks.pop()
    with scope_of(tenant):
        assert not Purpose.objects.filter(code="undone").exists()
    assert stored(tenant, event) == {}


def test_a_refusal_that_cannot_be_recorded_is_an_error_of_its_own(tenant, sinks):
    register_sink(FailingSink(tenant.pk, OSError()))
    with pytest.raises(AuditUnavailable), scope_of(tenant):
        emit(make_event(), primary=True)
        raise InvalidInput


def test_without_a_sink_nothing_is_done(tenant, monkeypatch):
    monkeypatch.setattr(buffer, "_sinks", [])
    with pytest.raises(AuditUnavailable), scope_of(tenant):
        Purpose.objects.create(code="undone")
        emit(make_event())
    with scope_of(tenant):
        assert not Purpose.objects.filter(code="undone").exists()


def test_a_sink_is_registered_once(sinks):
    before = len(buffer._sinks)
    sink = FailingSink(uuid4(), OSError())
    register_sink(sink)
    register_sink(sink)
    assert len(buffer._sinks) == before + 1


def test_flushing_writes_once(tenant):
    event = make_event()
    with scope_of(tenant) as scope:
        emit(event)
        scope.events.flush()
    assert set(stored(tenant, event)) == {event.id}


def test_a_failed_scope_without_a_primary_event_records_nothing():
    assert EventBuffer().primary_after(ValueError()) is None


def test_an_event_is_a_fact_and_does_not_change():
    event = Event(EventType.CREATED, "write", ResourceRef("dataset"))
    with pytest.raises(FrozenInstanceError):
        event.status = "denied"
    assert isinstance(event.id, UUID)
    assert event.id.version == 7
    assert event.time.utcoffset().total_seconds() == 0


def test_types_are_named_by_dotted_words():
    for kind in EventType:
        assert all(part.isidentifier() and part.islower() for part in kind.split("."))
        assert 2 <= len(kind.split(".")) <= 3


def test_the_marker_of_an_event_costs_no_statement(tenant):
    with scope_of(tenant):
        queries = []
        with connection.execute_wrapper(lambda run, *call: queries.append(call[0]) or run(*call)):
            emit(make_event())
        assert queries == []
