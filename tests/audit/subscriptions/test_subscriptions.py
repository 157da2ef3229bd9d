"""Rules of event subscriptions: who makes them, what they choose, and what the relay is told."""

from uuid import UUID, uuid4

import pytest

from access.models import Role
from audit.models import AuditEvent, EventSubscription, WebhookEndpoint
from audit.models.alert import Alert
from audit.subscriptions.edit import MOST
from audit.subscriptions.match import matching
from audit.subscriptions.room import MOST_COMPARISONS
from tests.factories.access import acting
from tests.factories.api import caller, events_of, new_request_id, send
from tests.factories.audit import dataset_ref, make_event, record
from tests.factories.pages import browser_of, opened
from vaultsite.kernel.events.event import EventType, ResourceRef

PATH = "/subscriptions"
DENIED_PII = "event_type = 'data.read' AND resource.classification = 'pii' AND action.status = 'denied'"
PII = {"type": "dataset", "classification": "pii"}


def subscribe(tenant, **members):
    body = {"name": f"s {uuid4()}", "route": "siem"} | members
    answer = send(caller(tenant, "tenant_admin"), "POST", PATH, body)
    assert answer.status_code == 201, answer.json()
    return answer.json()


def denied_read(dataset_id: UUID):
    return make_event(
        type=EventType.ACCESS_DENIED,
        status="denied",
        severity="warning",
        resource=ResourceRef(id=str(dataset_id), dataset_id=dataset_id, **PII),
    )


def rows_of(tenant, *events) -> list[AuditEvent]:
    record(tenant.pk, *events)
    with acting(tenant):
        found = {row.pk: row for row in AuditEvent.objects.filter(pk__in=[event.id for event in events])}
    return [found[event.id] for event in events]


