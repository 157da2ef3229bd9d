"""Rules of dead letters: who sees them, who has them sent again, and what becomes of their alert."""

import re
import time
from uuid import uuid4

import pytest

from audit.alerts.open import raise_alert
from audit.models import Alert, AuditEvent, BrokerDelivery, DeadLetter
from audit.relay.dead_letters import cause_of
from audit.relay.pulse import Pulse, tell_pulse
from audit.relay.replay import replay_all
from tests.factories.access import acting, principal_with
from tests.factories.api import caller, send
from tests.factories.audit import make_event, record
from tests.factories.deliveries import empty_queue
from tests.factories.pages import browser_of
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.identifiers import uuid7

LIST = "/audit/dead-letters"
PAGE = "/admin/oversight/delivery/"


@pytest.fixture(autouse=True)
def _clean():
    empty_queue()
    yield
    empty_queue()


def letter(tenant, **changed) -> DeadLetter:
    event = make_event()
    facts = {
        "event_id": event.id,
        "event_time": event.time,
        "event_type": event.type.value,
        "lane": tenant.pk,
        "topics": ["vault.events.data.access", "vault.events.access"],
        "content_type": "application/cloudevents+json",
        "body": b'{"specversion": "1.0"}',
        "reason": "rejected",
        "tries": 5,
    }
    time.sleep(0.002)  # ids of one millisecond have no order
    with acting(tenant):
        return DeadLetter.objects.create(**(facts | changed))


def queued(tenant) -> list[BrokerDelivery]:
    with acting(tenant):
        return list(BrokerDelivery.objects.order_by("id"))


def test_an_auditor_sees_them_a_page_at_a_time_and_cannot_replay(tenant) -> None:
    letters = [letter(tenant) for _ in range(3)]
    auditor = caller(tenant, "auditor")
    first = send(auditor, "GET", f"{LIST}?limit=2").json()
    second = send(auditor, "GET", f"{LIST}?limit=2&cursor={first['pagination']['next_cursor']}").json()
    shown = [each["id"] for answer in (first, second) for each in answer["data"]]
    assert shown == [str(each.pk) for each in reversed(letters)]
    assert first["data"][0]["reason"] == "rejected"
    assert "body" not in first["data"][0]
    assert send(auditor, "POST", f"{LIST}/{letters[0].pk}/replay").status_code == 403
    assert send(auditor, "POST", f"{LIST}/replay").status_code == 403
    assert send(caller(tenant, "analyst"), "GET", LIST).status_code == 403


def test_a_replayed_one_waits_for_the_broker_as_it_was_and_is_told_of(tenant) -> None:
    dead = letter(tenant)
    officer = caller(tenant, "security_officer")
    answer = send(officer, "POST", f"{LIST}/{dead.pk}/replay")
    assert answer.status_code == 200
    assert answer.json()["replayed_at"] is not None
    (row,) = queued(tenant)
    assert (row.event_id, row.topics, bytes(row.body)) == (dead.event_id, dead.topics, dead.body)
    assert (row.tries, row.next_try_at, row.reason) == (0, None, "")
    with acting(tenant):
        (told,) = AuditEvent.objects.filter(type=EventType.DELIVERY_REPLAYED)
    assert told.resource_id == str(dead.pk)
    assert send(officer, "GET", LIST).json()["data"] == []
    assert [each["id"] for each in send(officer, "GET", f"{LIST}?replayed=true").json()["data"]] == [str(dead.pk)]


def test_nobody_replays_one_twice(tenant) -> None:
    dead, officer = letter(tenant), caller(tenant, "security_officer")
    send(officer, "POST", f"{LIST}/{dead.pk}/replay")
    again = send(officer, "POST", f"{LIST}/{dead.pk}/replay")
    assert (again.status_code, again.json()["code"]) == (409, "VAULT_AUDIT_7041")
    assert len(queued(tenant)) == 1


