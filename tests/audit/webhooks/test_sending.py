"""What is sent, to whom, and what becomes of it; receivers are real servers over TLS."""

import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler

import orjson
import pytest
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from audit.alerts.selectors import count_unresolved
from audit.models import AuditEvent, WebhookDelivery, WebhookEndpoint
from audit.webhooks import outcome, sender
from audit.webhooks.deliveries import forget_old
from audit.webhooks.loop import send_waiting
from audit.webhooks.sender import serve, take_turns
from audit.webhooks.signing import SignatureRefused, verify
from tests.audit.webhooks.endpoints import deliveries_of, happens, make_endpoint, now, send_again, switch_on
from tests.factories.access import acting
from tests.factories.receivers import Receiver, receiving
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.outgoing import Limits

SOON = Limits(seconds=1.0, biggest=64 * 1024)


def told(tenant, kind: EventType) -> list[AuditEvent]:
    with acting(tenant):
        return list(AuditEvent.objects.filter(type=kind).order_by("id"))


def test_an_event_arrives_signed_and_once(tenant, receiver: Receiver) -> None:
    endpoint, secret = make_endpoint(tenant, receiver)
    event_id = happens(tenant)
    assert send_waiting() == 1
    ((headers, body),) = receiver.received
    assert Webhook(secret).verify(body, headers)["id"] == str(event_id) == headers["webhook-id"]
    assert orjson.loads(body)["specversion"] == "1.0"
    (delivery,) = deliveries_of(tenant, endpoint)
    assert (delivery.status, delivery.attempts, delivery.tries[0]["status"]) == ("delivered", 1, 204)
    assert send_waiting() == 0
    assert now(tenant, endpoint).last_success_at is not None


def test_a_replay_of_old_bytes_is_refused_by_a_receiver(tenant, receiver: Receiver) -> None:
    """The same message later, with another body, or to who holds another secret."""
    _, secret = make_endpoint(tenant, receiver)
    _, other = make_endpoint(tenant, receiver, event_types=[])
    happens(tenant)
    send_waiting()
    ((headers, body),) = receiver.received
    verify(secret, headers, body)
    for key, sent, at in ((secret, body, time.time() + 301), (secret, body + b" ", None), (other, body, None)):
        with pytest.raises(SignatureRefused):
            verify(key, headers, sent, now=at)


def test_an_endpoint_is_told_what_it_lists_and_its_filter_lets_through(tenant, rival, receiver: Receiver) -> None:
    listed, _ = make_endpoint(tenant, receiver)
    every, _ = make_endpoint(tenant, receiver, event_types=["*"])
    filtered, _ = make_endpoint(tenant, receiver, event_types=["*"], filter="severity = 'critical'")
    nothing, _ = make_endpoint(tenant, receiver, event_types=[])
    foreign, _ = make_endpoint(rival, receiver, event_types=["*"])
    created, failed = happens(tenant), happens(tenant, EventType.INGEST_FAILED, severity="critical")
    sent = {
        name: {row.event_id for row in deliveries_of(rival if name == "foreign" else tenant, endpoint)}
        & {created, failed}
        for name, endpoint in locals().items()
        if isinstance(endpoint, WebhookEndpoint)
    }
    assert sent == {
        "listed": {created},
        "every": {created, failed},
        "filtered": {failed},
        "nothing": set(),
        "foreign": set(),
    }


@pytest.mark.parametrize("status", [302, 400, 500])
def test_whatever_is_not_success_is_tried_again_later(tenant, receiver: Receiver, status: int) -> None:
    receiver.statuses, receiver.headers = [status, 204], {"Location": "https://10.0.0.1/"}
    endpoint, _ = make_endpoint(tenant, receiver)
    happens(tenant)
    assert send_waiting() == 1
    (delivery,) = deliveries_of(tenant, endpoint)
    assert (delivery.status, delivery.tries[0]["status"]) == ("pending", status)
    wait = (delivery.next_attempt_at - timezone.now()).total_seconds()
    assert 3 < wait <= outcome.SCHEDULE[0] * 1.2
    assert send_waiting() == 0, "it is let alone"
    assert send_again(tenant, endpoint) == 1
    (delivery,) = deliveries_of(tenant, endpoint)
    assert (delivery.status, delivery.attempts) == ("delivered", 2)
    first, second = (headers for headers, _ in receiver.received)
    assert first["webhook-id"] == second["webhook-id"]
    assert now(tenant, endpoint).failures == 0


