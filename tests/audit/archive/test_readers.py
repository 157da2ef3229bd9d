"""Who reads the audit reads the archive too, or says that it does not."""

import json
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.test import Client

from audit.archive import months
from audit.archive.event import event_of, meets
from audit.archive.overview import months_overview
from audit.archive.read import archived_parts, events_or_none
from audit.exports.work import run_export
from audit.log.sealer import seal_tenant
from audit.models import AuditEvent
from audit.proofs.jobs import run_verification
from audit.proofs.verify_export import check_bundle, read_keys
from audit.selectors import EventFilter, matching
from audit.services.decisions import AuditedDecisions
from compliance.incidents import scope_work
from compliance.reports.events import event_rows
from compliance.reports.kind import Ask
from compliance.retention.fixed import fixed_periods
from compliance.retention.preview import first_of_month
from compliance.subjects import recipients
from tests.audit.archive.moving import archive, at, happened, next_month, parts_of, remove
from tests.audit.proofs.logs import grow
from tests.audit.test_api import client_of
from tests.factories.access import acting
from tests.factories.audit import dataset_ref, make_event, make_principal, record
from tests.factories.pages import browser_of
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.tenancy.scope import tenant_scope

EXPORTS = "/api/v1/audit/exports"
SCREENS = "/admin/oversight"
EXPLORER = "/admin/audit/auditevent/"


@pytest.fixture
def ada(tenant):
    return make_principal(tenant.pk, name="Ada")


@pytest.fixture
def deeds(tenant, month, ada):
    """Four deeds of Ada in an old month, one of somebody else, all under a witnessed checkpoint."""
    policy = uuid4()
    made = [
        make_event(
            time=at(month, 1), resource=dataset_ref(uuid4()), metadata={"records": 3}, policies=(f"policy:{policy}@2",)
        ),
        make_event(time=at(month, 2), type=EventType.ACCESS_WRITE, operation="write", severity="warning", purpose=""),
        make_event(time=at(month, 3), type=EventType.ACCESS_DENIED, status="denied", failure_reason="no role"),
        make_event(time=at(month, 4), type=EventType.EXPORTED, operation="export", resource=dataset_ref(uuid4())),
    ]
    record(tenant.pk, *made, principal=ada)
    happened(tenant.pk, month, 1)
    return made


def exported(tenant, client: Client, kind: str, **filters: str) -> bytes:
    made = client.post(EXPORTS, {"format": kind, "filters": filters}, content_type="application/json").json()
    run_export(tenant.pk, made["id"])
    state = client.get(f"{EXPORTS}/{made['id']}").json()
    assert (state["status"], state["progress"]["missing"]) == ("succeeded", 0), state
    return b"".join(client.get(f"{EXPORTS}/{made['id']}/file").streaming_content)


def test_an_export_says_the_same_before_and_after_its_month_was_moved(tenant, month, ada, deeds) -> None:
    client = client_of(tenant.pk)
    asked = [
        ("csv", {}),
        ("jsonl", {}),
        ("ocsf", {}),
        ("cef", {}),
        ("csv", {"type": "data.access.*", "status": "success"}),
        ("jsonl", {"since": at(month, 2).isoformat(), "until": at(month, 4).isoformat()}),
        ("csv", {"dataset": str(deeds[0].resource.dataset_id)}),
    ]
    before = [exported(tenant, client, kind, actor=str(ada.id), **filters) for kind, filters in asked]
    assert archive(month).events == 5
    after = [exported(tenant, client, kind, actor=str(ada.id), **filters) for kind, filters in asked]
    assert after == before
    assert [len(one.splitlines()) for one in after] == [5, 4, 4, 4, 3, 2, 2]


def test_a_bundle_of_archived_events_verifies_without_the_vault(tenant, month, ada, deeds, tmp_path) -> None:
    archive(month)
    client = client_of(tenant.pk)
    (tmp_path / "one.zip").write_bytes(exported(tenant, client, "bundle", actor=str(ada.id)))
    keys = "".join(f"{key}\n" for key in client.get("/api/v1/audit/keys").json()["data"])
    assert any("4 events" in line for line in check_bundle(tmp_path / "one.zip", read_keys(keys)))


