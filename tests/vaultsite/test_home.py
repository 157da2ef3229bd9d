"""Rules of the home page: who sees which piece, where its numbers lead, and what reading it records."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.test import RequestFactory
from django.utils import timezone

from access.leases.terms import Terms
from access.models import Shown, User
from access.selectors import user_principal
from access.services.access_requests import request_access
from audit.alerts.kinds import WITHHELD
from audit.alerts.open import raise_alert
from audit.log.sealer import seal_tenant
from audit.rollups.periods import period_of
from tests.factories.access import acting, make_user
from tests.factories.audit import make_event, record
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.pages import browser_of, events_of, opened
from vaultsite.dashboard.filters import Filters, read_filters
from vaultsite.dashboard.heatmap import draw_heatmap, hours_of
from vaultsite.dashboard.inbox import awaited_by, tasks_of
from vaultsite.dashboard.jobs import KINDS
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.jobs import installed_jobs
from vaultsite.kernel.tenancy.principal import Principal

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")

HOME = "/admin/"
FETCHED = {"X-Vault-Piece": "1"}


def piece(client, name, **query):
    return client.get(f"/admin/home/{name}/", query, headers=FETCHED)


def test_home_is_one_decision_and_says_what_waits(tenant) -> None:
    client = browser_of(tenant, "data_steward")
    page, request_id = opened(client, HOME)
    assert page.status_code == 200
    assert "Nobody waits for you." in page.text
    assert [(event.type, event.resource_type, event.status) for event in events_of(tenant, request_id)] == [
        ("admin.access.read", "dashboard", "success")
    ]


def test_every_piece_that_home_names_is_served_alone_and_as_a_page(tenant) -> None:
    client = browser_of(tenant, "tenant_admin", "data_steward")
    home = client.get(HOME)
    for name in home.context["later"]:
        alone, whole = piece(client, name), client.get(f"/admin/home/{name}/")
        assert (name, alone.status_code, whole.status_code) == (name, 200, 200)
        assert "<html" not in alone.text
        assert "<html" in whole.text


@pytest.mark.parametrize("name", ["jobs", "data", "work"])
def test_a_piece_of_one_dataset_is_that_of_no_other_tenant(tenant, rival, name) -> None:
    client = browser_of(tenant, "data_steward")
    theirs = make_dataset(rival)
    for unknown in (theirs.pk, uuid4()):
        assert piece(client, name, dataset=str(unknown)).status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        {"period": "forever"},
        {"period": "custom"},
        {"period": "custom", "since": "2026-11-02T00:00", "until": "2026-11-01T00:00"},
        {"period": "custom", "since": "2020-01-01T00:00", "until": "2026-11-01T00:00"},
        {"period": "custom", "since": "no time", "until": "2026-13-45T00:00"},
        {"period": "custom", "since": "0001-01-01T00:00:00+14:00", "until": "0001-01-02T00:00"},
        {"period": "custom", "since": "9999-12-31T00:00", "until": "9999-12-31T23:30"},
        {"dataset": "no-id"},
    ],
)
def test_a_choice_that_means_nothing_is_refused(tenant, query) -> None:
    assert browser_of(tenant, "viewer").get(HOME, query).status_code == 400


def test_a_piece_that_is_none_is_not_found(tenant) -> None:
    assert piece(browser_of(tenant, "tenant_admin"), "no-such-piece").status_code == 404


def test_without_oversight_there_are_ones_own_work_datasets_and_activity(tenant) -> None:
    client = browser_of(tenant, "viewer")
    home = client.get(HOME)
    assert set(home.context["later"]) == {"jobs", "mine", "data"}
    assert "Your activity" in home.text
    assert "data-activity" not in home.text
    client.get("/admin/datasets/dataset/")
    shown = piece(client, "mine")
    assert "data.access.read" in shown.text


def test_ones_own_activity_is_nobody_elses(tenant) -> None:
    browser_of(tenant, "tenant_admin").get("/admin/access-control/people/")
    mine = piece(browser_of(tenant, "viewer"), "mine")
    assert {deed.type for deed in mine.context["deeds"]} <= {"admin.access.read", "auth.login.succeeded"}
    assert "users" not in mine.text


def test_whom_an_alert_is_about_does_not_read_of_it_among_their_own(tenant) -> None:
    client = browser_of(tenant, "viewer", username="mallory")
    with acting(tenant):
        mallory = user_principal(User.objects.get(username="mallory"))
    with acting(tenant, mallory):
        raise_alert(kind="canary.released", cause="a", severity="critical", facts={})
    record(tenant.pk, *(make_event(type=EventType(one)) for one in sorted(WITHHELD)), principal=mallory)
    record(tenant.pk, make_event(type=EventType.ACCESS_COMPLETED), principal=mallory)
    shown = piece(client, "mine")
    types = {deed.type for deed in shown.context["deeds"]}
    assert "data.access.completed" in types
    assert not types & WITHHELD
    assert "breach" not in shown.text


def test_what_the_vault_holds_counts_what_the_reader_may_know_of(tenant, rival) -> None:
    dataset = make_dataset(tenant, classification="pii")
    upload(tenant, dataset, jsonl([{"id": "a", "text": "Write to ada.lovelace@example.com"}]), id_field="id")
    make_dataset(rival, classification="restricted")
    shown = piece(browser_of(tenant, "viewer"), "data").context["holdings"]
    assert (shown.overview.datasets, shown.overview.records) == (1, 1)
    assert [(one.code, one.count, one.percent) for one in shown.slices] == [("pii", 1, 100)]
    assert shown.slices[0].url == "/admin/datasets/dataset/?classification=pii"


def test_the_home_of_who_may_nothing_is_a_way_to_start(tenant) -> None:
    page = browser_of(tenant, "directory").get(HOME)
    assert page.status_code == 200
    assert "Take the tour" in page.text
    assert "data-piece" not in page.text


def test_figures_count_sealed_events_and_lead_to_them(tenant) -> None:
    reader, client = browser_of(tenant, "viewer"), browser_of(tenant, "auditor")
    for _ in range(3):
        reader.get("/admin/datasets/dataset/")
    reader.get("/admin/access-control/people/")
    seal_tenant(tenant.pk)
    shown = piece(client, "operations").context
    tiles = {tile.name: tile for tile in shown["tiles"]}
    assert tiles["denied"].count == 1
    assert tiles["operations"].count == shown["heatmap"].total == tiles["allowed"].count + 1
    listed = client.get(tiles["denied"].url)
    assert listed.status_code == 200
    assert listed.text.count("data-event=") == 1
    hour = max((cell for row in shown["heatmap"].rows for cell in row.cells), key=lambda cell: cell.count)
    assert (hour.level, client.get(hour.url).status_code) == (5, 200)


def test_a_cell_of_several_weeks_leads_to_its_hours(tenant) -> None:
    client = browser_of(tenant, "auditor")
    seal_tenant(tenant.pk)
    now = timezone.now()
    page = client.get("/admin/home/hours/", {"weekday": now.weekday(), "hour": now.hour, "period": "30d"})
    assert [one.count > 0 for one in page.context["hours"]] == [True]
    for wrong in ({"weekday": "7", "hour": "0"}, {"weekday": "0"}, {"weekday": "0", "hour": "x"}):
        assert client.get("/admin/home/hours/", wrong).status_code == 400


@pytest.mark.parametrize("moment", [datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 31, 16, 20, tzinfo=UTC)])
def test_a_month_is_of_the_days_the_api_counts_and_a_week_of_hours(monkeypatch, moment) -> None:
    monkeypatch.setattr(timezone, "now", lambda: moment)

    def chosen(period: str) -> Filters:
        asked = RequestFactory().get(HOME, {"period": period})
        return read_filters(asked, Principal.system(uuid4()), action="home.read")

    assert chosen("30d").counted == period_of("last_30d", now=moment)
    assert chosen("30d").since == chosen("30d").since.replace(hour=0)
    assert chosen("7d").until - chosen("7d").since == timedelta(days=7)
    assert chosen("7d").until == moment.replace(minute=0) + timedelta(hours=1)


def test_the_heatmap_sums_weeks_and_shades_by_magnitude() -> None:
    monday = datetime(2026, 11, 2, 9, tzinfo=UTC)
    filters = Filters("30d", monday, monday + timedelta(days=30))
    counts = {monday: 10, monday + timedelta(days=7): 990, monday + timedelta(days=1): 3}
    heatmap = draw_heatmap(counts, filters)
    nine = [row.cells[9] for row in heatmap.rows[:3]]
    assert [(cell.count, cell.level) for cell in nine] == [(1000, 5), (3, 2), (0, 0)]
    assert nine[0].url.startswith("/admin/home/hours/?period=30d&weekday=0&hour=9")
    assert "since=2026-11-03T09%3A00&until=2026-11-03T10%3A00" in nine[1].url
    assert [one.count for one in hours_of(counts, filters, day=0, hour=9)] == [990, 10]


def test_the_most_active_are_named_as_far_as_the_reader_may_know_them(tenant) -> None:
    dataset = make_dataset(tenant, name="much-read")
    reader = browser_of(tenant, "data_scientist")
    reader.get(f"/admin/datasets/dataset/{dataset.pk}/")
    seal_tenant(tenant.pk)
    officer = piece(browser_of(tenant, "security_officer"), "top").context
    assert [(one.name, one.id) for one in officer["most_used"]] == [("", str(dataset.pk))]
    auditor = piece(browser_of(tenant, "auditor"), "top").context
    assert [one.name for one in auditor["most_used"]] == ["much-read"]
    assert auditor["people"][0].percent == 100


def test_the_feed_of_home_leaves_out_who_only_looked(tenant) -> None:
    client = browser_of(tenant, "auditor")
    client.get(HOME)
    browser_of(tenant, "viewer").get("/admin/access-control/people/")
    told = [(event.type, event.status) for event, _ in piece(client, "activity").context["rows"]]
    assert ("admin.access.read", "denied") in told
    assert not {("admin.access.read", "success"), ("audit.access.read", "success")} & set(told)


def test_alerts_and_the_seal_are_shown(tenant) -> None:
    with acting(tenant):
        raise_alert(kind="delivery.dead", cause="a broker", severity="warning", facts={}, summary="Three events wait")
    client = browser_of(tenant, "auditor")
    assert "Three events wait" in piece(client, "alerts").text
    assert "Sealed events" in piece(client, "sealing").text
    assert client.get(HOME).status_code == 200
    assert piece(browser_of(tenant, "viewer"), "alerts").status_code == 403


def test_my_work_lists_what_i_may_decide_and_not_my_own(tenant) -> None:
    dataset = make_dataset(tenant)
    asker, steward = make_user(tenant, "viewer"), make_user(tenant, "data_steward")
    terms = Terms("read", Shown.MASK, "evaluation", 86_400, row_quota=10)
    for one in (asker, steward):
        with acting(tenant):
            principal = user_principal(User.objects.get(pk=one.pk))
        with acting(tenant, principal):
            request_access(principal, dataset_id=dataset.pk, terms=terms, justification="Ten answers by hand")
    with acting(tenant):
        principal = user_principal(User.objects.get(pk=steward.pk))
    with acting(tenant, principal):
        assert [(task.title, task.count) for task in tasks_of(principal)] == [("Access requests to decide on", 1)]
        assert [(task.title, task.count) for task in awaited_by(principal)] == [
            ("Your requests that wait for others", 1)
        ]
        assert tasks_of(principal)[0].due > timezone.now()


def test_jobs_of_others_are_shown_to_who_oversees(tenant) -> None:
    dataset = make_dataset(tenant, name="uploaded")
    upload(tenant, dataset, b"{broken", id_field="id")
    shown = piece(browser_of(tenant, "auditor"), "jobs").context
    assert [(job.kind, job.dataset, job.is_mine) for job in shown["failed"]] == [("upload", "uploaded", False)]
    assert shown["failed"][0].url == f"/admin/datasets/dataset/{dataset.pk}/"
    assert piece(browser_of(tenant, "viewer"), "jobs").context["failed"] == []


def test_every_kind_of_job_has_words_and_a_page() -> None:
    assert {model.__name__ for model in installed_jobs()} == set(KINDS)
