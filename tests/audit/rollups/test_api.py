"""Rules of GET /api/v1/audit/summary."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from audit.log.sealer import seal_tenant
from tests.audit.test_api import client_of
from tests.factories.audit import dataset_ref, make_event, make_principal, record
from vaultsite.kernel.events.event import EventType

URL = "/api/v1/audit/summary"
POLICY = "7f9c24e8-3b12-4f60-9c5a-1d2e3f405162"


@pytest.fixture
def day(tenant):
    """Two people and one dataset, an hour ago: two reads, an update, a violation."""
    when, dataset = datetime.now(UTC) - timedelta(hours=1), uuid4()
    ada, bob = make_principal(tenant.pk), make_principal(tenant.pk)
    common = {"time": when, "resource": dataset_ref(dataset)}
    read = make_event(**common, metadata={"records_accessed": 5, "bytes_transferred": 7, "duration_ms": 2})
    violation = {"type": EventType.POLICY_VIOLATED, "status": "denied", "severity": "critical"}
    record(tenant.pk, read, make_event(**common, operation="update"), principal=ada)
    record(tenant.pk, make_event(**common), make_event(**common, **violation, policies=(f"policy:{POLICY}@2",)),
           principal=bob)  # fmt: skip
    seal_tenant(tenant.pk, window=None)
    return ada, bob, dataset


def test_the_summary_has_the_members_of_the_contract(tenant, day) -> None:
    ada, bob, dataset = day
    answer = client_of(tenant.pk).get(URL, {"time_range": "last_24h", "dataset": str(dataset)})
    assert answer.status_code == 200
    said = answer.json()
    assert datetime.fromisoformat(said["period"]["start"]) <= datetime.now(UTC) - timedelta(days=1)
    assert said["metrics"] == {
        "total_operations": 4, "read_operations": 2, "write_operations": 1, "denied_operations": 1,
        "failed_operations": 0, "records": 5, "bytes": 7, "duration_ms": 2,
    }  # fmt: skip
    counted = {one["user_id"]: one["operation_count"] for one in said["top_users"]}
    assert counted == {str(ada.id): 2, str(bob.id): 2}
    assert said["top_datasets"] == [{"dataset_id": str(dataset), "access_count": 4}]
    assert said["policy_violations"] == [{"policy_id": POLICY, "violation_count": 1, "severity": "critical"}]
    assert said["as_of"] is not None
    assert said["groups"] == []


@pytest.mark.parametrize("group_by", ["user", "dataset", "operation", "hour"])
def test_groups_add_up_to_the_total(tenant, day, group_by) -> None:
    _, _, dataset = day
    answer = client_of(tenant.pk).get(URL, {"group_by": group_by, "dataset": str(dataset), "time_range": "last_7d"})
    said = answer.json()
    assert sum(group["events"] for group in said["groups"]) == said["metrics"]["total_operations"] == 4


def test_filters_restrict_what_is_counted(tenant, day) -> None:
    ada, _, dataset = day
    client = client_of(tenant.pk)

    def total(**filters):
        return client.get(URL, {"dataset": str(dataset), **filters}).json()["metrics"]["total_operations"]

    assert total(status="denied") == 1
    assert total(user=str(ada.id)) == 2
    assert total(classification="confidential") == 4
    assert total(classification="pii") == 0
    assert total(type="data.access.*") == 3
    assert total(type="data.access.read,data.policy.violation") == 4
    assert total(operation="update") == 1
    assert total(purpose="analytics") == 4


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"time_range": "last_year"}, "time_range"),
        ({"time_range": "custom"}, "start"),
        ({"time_range": "custom", "start": "2026-11-02T00:00:00Z", "end": "2026-11-01T00:00:00Z"}, "end"),
        ({"time_range": "custom", "start": "2020-11-02T00:00:00Z", "end": "2026-11-01T00:00:00Z"}, "end"),
        ({"time_range": "custom", "start": "9999-12-30T00:00:00Z", "end": "9999-12-31T23:30:00Z"}, "end"),
        ({"time_range": "custom", "start": "0001-01-01T00:00:00Z", "end": "0001-01-01T01:30:00Z"}, "start"),
        ({"start": "2026-11-01T00:00:00Z"}, "start"),
        ({"group_by": "password"}, "group_by"),
        ({"group_by": "actor_id__tenant"}, "group_by"),
        ({"status": "' OR 1=1 --"}, "status"),
        ({"user": "ada"}, "user"),
        ({"type": "data.nothing"}, "type"),
        ({"top": "0"}, "top"),
        ({"classification__contains": "p"}, "classification__contains"),
    ],
)
def test_a_parameter_that_does_not_fit_is_named(tenant, parameters, field) -> None:
    answer = client_of(tenant.pk).get(URL, parameters)
    assert answer.status_code == 400
    assert answer.json()["code"] == "VAULT_VALID_3001"
    assert field in [problem["field"] for problem in answer.json()["errors"]]


def test_without_the_permission_nothing_is_counted(tenant) -> None:
    assert client_of(tenant.pk, "data_scientist").get(URL).status_code == 403


def test_another_tenants_events_are_not_counted(tenant, rival, day) -> None:
    _, _, dataset = day
    said = client_of(rival.pk).get(URL, {"dataset": str(dataset)}).json()
    assert said["metrics"]["total_operations"] == 0
    assert said["top_users"] == said["groups"] == []
