"""Rules of the watch: each hour is judged once, from sealed events, and what is unusual is explained."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from audit.alerts.settle import resolve_alert
from audit.anomalies.turns import waiting_tenants, watch
from audit.anomalies.violations import watch_violations
from audit.anomalies.watch import FADES, bar_of, watch_tenant
from audit.log.sealer import seal_tenant
from audit.models import ActivityWatch, Alert, AuditEvent
from tests.factories.access import acting, principal_with
from tests.factories.audit import dataset_ref, make_event, make_principal, record
from vaultsite.kernel.events.event import Event, EventType
from vaultsite.kernel.tenancy.principal import Principal

HOUR = timedelta(hours=1)
DATASET = uuid4()


@pytest.fixture
def now() -> datetime:
    """Half past an hour: the one before it is over."""
    return timezone.now().replace(minute=30, second=0, microsecond=0)


def read(moment: datetime, records: int, dataset_id: UUID = DATASET) -> Event:
    return make_event(
        type=EventType.ACCESS_COMPLETED, resource=dataset_ref(dataset_id), time=moment, metadata={"records": records}
    )


@pytest.fixture
def ada(tenant, now) -> Principal:
    """Somebody who has read about a hundred records an hour on most days of a month."""
    ada = make_principal(tenant.pk, name="Ada")
    last = now.replace(minute=10) - HOUR
    moments = [last - timedelta(days=day, hours=back) for day in range(1, 26) for back in range(4)]
    record(tenant.pk, *(read(one, 80 + 7 * (number % 9)) for number, one in enumerate(moments)), principal=ada)
    with acting(tenant):
        ActivityWatch.objects.create(judged_until=(now - HOUR).replace(minute=0))
    return ada


def judged(tenant, now, *events: Event, principal: Principal) -> int:
    record(tenant.pk, *events, principal=principal)
    seal_tenant(tenant.pk, window=None)
    return watch_tenant(tenant.pk, now=now)


def alerts(tenant) -> list[Alert]:
    with acting(tenant):
        return list(Alert.objects.order_by("id"))


def test_a_bulk_read_is_told_of_in_words_and_numbers_and_judged_once(tenant, ada, now) -> None:
    moment = now - HOUR
    found = judged(tenant, now, read(moment, 48_000), *(read(moment, 10, uuid4()) for _ in range(6)), principal=ada)
    assert found == 1
    (alert,) = alerts(tenant)
    assert (alert.kind, alert.severity, alert.principal_id) == ("activity.unusual", "critical", ada.id)
    assert alert.facts["records"] == 48_060
    assert alert.facts["datasets"] == 6
    begin = moment.replace(minute=0)
    assert f"Read 48,060 records between {begin:%H:%M} and {begin + HOUR:%H:%M} UTC; usual 80 to 136" in alert.summary
    assert alert.until == begin + HOUR
    with acting(tenant):
        (event,) = AuditEvent.objects.filter(type="data.breach.suspected")
        assert event.severity == "critical"
        assert ActivityWatch.objects.get().judged_until == begin + HOUR
    assert watch_tenant(tenant.pk, now=now) == 0
    assert len(alerts(tenant)) == 1


def test_an_ordinary_hour_is_not(tenant, ada, now) -> None:
    assert judged(tenant, now, read(now - HOUR, 130), principal=ada) == 0
    assert alerts(tenant) == []


def test_an_hour_with_events_that_are_not_sealed_waits(tenant, ada, now) -> None:
    seal_tenant(tenant.pk, window=None)
    record(tenant.pk, read(now - HOUR, 48_000), principal=ada)
    assert watch_tenant(tenant.pk, now=now) == 0
    with acting(tenant):
        assert ActivityWatch.objects.get().judged_until == (now - HOUR).replace(minute=0)
    seal_tenant(tenant.pk, window=None)
    assert watch_tenant(tenant.pk, now=now) == 1


def test_as_expected_raises_the_bar_for_a_while(tenant, ada, now) -> None:
    judged(tenant, now, read(now - HOUR, 48_000), principal=ada)
    (alert,) = alerts(tenant)
    officer = principal_with(tenant, "security_officer")
    with acting(tenant, officer):
        done = resolve_alert(officer, alert_id=alert.pk, verdict="expected", reason="a copy for the new cluster")
    with acting(tenant):
        bar = bar_of(ada.id, done.resolved_at)
        assert bar == pytest.approx(alert.facts["score"] - 2.75, abs=0.01)
        assert bar_of(ada.id, done.resolved_at + FADES) == pytest.approx(bar / 2, abs=0.01)
        assert bar_of(uuid4(), done.resolved_at) == 0
    assert judged(tenant, now + HOUR, read(now, 48_000), principal=ada) == 0


def test_a_new_principal_is_told_of_as_new(tenant, ada, now) -> None:
    new = make_principal(tenant.pk, name="Grace")
    events = [read(now - HOUR, 50) for _ in range(3)]
    assert judged(tenant, now, *events, principal=new) == 0
    with acting(tenant):
        row = ActivityWatch.objects.get()
        assert (row.principals, row.learning) == (1, 1)


def violation(moment: datetime, policy: str = "policy:no-weekends@3") -> Event:
    return make_event(type=EventType.POLICY_VIOLATED, status="denied", time=moment, policies=(policy,))


def test_violations_are_one_alert_for_a_policy_a_principal_and_a_day(tenant) -> None:
    now = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)
    ada, grace = make_principal(tenant.pk), make_principal(tenant.pk)
    record(tenant.pk, *(violation(now - timedelta(seconds=one)) for one in range(3)), principal=ada)
    record(tenant.pk, violation(now), violation(now, "policy:other@1"), principal=grace)
    record(tenant.pk, violation(now - timedelta(days=1)), principal=ada)
    assert watch_violations(tenant.pk, now=now) == 4
    assert sorted(one.count for one in alerts(tenant)) == [1, 1, 1, 3]
    assert watch_violations(tenant.pk, now=now) == 0
    record(tenant.pk, *(violation(now) for _ in range(9)), principal=ada)
    assert watch_violations(tenant.pk, now=now) == 1
    most = max(alerts(tenant), key=lambda one: one.count)
    assert (most.count, most.severity, most.principal_id, most.facts["events"]) == (12, "warning", ada.id, 12)


def test_violations_of_many_policies_are_told_apart_by_the_last_of_them(tenant) -> None:
    now = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)
    ada, many = make_principal(tenant.pk), " ".join(f"policy:rule-{number:04}@1" for number in range(12))
    record(tenant.pk, violation(now, many), violation(now, f"{many} policy:last@1"), principal=ada)
    assert watch_violations(tenant.pk, now=now) == 2
    assert [one.count for one in alerts(tenant)] == [1, 1]
    assert [one.facts["policy"].endswith("policy:last@1") for one in alerts(tenant)].count(True) == 1
    assert watch_violations(tenant.pk, now=now) == 0


def test_a_settled_violation_is_told_of_again_only_when_it_happens_again(tenant) -> None:
    now = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)
    ada, officer = make_principal(tenant.pk), principal_with(tenant, "security_officer")
    record(tenant.pk, violation(now), principal=ada)
    watch_violations(tenant.pk, now=now)
    (alert,) = alerts(tenant)
    with acting(tenant, officer):
        resolve_alert(officer, alert_id=alert.pk, verdict="mended", reason="told them")
    assert watch_violations(tenant.pk, now=now) == 0
    record(tenant.pk, violation(now), principal=ada)
    assert watch_violations(tenant.pk, now=now) == 1
    assert [one.count for one in alerts(tenant)] == [1, 1]


def test_a_turn_goes_to_tenants_with_something_to_look_at(tenant, rival) -> None:
    now = timezone.now()
    assert {tenant.pk, rival.pk} <= set(waiting_tenants(now))
    assert watch(tenant.pk) == 0
    assert watch(tenant.pk) == 0
    watch_tenant(tenant.pk, now=now + HOUR)
    record(rival.pk, violation(now))
    watch_tenant(rival.pk, now=now + HOUR)
    waiting = set(waiting_tenants(now))
    assert tenant.pk not in waiting
    assert rival.pk in waiting


def test_another_tenants_activity_is_not_looked_at(tenant, rival, ada, now) -> None:
    other = make_principal(rival.pk)
    record(rival.pk, violation(now), principal=other)
    seal_tenant(tenant.pk, window=None)
    assert watch_violations(tenant.pk, now=now) == 0
    assert watch_tenant(tenant.pk, now=now) == 0
