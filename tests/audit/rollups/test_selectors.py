"""Counts equal a scan of the events, whatever happened and whatever is asked."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.log.sealer import seal_tenant
from audit.models import AuditEvent
from audit.rollups.counting import Filters
from audit.rollups.periods import Period, ceil_hour, floor_hour
from audit.rollups.selectors import (
    actor_hours,
    facet_counts,
    operations_by_hour,
    outcomes,
    summarize,
    timeline,
    top_actors,
    top_datasets,
    violations,
)
from tests.conftest import new_tenant
from tests.factories.audit import make_event, make_principal, record
from vaultsite.kernel.events.event import EventType, ResourceRef
from vaultsite.kernel.tenancy.scope import tenant_scope

#: Last month: it has its partition whenever the tables were made.
START = (datetime.now(UTC).replace(day=1) - timedelta(days=20)).replace(hour=0, minute=0, second=0, microsecond=0)
ACTORS = [UUID(int=number) for number in range(1, 5)]
DATASETS = [None, *(UUID(int=number) for number in range(101, 105))]
TYPES = (EventType.ACCESS_READ, EventType.EXPORTED, EventType.POLICY_VIOLATED, EventType.TOKENS_REVEALED)
POLICIES = ("policy:7f9c24e8-3b12-4f60-9c5a-1d2e3f405162@3", "builtin:record.read", "lease:1")

told = st.builds(
    dict,
    actor=st.sampled_from(ACTORS),
    kind=st.sampled_from(("user", "service", "system")),
    type=st.sampled_from(TYPES),
    operation=st.sampled_from(("read", "export", "update", "delete")),
    status=st.sampled_from(("success", "denied", "failure")),
    dataset=st.sampled_from(DATASETS),
    classification=st.sampled_from(("pii", "public", "")),
    purpose=st.sampled_from(("analytics", "")),
    policies=st.lists(st.sampled_from(POLICIES), unique=True, max_size=2).map(tuple),
    minutes=st.integers(0, 4 * 24 * 60 - 1),
    metadata=st.fixed_dictionaries(
        {}, optional={"records": st.integers(0, 9), "bytes_transferred": st.integers(0, 99)}
    ),
)
filters = st.builds(
    Filters,
    actor_id=st.none() | st.sampled_from(ACTORS),
    dataset_id=st.none() | st.sampled_from(DATASETS[1:]),
    types=st.none() | st.sets(st.sampled_from([kind.value for kind in TYPES])).map(tuple),
    operation=st.none() | st.sampled_from(("read", "update")),
    status=st.none() | st.sampled_from(("success", "denied")),
    severity=st.none() | st.just("info"),
    classification=st.none() | st.sampled_from(("pii", "")),
    purpose=st.none() | st.just("analytics"),
)
hours = st.tuples(st.integers(0, 96), st.integers(0, 96)).map(sorted)


def tell(tenant_id, facts) -> None:
    resource = ResourceRef("dataset", "x", facts["dataset"], facts["classification"])
    event = make_event(
        resource=resource,
        time=START + timedelta(minutes=facts["minutes"]),
        **{name: facts[name] for name in ("type", "operation", "status", "purpose", "policies", "metadata")},
    )
    record(tenant_id, event, principal=make_principal(tenant_id, id=facts["actor"], kind=facts["kind"]))


def scanned(tenant_id, period: Period, wanted: Filters) -> list[AuditEvent]:
    """The events themselves, looked at one by one."""
    events = AuditEvent.objects.filter(tenant_id=tenant_id, time__gte=period.start, time__lt=period.end)
    return [
        event
        for event in events
        if (wanted.types is None or event.type in wanted.types)
        and all(
            getattr(wanted, name) in (None, getattr(event, name))
            for name in ("actor_id", "dataset_id", "operation", "status", "severity", "classification", "purpose")
        )
    ]


def keyed(groups) -> dict:
    return {group.key: group.counts.events for group in groups}


def hour_of(event) -> datetime:
    return event.time.replace(minute=0, second=0, microsecond=0)


@settings(max_examples=12, deadline=None)
@given(batches=st.lists(st.lists(told, max_size=12), max_size=3), wanted=filters, span=hours)
def test_counts_equal_a_scan(batches, wanted, span) -> None:
    tenant_id = new_tenant("counted").pk
    for batch in batches:
        for facts in batch:
            tell(tenant_id, facts)
        seal_tenant(tenant_id, window=None)
    period = Period(*(START + timedelta(hours=hour) for hour in span))
    with tenant_scope(tenant_id, make_principal(tenant_id)):
        events = scanned(tenant_id, period, wanted)
        found = summarize(period=period, group_by="user", filters=wanted, top=3)
        by_actor = Counter(event.actor_id for event in events)
        by_dataset = Counter(event.dataset_id for event in events if event.dataset_id)
        assert found.total == len(events)
        assert keyed(found.groups) == by_actor
        assert found.denied == sum(event.status == "denied" for event in events)
        assert found.failed == sum(event.status == "failure" for event in events)
        assert found.reads == sum(e.operation in ("read", "export") and e.status != "denied" for e in events)
        assert found.writes == sum(e.operation in ("update", "delete") and e.status != "denied" for e in events)
        assert found.counts.records == sum(event.records for event in events)
        assert found.counts.bytes == sum(event.bytes for event in events)
        people = Counter(event.actor_id for event in events if event.actor_kind != "system")
        assert [group.counts.events for group in found.top_actors] == sorted(people.values(), reverse=True)[:3]
        assert keyed(top_actors(period=period, filters=wanted, limit=9)) == people
        assert keyed(top_datasets(period=period, filters=wanted, limit=9)) == by_dataset
        assert keyed(summarize(period=period, group_by="hour", filters=wanted).groups) == Counter(map(hour_of, events))
        assert timeline(period=period, filters=wanted) == Counter((hour_of(e), e.status) for e in events)
        assert outcomes(period=period, filters=wanted) == Counter((e.classification, e.status) for e in events)
        assert facet_counts(period=period, filters=wanted)["status"] == Counter(
            event.status for event in scanned(tenant_id, period, replace(wanted, status=None))
        )
        broken = [e for e in events if e.type == EventType.POLICY_VIOLATED for _ in e.policy.split()]
        assert sum(violation.events for violation in violations(period=period, filters=wanted)) == len(broken)


@pytest.fixture
def busy(tenant):
    """One person's hour: a read, a denied read, an export and a reveal, on two datasets."""
    who = make_principal(tenant.pk)
    common = {"time": START + timedelta(minutes=5), "metadata": {"records": 4, "bytes": 10, "duration_ms": 7}}
    first, second = (ResourceRef("dataset", "x", dataset) for dataset in DATASETS[1:3])
    record(
        tenant.pk,
        make_event(resource=first, **common),
        make_event(resource=first, **common | {"status": "denied", "metadata": {}}),
        make_event(resource=second, type=EventType.EXPORTED, operation="export", **common),
        make_event(resource=ResourceRef("token"), type=EventType.TOKENS_REVEALED, **common),
        principal=who,
    )
    seal_tenant(tenant.pk, window=None)
    return who