def test_an_event_made_of_its_bytes_is_that_of_the_database_and_meets_what_it_met(tenant, month, ada, deeds) -> None:
    criteria = [
        EventFilter(),
        EventFilter(actor_id=ada.id, status="denied"),
        EventFilter(dataset_id=deeds[3].resource.dataset_id),
        EventFilter(types=(EventType.ACCESS_WRITE, EventType.EXPORTED)),
        EventFilter(types=()),
        EventFilter(severity="warning"),
        EventFilter(operation="export"),
        EventFilter(classification="confidential"),
        EventFilter(purpose="analytics", until=at(month, 3)),
        EventFilter(since=at(month, 3)),
        EventFilter(policy=deeds[0].policies[0]),
        EventFilter(policy=deeds[0].policies[0].removeprefix("policy:").partition("@")[0]),
        EventFilter(policy=f"{deeds[0].policies[0]}1"),
        EventFilter(request_id="r-none"),
    ]
    names = [field.attname for field in AuditEvent._meta.concrete_fields if field.attname != "body"]
    with acting(tenant):
        rows = list(AuditEvent.objects.filter(time__lt=at(month, 30)))
        for row in rows:
            made = event_of(bytes(row.body))
            assert [getattr(made, name) for name in names] == [getattr(row, name) for name in names]
        for one in criteria:
            wanted = replace(one, until=one.until or at(month, 30))
            found = {event.pk for event in matching(tenant.pk, wanted)}
            assert {row.pk for row in rows if meets(event_of(bytes(row.body)), wanted)} == found, one
        assert len(rows) == 5


def test_the_listing_says_since_when_events_are_in_the_archive(tenant, month, deeds) -> None:
    client = client_of(tenant.pk)
    assert client.get("/api/v1/audit/events").json()["archived_before"] is None
    archive(month)
    listed = client.get("/api/v1/audit/events", {"until": at(month, 59).isoformat()}).json()
    following = (month + timedelta(days=32)).replace(day=1)
    assert (listed["data"], listed["archived_before"]) == ([], following.isoformat())
    one = client.get(f"/api/v1/audit/events/{deeds[0].id}").json()
    assert (one["event_id"], one["actor"]["name"]) == (str(deeds[0].id), "Ada")
    proof = client.get(f"/api/v1/audit/events/{deeds[0].id}/proof").json()
    assert proof["event"] is not None


def test_a_verification_says_what_came_from_the_archive_and_what_retention_removed(tenant, month, deeds) -> None:
    client = client_of(tenant.pk)
    archive(month)
    seal_tenant(tenant.pk)
    assert progress(tenant, client) | {"verified": 0, "target": 0} == {
        "percent": 100, "verified": 0, "target": 0, "archived": 5, "removed": 0, "removed_to": None
    }  # fmt: skip
    last = parts_of(tenant.pk)[-1].last_seq
    grow(tenant.pk)
    remove(month)
    seal_tenant(tenant.pk)
    said = progress(tenant, client)
    assert (said["archived"], said["removed"], said["removed_to"]) == (0, 5, last)
    with acting(tenant):
        shown = months_overview(tenant.pk)
    assert (shown.archived, shown.archived_before, shown.removed_to) == ((), None, last)
    assert shown.online_from is not None


def progress(tenant, client: Client) -> dict:
    made = client.post("/api/v1/audit/verifications").json()
    run_verification(tenant.pk, made["id"])
    done = client.get(f"/api/v1/audit/verifications/{made['id']}").json()
    assert (done["status"], done["is_intact"]) == ("succeeded", True), done
    return dict(done["progress"])


