"""Rules of the listing."""

from datetime import timedelta
from uuid import uuid4

import pytest

from audit.selectors import EventFilter, EventPosition, list_events
from tests.factories.audit import FACTS, dataset_ref, make_event, make_principal, moment, record
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.tenancy.scope import tenant_scope

NOON = moment("2026-11-15T12:00:00+00:00")


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
    assert found(type="admin.access.write") == [second.id]
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
