"""Rules of the relay's process: what is away holds up nothing else, and it ends when it is asked to."""

import logging
import time
from contextlib import contextmanager
from threading import Event, Thread
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.test import override_settings

from audit.brokers.address import read_address
from audit.errors import BrokerUnavailable
from audit.log.upkeep import seal_all
from audit.models import AuditLeaf, BrokerDelivery, OutboxEntry
from audit.relay.loop import BrokerRound, LiveFeed, relay_waiting, run_relay
from audit.relay.pulse import read_pulse
from tests.factories.audit import dataset_ref, make_event, record
from tests.factories.deliveries import ListBroker, broker_configured, empty_queue
from tests.journeys.waiting import until
from vaultsite.config import load
from vaultsite.kernel.providers import reset_providers
from vaultsite.runtime.environment import PROJECT
from vaultsite.runtime.services import environment_for


@pytest.fixture(autouse=True)
def _clean(tenant, monkeypatch):
    empty_queue()
    seal_all(window=None)  # what other tests left would be sealed before what these wait for
    monkeypatch.setattr("audit.relay.pulse._KEY", f"test:{uuid4()}")
    yield
    reset_providers()
    empty_queue()


@contextmanager
def relaying():
    """The relay as the command runs it, in a thread. The pool of "system" is small: it gets the one of this thread."""
    connections["system"].close()
    reset_providers()
    stop = Event()
    relay = Thread(target=run_relay, args=[stop])
    relay.start()
    try:
        yield
    finally:
        stop.set()
        relay.join(20)
        assert not relay.is_alive()


def is_handed_on(event) -> bool:
    return not OutboxEntry.objects.using("owner").filter(event_id=event.id, delivered_at__isnull=True).exists()


def seconds_until_handed_on(tenant, event) -> float:
    record(tenant.pk, event)
    began = time.monotonic()
    until(lambda: is_handed_on(event), seconds=20, every=0.02)
    return time.monotonic() - began


def test_an_event_is_on_its_way_within_a_second_while_the_broker_is_away(tenant) -> None:
    events = [make_event() for _ in range(5)]
    with broker_configured("amqp://canary-user:canary-secret@127.0.0.1:1/"), relaying():
        until(lambda: read_pulse() is not None, seconds=20)
        assert not read_pulse().is_connected
        took = [seconds_until_handed_on(tenant, event) for event in events]
    waiting = BrokerDelivery.objects.using("owner").filter(event_id__in=[event.id for event in events], tries=0)
    assert waiting.count() == len(events)
    assert min(took) < 1


def test_an_event_is_sealed_within_seconds_though_no_worker_runs(tenant) -> None:
    with relaying():
        record(tenant.pk, event := make_event())
        until(lambda: AuditLeaf.objects.using("owner").filter(event_id=event.id).exists(), seconds=20)


def test_it_empties_the_outbox_and_reaches_the_broker(tenant, redis_streams) -> None:
    events = [make_event(resource=dataset_ref(uuid4())) for _ in range(30)]
    chosen = {"BACKEND": "audit.brokers.redis_streams.RedisStreams", "OPTIONS": {"url": redis_streams.url}}
    with override_settings(VAULT=settings.VAULT | {"BROKER": chosen}), relaying():
        record(tenant.pk, *events)
        sent = {event.id for event in events}
        until(lambda: all(map(is_handed_on, events)), seconds=20)
        until(lambda: not BrokerDelivery.objects.using("owner").filter(event_id__in=sent).exists(), seconds=20)
        until(lambda: read_pulse() is not None and read_pulse().is_connected, seconds=20)
        assert read_pulse().broker == "Redis streams"


def test_a_live_feed_that_is_away_holds_up_nothing_and_is_left_alone_for_a_while(tenant, caplog) -> None:
    away = override_settings(
        CHANNEL_LAYERS={
            "default": {
                "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
                "CONFIG": {"hosts": ["redis://canary-host.invalid:1/0"]},
            }
        }
    )
    with away, caplog.at_level(logging.WARNING, "vault.relay"):
        record(tenant.pk, make_event())
        assert relay_waiting() >= 1
        feed = LiveFeed()
        feed([])
    assert "canary-host" not in caplog.text


def test_a_broker_that_is_away_is_asked_again_after_growing_waits_and_named_nowhere(tenant, caplog) -> None:
    broker = ListBroker()
    broker.is_away = True
    with broker_configured(), caplog.at_level(logging.DEBUG):
        record(tenant.pk, make_event())
        relay_waiting()
        one_round, waits = BrokerRound(broker), []
        for _ in range(4):
            assert one_round() is False
            waits.append(one_round._resumes_at - time.monotonic())
            assert one_round() is False, "it is not asked before"
            one_round._resumes_at = 0.0
        broker.is_away = False
        assert one_round() is True
    assert waits == sorted(waits)
    assert waits[-1] > 10
    assert read_pulse().is_connected
    assert BrokerUnavailable.code in caplog.text
    assert "amqp://" not in caplog.text


class Defect(Exception):
    """Nothing that a loop knows."""


class Defective(ListBroker):
    """A provider with a defect."""

    def __init__(self, *, url: str) -> None:  # noqa: ARG002 - as every provider is made
        super().__init__()

    def check(self) -> None:
        raise Defect


def test_what_no_loop_can_expect_ends_the_process(tenant) -> None:
    chosen = {"BACKEND": f"{__name__}.Defective", "OPTIONS": {"url": ""}}
    with override_settings(VAULT=settings.VAULT | {"BROKER": chosen}):
        connections["system"].close()
        reset_providers()
        with pytest.raises(Defect):
            run_relay(Event())


def test_only_the_relay_is_given_the_brokers_address() -> None:
    environ = {"VAULT_BROKER_URL": "amqp://a", "VAULT_BROKER_URL_FILE": "/b"}
    for name in ("web", "live", "worker", "beat", "manage"):
        assert not {key for key in environment_for(name, environ) if "BROKER" in key}, name
    assert environ.items() <= environment_for("relay", environ).items()


def test_the_address_chooses_the_provider_and_may_come_from_a_file(tmp_path) -> None:
    secret = tmp_path / "url"
    secret.write_text("rediss://u:p@h/0\n")
    found = load({"VAULT_CONFIG": str(PROJECT / "none"), "VAULT_BROKER_URL_FILE": str(secret)})
    assert found.broker == {
        "BACKEND": "audit.brokers.redis_streams.RedisStreams",
        "OPTIONS": {"url": "rediss://u:p@h/0"},
    }
    assert load({"VAULT_CONFIG": str(PROJECT / "none")}).broker is None
    with pytest.raises(ImproperlyConfigured) as refused:
        load({"VAULT_CONFIG": str(PROJECT / "none"), "VAULT_BROKER_URL": "kafka://canary"}).broker  # noqa: B018
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["kafka://canary", "amqps://canary/?verify=no", "amqp://canary:port/", "redis://canary/0?maxlen=much"]
)
def test_an_address_that_makes_no_sense_is_refused_without_being_quoted(url) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        read_address(url)
    assert "canary" not in str(refused.value)


def test_the_parts_of_an_address_are_decoded_and_kept_out_of_sight() -> None:
    address = read_address("amqps://us%40er:pa%2Fss@[::1]:5671/v%2Fhost?ca=/ca.pem&cert=/c.pem&key=/k.pem")
    assert (address.user, address.password, address.host, address.port) == ("us@er", "pa/ss", "::1", 5671)
    assert (address.path, address.ca, address.cert, address.key) == ("/v/host", "/ca.pem", "/c.pem", "/k.pem")
    assert "pa/ss" not in repr(address)
