"""Webhooks over REST and in the browser: who may, what is shown once, and what is refused."""

import re
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import orjson
import pytest
from django.utils import timezone

from access.models import Role
from audit.models import AuditEvent, WebhookDelivery, WebhookEndpoint
from audit.webhooks.deliveries import MOST_EVENTS
from audit.webhooks.endpoints import MOST
from audit.webhooks.loop import send_waiting
from audit.webhooks.signing import SignatureRefused, verify
from tests.audit.webhooks.endpoints import deliveries_of, happens, make_endpoint, now
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.pages import browser_of
from tests.factories.receivers import Receiver
from vaultsite.kernel.events.event import EventType

PAGES = "/admin/oversight/webhooks/"
BODY = {"name": "hook", "event_types": ["data.created"]}


def types_of(tenant) -> list[str]:
    with acting(tenant):
        return list(AuditEvent.objects.filter(type=EventType.WEBHOOK_CHANGED).values_list("type", flat=True))


def test_a_webhook_is_made_changed_and_removed(tenant, receiver: Receiver) -> None:
    admin = caller(tenant, "tenant_admin")
    answer = send(admin, "POST", "/webhooks", BODY | {"url": receiver.url, "filter": "severity = 'info'"})
    made = answer.json()
    assert (answer.status_code, made["secret"][:6], answer["Cache-Control"]) == (201, "whsec_", "no-store")
    path = answer["Location"].removeprefix("/api/v1")
    assert "secret" not in send(admin, "GET", path).json()
    assert made["secret"] not in send(admin, "GET", "/webhooks").text
    changed = send(admin, "PATCH", path, {"event_types": ["*"], "name": "other"}).json()
    assert (changed["event_types"], changed["name"], changed["url"]) == (["*"], "other", receiver.url)
    assert send(admin, "PATCH", path, {"is_enabled": False}).status_code == 400
    off = send(admin, "PATCH", path, {"is_enabled": False, "reason": "moves"}).json()
    assert (off["is_enabled"], off["disabled_by"], off["disabled_reason"]) == (False, "person", "moves")
    assert send(admin, "PATCH", path, {"is_enabled": True}).json()["is_enabled"] is True
    happens(tenant)
    assert send(admin, "DELETE", path).status_code == 204
    assert send(admin, "GET", path).json()["code"] == "VAULT_AUDIT_7060"
    with acting(tenant):
        assert not WebhookDelivery.objects.exists()
    assert len(types_of(tenant)) == 5


def test_the_secret_is_sealed_at_rest(tenant, receiver: Receiver) -> None:
    endpoint, secret = make_endpoint(tenant, receiver)
    with acting(tenant):
        stored = bytes(WebhookEndpoint.objects.get(pk=endpoint.pk).secret)
    assert secret.encode() not in stored
    assert secret[6:].encode() not in stored


def test_a_receiver_of_asymmetric_signatures_needs_the_public_key_alone(tenant, receiver: Receiver) -> None:
    endpoint, public = make_endpoint(tenant, receiver, signature="v1a")
    happens(tenant)
    send_waiting()
    ((headers, body),) = receiver.received
    assert public.startswith("whpk_")
    assert now(tenant, endpoint).public_key == public
    verify(public, headers, body)


