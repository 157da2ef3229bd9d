"""T82: every request of the API, allowed, denied or failed, leaves exactly one decision, and the counts agree."""

from collections import Counter
from uuid import uuid4

import orjson
import pytest

from access.models import PolicyEpoch
from audit.models import AuditEvent
from tests.factories.access import acting
from tests.factories.api import caller, new_request_id, send
from tests.factories.datasets import jsonl
from vaultsite.kernel.events.event import EventType

#: What tells of a decision; other events tell of what came of it.
DECISIONS = frozenset(
    {
        *(EventType.ACCESS_READ, EventType.ACCESS_WRITE, EventType.ACCESS_DELETE, EventType.ACCESS_DENIED),
        *(EventType.ADMIN_READ, EventType.ADMIN_WRITE, EventType.AUDIT_READ, EventType.CREDENTIAL_REFUSED),
    }
)
ROLES = ("tenant_admin", "data_steward", "data_scientist", "auditor", "viewer", "")
#: Method, path and body; {dataset} is one that is there, {nothing} one that never was.
REQUESTS = (
    ("GET", "/datasets", None),
    ("POST", "/datasets", {"name": "{new}"}),
    ("POST", "/datasets", {"nonsense": 1}),
    ("GET", "/datasets/{dataset}", None),
    ("PATCH", "/datasets/{dataset}", {"description": "another"}),
    ("GET", "/datasets/{nothing}", None),
    ("DELETE", "/datasets/{nothing}", None),
    ("GET", "/datasets/{dataset}/versions", None),
    ("GET", "/datasets/{dataset}/branches", None),
    ("GET", "/audit/events", None),
    ("GET", "/audit/events?limit=0", None),
    ("GET", "/subscriptions", None),
    ("POST", "/subscriptions", {"name": "{new}", "route": "siem"}),
    ("GET", "/subscriptions/{nothing}", None),
    ("GET", "/api-keys", None),
    ("GET", "/users", None),
    ("PUT", "/datasets", {"name": "no such method"}),
)


@pytest.fixture
def dataset_id(tenant) -> str:
    steward = caller(tenant, "data_steward")
    made = send(steward, "POST", "/datasets", {"name": f"counted {uuid4()}"}).json()["id"]
    send(steward, "POST", f"/datasets/{made}/versions?format=jsonl", jsonl([{"id": "a", "prompt": "Hello"}]))
    return made


def filled(value, places):
    if isinstance(value, str):
        for name, given in places.items():
            value = value.replace(f"{{{name}}}", given)
        return value
    return {name: filled(one, places) for name, one in value.items()} if isinstance(value, dict) else value


def test_every_request_leaves_one_decision_and_the_counts_agree(tenant, dataset_id) -> None:
    asked: dict[str, tuple[str, str, int]] = {}
    for role in ROLES:
        client = caller(tenant, *([role] if role else []))
        for method, path, body in REQUESTS:
            places = {"dataset": dataset_id, "nothing": str(uuid4()), "new": f"made {uuid4()}"}
            request_id = new_request_id()
            answer = send(client, method, filled(path, places), filled(body, places), **{"X-Request-ID": request_id})
            asked[request_id] = (role, f"{method} {path}", answer.status_code)
    with acting(tenant):
        events = list(AuditEvent.objects.filter(request_id__in=asked, type__in=DECISIONS))
        epoch = PolicyEpoch.objects.first()
    counts = Counter(event.request_id for event in events)
    assert {asked[one]: counts[one] for one in asked if counts[one] != 1} == {}
    for event in events:
        role, request, status = asked[event.request_id]
        expected = "success" if status < 400 else "denied" if status in {401, 403, 404} else "failure"
        assert event.status == expected, (role, request, status)
        body = orjson.loads(bytes(event.body))
        assert body["actor"]["id"]
        assert body["tenant_id"] == str(tenant.pk)
        assert body["metadata"]["duration_ms"] >= 0
    assert {event.status for event in events} == {"success", "denied", "failure"}
    bodies = [orjson.loads(bytes(event.body)) for event in events]
    decided = [body["metadata"]["policy_epoch"] for body in bodies if "reason" in body["metadata"]]
    assert len(decided) > len(asked) / 2
    assert 0 <= min(decided) <= max(decided) <= (epoch.number if epoch else 0)
