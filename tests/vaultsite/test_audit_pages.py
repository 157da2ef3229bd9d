"""The audit explorer in the browser: search, timeline, facets, saved searches, exports."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connections

from audit.exports.errors import SavedViewExists
from audit.exports.work import run_export
from audit.log.sealer import seal_tenant
from audit.models import AuditEvent, AuditExport, SavedView
from audit.services.saved_views import save_view
from tests.factories.access import principal_with
from tests.factories.audit import dataset_ref, make_event, make_principal, record
from tests.factories.pages import browser_of
from vaultsite.kernel.events.event import EventType, ResourceRef
from vaultsite.kernel.tenancy.scope import tenant_scope

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")

URL = "/admin/audit/auditevent/"
EXPORTS = "/admin/oversight/audit-exports/"
VIEWS = "/admin/oversight/audit-views/"
EVENT = re.compile(r'data-event="([0-9a-f-]+)"')


@pytest.fixture
def told(tenant):
    """Two reads, a refusal and an export of one dataset, two hours ago, sealed."""
    when, dataset = datetime.now(UTC) - timedelta(hours=2), uuid4()
    common = {"time": when, "resource": dataset_ref(dataset)}
    ada = make_principal(tenant.pk)
    record(
        tenant.pk,
        make_event(**common),
        make_event(**common),
        make_event(**common, type=EventType.ACCESS_DENIED, status="denied", severity="warning"),
        make_event(**common, type=EventType.EXPORTED, operation="export"),
        principal=ada,
    )
    seal_tenant(tenant.pk, window=None)
    return ada, dataset


def found(client, **query) -> list[str]:
    answer = client.get(URL, query)
    assert answer.status_code == 200
    return EVENT.findall(answer.text)


def test_each_filter_of_the_form_narrows(tenant, told) -> None:
    ada, dataset = told
    client = browser_of(tenant, "auditor")
    assert len(found(client, dataset=str(dataset))) == 4
    assert len(found(client, dataset=str(dataset), status="denied")) == 1
    assert len(found(client, actor=str(ada.id), type="data.access.*")) == 3
    assert len(found(client, dataset=str(dataset), severity="warning")) == 1
    assert len(found(client, dataset=str(dataset), operation="export")) == 1
    assert len(found(client, dataset=str(dataset), classification="confidential")) == 4
    assert found(client, dataset=str(dataset), classification="pii") == []


def test_facets_and_bars_count_and_lead_to_what_they_count(tenant, told) -> None:
    _, dataset = told
    client = browser_of(tenant, "auditor")
    page = client.get(URL, {"dataset": str(dataset)})
    assert "4 events, by day" in " ".join(page.text.split())
    narrowing = re.findall(r'<a href="(\?[^"]*status=denied[^"]*)"', page.text)
    narrowed = client.get(URL + narrowing[0].replace("&amp;", "&"))
    assert len(EVENT.findall(narrowed.text)) == 1
    (bar,) = set(re.findall(r'<a href="(\?[^"]+)"\s+aria-label="[^"]+4 events, 1 denied"', page.text))
    assert len(EVENT.findall(client.get(URL + bar.replace("&amp;", "&")).text)) == 4


def test_chips_name_each_filter_and_take_it_away(tenant, told) -> None:
    _, dataset = told
    page = browser_of(tenant, "auditor").get(URL, {"dataset": str(dataset), "status": "denied"})
    assert f'href="?dataset={dataset}"' in page.text
    assert 'href="?status=denied"' in page.text


def test_a_filter_that_does_not_fit_is_named_and_nothing_is_looked_up(tenant, told) -> None:
    page = browser_of(tenant, "auditor").get(URL, {"actor": "<script>alert(1)</script>"})
    assert page.status_code == 400
    assert "nothing was looked up" in page.text
    assert "<script>alert" not in page.text
    assert EVENT.findall(page.text) == []


@pytest.mark.parametrize(
    ("name", "moment"),
    [("until", "9999-12-31T23:30"), ("since", "0001-01-01T00:00"), ("until", "0001-01-01T00:00:00+00:00")],
)
def test_a_moment_that_nobody_means_is_named(tenant, name, moment) -> None:
    client = browser_of(tenant, "auditor")
    page = client.get(URL, {name: moment})
    assert (page.status_code, "between 2000 and 2200" in page.text) == (400, True)
    assert client.get(URL, {"before": f"{moment[:16]}:00+00:00/{uuid4()}"}).status_code == 200


def test_nothing_found_says_so(tenant) -> None:
    page = browser_of(tenant, "auditor").get(URL, {"actor": str(uuid4())})
    assert "Nothing that was recorded fits" in page.text


def test_long_text_of_a_client_is_shown_inert(tenant) -> None:
    long = "<b>" + "x" * 900
    record(tenant.pk, make_event(resource=ResourceRef(long, long), purpose=""))
    page = browser_of(tenant, "auditor").get(URL)
    assert "<b>xxx" not in page.text
    assert "&lt;b&gt;xxx" in page.text


def test_older_pages_keep_the_search(tenant) -> None:
    who = make_principal(tenant.pk)
    record(tenant.pk, *(make_event() for _ in range(53)), principal=who)
    client = browser_of(tenant, "auditor")
    first = client.get(URL, {"actor": str(who.id)})
    (older,) = re.findall(r'href="(\?[^"]+)"\s+rel="next"', first.text)
    second = client.get(URL + older.replace("&amp;", "&"))
    ids = EVENT.findall(first.text) + EVENT.findall(second.text)
    assert len(ids) == len(set(ids)) == 53


def test_a_search_is_saved_for_oneself_or_for_all_who_read_the_audit(tenant) -> None:
    mine, theirs = browser_of(tenant, "auditor"), browser_of(tenant, "auditor")
    mine.post(VIEWS, {"name": "Refusals", "query": "status=denied", "is_shared": "on"})
    mine.post(VIEWS, {"name": "Only mine", "query": "severity=critical"})
    assert "Refusals" in mine.get(URL).text
    assert "Only mine" in mine.get(URL).text
    shown = theirs.get(URL).text
    assert "Refusals" in shown
    assert "Only mine" not in shown
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        shared = SavedView.objects.get(name="Refusals")
    assert theirs.post(VIEWS, {"do": "remove", "view": str(shared.pk)}).status_code == 404
    assert mine.post(VIEWS, {"do": "remove", "view": str(shared.pk)}).status_code == 302
    assert "Refusals" not in theirs.get(URL).text


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": "Twice", "query": "status=denied"}, "You have a saved search of this name"),
        ({"name": " ", "query": "status=denied"}, "One to 80 characters"),
        ({"name": "Odd", "query": "tenant=x"}, "not a member that can be set"),
        ({"name": "Long", "query": "purpose=" + "x" * 4000}, "too long"),
    ],
)
def test_a_search_that_cannot_be_saved_says_why(tenant, form, said) -> None:
    client = browser_of(tenant, "auditor")
    client.post(VIEWS, {"name": "Twice", "query": "status=denied"})
    assert said in client.post(VIEWS, form, follow=True).text
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        assert SavedView.objects.count() == 1


def test_a_form_that_was_sent_twice_at_once_says_that_the_name_is_taken(tenant) -> None:
    auditor = principal_with(tenant, "auditor")

    def save() -> str:
        try:
            with tenant_scope(tenant.pk, auditor):
                save_view(auditor, name="Twice", query="status=denied", is_shared=False)
                time.sleep(0.5)  # the others look for the name before this is committed
        except SavedViewExists:
            return "exists"
        finally:
            connections.close_all()
        return "saved"

    with ThreadPoolExecutor(3) as pool:
        said = sorted(one.result() for one in [pool.submit(save) for _ in range(3)])
    assert said == ["exists", "exists", "saved"]


def test_an_export_is_asked_for_watched_downloaded_and_removed(tenant, told) -> None:
    _, dataset = told
    client = browser_of(tenant, "auditor")
    assert client.post(EXPORTS, {"format": "csv", "query": f"dataset={dataset}"}).status_code == 302
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        export = AuditExport.objects.get()
    waiting = client.get(EXPORTS)
    assert "<progress" in waiting.text
    assert "data-reload" in waiting.text
    run_export(tenant.pk, export.pk)
    done = client.get(EXPORTS)
    assert f"{EXPORTS}{export.pk}/file/" in done.text
    body = b"".join(client.get(f"{EXPORTS}{export.pk}/file/").streaming_content)
    assert len(body.splitlines()) == 5
    assert client.post(EXPORTS, {"do": "remove", "export": str(export.pk)}).status_code == 302
    assert "removed" in client.get(EXPORTS).text


def test_without_the_permission_nothing_is_exported(tenant, told) -> None:
    client = browser_of(tenant, "legal_counsel")
    assert "Export what was found" not in client.get(URL).text
    assert client.post(EXPORTS, {"format": "csv"}).status_code == 403
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        assert AuditExport.objects.count() == 0
        assert AuditEvent.objects.filter(resource_type="audit_export", status="denied").count() == 1