def test_a_new_secret_is_shown_once_and_both_sign_for_the_overlap(tenant, receiver: Receiver) -> None:
    endpoint, old = make_endpoint(tenant, receiver)
    admin, path = caller(tenant, "tenant_admin"), f"/webhooks/{endpoint.pk}"
    answer = send(admin, "POST", f"{path}/rotate-secret", {"overlap_hours": 2})
    new = answer.json()["secret"]
    assert answer.json()["previous_secret_until"] is not None
    again = send(admin, "POST", f"{path}/rotate-secret", {})
    assert (again.status_code, again.json()["code"]) == (409, "VAULT_AUDIT_7065")
    happens(tenant)
    send_waiting()
    headers, body = receiver.received[-1]
    verify(old, headers, body)
    verify(new, headers, body)
    with acting(tenant):
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(previous_until=timezone.now())
    happens(tenant)
    send_waiting()
    headers, body = receiver.received[-1]
    verify(new, headers, body)
    with pytest.raises(SignatureRefused):
        verify(old, headers, body)
    newest = send(admin, "POST", f"{path}/rotate-secret", {"overlap_hours": 0}).json()
    assert newest["previous_secret_until"] is None
    assert send(admin, "POST", f"{path}/rotate-secret", {"overlap_hours": 169}).status_code == 400


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://[64:ff9b::a00:1]/",
        "https://[2002:a00:1::]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://user@10.0.0.1/",
        "https://user:secret@hooks.example.org/",
        "unix:///run/docker.sock",
        "https://nobody.example.invalid/",
        "https://localhost/",
        "https://" + "a" * 2000,
    ],
)
def test_an_address_that_is_not_to_be_called_is_not_kept(tenant, url: str) -> None:
    answer = send(caller(tenant, "tenant_admin"), "POST", "/webhooks", BODY | {"url": url})
    assert answer.status_code == 400
    assert answer.json()["code"] in {"VAULT_AUDIT_7063", "VAULT_VALID_3001"}
    assert answer.json()["errors"][0]["field"] == "/url"
    with acting(tenant):
        assert not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"event_types": ["data.never"]}, "VAULT_VALID_3001"),
        ({"filter": "severity ="}, "VAULT_AUDIT_7050"),
        ({"name": " "}, "VAULT_VALID_3001"),
        ({"name": "a\nb"}, "VAULT_VALID_3001"),
        ({"signature": "v2"}, "VAULT_VALID_3001"),
        ({"secret": "whsec_mine"}, "VAULT_VALID_3001"),
    ],
)
def test_what_is_wrong_is_named(tenant, receiver: Receiver, given: dict[str, object], code: str) -> None:
    answer = send(caller(tenant, "tenant_admin"), "POST", "/webhooks", BODY | {"url": receiver.url} | given)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_names_are_unique_and_there_are_so_many(tenant, receiver: Receiver) -> None:
    admin, body = caller(tenant, "tenant_admin"), BODY | {"url": receiver.url}
    assert send(admin, "POST", "/webhooks", body).status_code == 201
    assert send(admin, "POST", "/webhooks", body).json()["code"] == "VAULT_AUDIT_7062"
    with acting(tenant):
        some = WebhookEndpoint.objects.get()
        WebhookEndpoint.objects.bulk_create(
            WebhookEndpoint(name=str(number), url=some.url, secret=some.secret, created_by=some.created_by)
            for number in range(MOST - 1)
        )
    assert send(admin, "POST", "/webhooks", body | {"name": "more"}).json()["code"] == "VAULT_AUDIT_7064"


def test_who_may_read_may_not_change(tenant, receiver: Receiver) -> None:
    endpoint, _ = make_endpoint(tenant, receiver)
    auditor, path = caller(tenant, "auditor"), f"/webhooks/{endpoint.pk}"
    assert send(auditor, "GET", path).status_code == 200
    assert send(auditor, "POST", f"{path}/test").status_code == 403
    assert send(caller(tenant, "analyst"), "GET", path).status_code == 403
    assert send(auditor, "GET", f"/webhooks/{uuid4()}").status_code == 404


def test_a_test_is_tried_once_even_while_switched_off(tenant, receiver: Receiver) -> None:
    receiver.statuses = [500]
    endpoint, _ = make_endpoint(tenant, receiver)
    admin, path = caller(tenant, "tenant_admin"), f"/webhooks/{endpoint.pk}"
    send(admin, "PATCH", path, {"is_enabled": False, "reason": "not yet"})
    answer = send(admin, "POST", f"{path}/test")
    assert (answer.status_code, answer.json()["event_type"]) == (202, "webhook.test")
    assert send_waiting() == 1
    found = send(admin, "GET", answer["Location"].removeprefix("/api/v1")).json()
    assert (found["status"], found["tries"][0]["status"]) == ("failed", 500)
    assert (send_waiting(), now(tenant, endpoint).failures) == (0, 0)


