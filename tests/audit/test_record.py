"""Rules of writing events down."""

import json
from contextlib import suppress
from uuid import UUID

import pytest
import rfc8785
from django.db import transaction

from access.models import Purpose
from audit.models import AuditEvent, OutboxEntry
from audit.selectors import open_actor
from audit.services.record import BATCH, compose_body, event_values
from tests.factories.audit import FACTS, dataset_ref, make_event, make_principal, make_recorded, moment, record
from vaultsite.kernel.errors import AuditUnavailable, IntegrityFailure, VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, Recorded, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts
from vaultsite.kernel.tenancy.scope import tenant_scope

VECTOR = (
    b'{"action":{"failure_reason":"VAULT_DATA_4002","operation":"read","status":"failure"},'
    b'"actor":{"credential":"system","id":"00000000-0000-7000-8000-000000000001","type":"system"},'
    b'"context":{"obligations":["anonymize:mask"],"policy_evaluated":["builtin:record.read"],'
    b'"purpose":"model-training","request_id":"req-0123456789"},'
    b'"event_id":"01890000-0000-7000-8000-00000000abcd","event_type":"data.access.read",'
    b'"metadata":{"bytes":"9007199254740993","nested":{"a":[1,null,true]},"ratio":0.25,"records":100},'
    b'"resource":{"classification":"confidential","dataset_id":"01890000-0000-7000-8000-000000000002",'
    b'"id":"caf\xc3\xa9","type":"dataset","version":"v1.0.0"},'
    b'"severity":"warning","tenant_id":"01890000-0000-7000-8000-000000000003",'
    b'"timestamp":"2026-03-01T12:00:00.000500Z"}'
)


class DeniedError(VaultError):
    outcome = "denied"
    code, slug, status = "VAULT_AUDIT_7990", "denied-by-a-test", 403


def events_of(tenant_id: UUID) -> list[AuditEvent]:
    with tenant_scope(tenant_id, make_principal(tenant_id)):
        return list(AuditEvent.objects.order_by("id"))


def events_about(tenant_id: UUID, dataset_id: UUID) -> list[AuditEvent]:
    return [event for event in events_of(tenant_id) if event.dataset_id == dataset_id]


def outbox_of(tenant_id: UUID) -> list[OutboxEntry]:
    return list(OutboxEntry.objects.using("system").filter(tenant_id=tenant_id).order_by("id"))


def test_the_bytes_of_an_event_never_change_their_form() -> None:
    event = Event(
        id=UUID("01890000-0000-7000-8000-00000000abcd"),
        time=moment("2026-03-01T13:00:00.000500+01:00"),
        type=EventType.ACCESS_READ,
        operation="read",
        resource=ResourceRef("dataset", "café", UUID("01890000-0000-7000-8000-000000000002"), "confidential", "v1.0.0"),
        status="failure",
        severity="warning",
        failure_reason="VAULT_DATA_4002",
        purpose="model-training",
        policies=("builtin:record.read",),
        obligations=("anonymize:mask",),
        metadata={"records": 100, "bytes": 2**53 + 1, "ratio": 0.25, "nested": {"a": [1, None, True]}},
    )
    tenant_id = UUID("01890000-0000-7000-8000-000000000003")
    recorded = Recorded(event, tenant_id, Principal.system(tenant_id), RequestFacts(request_id="req-0123456789"))

    assert compose_body(recorded) == VECTOR
    assert rfc8785.dumps(json.loads(VECTOR)) == VECTOR


def test_an_event_is_one_row_and_one_outbox_entry(tenant) -> None:
    dataset_id = uuid7()
    event = make_event(resource=dataset_ref(dataset_id), metadata={"records": 3})
    before = {entry.pk for entry in outbox_of(tenant.pk)}

    record(tenant.pk, event)

    (stored,) = events_about(tenant.pk, dataset_id)
    (entry,) = [entry for entry in outbox_of(tenant.pk) if entry.pk not in before]
    assert (stored.id, stored.time, stored.type, stored.status) == (event.id, event.time, "data.access.read", "success")
    assert (stored.purpose, stored.actor_kind, stored.request_id) == ("analytics", "user", FACTS.request_id)
    assert (entry.event_id, entry.event_time, entry.dataset_id) == (event.id, event.time, dataset_id)
    body = json.loads(bytes(stored.body))
    assert rfc8785.dumps(body) == bytes(stored.body)
    assert body["metadata"] == {"records": 3}
    assert body["event_id"] == str(event.id)


def test_the_outbox_keeps_the_order_of_emission_beyond_one_statement(tenant) -> None:
    events = [make_event() for _ in range(BATCH + 3)]
    record(tenant.pk, *events, principal=Principal.system(tenant.pk))
    entries = outbox_of(tenant.pk)[-len(events) :]
    assert [entry.event_id for entry in entries] == [event.id for event in events]


