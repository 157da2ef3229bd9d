"""Rules of what one socket of the live feed is told: of what it asked for, of what it missed, of what is its own."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.utils import timezone

from audit.alerts.kinds import WITHHELD
from audit.consumers import TOO_MANY, UNREADABLE, LiveConsumer
from audit.live.backlog import Backlog
from audit.live.missed import MOST, read_missed
from audit.live.wish import MAX_TYPES, Wish, read_wish
from audit.models import AuditEvent
from audit.relay.loop import relay_waiting
from datasets.models import Ingest
from datasets.services.write import run_ingest
from tests.audit.sockets import Socket
from tests.audit.test_consumers import HOME, elsewhere, make_user, run, sign_in
from tests.factories.access import acting
from tests.factories.audit import dataset_ref, make_event, record
from tests.factories.datasets import jsonl, make_dataset, queue_upload
from vaultsite.asgi import application
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal


def feed_of(cookie: str, path: str = "/live/", app=application, **query) -> Socket:
    headers = [(b"origin", HOME), (b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode())]
    return Socket(app, path, headers, query)


def relay() -> None:
    while relay_waiting():
        pass


async def told(feed: Socket, last: object) -> list[dict]:
    """What arrives, up to the event with the id of ``last``."""
    messages: list[dict] = []
    while not messages or messages[-1].get("id") != str(last.id):  # type: ignore[attr-defined]
        messages.append(await feed.receive())
    return messages


def ids_of(messages: list[dict]) -> list[str]:
    return [message["id"] for message in messages if "id" in message]


@pytest.mark.parametrize(
    "query",
    [{"dataset": "nonsense"}, {"after": "1"}, {"colour": "red"}, {"type": [str(n) for n in range(MAX_TYPES + 1)]}],
)
def test_an_address_that_cannot_be_read_opens_nothing(tenant, query) -> None:
    cookie = sign_in(make_user(tenant.pk, "auditor"))

    async def scenario() -> None:
        assert await feed_of(cookie, **query).open() == UNREADABLE

    run(scenario)


def test_only_what_was_asked_for_is_told(tenant) -> None:
    cookie = sign_in(make_user(tenant.pk, "auditor"))
    mine, other = dataset_ref(uuid4()), dataset_ref(uuid4())
    wanted = [make_event(resource=mine), make_event(resource=mine, type=EventType.VERSIONED)]
    others = [make_event(resource=other), make_event(resource=mine, type=EventType.DELETED), make_event()]

    async def scenario() -> None:
        types = ["data.access.read", "data.versioned"]
        feed = feed_of(cookie, dataset=str(mine.dataset_id), type=types)
        assert await feed.open() is None
        await elsewhere(lambda: (record(tenant.pk, *others, *wanted), relay()))
        assert ids_of(await told(feed, wanted[-1])) == [str(event.id) for event in wanted]
        await feed.close()

    run(scenario)


def test_who_comes_back_is_told_what_happened_meanwhile(tenant, rival) -> None:
    cookie = sign_in(make_user(tenant.pk, "auditor"))
    now = timezone.now()
    known, missed, later = (
        make_event(time=now),
        [make_event(time=now + timedelta(seconds=n)) for n in (1, 2)],
        make_event(),
    )
    foreign = make_event(time=now + timedelta(seconds=1))
    record(tenant.pk, known, *missed)
    record(rival.pk, foreign)
    relay()

    async def scenario() -> None:
        feed = feed_of(cookie, after=str(known.id))
        assert await feed.open() is None
        found = ids_of(await told(feed, missed[-1]))
        assert [one for one in found if one in {str(event.id) for event in missed}] == [str(one.id) for one in missed]
        assert str(foreign.id) not in found
        assert str(known.id) not in found
        await elsewhere(lambda: (record(tenant.pk, later), relay()))
        assert not [message for message in await told(feed, later) if "live" in message]
        await feed.close()

    run(scenario)


def test_who_names_an_event_that_is_not_theirs_is_told_of_a_gap(tenant, rival) -> None:
    cookie = sign_in(make_user(tenant.pk, "auditor"))
    foreign = make_event()
    record(rival.pk, foreign)

    async def scenario() -> None:
        for event_id in (foreign.id, uuid7(), uuid4()):
            feed = feed_of(cookie, after=str(event_id))
            assert await feed.open() is None
            assert await feed.receive() == {"live": "gap", "after": str(event_id), "is_told_again": False}
            await feed.close()

    run(scenario)


def test_what_is_read_again_has_an_end(tenant) -> None:
    start = timezone.now()
    first = make_event(time=start)
    record(tenant.pk, first, *(make_event(time=start + timedelta(milliseconds=n)) for n in range(1, MOST + 2)))
    with acting(tenant):
        missed = read_missed(Wish(), first.id)
        times = [event["time"] for event in missed.events]
        assert (len(missed.events), missed.is_whole, times == sorted(times)) == (MOST, False, True)
        last = AuditEvent.objects.filter(tenant_id=tenant.pk).order_by("-time")[5]
        assert read_missed(Wish(types=frozenset({"data.access.read"})), last.pk).is_whole is False


def test_a_backlog_is_bounded_and_says_that_it_broke() -> None:
    async def scenario() -> None:
        backlog = Backlog(capacity=3)
        backlog.put([{"n": 1}, {"n": 2}])
        assert await backlog.take() == ([{"n": 1}, {"n": 2}], False)
        backlog.put([{"n": number} for number in range(3)])
        backlog.put([{"n": 4}])
        backlog.put([{"n": 5}])
        assert await backlog.take() == ([{"n": 5}], True)
        backlog.put([{"n": 6}])
        assert await backlog.take() == ([{"n": 6}], False)

    run(scenario)


def test_a_slow_reader_is_told_of_a_gap_and_then_what_it_missed(tenant) -> None:
    """Its socket takes nothing for a while; what waits for it stays bounded, and nothing is lost in the end."""
    cookie = sign_in(make_user(tenant.pk, "auditor"))
    first, flood = make_event(), [make_event() for _ in range(400)]
    received: list[dict] = []

    async def scenario() -> None:
        feed = feed_of(cookie)
        asleep, awake = asyncio.Event(), asyncio.Event()
        feed.slow_down(asleep, awake)
        assert await feed.open() is None
        awake.set()
        await elsewhere(lambda: (record(tenant.pk, first), relay()))
        await told(feed, first)
        awake.clear()
        await elsewhere(lambda: (record(tenant.pk, make_event()), relay()))
        await asyncio.wait_for(asleep.wait(), 5)
        await elsewhere(lambda: (record(tenant.pk, *flood), relay()))
        await asyncio.sleep(2)
        awake.set()
        received.extend(await told(feed, flood[-1]))
        await feed.close()

    run(scenario)
    assert [message for message in received if message.get("live") == "gap"]
    assert {str(event.id) for event in flood} <= set(ids_of(received))


def test_sockets_of_one_person_and_of_a_process_are_bounded(tenant) -> None:
    """T71: whoever opens more than they can watch is refused, and is let in again once others are closed."""

    class Few(LiveConsumer):
        most_of_one = 2

    cookie = sign_in(make_user(tenant.pk, "auditor"))
    other = sign_in(make_user(tenant.pk, "auditor"))

    async def scenario() -> None:
        feeds = [feed_of(cookie, app=Few.as_asgi()) for _ in range(3)]
        assert [await feed.open() for feed in feeds] == [None, None, TOO_MANY]
        another = feed_of(other, app=Few.as_asgi())
        assert await another.open() is None
        await feeds[0].close()
        again = feed_of(cookie, app=Few.as_asgi())
        assert await again.open() is None
        for feed in (feeds[1], another, again):
            await feed.close()

    run(scenario)


def test_an_idle_socket_beats(tenant) -> None:
    class Beating(LiveConsumer):
        recheck_seconds = 0.05
        heartbeat_seconds = 0.0

    cookie = sign_in(make_user(tenant.pk, "auditor"))

    async def scenario() -> None:
        feed = feed_of(cookie, app=Beating.as_asgi())
        assert await feed.open() is None
        assert await feed.receive() == {"live": "heartbeat", "after": None}
        await feed.close()

    run(scenario)


def test_ones_own_feed_tells_of_datasets_one_may_see_and_hides_who_else_acted(tenant) -> None:
    """Nothing of datasets that are not shown, nothing of the tenant's administration, nobody else's name."""
    user = make_user(tenant.pk, "data_scientist")
    cookie = sign_in(user)
    seen = make_dataset(tenant)
    me = Principal(id=user.pk, kind="user", tenant_id=tenant.pk, name="me")
    shown = make_event(resource=dataset_ref(seen.pk), type=EventType.VERSIONED, policies=("secret",), metadata={"x": 1})
    own = make_event(resource=dataset_ref(seen.pk))
    about_me = [make_event(resource=dataset_ref(seen.pk), type=EventType(one)) for one in sorted(WITHHELD)]
    hidden = [
        make_event(resource=dataset_ref(uuid4()), type=EventType.VERSIONED),
        make_event(resource=dataset_ref(seen.pk)),
        make_event(type=EventType.ROLE_GRANTED),
    ]

    async def scenario() -> None:
        feed = feed_of(cookie, path="/live/own/")
        assert await feed.open() is None
        await elsewhere(
            lambda: (record(tenant.pk, *hidden, shown), record(tenant.pk, *about_me, own, principal=me), relay())
        )
        messages = await told(feed, own)
        events = {message["id"]: message for message in messages if "id" in message}
        assert not set(events) & {str(event.id) for event in [*hidden, *about_me]}
        data = events[str(shown.id)]["data"]
        assert data["actor"] == {"type": "user"}
        assert (data["metadata"], "policy_evaluated" in data["context"]) == ({}, False)
        assert events[str(own.id)]["data"]["actor"]["id"] == str(user.pk)
        await feed.close()

    run(scenario)


def test_progress_is_told_to_who_asked_for_the_job_and_to_who_reads_the_audit(tenant) -> None:
    user, other, auditor = (make_user(tenant.pk, role) for role in ("data_steward", "data_scientist", "auditor"))
    ingest = queue_upload(tenant, make_dataset(tenant), jsonl([{"id": "a", "prompt": "Hello"}]))
    with acting(tenant):
        Ingest.objects.filter(pk=ingest.pk).update(requested_by=user.pk)
    feeds = {}

    async def scenario() -> None:
        for who, path in ((user, "/live/own/"), (other, "/live/own/"), (auditor, "/live/")):
            feeds[who.pk] = feed_of(sign_in_cookies[who.pk], path=path, type="job.progress")
            assert await feeds[who.pk].open() is None
        await elsewhere(lambda: run_ingest(tenant.pk, ingest.pk))
        for who in (user, auditor):
            states = []
            while "succeeded" not in states:
                message = await feeds[who.pk].receive()
                assert (message["live"], message["job"]["kind"]) == ("progress", "Ingest")
                assert message["job"]["id"] == str(ingest.pk)
                states.append(message["job"]["status"])
            assert states[0] == "running"
        assert await feeds[other.pk].is_silent(0.2)
        for feed in feeds.values():
            await feed.close()

    sign_in_cookies = {who.pk: sign_in(who) for who in (user, other, auditor)}
    run(scenario)


def test_wishes_are_read_whole() -> None:
    dataset_id, event_id = uuid4(), uuid7()
    wish = read_wish(f"dataset={dataset_id}&type=a&type=b&after={event_id}".encode())
    assert wish == Wish(dataset_id, frozenset({"a", "b"}), event_id)
    with pytest.raises(InvalidInput):
        read_wish("type=é".encode())