@pytest.mark.usefixtures("plain_static", "quick_passwords")
def test_pages_say_where_months_are_and_open_an_archived_event(tenant, month, deeds) -> None:
    browser = browser_of(tenant, "auditor")
    before = " ".join(browser.get(f"{SCREENS}/log/").text.split())
    assert f"from {month:%Y-%m} on" in before
    assert "no months" in before
    assert "are in the archive" not in browser.get(EXPLORER).text
    archive(month)
    grow(tenant.pk)
    shown = " ".join(browser.get(f"{SCREENS}/log/").text.split())
    assert "1 month " in shown
    assert f"<td>{month:%Y-%m}</td>" in shown
    assert "Searches do not find these events" in shown
    following = (month + timedelta(days=32)).replace(day=1)
    assert f"Events from before {following}" in " ".join(browser.get(EXPLORER).text.split())
    assert "are in the archive" not in browser.get(EXPLORER, {"since": f"{following}T00:00:00Z"}).text
    page = browser.get(f"{SCREENS}/events/{deeds[2].id}/").text
    assert "no role" in page
    assert "Ada" in page
    last = parts_of(tenant.pk)[-1].last_seq
    remove(month)
    shown = " ".join(browser.get(f"{SCREENS}/log/").text.split())
    assert f"1 month, up to number {last}" in shown
    assert browser.get(f"{SCREENS}/events/{deeds[2].id}/").status_code == 404


def test_the_scope_of_an_incident_counts_what_was_archived(tenant, month, ada, deeds) -> None:
    """One part a turn, and each event once, whoever and whatever was asked for."""

    def counted(**asked: list[str]) -> int:
        criteria = {"principals": [], "datasets": [], "since": None, "until": at(month, 59).isoformat()} | asked
        state = {"stage": "archive", "accesses": {}, "files": {}}
        with acting(tenant):
            while state["stage"] == "archive":
                scope_work._read_archive(SimpleNamespace(criteria=criteria), state)
        return sum(one["events"] for one in state["accesses"].values())

    assert counted() == 0
    archive(month)
    assert counted(principals=[str(ada.id)]) == 4
    assert counted(principals=[str(ada.id)], datasets=[str(deeds[0].resource.dataset_id)]) == 1
    assert counted(principals=[str(uuid4())]) == 0


def test_who_took_an_export_before_the_month_was_archived_is_still_a_recipient(tenant, month, ada, deeds) -> None:
    archive(month)
    with acting(tenant):
        taken = {}
        for part in archived_parts(tenant.pk, recipients._ASKED):
            events = events_or_none(part, recipients._ASKED)
            recipients._note(taken, events, frozenset([deeds[3].resource.dataset_id]))
    assert list(taken) == [(deeds[3].resource.dataset_id, ada.id)]


def test_decisions_are_paged_over_archive_and_database_alike(tenant, month, ada, deeds, monkeypatch) -> None:
    monkeypatch.setattr(months, "PART_EVENTS", 2)
    later = next_month()
    happened(tenant.pk, later, 3)

    def paged(limit: int) -> list:
        history, found, after = AuditedDecisions(), [], None
        with acting(tenant):
            while page := history.page(since=at(month, 0), until=at(later, 59), after=after, limit=limit):
                found += [one.event_id for one in page]
                after = (page[-1].time, page[-1].event_id)
            return [*found, history.find(deeds[2].id).event_id]

    before = paged(100)
    assert len(before) == 8
    assert archive(month).parts == 3
    assert [paged(limit) for limit in (1, 3, 100)] == [before] * 3


def test_the_calendar_counts_from_the_oldest_month_wherever_it_is(tenant, month, deeds) -> None:
    archive(month)
    with acting(tenant):
        audit = next(one for one in fixed_periods() if one.title == "Events of the audit")
    assert audit.kept == "12 months, 3 months of it online"
    assert audit.next == first_of_month(at(month, 0), later=13)


def test_a_report_has_the_rows_of_archived_months(tenant, month, ada, deeds) -> None:
    def rows(**asked) -> list:
        given = {"datasets": frozenset(), "users": frozenset([ada.id])} | asked
        ask = Ask(
            tenant_id=tenant.pk,
            asker=ada,
            since=at(month, 0),
            until=at(month, 59),
            scope=lambda: tenant_scope(tenant.pk, make_principal(tenant.pk)),
            **given,
        )
        return list(event_rows(ask, ()))

    before = rows()
    assert archive(month).events == 5
    assert rows() == before
    assert [json.dumps(str(row[1])) for row in before] == [json.dumps(str(deed.id)) for deed in deeds]
    assert len(rows(datasets=frozenset([deeds[0].resource.dataset_id]))) == 1