def test_events_of_a_rolled_back_savepoint_are_dropped(tenant) -> None:
    kept, dropped = make_event(), make_event()
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        emit(kept)
        with suppress(ZeroDivisionError), transaction.atomic():
            emit(dropped)
            raise ZeroDivisionError
    ids = {event.id for event in events_of(tenant.pk)}
    assert kept.id in ids
    assert dropped.id not in ids


@pytest.mark.parametrize(
    ("error", "status", "kind", "reason"),
    [
        (DeniedError(), "denied", "data.access.denied", "VAULT_AUDIT_7990"),
        (ValueError("never quoted"), "failure", "data.access.read", "ValueError"),
    ],
)
def test_a_failed_scope_leaves_its_primary_event_and_nothing_else(tenant, error, status, kind, reason) -> None:
    primary, secondary = make_event(), make_event()

    def fail_late() -> None:
        with tenant_scope(tenant.pk, make_principal(tenant.pk), FACTS):
            emit(primary, primary=True)
            emit(secondary)
            Purpose.objects.create(code="lost", description="written before the refusal")
            raise error

    with pytest.raises(type(error)):
        fail_late()
    stored = {event.id: event for event in events_of(tenant.pk)}
    assert secondary.id not in stored
    assert (stored[primary.id].status, stored[primary.id].type) == (status, kind)
    assert stored[primary.id].failure_reason == reason
    assert b"never quoted" not in bytes(stored[primary.id].body)
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        assert not Purpose.objects.filter(code="lost").exists()


def test_what_cannot_be_audited_does_not_happen(tenant, audit_failing_for) -> None:
    event = make_event()

    def write() -> None:
        with tenant_scope(tenant.pk, make_principal(tenant.pk)):
            Purpose.objects.create(code="unseen", description="its event has no room")
            emit(event, primary=True)

    with audit_failing_for(tenant.pk), pytest.raises(AuditUnavailable) as refused:
        write()
    assert refused.value.status == 503
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        assert not Purpose.objects.filter(code="unseen").exists()
    assert event.id not in {stored.id for stored in events_of(tenant.pk)}
    assert event.id not in {entry.event_id for entry in outbox_of(tenant.pk)}
    write()  # the trigger is gone: the same operation goes through
    assert event.id in {stored.id for stored in events_of(tenant.pk)}


def test_another_tenant_works_on_while_one_cannot_be_audited(tenant, rival, audit_failing_for) -> None:
    event = make_event()
    with audit_failing_for(tenant.pk):
        record(rival.pk, event)
    assert event.id in {stored.id for stored in events_of(rival.pk)}


@pytest.mark.parametrize("text", ["a\0b", "\ud800 alone", "x" * 5000, "\r\n\x1b[31m", "Zürich \U0001f512", "'; --"])
def test_no_text_of_a_client_keeps_its_request_out_of_the_audit(tenant, text) -> None:
    event = make_event(resource=ResourceRef(text, text), purpose=text, metadata={text: text}, failure_reason=text)
    facts = RequestFacts(request_id=text, ip_address=text, user_agent=text)
    with tenant_scope(tenant.pk, make_principal(tenant.pk, name=text), facts):
        emit(event)
    (stored,) = [stored for stored in events_of(tenant.pk) if stored.id == event.id]
    assert len(stored.resource_id) <= 1024
    assert json.loads(bytes(stored.body))["resource"]["id"] == stored.resource_id


def test_an_event_without_a_json_form_undoes_the_operation(tenant) -> None:
    with pytest.raises(AuditUnavailable), tenant_scope(tenant.pk, make_principal(tenant.pk)):
        emit(make_event(metadata={"oops": object()}))
    with pytest.raises(AuditUnavailable), tenant_scope(tenant.pk, make_principal(tenant.pk)):
        emit(make_event(metadata={"oops": float("nan")}))


def test_who_it_was_is_sealed_and_opens_again(tenant) -> None:
    event = make_event()
    record(tenant.pk, event, principal=make_principal(tenant.pk, name="Ada Canary"))
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        stored = AuditEvent.objects.get(id=event.id)
        actor = open_actor(stored)
    assert (actor.name, actor.ip_address, actor.user_agent) == ("Ada Canary", FACTS.ip_address, FACTS.user_agent)
    row = repr([getattr(stored, field.attname) for field in AuditEvent._meta.fields]).encode() + bytes(stored.body)
    for canary in (b"Canary", FACTS.ip_address.encode()):
        assert canary not in row


def test_a_sealed_actor_moved_to_another_event_does_not_open(tenant) -> None:
    first, second = make_event(), make_event()
    record(tenant.pk, first, second)
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        stolen = AuditEvent.objects.get(id=first.id)
        stolen.id = second.id
        with pytest.raises(IntegrityFailure):
            open_actor(stolen)


def test_the_vault_itself_has_nothing_to_seal(tenant) -> None:
    recorded = make_recorded(tenant.pk, principal=Principal.system(tenant.pk))
    assert "sealed" not in json.loads(event_values(recorded)[-1])["actor"]