def test_a_message_is_given_up_after_its_schedule_and_sent_again_by_hand(tenant, receiver: Receiver) -> None:
    receiver.statuses = [500]
    endpoint, _ = make_endpoint(tenant, receiver)
    happens(tenant)
    attempts = [send_again(tenant, endpoint) for _ in range(len(outcome.SCHEDULE) + 2)]
    assert attempts == [1] * 10 + [0]
    (delivery,) = deliveries_of(tenant, endpoint)
    assert (delivery.status, len(delivery.tries)) == ("failed", 10)


def test_a_receiver_that_asks_for_time_gets_it_within_bounds(tenant, receiver: Receiver) -> None:
    receiver.statuses, receiver.headers = [429], {"Retry-After": "120"}
    endpoint, _ = make_endpoint(tenant, receiver)
    happens(tenant)
    send_waiting()
    paused = now(tenant, endpoint).paused_until
    assert paused is not None
    assert 100 < (paused - timezone.now()).total_seconds() <= 120
    receiver.headers = {"Retry-After": "99999999"}
    send_again(tenant, endpoint)
    paused = now(tenant, endpoint).paused_until
    assert paused is not None
    assert (paused - timezone.now()).total_seconds() <= outcome.LONGEST_WAIT


def test_a_receiver_that_is_gone_is_told_nothing_more(tenant, receiver: Receiver) -> None:
    receiver.statuses = [410]
    endpoint, _ = make_endpoint(tenant, receiver)
    happens(tenant)
    send_waiting()
    after = now(tenant, endpoint)
    assert (after.disabled_by, after.is_enabled) == ("gone", False)
    assert [event.resource_id for event in told(tenant, EventType.WEBHOOK_DISABLED)] == [str(endpoint.pk)]
    happens(tenant)
    assert len(deliveries_of(tenant, endpoint)) == 1
    assert send_again(tenant, endpoint) == 0
    with acting(tenant):
        assert count_unresolved() == 1
    switch_on(tenant, endpoint)
    with acting(tenant):
        assert count_unresolved() == 0


def test_one_that_fails_for_days_is_switched_off(tenant, receiver: Receiver) -> None:
    receiver.statuses = [500]
    endpoint, _ = make_endpoint(tenant, receiver)
    happens(tenant)
    send_waiting()
    assert now(tenant, endpoint).is_enabled
    with acting(tenant):
        long_ago = timezone.now() - outcome.PATIENCE - timedelta(minutes=1)
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failing_since=long_ago)
    send_again(tenant, endpoint)
    assert now(tenant, endpoint).disabled_by == "failing"
    (event,) = told(tenant, EventType.WEBHOOK_DISABLED)
    assert orjson.loads(bytes(event.body))["metadata"]["reason"] == "failing"


