"""Rules of what the audit is told about the vault's surroundings: changes alone, and recovery."""

from io import StringIO
from threading import Event, Thread
from uuid import uuid4

import pytest
from celery.signals import after_task_publish, beat_init, heartbeat_sent
from django.core.management import CommandError, call_command
from django.test import override_settings

from audit.log.keys import create_keys
from audit.models import AuditEvent
from audit.relay import loop
from audit.selectors import read_body
from audit.webhooks.loop import send_until
from tests.audit.log.logs import as_owner
from tests.factories.access import acting
from tests.journeys.waiting import until
from vaultsite import celery
from vaultsite.kernel import life
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.blobs.names import new_blob_name
from vaultsite.watch import CHECKS, WatchRound, tell_changes, watch, watch_processes


def told(tenant, *types: str) -> list[dict]:
    with acting(tenant):
        return [read_body(row) for row in AuditEvent.objects.filter(type__in=types).order_by("time", "pk")]


def test_what_stops_answering_and_what_is_there_again_is_told_once(tenant) -> None:
    states = [True, False, False, True, True, False]
    counts = [tell_changes(tenant.pk, {"kms": state, "storage": True}, None) for state in states]
    assert counts == [0, 1, 0, 1, 0, 1]
    events = told(tenant, "service.health.degraded", "service.health.recovered")
    assert [event["event_type"].rpartition(".")[2] for event in events] == ["degraded", "recovered", "degraded"]
    assert [event["severity"] for event in events] == ["critical", "info", "critical"]
    assert {event["resource"]["id"] for event in events} == {"kms"}


def test_a_disk_that_fills_is_told_of_at_each_level_and_when_it_has_room_again(tenant) -> None:
    for percent in (79, 80, 81, 95, 99, 94, 10, 11):
        tell_changes(tenant.pk, {}, percent)
    events = told(tenant, "storage.capacity.warning")
    assert [event["metadata"]["level"] for event in events] == [80, 95, 80, 0]
    assert [event["severity"] for event in events] == ["warning", "critical", "warning", "info"]


def test_a_healthy_vault_tells_nothing_and_knows_its_disk(tenant) -> None:
    assert tell_changes(tenant.pk, {name: check() for name, check in CHECKS.items()}, 0) == 0
    store, name = BlobStore.default(), new_blob_name("pack")
    store.put(name, b"so that the store is there")
    assert store.percent_full() in range(101)
    store.delete(name)


@pytest.fixture
def _apart(monkeypatch):
    """Signs of life of this test alone, which outlast telling the organizations of all tests before."""
    monkeypatch.setattr(life, "_SIGN", f"test:{uuid4()}:")
    monkeypatch.setattr(life, "_MISSED", f"test:{uuid4()}:")
    monkeypatch.setattr(life, "_shown_at", {})
    monkeypatch.setattr(life, "_LASTS", 3600)
    monkeypatch.setattr(life, "_REMEMBERED", 3600)
    monkeypatch.setattr(life, "_TIMEOUT", 30.0)  # a sign that is late would be lost
    life._client.cache_clear()
    yield
    life._client.cache_clear()


@pytest.fixture
def _away():
    """A Redis that does not answer."""
    life._client.cache_clear()
    with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
        yield
        life._client.cache_clear()


def degraded(tenant) -> set[str]:
    return {event["resource"]["id"] for event in told(tenant, "service.health.degraded")}


@pytest.mark.usefixtures("_apart")
def test_a_process_that_gives_no_sign_is_told_of_when_it_was_missing_for_a_while(tenant, monkeypatch) -> None:
    for name in ("worker", "webhooks"):
        life.show_life(name)
    watch_processes()
    watch()
    assert degraded(tenant) == set(), "the others may be starting"
    monkeypatch.setattr(life, "PATIENCE", 0.0)
    watch_processes()
    assert degraded(tenant) == {"beat"}
    watch()
    assert degraded(tenant) == {"beat", "relay"}
    life.show_life("beat")
    watch_processes()
    (event,) = told(tenant, "service.health.recovered")
    assert event["resource"]["id"] == "beat"


@pytest.mark.usefixtures("_apart")
def test_the_processes_give_their_signs(tenant) -> None:
    loop.OutboxRound()()
    heartbeat_sent.send(sender=None)
    beat_init.send(sender=None)
    try:
        after_task_publish.send(sender="a task")
    finally:
        after_task_publish.disconnect(celery._show_planning)
    sender = Thread(target=send_until, args=[stop := Event()])
    sender.start()
    try:
        until(lambda: life._shown_at.keys() == {"relay", "worker", "beat", "webhooks"}, seconds=20)
    finally:
        stop.set()
        sender.join(20)
    assert all(life.is_alive(name) for name in ("relay", "worker", "beat", "webhooks"))


@pytest.mark.usefixtures("_apart", "_away")
def test_a_redis_that_is_away_is_told_of_and_nobody_is_taken_for_dead(tenant, monkeypatch) -> None:
    monkeypatch.setattr(life, "PATIENCE", 0.0)
    life.show_life("worker")
    watch_processes()
    assert degraded(tenant) == {"redis"}


def test_the_relay_looks_at_the_others_now_and_then(tenant, monkeypatch) -> None:
    monkeypatch.setattr(life, "_SIGN", f"test:{uuid4()}:")
    monkeypatch.setattr(life, "PATIENCE", 0.0)
    one_round = WatchRound()
    assert one_round() is False
    assert degraded(tenant) == set(), "not before they had time to start"
    one_round._watches_at = 0.0
    assert one_round() is False
    assert degraded(tenant) == {"worker", "beat", "webhooks"}


def test_an_organization_that_cannot_be_told_keeps_no_other_from_being_told(tenant, rival, monkeypatch) -> None:
    name = f"test_refuse_{uuid4().hex}"
    as_owner(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'full'; END $$;",
        f"GRANT EXECUTE ON FUNCTION {name}() TO vault_app",
        f"CREATE TRIGGER {name} BEFORE INSERT ON audit_event FOR EACH ROW"
        f" WHEN (NEW.tenant_id = '{min(tenant.pk, rival.pk)}') EXECUTE FUNCTION {name}()",
    )
    try:
        monkeypatch.setattr(life, "_SIGN", f"test:{uuid4()}:")
        monkeypatch.setattr(life, "PATIENCE", 0.0)
        watch_processes()
    finally:
        as_owner(f"DROP TRIGGER {name} ON audit_event", f"DROP FUNCTION {name}()")
    first, second = sorted((tenant, rival), key=lambda one: one.pk)
    assert degraded(first) == set()
    assert degraded(second) >= {"worker"}


def test_a_recovery_is_recorded_and_the_log_is_verified_at_once(tenant, rival) -> None:
    create_keys()
    out = StringIO()
    call_command("begin_recovery", "--reason", "drill", "--organization", tenant.slug, stdout=out)
    (event,) = told(tenant, "data.recovery.initiated")
    assert (event["severity"], event["metadata"]) == ("critical", {"reason": "drill"})
    assert f"{tenant.slug}: " in out.getvalue()
    assert told(rival, "data.recovery.initiated") == []


def test_a_recovery_has_a_reason_of_the_list() -> None:
    with pytest.raises(CommandError):
        call_command("begin_recovery", "--reason", "the disk of ada.lovelace@example.com")
