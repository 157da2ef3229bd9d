"""The reports on incidents and breaches say what was done when, and who was told."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from compliance.models import Incident
from tests.compliance.reports.asking import figures, report_of
from tests.factories.access import acting, age
from tests.factories.api import caller, send

FACTORS = {
    name: {"level": "low", "text": "Judged by the team on its own."}
    for name in ("nature", "recipient", "acquired", "mitigation")
}


@pytest.fixture
def officer(tenant):
    return caller(tenant, "privacy_officer")


@pytest.fixture
def act(officer):
    def call(incident, what: str, method: str = "POST", **body):
        answer = send(officer, method, f"/incidents/{incident['id']}/{what}".rstrip("/"), body)
        assert answer.status_code in {200, 201}, answer.content
        return answer.json()

    return call


def opened(client, **given):
    answer = send(client, "POST", "/incidents", {"title": "Files sent to a wrong partner"} | given)
    assert answer.status_code == 201, answer.json()
    return answer.json()


def tell(act, incident, audience: str) -> None:
    notice = act(incident, "notices", audience=audience)
    act(incident, f"notices/{notice['id']}", "PUT", body="Dear partner, we tell you.", follows=1)
    act(incident, f"notices/{notice['id']}/sent", reference="Letters of today")


def row_of(tenant, incident) -> Incident:
    with acting(tenant):
        return Incident.objects.get(pk=incident["id"])


def test_incidents_with_the_time_to_each_step(tenant, rival, officer, act) -> None:
    first = opened(officer, severity="high")
    act(first, "confirm", reason="The partner called")
    act(first, "contain", reason="The partner deleted them")
    spans = {"opened_at": 30, "discovered_at": 31, "aware_at": 29, "confirmed_at": 28, "contained_at": 5}
    age(row_of(tenant, first), **{name: timedelta(hours=hours) for name, hours in spans.items()})
    late = opened(officer, severity="critical")
    act(late, "confirm", reason="The log says so")
    age(row_of(tenant, late), aware_at=timedelta(hours=80))
    tell(act, first, "authority")
    dismissed = opened(officer)
    act(dismissed, "dismiss", reason="A test")
    old = opened(officer)
    age(row_of(tenant, old), opened_at=timedelta(days=40))
    opened(caller(rival, "privacy_officer"))
    shown = report_of(tenant, "soc2_incidents", days=2)
    assert [row["incident_id"] for row in shown["rows"]] == [one["id"] for one in (first, late, dismissed)]
    row = shown["rows"][0]
    assert (row["hours_to_confirm"], row["hours_to_contain"], row["hours_to_end"]) == (2, 25, None)
    assert (row["told_in_time"], row["overdue"], row["notices_sent"]) == (1, 0, 1)
    told = figures(shown)
    assert (told["Not contained yet"], told["Dismissed"], told["Closed"]) == (1, 1, 0)
    assert (told["Told in time"], told["Overdue to be told"]) == (1, 1)
    assert told["Hours to containment, most"] == 25
    assert told["Tasks not done"] == row["tasks_open"] + shown["rows"][1]["tasks_open"] > 0


def test_incidents_of_the_datasets_and_people_asked_for(tenant, officer) -> None:
    dataset, suspect = str(uuid4()), str(uuid4())
    about = opened(officer, datasets=[dataset], principals=[suspect])
    opened(officer, datasets=[str(uuid4())])
    for scope in ({"datasets": [dataset]}, {"users": [suspect]}, {"datasets": [dataset], "users": [suspect]}):
        (row,) = report_of(tenant, "soc2_incidents", **scope)["rows"]
        assert row["incident_id"] == about["id"]
    assert report_of(tenant, "soc2_incidents", datasets=[dataset], users=[str(uuid4())])["rows"] == []


def test_breaches_with_factors_persons_notices_and_the_log_of_the_year(tenant, officer, act) -> None:
    days = {name: (timezone.now() - timedelta(days=ago)).isoformat() for name, ago in (("late", 61), ("new", 1))}
    small = opened(officer, laws=["hipaa"], persons=12, discovered_at=days["new"])
    large = opened(officer, laws=["hipaa", "gdpr"], persons=700, residents={"CA": 600}, discovered_at=days["late"])
    cleared = opened(officer, laws=["hipaa"], persons=3)
    opened(officer, laws=["gdpr"])
    act(
        small, "assessments", factors=FACTORS | {"acquired": {"level": "high", "text": "They read it."}}, hipaa="breach"
    )
    tell(act, small, "persons")
    act(large, "assessments", factors=FACTORS, hipaa="breach", gdpr_risk="high")
    tell(act, large, "media")
    act(cleared, "assessments", factors=FACTORS, hipaa="low_probability")
    shown = report_of(tenant, "hipaa_breach", days=90)
    rows = {row["incident_id"]: row for row in shown["rows"]}
    assert rows.keys() == {one["id"] for one in (small, large, cleared)}
    one = rows[small["id"]]
    assert (one["result"], one["factor_acquired"], one["factor_nature"]) == ("breach", "high", "low")
    assert (one["persons_notice"], one["hhs_notice"], one["media_notice"]) == ("met", "running", None)
    assert (one["in_year_log"], one["log_of_year"]) == ("yes", int(days["new"][:4]))
    many = rows[large["id"]]
    assert (many["persons_notice"], many["hhs_notice"], many["media_notice"]) == ("overdue", "overdue", "late")
    assert (many["in_year_log"], many["persons_affected"]) == ("no", 700)
    assert rows[cleared["id"]]["persons_notice"] is None
    told = figures(shown)
    assert (told["Breaches"], told["Low probability of compromise"], told["In the log of the year"]) == (2, 1, 1)
    assert (told["Persons told in time"], told["Persons told not yet, and late"]) == (1, 1)
    assert (told["Persons affected"], told["Persons affected by one, most"]) == (715, 700)
    assert report_of(tenant, "hipaa_breach", days=90, until=30)["integrity"]["rows"] == 1