def test_a_body_that_drips_and_one_without_end_are_bounded(
    tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "LIMITS", SOON)

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(400):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.1)

    def gigabyte(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        for _ in range(16384):
            handler.wfile.write(bytes(65536))

    endpoint, _ = make_endpoint(tenant, receiver)
    happens(tenant)
    receiver.answering = drip
    began = time.monotonic()
    send_waiting()
    assert time.monotonic() - began < 10, "it drips for 40"
    monkeypatch.setattr(sender, "LIMITS", Limits(seconds=20.0, biggest=SOON.biggest))
    receiver.answering = gigabyte
    send_again(tenant, endpoint)
    (delivery,) = deliveries_of(tenant, endpoint)
    assert [(one["status"], one["error"]) for one in delivery.tries] == [(None, "late"), (200, "")]
    assert delivery.status == "delivered"


def test_an_address_that_means_an_inner_one_meanwhile_is_not_called(tenant, receiver: Receiver, settings) -> None:
    endpoint, _ = make_endpoint(tenant, receiver)
    happens(tenant)
    settings.VAULT = {**settings.VAULT, "OUTGOING_NETWORKS": ()}
    send_waiting()
    (delivery,) = deliveries_of(tenant, endpoint)
    assert (delivery.tries[0]["error"], receiver.received) == ("address", [])


def test_a_sender_that_dies_loses_nothing_and_settles_nothing_late(tenant, receiver: Receiver) -> None:
    """Its lease ends, another sends; what it would have written meanwhile is not."""
    endpoint, _ = make_endpoint(tenant, receiver)
    happens(tenant)
    (dead,) = take_turns(10)
    assert take_turns(10) == []
    with acting(tenant):
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert send_waiting() == 1
    assert serve(dead) == 0
    (delivery,) = deliveries_of(tenant, endpoint)
    assert (delivery.status, delivery.attempts, len(receiver.received)) == ("delivered", 1, 1)


def test_a_dead_endpoint_holds_no_other_up_and_is_let_alone(tenant, receiver: Receiver, authority) -> None:
    with receiving(authority) as broken:
        broken.statuses = [503]
        dead, _ = make_endpoint(tenant, broken)
        alive, _ = make_endpoint(tenant, receiver)
        events = [happens(tenant) for _ in range(5)]
        send_waiting()
        assert [row.status for row in deliveries_of(tenant, dead)] == ["pending"] * 5
        assert len(broken.received) == 1, "one failure ends the turn"
        assert [headers["webhook-id"] for headers, _ in receiver.received] == [str(one) for one in events]
        assert {row.status for row in deliveries_of(tenant, alive)} == {"delivered"}


def test_a_tenant_does_not_take_all_senders(tenant, rival, receiver: Receiver) -> None:
    """Not in one call either, and with the turns that it has already."""
    for _ in range(6):
        make_endpoint(tenant, receiver)
    make_endpoint(rival, receiver)
    happens(tenant)
    happens(rival)
    assert [turn.tenant_id for turn in take_turns(10, busy={tenant.pk: 4})] == [rival.pk]
    assert len(take_turns(10, busy={tenant.pk: 3})) == 1
    assert len(take_turns(10)) == 4
    assert len(take_turns(10)) == 1


def test_the_first_turns_are_those_of_every_tenant(tenant, rival, receiver: Receiver) -> None:
    for _ in range(4):
        make_endpoint(tenant, receiver)
    make_endpoint(rival, receiver)
    happens(tenant)
    happens(rival)
    assert {turn.tenant_id for turn in take_turns(2)} == {tenant.pk, rival.pk}


def test_an_endpoint_for_which_too_much_waits_is_switched_off(
    tenant, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert outcome.MOST_WAITING <= 100_000
    monkeypatch.setattr(outcome, "MOST_WAITING", 2)
    endpoint, _ = make_endpoint(tenant, receiver)
    for _ in range(3):
        happens(tenant)
    send_waiting()
    after = now(tenant, endpoint)
    assert (after.disabled_by, after.disabled_reason) == ("failing", "more than 2 messages waited")
    assert {row.status for row in deliveries_of(tenant, endpoint)} == {"failed"}
    assert len(told(tenant, EventType.WEBHOOK_DISABLED)) == 1
    with acting(tenant):
        assert count_unresolved() == 1
    switch_on(tenant, endpoint)
    happens(tenant)
    send_waiting()
    assert (now(tenant, endpoint).is_enabled, len(receiver.received)) == (True, 1)


def test_old_deliveries_are_forgotten_once_they_have_ended(tenant, receiver: Receiver) -> None:
    endpoint, _ = make_endpoint(tenant, receiver)
    for _ in range(3):
        happens(tenant)
    sent, waits, fresh = deliveries_of(tenant, endpoint)
    with acting(tenant):
        long_ago = timezone.now() - timedelta(days=31)
        WebhookDelivery.objects.filter(pk__in=[sent.pk, waits.pk]).update(created_at=long_ago)
        WebhookDelivery.objects.filter(pk__in=[sent.pk, fresh.pk]).update(status="delivered")
    forget_old()
    assert [row.pk for row in deliveries_of(tenant, endpoint)] == [waits.pk, fresh.pk]