def test_the_log_is_paged_filtered_and_sent_again(tenant, receiver: Receiver) -> None:
    receiver.statuses = [500]
    endpoint, _ = make_endpoint(tenant, receiver)
    admin, path = caller(tenant, "tenant_admin"), f"/webhooks/{endpoint.pk}/deliveries"
    events = [str(happens(tenant)) for _ in range(3)]
    send_waiting()
    first = send(admin, "GET", f"{path}?limit=2").json()
    rest = send(admin, "GET", f"{path}?limit=2&cursor={first['pagination']['next_cursor']}").json()
    assert [row["event_id"] for row in [*first["data"], *rest["data"]]] == events[::-1]
    assert send(admin, "GET", f"{path}?status=delivered").json()["data"] == []
    assert send(admin, "GET", f"{path}?status=lost").status_code == 400
    assert send(admin, "GET", f"{path}?state=failed").status_code == 400
    receiver.statuses = [204]
    tried = next(row for row in first["data"] + rest["data"] if row["attempts"])
    assert send(admin, "POST", f"{path}/{tried['id']}/retry").status_code == 202
    send_waiting()
    assert {row.status for row in deliveries_of(tenant, endpoint)} == {"delivered"}
    assert send(admin, "POST", f"{path}/{uuid4()}/retry").json()["code"] == "VAULT_AUDIT_7061"


def test_what_was_missed_while_switched_off_is_sent(tenant, receiver: Receiver) -> None:
    endpoint, _ = make_endpoint(tenant, receiver)
    admin, path = caller(tenant, "tenant_admin"), f"/webhooks/{endpoint.pk}"
    received, since = str(happens(tenant)), timezone.now() - timedelta(minutes=1)
    send_waiting()
    send(admin, "PATCH", path, {"is_enabled": False, "reason": "moves"})
    missed = str(happens(tenant))
    send(admin, "PATCH", path, {"is_enabled": True})
    assert send(admin, "POST", f"{path}/replay", {"since": since.isoformat()}).json() == {"queued": 1, "reached": None}
    send_waiting()
    assert [headers["webhook-id"] for headers, _ in receiver.received] == [received, missed]
    long_ago = (since - timedelta(days=31)).isoformat()
    assert send(admin, "POST", f"{path}/replay", {"since": long_ago}).status_code == 400


