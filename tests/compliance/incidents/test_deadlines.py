"""Clocks that run out, and what stops a breach."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client

from access.errors import AccessDenied
from access.models import ApiKey, VaultSession
from audit.alerts.selectors import last_of_cause
from audit.models import Alert, AuditEvent, Notification
from compliance.incidents.actions import end_access_of
from compliance.incidents.deadlines import watch_all
from compliance.incidents.facts import IncidentFacts
from compliance.incidents.open import open_incident
from compliance.incidents.work_selectors import incident_tasks, incidents_to_settle
from compliance.models import Incident, IncidentEntry
from datasets.models import Version, VersionQuarantine
from tests.factories.access import acting, make_api_key, make_user, principal_with, sign_in
from tests.factories.api import caller, send
from tests.factories.datasets import jsonl, make_dataset, rows_of, upload
from vaultsite.kernel.errors import InvalidInput

AWARE = datetime(2026, 3, 2, 10, tzinfo=UTC)
END = AWARE + timedelta(hours=72)


def opened(client, **given):
    facts = {"title": "A laptop was lost", "aware_at": AWARE.isoformat(), "discovered_at": AWARE.isoformat()}
    return send(client, "POST", "/incidents", facts | given).json()


def act(client, incident, what: str, **body):
    answer = send(client, "POST", f"/incidents/{incident['id']}/{what}", body)
    return answer.status_code, answer.json()


def marks(tenant, incident) -> list[str]:
    with acting(tenant):
        rows = IncidentEntry.objects.filter(incident_id=incident["id"], kind="deadline").order_by("id")
        return [row.facts["mark"] for row in rows]


@pytest.fixture
def officer(tenant):
    return caller(tenant, "security_officer")


def test_those_who_manage_are_told_24_hours_and_6_hours_before_and_when_it_is_over(tenant, officer) -> None:
    person = make_user(tenant, "privacy_officer")
    one = opened(officer)
    for left, expected in (
        (timedelta(hours=25), []),
        (timedelta(hours=23), ["24h"]),
        (timedelta(hours=7), ["24h"]),
        (timedelta(hours=5), ["24h", "6h"]),
        (timedelta(seconds=-1), ["24h", "6h", "overdue"]),
        (timedelta(days=-3), ["24h", "6h", "overdue"]),
    ):
        watch_all(END - left)
        assert marks(tenant, one) == expected, left
    with acting(tenant):
        causes = Notification.objects.filter(user=person, cause__contains="gdpr.authority")
        assert causes.count() == 3
        events = AuditEvent.objects.filter(type="incident.due").order_by("time")
        assert [(event.severity, event.actor_kind) for event in events] == [
            ("warning", "system"),
            ("warning", "system"),
            ("critical", "system"),
        ]


def test_an_overdue_clock_has_an_alert_until_somebody_is_told(tenant, officer) -> None:
    suspect = uuid4()
    one = opened(officer, principals=[str(suspect)])
    watch_all(END + timedelta(minutes=1))
    cause = f"{one['id']} gdpr.authority"
    with acting(tenant):
        alert = last_of_cause("incident.overdue", cause)
        assert (alert.severity, alert.state, alert.principal_id) == ("critical", "open", suspect)
    notice = act(officer, one, "notices", audience="authority")[1]
    send(officer, "PUT", f"/incidents/{one['id']}/notices/{notice['id']}", {"body": "It is late.", "follows": 1})
    assert act(officer, one, f"notices/{notice['id']}/sent", reference="Portal")[0] == 200
    with acting(tenant):
        assert Alert.objects.get(pk=alert.pk).state == "resolved"
        assert Incident.objects.get(pk=one["id"]).next_due_at is None


def test_a_clock_that_was_moved_is_told_of_anew(tenant, officer) -> None:
    one = opened(officer)
    watch_all(END - timedelta(hours=5))
    later = (AWARE + timedelta(hours=2)).isoformat()
    send(officer, "PATCH", f"/incidents/{one['id']}", {"aware_at": later, "reason": "Checked the mails"})
    watch_all(END - timedelta(hours=3))
    assert marks(tenant, one) == ["6h", "6h"]


def test_of_what_was_dismissed_nobody_is_told(tenant, officer) -> None:
    one = opened(officer)
    act(officer, one, "dismiss", reason="The laptop was found, switched off")
    assert marks(tenant, one) == []
    watch_all(END + timedelta(days=1))
    assert marks(tenant, one) == []


def test_incidents_wait_in_the_inbox_of_those_who_manage_them(tenant, officer) -> None:
    manager, reader = principal_with(tenant, "privacy_officer"), principal_with(tenant, "auditor")
    person = make_user(tenant, "privacy_officer")
    one = opened(officer)
    opened(officer, principals=[str(manager.id)])
    act(officer, one, "tasks", title="Ask the carrier", assignee=str(person.pk), due_at="2026-12-01T00:00:00Z")
    asked = principal_with(tenant, "privacy_officer", id=person.pk)
    with acting(tenant):
        mine = incidents_to_settle(manager)
        assert (mine.count, mine.due) == (1, END), "not the one about the manager"
        assert incidents_to_settle(reader).count == 0
        assert (incident_tasks(asked).count, incident_tasks(manager).count) == (1, 0)
        assert incident_tasks(principal_with(tenant, "viewer", id=person.pk)).count == 0


def test_versions_are_put_in_quarantine_by_who_may_and_the_timeline_says_so(tenant) -> None:
    dataset = make_dataset(tenant)
    for seed in range(2):
        upload(tenant, dataset, jsonl(rows_of(3, seed)), mode="append")
    privacy, security = caller(tenant, "privacy_officer"), caller(tenant, "security_officer")
    one = opened(privacy, datasets=[str(dataset.pk)])
    body = {"dataset_id": str(dataset.pk), "reason": "It left the house"}
    assert act(security, one, "quarantine", **body)[0] in (403, 404), "the quarantine is not theirs"
    with acting(tenant):
        assert not VersionQuarantine.objects.filter(dataset=dataset).exists()
    status, entry = act(privacy, one, "quarantine", **body)
    with acting(tenant):
        versions = Version.objects.filter(dataset=dataset).count()
        held = VersionQuarantine.objects.filter(dataset=dataset, released_at=None).count()
    assert (status, entry["kind"], entry["facts"]["versions"]) == (200, "quarantined", versions)
    assert held == versions
    assert act(privacy, one, "quarantine", **body)[0] == 400, "nothing is left"
    notice = act(privacy, one, "notices", audience="authority")[1]
    text = send(privacy, "GET", f"/incidents/{one['id']}/notices/{notice['id']}").json()["text"]["body"]
    assert "- Versions put in quarantine on" in text


def test_sessions_and_keys_of_whom_it_is_about_are_ended_by_who_may(tenant) -> None:
    suspect = make_user(tenant, "data_steward")
    sign_in(tenant, suspect)
    key, _ = make_api_key(tenant, "viewer")
    with acting(tenant):
        ApiKey.objects.filter(pk=key.pk).update(created_by=suspect.pk)
    privacy, officer = principal_with(tenant, "privacy_officer"), principal_with(tenant, "security_officer")
    with acting(tenant, privacy):
        incident = open_incident(privacy, facts=IncidentFacts(title="Keys in a public place", principals=(suspect.pk,)))
    with pytest.raises(AccessDenied), acting(tenant, privacy):
        end_access_of(privacy, incident_id=incident.pk, principal_id=suspect.pk)
    with pytest.raises(InvalidInput), acting(tenant, officer):
        end_access_of(officer, incident_id=incident.pk, principal_id=uuid4())
    with acting(tenant):
        assert VaultSession.objects.filter(user=suspect).exists()
    with acting(tenant, officer):
        entry = end_access_of(officer, incident_id=incident.pk, principal_id=suspect.pk)
    assert entry.facts == {"principal": str(suspect.pk), "sessions": 1, "keys": 1}
    with acting(tenant):
        assert not VaultSession.objects.filter(user=suspect).exists()
        assert ApiKey.objects.get(pk=key.pk).revoked_at is not None


def test_a_program_that_it_is_about_is_ended_too(tenant) -> None:
    officer = principal_with(tenant, "security_officer")
    key, token = make_api_key(tenant, "viewer")
    with acting(tenant, officer):
        incident = open_incident(officer, facts=IncidentFacts(title="A key leaked", principals=(key.pk,)))
        entry = end_access_of(officer, incident_id=incident.pk, principal_id=key.pk)
    assert entry.facts["keys"] == 1
    refused = Client(headers={"Authorization": f"Bearer {token}"}).get("/api/v1/datasets")
    assert refused.status_code == 401
