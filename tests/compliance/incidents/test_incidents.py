"""Incidents over the API: opened, confirmed, assessed, told of, closed; and by whom not."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db.utils import ProgrammingError
from django.utils import timezone

from audit.alerts.open import About, raise_alert
from audit.models import AuditEvent, Notification
from audit.selectors import read_body
from compliance.errors.incidents import IncidentAboutYourself
from compliance.incidents.notices import begin_notice, read_notice
from compliance.incidents.timeline import add_note
from compliance.models import BreachNoticeText, Incident, IncidentEntry
from tests.factories.access import acting, make_user, principal_with
from tests.factories.api import caller, send

LONG_AGO = "2026-01-05T08:00:00Z"
FACTORS = {
    name: {"level": "low", "text": "Looked at by the team."}
    for name in ("nature", "recipient", "acquired", "mitigation")
}


def opened(client, **given):
    answer = send(client, "POST", "/incidents", {"title": "Files sent to a wrong partner"} | given)
    assert answer.status_code == 201, answer.json()
    return answer.json()


def act(client, incident, what: str, **body):
    answer = send(client, "POST", f"/incidents/{incident['id']}/{what}", body)
    return answer.status_code, answer.json()


def entries(tenant, incident) -> list[str]:
    with acting(tenant):
        rows = IncidentEntry.objects.filter(incident_id=incident["id"]).order_by("id")
        return list(rows.values_list("kind", flat=True))


def told(tenant) -> list[str]:
    with acting(tenant):
        rows = AuditEvent.objects.filter(type__startswith="incident.").order_by("id")
        return list(rows.values_list("type", flat=True))


@pytest.fixture
def officer(tenant):
    return caller(tenant, "privacy_officer")


def test_an_incident_is_opened_by_hand_and_numbered_within_its_tenant(tenant, rival, officer) -> None:
    first, second = opened(officer), opened(officer, severity="critical", laws=["hipaa", "gdpr"])
    assert (first["number"], second["number"], second["laws"]) == (1, 2, ["gdpr", "hipaa"])
    assert opened(caller(rival, "security_officer"))["number"] == 1
    assert (first["state"], first["aware_at"]) == ("suspected", None)
    assert [one["standing"] for one in first["duties"] if one["code"] == "gdpr.authority"] == ["undecided"]
    assert told(tenant) == ["incident.opened", "incident.opened"]


def test_an_alert_becomes_one_incident_with_whom_and_what_it_is_about(tenant, officer) -> None:
    suspect, dataset = uuid4(), uuid4()
    since = timezone.now() - timedelta(hours=2)
    with acting(tenant):
        about = About(principal_id=suspect, dataset_id=dataset, since=since)
        alert = raise_alert(kind="canary.released", cause="a", severity="critical", facts={}, about=about)
    made = opened(officer, alert_id=str(alert.pk), severity="critical")
    assert (made["principals"], made["datasets"], made["alert_id"]) == ([str(suspect)], [str(dataset)], str(alert.pk))
    assert datetime.fromisoformat(made["occurred_from"]) == since
    again = send(officer, "POST", "/incidents", {"title": "The same", "alert_id": str(alert.pk)})
    assert (again.status_code, again.json()["code"], again.json()["incident"]) == (409, "VAULT_COMP_8144", made["id"])
    unknown = send(officer, "POST", "/incidents", {"title": "No alert", "alert_id": str(uuid4())})
    assert unknown.status_code == 404


def test_from_suspicion_to_the_end_with_every_act_in_the_timeline_and_the_audit(tenant, officer) -> None:
    one = opened(officer, discovered_at=LONG_AGO)
    aware = (timezone.now() - timedelta(hours=1)).isoformat()
    assert act(officer, one, "close", reason="done")[0] == 409, "one state at a time"
    status, confirmed = act(officer, one, "confirm", reason="The partner called", aware_at=aware)
    assert (status, confirmed["state"]) == (200, "confirmed")
    clock = next(duty for duty in confirmed["duties"] if duty["code"] == "gdpr.authority")
    assert datetime.fromisoformat(clock["due_at"]) == datetime.fromisoformat(aware) + timedelta(hours=72)
    assert confirmed["next_due_at"] == clock["due_at"]
    assert act(officer, one, "assessments", gdpr_risk="none", grounds="The files were encrypted.")[0] == 201
    assert act(officer, one, "contain", reason="The partner deleted them")[0] == 200
    for task in send(officer, "GET", f"/incidents/{one['id']}/tasks").json()["data"]:
        assert act(officer, one, f"tasks/{task['id']}/done", proof="Export number four")[0] == 200
    status, closed = act(officer, one, "close", reason="Nothing is left")
    assert (status, closed["state"], closed["next_due_at"]) == (200, "closed", None)
    kinds = entries(tenant, one)
    assert kinds == [
        *("opened", "confirmed", "task.made", "task.made", "task.made", "assessed", "contained"),
        *("task.done", "task.done", "task.done", "closed"),
    ]
    assert len(told(tenant)) == len(kinds)
    assert told(tenant).count("incident.changed") == 3
    for what in ("confirm", "dismiss", "contain", "close"):
        assert act(officer, one, what, reason="again")[1]["code"] == "VAULT_COMP_8142"


def test_closing_with_open_duties_is_refused_and_says_which(officer) -> None:
    one = opened(officer, laws=["gdpr", "hipaa"], persons=700, discovered_at=LONG_AGO)
    act(officer, one, "confirm", reason="It is one")
    act(officer, one, "contain", reason="Stopped")
    status, answer = act(officer, one, "close", reason="I want to go home")
    assert (status, answer["code"]) == (409, "VAULT_COMP_8143")
    named = [problem["field"] for problem in answer["errors"]]
    assert {"gdpr.authority", "gdpr.persons", "hipaa.persons", "hipaa.hhs", "assessment", "tasks"} <= set(named)


def test_the_year_log_keeps_nobody_from_closing(tenant, officer) -> None:
    one = opened(officer, laws=["hipaa"], persons=12)
    act(officer, one, "confirm", reason="It is one")
    act(officer, one, "assessments", factors=FACTORS, hipaa="breach")
    act(officer, one, "contain", reason="Stopped")
    notice = act(officer, one, "notices", audience="persons")[1]
    send(officer, "PUT", f"/incidents/{one['id']}/notices/{notice['id']}", {"body": "We tell you.", "follows": 1})
    act(officer, one, f"notices/{notice['id']}/sent", reference="Letters of today")
    for task in send(officer, "GET", f"/incidents/{one['id']}/tasks").json()["data"]:
        act(officer, one, f"tasks/{task['id']}/done", proof="done")
    status, closed = act(officer, one, "close", reason="Only the log of the year is left")
    assert (status, closed["state"]) == (200, "closed")
    with acting(tenant):
        row = Incident.objects.get(pk=one["id"])
    assert row.next_due_at is not None, "its clock is watched still"


def test_what_was_no_breach_is_dismissed_and_has_no_clocks(officer) -> None:
    one = opened(officer)
    assert act(officer, one, "dismiss", reason="  ")[0] == 400
    status, gone = act(officer, one, "dismiss", reason="A test of the partner")
    assert (status, gone["state"], {duty["standing"] for duty in gone["duties"]}) == (200, "dismissed", {"not_due"})
    assert act(officer, one, "notices", audience="authority")[1]["code"] == "VAULT_COMP_8142"
    assert send(officer, "PATCH", f"/incidents/{one['id']}", {"title": "B"}).json()["code"] == "VAULT_COMP_8142"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"laws": ["ccpa"]}, "laws"),
        ({"laws": []}, "laws"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"discovered_at": "2199-01-01T00:00:00Z"}, "discovered_at"),
        ({"aware_at": "2199-01-01T00:00:00Z"}, "aware_at"),
        ({"occurred_from": LONG_AGO, "occurred_until": LONG_AGO}, "occurred_until"),
        ({"persons": 5, "residents": {"CA": 6}}, "residents"),
        ({"residents": {"California": 6}}, "residents"),
    ],
)
def test_what_does_not_fit_is_named(officer, given, field) -> None:
    answer = send(officer, "POST", "/incidents", {"title": "A title"} | given)
    assert (answer.status_code, answer.json()["errors"][0]["field"].strip("/").split("/")[0]) == (400, field)


@pytest.mark.parametrize("member", ["title", "summary"])
def test_personal_data_in_the_texts_of_an_incident_is_refused(officer, member) -> None:
    given = {"title": "A title"} | {member: "Mail of ada.lovelace@example.com was sent out"}
    answer = send(officer, "POST", "/incidents", given)
    assert answer.status_code == 400
    assert b"ada.lovelace" not in answer.content


def test_personal_data_in_notes_reasons_tasks_and_grounds_is_refused(officer) -> None:
    one, person = opened(officer), "Call ada.lovelace@example.com about it"
    factors = FACTORS | {"nature": {"level": "low", "text": person}}
    send(officer, "PATCH", f"/incidents/{one['id']}", {"laws": ["gdpr", "hipaa"]})
    for what, body in (
        ("timeline", {"text": person}),
        ("dismiss", {"reason": person}),
        ("tasks", {"title": person}),
        ("assessments", {"gdpr_risk": "none", "grounds": person, "factors": FACTORS, "hipaa": "breach"}),
        ("assessments", {"gdpr_risk": "none", "grounds": "None.", "factors": factors, "hipaa": "breach"}),
    ):
        assert act(officer, one, what, **body)[0] == 400, what


def test_who_moves_a_clock_says_why_and_the_timeline_keeps_what_it_was(tenant, officer) -> None:
    one = opened(officer, aware_at=LONG_AGO)
    place, later = f"/incidents/{one['id']}", "2026-01-06T08:00:00Z"
    refused = send(officer, "PATCH", place, {"aware_at": later})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "reason")
    moved = send(officer, "PATCH", place, {"aware_at": later, "reason": "The first report was of another matter"})
    assert moved.json()["next_due_at"] == "2026-01-09T08:00:00Z"
    with acting(tenant):
        entry = IncidentEntry.objects.get(incident_id=one["id"], kind="changed")
    assert [datetime.fromisoformat(each) for each in entry.facts["changes"]["aware_at"]] == [
        datetime(2026, 1, day, 8, tzinfo=UTC) for day in (5, 6)
    ]


def test_nobody_rewrites_the_timeline(tenant, officer) -> None:
    one = opened(officer)
    for change in ({"text": "nothing happened"}, None):
        with pytest.raises(ProgrammingError, match="permission denied"), acting(tenant):
            rows = IncidentEntry.objects.filter(incident_id=one["id"])
            rows.update(**change) if change else rows.delete()


def test_whom_an_incident_is_about_manages_it_for_nobody(tenant) -> None:
    mallory = principal_with(tenant, "security_officer")
    one = opened(caller(tenant, "privacy_officer"), principals=[str(mallory.id)])
    with pytest.raises(IncidentAboutYourself), acting(tenant, mallory):
        add_note(mallory, incident_id=one["id"], text="It was nothing")
    with pytest.raises(IncidentAboutYourself), acting(tenant, mallory):
        begin_notice(mallory, incident_id=one["id"], audience="authority")
    key = caller(tenant, "security_officer")
    assert act(key, one, "timeline", text="Another officer looks")[0] == 201


def test_who_opens_is_told_of_nothing_and_suspects_neither(tenant) -> None:
    other, suspect = (make_user(tenant, "security_officer") for _ in range(2))
    opened(caller(tenant, "privacy_officer"), principals=[str(suspect.pk)])
    with acting(tenant):
        people = set(Notification.objects.filter(cause__startswith="incident:").values_list("user_id", flat=True))
        assert people == {other.pk}


ROLES = {
    "privacy_officer": (200, 201, 201),
    "security_officer": (200, 201, 201),
    "legal_counsel": (200, 403, 201),
    "auditor": (200, 403, 403),
    "data_steward": (403, 403, 403),
    "tenant_admin": (403, 403, 403),
    "viewer": (403, 403, 403),
}


@pytest.mark.parametrize("role", ROLES)
def test_who_reads_who_manages_and_who_drafts(tenant, officer, role) -> None:
    one, client = opened(officer), caller(tenant, role)
    place = f"/incidents/{one['id']}"
    read = send(client, "GET", place).status_code
    managed = send(client, "POST", f"{place}/timeline", {"text": "Seen"}).status_code
    drafted = send(client, "POST", f"{place}/notices", {"audience": "authority"}).status_code
    assert (read, managed, drafted) == ROLES[role]


def test_an_incident_of_another_tenant_never_was(tenant, rival, officer) -> None:
    one, stranger = opened(officer), caller(rival, "privacy_officer")
    for method, what, body in (
        ("GET", "", None),
        ("PATCH", "", {"title": "Mine"}),
        ("POST", "/confirm", {"reason": "Mine"}),
        ("GET", "/timeline", None),
        ("POST", "/scopes", {}),
        ("POST", "/notices", {"audience": "persons"}),
    ):
        theirs = send(stranger, method, f"/incidents/{one['id']}{what}", body)
        random = send(stranger, method, f"/incidents/{uuid4()}{what}", body)
        assert (theirs.status_code, theirs.json()["code"]) == (404, "VAULT_COMP_8140")
        assert random.status_code == 404
    assert send(stranger, "GET", "/incidents?state=open").json()["data"] == []


def test_lists_filter_and_page(officer) -> None:
    made = [opened(officer, severity=severity) for severity in ("low", "high", "high")]
    act(officer, made[2], "dismiss", reason="none")
    first = send(officer, "GET", "/incidents?severity=high&limit=1").json()
    cursor = first["pagination"]["next_cursor"]
    rest = send(officer, "GET", f"/incidents?severity=high&limit=1&cursor={cursor}").json()
    assert [one["id"] for one in first["data"] + rest["data"]] == [made[2]["id"], made[1]["id"]]
    assert [one["id"] for one in send(officer, "GET", "/incidents?state=open").json()["data"]] == [
        made[1]["id"],
        made[0]["id"],
    ]
    for query in ("state=lost", "severity=HIGH", "other=1"):
        assert send(officer, "GET", f"/incidents?{query}").status_code == 400


@pytest.mark.parametrize(
    ("judgement", "field"),
    [
        ({"gdpr_risk": "risk"}, "grounds"),
        ({"gdpr_risk": "none"}, "grounds"),
        ({"gdpr_risk": "high", "exception": "effort"}, "grounds"),
        ({"gdpr_risk": "risk", "exception": "effort", "grounds": "a"}, "exception"),
        ({}, "gdpr_risk"),
        ({"gdpr_risk": "high", "hipaa": "breach"}, "hipaa"),
    ],
)
def test_grounds_for_telling_nobody_are_documented(officer, judgement, field) -> None:
    status, answer = act(officer, opened(officer), "assessments", **judgement)
    assert (status, answer["errors"][0]["field"]) == (400, field)


def test_a_low_probability_takes_all_four_factors_and_none_that_is_high(officer) -> None:
    one = opened(officer, laws=["hipaa"])
    some = {name: factor for name, factor in FACTORS.items() if name != "mitigation"}
    assert act(officer, one, "assessments", factors=some, hipaa="low_probability")[0] == 400
    grave = FACTORS | {"acquired": {"level": "high", "text": "Opened from two addresses."}}
    assert act(officer, one, "assessments", factors=grave, hipaa="low_probability")[0] == 400
    assert act(officer, one, "assessments", factors=grave, hipaa="breach")[0] == 201
    assert act(officer, one, "assessments", factors=FACTORS, hipaa="low_probability")[0] == 201
    kept = send(officer, "GET", f"/incidents/{one['id']}/assessments").json()["data"]
    assert [judged["hipaa"] for judged in kept] == ["low_probability", "breach"]
    now = send(officer, "GET", f"/incidents/{one['id']}").json()
    assert {duty["standing"] for duty in now["duties"]} == {"not_due"}


def test_a_notice_is_filled_saved_in_versions_sealed_and_sent_in_phases(tenant, officer) -> None:
    one = opened(officer, aware_at=LONG_AGO, discovered_at=LONG_AGO, persons=40)
    notice = act(officer, one, "notices", audience="authority")[1]
    place = f"/incidents/{one['id']}/notices/{notice['id']}"
    text = send(officer, "GET", place).json()["text"]
    for letter in "abcd":
        assert f"art. 33(3)({letter})" in text["body"]
    assert "Persons affected: 40." in text["body"]
    assert "art. 33(1)" in text["body"], "late: it asks why"
    assert text["gaps"] > 0
    sent = send(officer, "POST", f"{place}/sent", {"reference": "Portal"})
    assert (sent.json()["code"], sent.json()["left"]) == ("VAULT_COMP_8149", text["gaps"])
    body = {"body": "Ada Lovelace, ada@example.com, was among them.", "follows": 1}
    assert send(officer, "PUT", place, body).json()["number"] == 2
    assert send(officer, "PUT", place, body).json()["code"] == "VAULT_COMP_8150"
    assert send(officer, "POST", f"{place}/sent", {"reference": "For ada@example.com"}).status_code == 400
    assert send(officer, "POST", f"{place}/sent", {"reference": "P", "sent_at": "2199-01-01T00:00Z"}).status_code == 400
    done = send(officer, "POST", f"{place}/sent", {"reference": "Portal, case 7"}).json()
    assert (done["sent_version"], done["phase"]) == (2, 1)
    assert send(officer, "PUT", place, body | {"follows": 2}).json()["code"] == "VAULT_COMP_8148"
    later = act(officer, one, "notices", audience="authority")[1]
    assert later["phase"] == 2
    assert act(officer, one, "notices", audience="authority")[1]["id"] == later["id"], "the unsent one"
    with acting(tenant):
        kept = BreachNoticeText.objects.filter(notice_id=notice["id"])
        assert all(b"Lovelace" not in bytes(row.body) for row in kept)
        said = [bytes(event.body) for event in AuditEvent.objects.filter(type__startswith="incident.")]
        assert not any(b"Lovelace" in each for each in said)
    standing = {
        duty["code"]: duty["standing"] for duty in send(officer, "GET", f"/incidents/{one['id']}").json()["duties"]
    }
    assert standing["gdpr.authority"] == "late"
    assert "incident.notified" in told(tenant)
    first = send(officer, "GET", f"{place}?version=1").json()["text"]
    assert first["body"] == text["body"]
    for version, status in (("3", 404), ("x", 400), ("0", 400)):
        assert send(officer, "GET", f"{place}?version={version}").status_code == status


def test_what_is_not_the_incidents_own_is_not_found(tenant, officer) -> None:
    one, other = opened(officer), opened(officer)
    notice = act(officer, one, "notices", audience="persons")[1]
    task = act(officer, one, "tasks", title="Look")[1]
    for method, what, body, code in (
        ("GET", f"notices/{notice['id']}", None, "VAULT_COMP_8147"),
        ("POST", f"notices/{notice['id']}/sent", {"reference": "a"}, "VAULT_COMP_8147"),
        ("POST", f"tasks/{task['id']}/done", {"proof": "a"}, "VAULT_COMP_8146"),
        ("GET", f"scopes/{uuid4()}", None, "VAULT_COMP_8145"),
    ):
        answer = send(officer, method, f"/incidents/{other['id']}/{what}", body)
        assert (answer.status_code, answer.json()["code"]) == (404, code)
    assert act(officer, one, f"tasks/{task['id']}/done", proof="Seen")[0] == 200
    assert act(officer, one, f"tasks/{task['id']}/done", proof="Seen")[1]["code"] == "VAULT_COMP_8151"
    assert act(officer, one, "tasks", title="For nobody", assignee=str(uuid4()))[0] == 400


def test_the_register_keeps_a_year_whatever_became_of_it(tenant, officer) -> None:
    gone, kept = opened(officer, discovered_at=LONG_AGO), opened(officer, discovered_at=LONG_AGO, title="=cmd()")
    act(officer, gone, "dismiss", reason="A drill")
    opened(officer, discovered_at="2025-12-31T23:30:00Z")
    edge = opened(officer, discovered_at="2026-01-01T03:00:00Z", time_zone="America/New_York")
    auditor = caller(tenant, "auditor")
    lines = send(auditor, "GET", "/incidents/log/2026").json()["data"]
    assert [(line["incident"], line["standing"]) for line in lines] == [
        (gone["id"], "dismissed"),
        (kept["id"], "suspected"),
    ]
    assert edge["id"] in [line["incident"] for line in send(auditor, "GET", "/incidents/log/2025").json()["data"]]
    assert send(auditor, "GET", "/incidents/log/99").status_code == 400


def test_events_of_incidents_say_no_text(tenant, officer) -> None:
    one = opened(officer, title="The files of the blue partner")
    act(officer, one, "timeline", text="The blue partner called")
    with acting(tenant):
        events = list(AuditEvent.objects.filter(type__startswith="incident."))
        assert all(b"blue" not in bytes(event.body) for event in events)
        assert read_body(events[0])["metadata"]["number"] == one["number"]


def test_a_notice_is_read_by_who_reads_incidents(tenant, officer) -> None:
    one = opened(officer)
    notice = act(officer, one, "notices", audience="persons")[1]
    auditor = principal_with(tenant, "auditor")
    with acting(tenant, auditor):
        found, text = read_notice(auditor, incident_id=one["id"], notice_id=notice["id"])
    assert (found.audience, text.number) == ("persons", 1)