def test_a_subscription_is_made_read_changed_and_ended(tenant) -> None:
    admin, request = caller(tenant, "tenant_admin"), new_request_id()
    made = subscribe(tenant, topics=["vault.events.data.access"], filter=DENIED_PII, vocabulary="platform")
    own = f"{PATH}/{made['id']}"
    assert send(admin, "GET", own).json() == made
    assert [row["id"] for row in send(admin, "GET", PATH).json()["data"]] == [made["id"]]
    changed = send(admin, "PATCH", own, {"is_active": False, "filter": ""}, **{"X-Request-ID": request})
    assert changed.status_code == 200
    assert changed.json() | {"updated_at": ""} == made | {"is_active": False, "filter": "", "updated_at": ""}
    assert {event.type for event in events_of(tenant, request)} == {"admin.access.write", "audit.subscription.changed"}
    assert send(admin, "DELETE", own).status_code == 204
    assert send(admin, "GET", own).json()["code"] == "VAULT_AUDIT_7051"


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"topics": ["vault.events.nonsense"]}, "/topics/0"),
        ({"types": ["data.nonsense"]}, "/types"),
        ({"filter": "severity ="}, "/filter"),
        ({"route": "Not A Route"}, "/route"),
        ({"route": "a..b"}, "/route"),
        ({"route": ""}, "/endpoint_id"),
        ({"endpoint_id": str(uuid4()), "route": ""}, "/endpoint_id"),
        ({"format": "xml"}, "/format"),
        ({"vocabulary": "klingon"}, "/vocabulary"),
        ({"name": ""}, "/name"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_what_makes_no_subscription_is_refused_by_member(tenant, members, field) -> None:
    answer = send(caller(tenant, "tenant_admin"), "POST", PATH, {"name": "one", "route": "siem"} | members)
    assert answer.status_code == 400
    assert field in {problem["field"] for problem in answer.json()["errors"]}


def test_names_are_taken_once_and_there_are_not_endlessly_many(tenant) -> None:
    made = subscribe(tenant)
    admin = caller(tenant, "tenant_admin")
    again = send(admin, "POST", PATH, {"name": made["name"], "route": "other"})
    assert (again.status_code, again.json()["code"]) == (409, "VAULT_AUDIT_7052")
    with acting(tenant) as scope:
        EventSubscription.objects.bulk_create(
            EventSubscription(
                name=str(number), route="x", format="cloudevents", vocabulary="canonical", created_by=scope.principal.id
            )
            for number in range(MOST - 1)
        )
    full = send(admin, "POST", PATH, {"name": "one more", "route": "x"})
    assert (full.status_code, full.json()["code"]) == (409, "VAULT_AUDIT_7053")


def test_who_may_not_manage_them_makes_none_and_auditors_see_them(tenant) -> None:
    subscribe(tenant)
    assert send(caller(tenant, "data_scientist"), "GET", PATH).status_code == 403
    assert send(caller(tenant, "auditor"), "GET", PATH).status_code == 200
    assert send(caller(tenant, "auditor"), "POST", PATH, {"name": "mine", "route": "x"}).status_code == 403


def test_the_relay_is_told_who_wants_what(tenant) -> None:
    """The filter of the requirement: denied attempts to read personal data, and nothing else."""
    wanted = subscribe(tenant, topics=["vault.events.data.access"], filter=DENIED_PII, vocabulary="platform")
    everything = subscribe(tenant, format="vault-1.4")
    subscribe(tenant, topics=["vault.events.system"])
    subscribe(tenant, is_active=False)
    denied, read, system = rows_of(
        tenant, denied_read(uuid4()), make_event(resource=dataset_ref(uuid4())), make_event(type=EventType.LOGOUT)
    )
    matches = [one for one in matching(tenant.pk, [denied, read]) if str(one.subscription_id) == wanted["id"]]
    (match,) = matches
    assert (match.event_id, match.topic, match.route) == (denied.pk, "vault.events.data.access", "siem")
    assert (match.event_type, match.dataset_id) == ("data.access.denied", denied.dataset_id)
    all_ = [one for one in matching(tenant.pk, [denied, read, system]) if str(one.subscription_id) == everything["id"]]
    assert [one.event_id for one in all_] == [denied.pk, read.pk, system.pk]
    assert all_[1].body["event_type"] == "data.access.read"


def test_a_name_of_the_vocabulary_is_sent(tenant) -> None:
    subscribe(tenant, types=["data.access.read"], vocabulary="registry", format="registry-1.1")
    about, beside = rows_of(tenant, make_event(resource=dataset_ref(uuid4())), make_event())
    (match,) = matching(tenant.pk, [about, beside])
    assert (match.event_type, match.body["event_type"], match.event_id) == ("data.accessed", "data.accessed", about.pk)


def test_another_tenants_subscriptions_choose_nothing_of_ours(tenant, rival) -> None:
    subscribe(rival)
    assert matching(tenant.pk, rows_of(tenant, make_event())) == []


def test_a_trial_counts_what_would_have_been_sent(tenant) -> None:
    for _ in range(3):
        rows_of(tenant, denied_read(uuid4()), make_event())
    answer = send(caller(tenant, "auditor"), "POST", f"{PATH}/try", {"filter": DENIED_PII})
    assert answer.status_code == 200
    assert answer.json()["matched"] == 3
    assert answer.json()["tried"] >= 6
    assert len(answer.json()["newest"]) == 3
    broken = send(caller(tenant, "auditor"), "POST", f"{PATH}/try", {"filter": "severity ~ 'x'"})
    assert (broken.status_code, broken.json()["code"], broken.json()["position"]) == (400, "VAULT_AUDIT_7050", 9)


@pytest.mark.usefixtures("plain_static", "quick_passwords")
def test_the_browser_tries_makes_changes_and_ends_them(tenant) -> None:
    rows_of(tenant, denied_read(uuid4()))
    with acting(tenant) as scope:
        endpoint = WebhookEndpoint.objects.create(
            name="siem <b>", url="https://siem.example.com/", secret=b"sealed", created_by=scope.principal.id
        )
    client = browser_of(tenant, "tenant_admin")
    form = {"name": "Denied reads", "topics": ["vault.events.data.access"], "filter": DENIED_PII, "is_active": "1",
            "format": "cloudevents", "vocabulary": "canonical", "endpoint_id": str(endpoint.pk)}  # fmt: skip
    new, list_ = "/admin/oversight/subscriptions/new/", "/admin/oversight/subscriptions/"
    assert "Nobody is told of events yet" in opened(client, list_)[0].text
    tried = opened(client, new, form | {"do": "try"}, method="post")[0].text
    assert "<strong>1</strong>" in tried
    assert "Denied reads" in tried
    refused = client.post(new, form | {"do": "save", "filter": "severity ="})
    assert (refused.status_code, "At character 10" in refused.text) == (400, True)
    assert client.post(new, form | {"do": "save"}).status_code == 302
    with acting(tenant):
        row = EventSubscription.objects.get()
    assert (row.expression, row.endpoint_id) == (DENIED_PII, endpoint.pk)
    assert "siem &lt;b&gt;" in opened(client, list_)[0].text
    own = f"{list_}{row.pk}/"
    assert "Denied reads" in opened(client, own)[0].text
    assert client.post(own, form | {"do": "save", "name": "Renamed", "is_active": ""}).status_code == 302
    with acting(tenant):
        assert EventSubscription.objects.get().is_active is False
    assert client.post(own, form | {"do": "delete"}).status_code == 302
    with acting(tenant):
        assert not EventSubscription.objects.exists()
    assert client.get(own).status_code == 404


def test_one_that_cannot_be_read_takes_nothing_from_the_others(tenant) -> None:
    """Its filter, or its shape, is of a release that spoke otherwise."""
    whole = subscribe(tenant)
    broken = [subscribe(tenant)["id"] for _ in range(2)]
    with acting(tenant):
        EventSubscription.objects.filter(pk=broken[0]).update(expression="severity ~ 'x'")
        EventSubscription.objects.filter(pk=broken[1]).update(vocabulary="klingon")
    rows = rows_of(tenant, make_event(), make_event())
    assert [(str(one.subscription_id), one.event_id) for one in matching(tenant.pk, rows)] == [
        (whole["id"], row.pk) for row in rows
    ]
    with acting(tenant):
        alerts = Alert.objects.filter(kind="subscription.unreadable")
        assert {(alert.cause, alert.count) for alert in alerts} == {(one, 1) for one in broken}
    send(caller(tenant, "tenant_admin"), "PATCH", f"{PATH}/{broken[0]}", {"filter": ""})
    with acting(tenant):
        assert Alert.objects.get(kind="subscription.unreadable", state="open").cause == broken[1]


def test_filters_of_a_tenant_compare_so_often_together_and_no_more(tenant, rival) -> None:
    costly = " OR ".join(["severity='x'"] * 125)
    admin = caller(tenant, "tenant_admin")
    made = [subscribe(tenant, filter=costly) for _ in range(MOST_COMPARISONS // 125)]
    more = {"name": "more", "route": "x", "filter": "severity = 'x'"}
    refused = send(admin, "POST", PATH, more)
    assert (refused.status_code, refused.json()["code"]) == (400, "VAULT_AUDIT_7050")
    own = f"{PATH}/{made[0]['id']}"
    assert send(admin, "PATCH", own, {"name": "renamed"}).status_code == 200
    assert send(admin, "PATCH", own, {"filter": costly + " OR severity='y'"}).status_code == 400
    assert subscribe(rival, filter=costly)["filter"] == costly
    assert send(admin, "PATCH", own, {"filter": "severity IN ('x', 'y', 'z')"}).status_code == 200
    assert send(admin, "POST", PATH, more).status_code == 201


def test_who_may_not_read_the_audit_has_nothing_sent(tenant) -> None:
    made = subscribe(tenant)
    with acting(tenant):
        Role.objects.create(code="forwarder", name="Forwarder", permissions=["subscription.manage"])
    forwarder, request = caller(tenant, "forwarder"), new_request_id()
    body = {"name": "all of it", "route": "out"}
    assert send(forwarder, "POST", PATH, body, **{"X-Request-ID": request}).status_code == 403
    assert [event.status for event in events_of(tenant, request)] == ["denied"]
    assert send(forwarder, "PATCH", f"{PATH}/{made['id']}", {"topics": []}).status_code == 403
    assert send(forwarder, "DELETE", f"{PATH}/{made['id']}").status_code == 204