def test_that_of_another_organization_is_as_one_that_never_was(tenant, rival) -> None:
    theirs, officer = letter(rival), caller(tenant, "security_officer")
    answers = [send(officer, "POST", f"{LIST}/{name}/replay") for name in (theirs.pk, uuid7())]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert [answer.json()["code"] for answer in answers] == ["VAULT_AUDIT_7040"] * 2
    assert queued(rival) == []


@pytest.mark.parametrize("query", ["?replayed=perhaps", "?topic=a", "?cursor=x"])
def test_a_filter_that_is_none_is_refused(tenant, query) -> None:
    assert send(caller(tenant, "auditor"), "GET", LIST + query).status_code == 400


def test_all_are_replayed_in_their_order_and_their_alert_ends(tenant) -> None:
    letters = [letter(tenant) for _ in range(4)]
    with acting(tenant):
        cause = cause_of("vault.events.data.access", "rejected")
        raise_alert(kind="delivery.dead", cause=cause, severity="warning", facts={})
    assert send(caller(tenant, "security_officer"), "POST", f"{LIST}/replay").json() == {"replayed": 4}
    assert [row.event_id for row in queued(tenant)] == [each.event_id for each in letters]
    with acting(tenant):
        assert Alert.objects.get(kind="delivery.dead").state == "resolved"
    officer = principal_with(tenant, "security_officer")
    with acting(tenant, officer):
        assert replay_all(officer) == 0


@pytest.mark.usefixtures("plain_static", "quick_passwords")
class TestPage:
    """The screen "Event delivery"."""

    def test_it_says_when_no_relay_is_heard_of(self, tenant, monkeypatch) -> None:
        monkeypatch.setattr("audit.relay.pulse._KEY", f"test:{uuid4()}")
        answer = browser_of(tenant, "auditor").get(PAGE)
        assert answer.status_code == 200
        assert "no relay is heard of" in answer.text

    @pytest.mark.parametrize(
        ("pulse", "said"),
        [
            (Pulse(), "No message broker is configured."),
            (Pulse("RabbitMQ", True, time.time()), "connected"),
            (Pulse("RabbitMQ", False, time.time()), "Nothing is lost: events wait in their order"),
        ],
    )
    def test_it_says_how_the_broker_is(self, tenant, monkeypatch, pulse, said) -> None:
        monkeypatch.setattr("audit.relay.pulse._KEY", f"test:{uuid4()}")
        tell_pulse(pulse)
        text = browser_of(tenant, "auditor").get(PAGE).text
        assert said in text
        assert "no relay is heard of" not in text

    def test_it_counts_what_waits_and_since_when(self, tenant) -> None:
        record(tenant.pk, make_event())
        text = re.sub(r"\s+", " ", browser_of(tenant, "auditor").get(PAGE).text)
        row = text[text.index("Live feed and the queues") :].partition("</tr>")[0]
        assert int(re.search(r'class="v-number">([\d,]+)<', row)[1].replace(",", "")) > 0

    def test_dead_letters_are_replayed_by_who_may(self, tenant) -> None:
        dead, _ = letter(tenant), letter(tenant)
        officer, auditor = browser_of(tenant, "security_officer"), browser_of(tenant, "auditor")
        assert "A queue would not take it" in auditor.get(PAGE).text
        assert 'value="replay"' not in auditor.get(PAGE).text
        assert auditor.post(PAGE, {"do": "replay", "dead_letter": str(dead.pk)}).status_code == 403
        assert 'value="replay_all"' in officer.get(PAGE).text
        done = officer.post(PAGE, {"do": "replay", "dead_letter": str(dead.pk)}, follow=True)
        assert "waits for the broker again" in done.text
        again = officer.post(PAGE, {"do": "replay", "dead_letter": str(dead.pk)})
        assert again.status_code == 409
        assert "1 event waits" in officer.post(PAGE, {"do": "replay_all"}, follow=True).text
        assert "No event was refused." in officer.get(PAGE).text
        assert str(dead.event_id) in officer.get(f"{PAGE}?show=replayed").text
        assert officer.post(PAGE, {"do": "replay", "dead_letter": "x"}).status_code == 400