def test_making_up_is_bounded_and_goes_on(tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_EVENTS <= 10_000
    monkeypatch.setattr("audit.webhooks.deliveries.MOST_EVENTS", 2)
    endpoint, _ = make_endpoint(tenant, receiver, event_types=[])
    admin, path = caller(tenant, "tenant_admin"), f"/webhooks/{endpoint.pk}"
    since = timezone.now().isoformat()
    events = {happens(tenant) for _ in range(3)}
    send(admin, "PATCH", path, {"event_types": ["data.created"]})
    calls = 0
    while since is not None and calls < 10:
        since, calls = send(admin, "POST", f"{path}/replay", {"since": since}).json()["reached"], calls + 1
    assert 1 < calls < 10
    assert {row.event_id for row in deliveries_of(tenant, endpoint)} == events


@pytest.mark.usefixtures("plain_static")
def test_a_webhook_is_set_up_in_the_browser(tenant, receiver: Receiver) -> None:
    browser = browser_of(tenant, "tenant_admin")
    assert "Nobody is told" in browser.get(PAGES).text
    form = {"name": "hook", "url": receiver.url, "event_types": ["data.created"], "signature": "v1"}
    page = browser.post(PAGES, form)
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", page.text)
    assert secret is not None
    with acting(tenant):
        endpoint = WebhookEndpoint.objects.get()
    path = f"{PAGES}{endpoint.pk}/"
    assert secret[0] not in browser.get(path).text
    page = browser.post(path, {"act": "test"}, follow=True)
    assert "not been tried yet" in page.text
    send_waiting()
    page = browser.get(page.request["PATH_INFO"])
    assert "204" in page.text
    assert "webhook.test" in page.text
    happens(tenant)
    send_waiting()
    assert "data.created" in browser.get(path, {"status": "delivered"}).text
    assert "No delivery is like that" in browser.get(path, {"status": "failed"}).text
    assert "whsec_" in browser.post(path, {"act": "rotate", "overlap_hours": "24"}).text
    assert "old secret as well" in browser.get(path).text
    page = browser.post(path, {"act": "switch", "is_enabled": "0", "reason": "moves"}, follow=True)
    assert "moves" in page.text
    page = browser.post(path, {"act": "replay", "since": "2020-01-01T00:00"})
    assert (page.status_code, "last 30 days" in page.text) == (400, True)
    page = browser.post(path, {"act": "change", "name": "hook", "url": "https://10.0.0.1/", "filter": ""})
    assert (page.status_code, "VAULT_AUDIT_7063" in page.text) == (400, True)
    assert browser.post(path, {"act": "nothing"}).status_code == 404
    assert "Nobody is told" in browser.post(path, {"act": "delete"}, follow=True).text


@pytest.mark.usefixtures("plain_static")
def test_who_only_reads_is_offered_nothing_else(tenant, receiver: Receiver) -> None:
    endpoint, _ = make_endpoint(tenant, receiver)
    page = browser_of(tenant, "auditor").get(f"{PAGES}{endpoint.pk}/")
    assert (page.status_code, 'name="act"' in page.text) == (200, False)
    assert browser_of(tenant, "analyst").get(PAGES).status_code == 403


def test_where_a_webhook_sends_is_in_the_audit_without_what_may_be_secret(tenant, receiver: Receiver) -> None:
    endpoint, _ = make_endpoint(tenant, receiver, url=f"{receiver.url}hidden?key=secret")
    admin, place = caller(tenant, "tenant_admin"), receiver.url.removesuffix(urlsplit(receiver.url).path)
    with acting(tenant):
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(url="https://old.example.org:8443/hidden?key=secret")
    send(admin, "PATCH", f"/webhooks/{endpoint.pk}", {"url": receiver.url})
    with acting(tenant):
        bodies = [bytes(row.body) for row in AuditEvent.objects.filter(type=EventType.WEBHOOK_CHANGED).order_by("id")]
    made, changed = (orjson.loads(body)["metadata"] for body in bodies)
    assert made["sent_to"] == changed["sent_to"] == place
    assert changed["sent_to_before"] == "https://old.example.org:8443"
    assert not [body for body in bodies if b"hidden" in body or b"secret" in body]


def holder(tenant, *permissions: str):
    code = f"holder-{uuid4().hex[:8]}"
    with acting(tenant):
        Role.objects.create(code=code, name="Holder", permissions=list(permissions))
    return code


@pytest.mark.usefixtures("plain_static")
def test_what_events_say_is_for_who_may_read_the_audit(tenant, receiver: Receiver) -> None:
    endpoint, _ = make_endpoint(tenant, receiver)
    event_id = str(happens(tenant))
    path = f"/webhooks/{endpoint.pk}/deliveries"
    for permissions, shown in ((("webhook.read",), False), (("webhook.read", "audit.read"), True)):
        code = holder(tenant, *permissions)
        (row,) = send(caller(tenant, code), "GET", path).json()["data"]
        one = send(caller(tenant, code), "GET", f"{path}/{row['id']}").json()
        page = browser_of(tenant, code).get(f"{PAGES}{endpoint.pk}/deliveries/{row['id']}/")
        assert row["event_id"] == one["event_id"] == event_id
        assert (row["payload"] is not None, one["payload"] is not None) == (shown, shown)
        assert (page.status_code, "specversion" in page.text) == (200, shown)


def test_who_may_not_read_the_audit_has_nothing_sent(tenant, receiver: Receiver) -> None:
    endpoint, _ = make_endpoint(tenant, receiver)
    manager, path = caller(tenant, holder(tenant, "webhook.manage")), f"/webhooks/{endpoint.pk}"
    since = {"since": timezone.now().isoformat()}
    assert send(manager, "POST", "/webhooks", BODY | {"url": receiver.url}).status_code == 403
    assert send(manager, "PATCH", path, {"event_types": ["*"]}).status_code == 403
    assert send(manager, "POST", f"{path}/replay", since).status_code == 403
    assert send(manager, "PATCH", path, {"is_enabled": False, "reason": "moves"}).status_code == 200
