"""Rules of the listing."""

from datetime import timedelta
from uuid import uuid4

import pytest

from audit.selectors import EventFilter, EventPosition, list_events
from tests.factories.audit import FACTS, NOON, dataset_ref, make_event, make_principal, record
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.tenancy.scope import tenant_scope


def listed(tenant_id, *, limit=1000, after=None, **criteria):
    with tenant_scope(tenant_id, make_principal(tenant_id)):
        return list_events(tenant_id=tenant_id, criteria=EventFilter(**criteria), limit=limit, after=after)


@pytest.fixture
def told(tenant):
    """Three events of different kinds, an hour apart, the first of a user of its own."""
    dataset_id, actor = uuid4(), make_principal(tenant.pk)
    first = make_event(time=NOON, resource=dataset_ref(dataset_id), purpose="evaluation")
    second = make_event(time=NOON + timedelta(hours=1), type=EventType.ADMIN_WRITE, status="denied")
    third = make_event(time=NOON + timedelta(hours=2), resource=dataset_ref(dataset_id))
    record(tenant.pk, first, principal=actor)
    record(tenant.pk, second, third)
    return first, second, third, dataset_id, actor


def test_each_filter_restricts(tenant, told) -> None:
    first, second, third, dataset_id, actor = told

    def found(**criteria):
        kept = {first.id, second.id, third.id}
        return [event.id for event in listed(tenant.pk, **criteria) if event.id in kept]

    assert found() == [third.id, second.id, first.id]
    assert found(dataset_id=dataset_id) == [third.id, first.id]
    assert found(actor_id=actor.id) == [first.id]
    assert found(types=("admin.access.write",)) == [second.id]
    assert found(status="denied") == [second.id]
    assert found(purpose="evaluation") == [first.id]
    assert found(request_id=FACTS.request_id) == [third.id, second.id, first.id]
    assert found(request_id="another") == []
    assert found(since=NOON + timedelta(hours=1)) == [third.id, second.id]
    assert found(until=NOON + timedelta(hours=1)) == [first.id]
    assert found(dataset_id=dataset_id, until=NOON + timedelta(hours=1)) == [first.id]


def test_pages_show_every_event_once_even_those_of_one_moment(tenant) -> None:
    events = [make_event(time=NOON + timedelta(seconds=number // 4)) for number in range(20)]
    record(tenant.pk, *events)
    seen, after = [], None
    while page := listed(tenant.pk, limit=3, after=after, until=NOON + timedelta(minutes=1)):
        seen += page
        after = EventPosition(page[-1].time, page[-1].id)
    expected = sorted(events, key=lambda event: (event.time, event.id), reverse=True)
    assert [event.id for event in seen] == [event.id for event in expected]


def test_another_tenants_position_and_ids_find_nothing(tenant, rival) -> None:
    theirs = make_event(resource=dataset_ref(uuid4()))
    record(rival.pk, theirs)
    assert listed(tenant.pk, dataset_id=theirs.resource.dataset_id) == []


def test_several_types_come_in_one_order_and_no_event_twice(tenant, told) -> None:
    first, second, third, _, _ = told
    types, page, after = ("data.access.read", "admin.access.write", "data.exported"), [], None
    while found := listed(tenant.pk, types=types, limit=2, after=after, until=NOON + timedelta(hours=3), since=NOON):
        page += found
        after = EventPosition(found[-1].time, found[-1].id)
    assert [event.id for event in page] == [third.id, second.id, first.id]
    assert listed(tenant.pk, types=()) == []


def test_what_an_event_says_of_itself_is_searched(tenant) -> None:
    wanted = make_event(
        resource=dataset_ref(uuid4()), operation="delete", severity="critical", policies=("policy:7f9c@3", "lease:1")
    )
    record(tenant.pk, wanted, make_event(policies=("policy:7f9c11@3",)))
    for criteria in (
        {"operation": "delete", "severity": "critical"},
        {"classification": "confidential"},
        {"policy": "7f9c"},
        {"policy": "policy:7f9c@3"},
        {"policy": "lease:1"},
    ):
        assert [event.id for event in listed(tenant.pk, **criteria)] == [wanted.id], criteria
    assert listed(tenant.pk, policy="lease:11") == listed(tenant.pk, policy="policy:7f9c@33") == []


def test_the_size_of_an_event_is_in_its_columns(tenant) -> None:
    said = {"records_accessed": 3, "records": 9, "bytes_transferred": 70, "duration_ms": 12}
    odd = {"records": -1, "bytes": "many", "duration_ms": 2**60}
    events = [make_event(metadata=metadata) for metadata in (said, odd)]
    record(tenant.pk, *events)
    found = listed(tenant.pk, purpose="analytics")
    sizes = {event.id: (event.records, event.bytes, event.duration_ms) for event in found}
    assert sizes == {events[0].id: (3, 70, 12), events[1].id: (0, 0, 0)}