def test_the_hours_of_an_actor_say_what_a_baseline_needs(tenant, busy) -> None:
    with tenant_scope(tenant.pk, busy):
        until = START + timedelta(hours=1)
        (hour,) = actor_hours(actor_id=busy.id, since=START, until=until)
        assert [hour] == [
            one for one in actor_hours(actor_id=None, since=START, until=until) if one.actor_id == busy.id
        ]
    assert (hour.actor_kind, hour.hour, hour.operations) == ("user", START, 4)
    assert (hour.records, hour.bytes) == (12, 30)
    assert (hour.denials, hour.detokenizations, hour.exports) == (1, 1, 1)
    assert sorted(hour.datasets) == DATASETS[1:3]


def test_operations_by_hour_may_be_of_one_dataset(tenant, busy) -> None:
    day = Period(START, START + timedelta(days=1))
    with tenant_scope(tenant.pk, busy):
        assert operations_by_hour(period=day) == {START: 4}
        assert operations_by_hour(period=day, dataset_id=DATASETS[1]) == {START: 2}


def test_what_is_not_sealed_is_not_counted_and_as_of_says_until_when(tenant, busy) -> None:
    now = datetime.now(UTC)
    later = make_event(time=now)
    record(tenant.pk, later, principal=busy)
    period, by_busy = Period(floor_hour(now), ceil_hour(now)), Filters(actor_id=busy.id)
    with tenant_scope(tenant.pk, busy):
        before = summarize(period=period, group_by=None, filters=by_busy)
    assert before.total == 0
    assert before.as_of < later.time
    seal_tenant(tenant.pk, window=None)
    with tenant_scope(tenant.pk, busy):
        after = summarize(period=period, group_by=None, filters=by_busy)
    assert (after.total, after.as_of) == (1, later.time)


def test_another_tenant_counts_nothing_of_ours(tenant, busy, rival) -> None:
    day = Period(START, START + timedelta(days=1))
    with tenant_scope(rival.pk, make_principal(rival.pk)):
        assert summarize(period=day, group_by="user", filters=Filters()).total == 0
        assert actor_hours(actor_id=busy.id, since=day.start, until=day.end) == []
