"""Rules of the live feed."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import connections
from django.test import Client, RequestFactory
from django.utils import timezone

from access.auth.sessions import SessionStore
from access.models import RoleBinding, User, VaultSession
from access.services.deprovisioning import deactivate_user
from access.services.sessions import start_session
from access.services.tenants import operator
from access.services.users import create_user
from audit.consumers import FORBIDDEN, UNAUTHENTICATED, UNSUPPORTED_DATA, LiveConsumer
from audit.models import AuditEvent
from audit.relay.loop import relay_waiting
from tests.audit.sockets import Socket
from tests.factories.access import age, make_api_key
from tests.factories.audit import make_event, make_principal, record
from vaultsite.asgi import application
from vaultsite.kernel.tenancy.scope import tenant_scope

HOME = b"http://localhost:8000"
DENIED = 1000


def make_user(tenant_id, *roles: str, **facts: bool) -> User:
    principal = operator(tenant_id)
    with tenant_scope(tenant_id, principal):
        return create_user(principal, username=f"u{uuid4().hex}", password="a Long pass-phrase 7", roles=roles, **facts)


def sign_in(user: User) -> str:
    """The cookie of a new session."""
    request = RequestFactory().get("/")
    request.session = SessionStore()
    start_session(request, user)
    request.session.save()
    return request.session.session_key


def socket(cookie: str | None, *, origin: bytes | None = HOME, path: str = "/live/", app=application):
    headers = [(b"origin", origin)] if origin else []
    if cookie:
        headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode()))
    return Socket(app, path, headers)


async def elsewhere(work: Callable[[], object]) -> None:
    """Do blocking work in a thread of its own, and give its connections back."""

    def run_and_close() -> None:
        try:
            work()
        finally:
            connections.close_all()

    await asyncio.to_thread(run_and_close)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async_to_sync(scenario)()


def test_a_foreign_origin_is_refused_even_with_a_session(tenant) -> None:
    cookie = sign_in(make_user(tenant.pk, "auditor"))

    async def scenario() -> None:
        for origin in (b"https://evil.example", b"http://localhost.evil.example", b"null", None):
            assert await socket(cookie, origin=origin).open() == DENIED, origin

    run(scenario)


def test_a_password_known_to_others_opens_no_feed(tenant) -> None:
    cookie = sign_in(make_user(tenant.pk, "auditor", must_change_password=True))

    async def scenario() -> None:
        assert await socket(cookie).open() == UNAUTHENTICATED

    run(scenario)


@pytest.mark.parametrize("cookie", [None, "", "nonsense", f"{'0' * 32}.{'A' * 43}"])
def test_without_a_session_there_is_no_feed(cookie) -> None:
    async def scenario() -> None:
        assert await socket(cookie).open() == UNAUTHENTICATED

    run(scenario)


def test_without_the_permission_there_is_no_feed_and_the_attempt_is_audited(tenant) -> None:
    user = make_user(tenant.pk, "data_scientist")
    cookie = sign_in(user)

    async def scenario() -> None:
        assert await socket(cookie).open() == FORBIDDEN

    run(scenario)
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        (event,) = AuditEvent.objects.filter(actor_id=user.pk, resource_type="audit", resource_id="live")
    assert event.status == "denied"


def test_a_tenants_events_arrive_and_anothers_never(tenant, rival) -> None:
    cookie = sign_in(make_user(tenant.pk, "auditor"))
    theirs, mine = make_event(), make_event()
    received: list[dict] = []

    async def scenario() -> None:
        feed = socket(cookie)
        assert await feed.open() is None
        await elsewhere(tell)
        while not received or received[-1]["id"] != str(mine.id):
            received.append(await feed.receive())
        assert await feed.is_silent(0.2)
        await feed.close()

    def tell() -> None:
        record(rival.pk, theirs)
        record(tenant.pk, mine)
        while relay_waiting():
            pass

    run(scenario)
    assert str(theirs.id) not in {event["id"] for event in received}
    assert {event["source"] for event in received} == {f"urn:llm-data-vault:tenant:{tenant.pk}"}


def test_two_tenants_at_once_hear_all_of_their_own_and_nothing_else(tenant, rival) -> None:
    """T04, under load: both write at the same time, from several threads each, while both listen."""
    told = {each.pk: [[make_event() for _ in range(10)] for _ in range(4)] for each in (tenant, rival)}
    cookies = {each.pk: sign_in(make_user(each.pk, "auditor")) for each in (tenant, rival)}
    heard: dict[UUID, list[dict]] = {each: [] for each in told}

    async def listen(tenant_id: UUID, feed: Socket) -> None:
        wanted = {str(event.id) for batch in told[tenant_id] for event in batch}
        while wanted - {event["id"] for event in heard[tenant_id]}:
            heard[tenant_id].append(await feed.receive())
        assert await feed.is_silent(0.2)

    async def scenario() -> None:
        feeds = {tenant_id: socket(cookie) for tenant_id, cookie in cookies.items()}
        for feed in feeds.values():
            assert await feed.open() is None
        batches = [(tenant_id, batch) for tenant_id, all_ in told.items() for batch in all_]
        await asyncio.gather(*(elsewhere(partial(record, tenant_id, *batch)) for tenant_id, batch in batches))
        await asyncio.gather(elsewhere(relay), *(listen(tenant_id, feed) for tenant_id, feed in feeds.items()))
        for feed in feeds.values():
            await feed.close()

    def relay() -> None:
        while relay_waiting():
            pass

    run(scenario)
    for tenant_id, events in heard.items():
        assert {event["source"] for event in events} == {f"urn:llm-data-vault:tenant:{tenant_id}"}


def test_the_feed_ends_within_a_second_of_its_user_losing_access(tenant) -> None:
    """T18; a second more for what this machine takes to look, the quickest of three: it may be busy once."""
    assert LiveConsumer.recheck_seconds <= 1
    users = [make_user(tenant.pk, "auditor") for _ in range(3)]
    took = []

    def disable(user: User) -> None:
        principal = operator(tenant.pk)
        with tenant_scope(tenant.pk, principal):
            deactivate_user(principal, user_id=user.pk)

    async def scenario() -> None:
        for user, cookie in signed_in:
            feed = socket(cookie)
            assert await feed.open() is None
            await elsewhere(lambda user=user: disable(user))
            ended = time.monotonic()
            assert await feed.close_code() == UNAUTHENTICATED
            took.append(time.monotonic() - ended)

    signed_in = [(user, sign_in(user)) for user in users]
    run(scenario)
    assert min(took) < LiveConsumer.recheck_seconds + 1


def take_roles(user: User) -> None:
    with tenant_scope(user.tenant_id, operator(user.tenant_id)):
        RoleBinding.objects.filter(user=user).delete()


def test_what_happens_after_access_was_lost_is_not_told(tenant) -> None:
    """T18: the next event is not sent, however long the feed is from looking again by itself."""

    class Watchful(LiveConsumer):
        fresh_seconds = 0.0
        recheck_seconds = 60.0

    user, late = make_user(tenant.pk, "auditor"), make_event()
    cookie = sign_in(user)

    async def scenario() -> None:
        feed = socket(cookie, app=Watchful.as_asgi())
        assert await feed.open() is None
        await elsewhere(lose_and_tell)
        messages, code = await feed.rest()
        assert (str(late.id) in {message["id"] for message in messages}, code) == (False, UNAUTHENTICATED)

    def lose_and_tell() -> None:
        take_roles(user)
        record(tenant.pk, late)
        while relay_waiting():
            pass

    run(scenario)


def test_an_open_feed_keeps_no_session_alive(tenant) -> None:
    """T33: a page left open is nobody who works."""

    class Impatient(LiveConsumer):
        recheck_seconds = 0.05

    user = make_user(tenant.pk, "auditor")
    cookie = sign_in(user)

    def seen(ago: timedelta) -> VaultSession:
        with tenant_scope(tenant.pk, operator(tenant.pk)):
            row = VaultSession.objects.get(user=user)
        age(row, last_seen_at=ago)
        return row

    async def scenario() -> None:
        feed = socket(cookie, app=Impatient.as_asgi())
        assert await feed.open() is None
        await elsewhere(lambda: seen(timedelta(minutes=20)))
        assert await feed.is_silent(0.5)
        await elsewhere(still_idle)
        await elsewhere(lambda: seen(timedelta(minutes=31)))
        assert await feed.close_code() == UNAUTHENTICATED

    def still_idle() -> None:
        with tenant_scope(tenant.pk, operator(tenant.pk)):
            assert timezone.now() - VaultSession.objects.get(user=user).last_seen_at > timedelta(minutes=19)

    run(scenario)


@pytest.mark.parametrize(("audience", "answer"), [("live", None), ("rest", UNAUTHENTICATED), ("grpc", UNAUTHENTICATED)])
def test_the_feed_is_opened_by_tokens_for_it_alone(tenant, audience: str, answer: int | None) -> None:
    """T25: each surface has its own audience."""
    _, key = make_api_key(tenant, "auditor")
    asked = {"grant_type": "api_key", "audience": audience}
    path, kind = "/api/v1/auth/token", "application/json"
    token = Client().post(path, asked, content_type=kind, headers={"X-API-Key": key}).json()["access_token"]

    async def scenario() -> None:
        feed = Socket(application, "/live/", [(b"origin", HOME), (b"authorization", f"Bearer {token}".encode())])
        assert await feed.open() == answer

    run(scenario)


def test_the_feed_takes_nothing(tenant) -> None:
    cookie = sign_in(make_user(tenant.pk, "auditor"))

    async def scenario() -> None:
        feed = socket(cookie)
        assert await feed.open() is None
        await feed.send("subscribe to everything")
        assert await feed.close_code() == UNSUPPORTED_DATA

    run(scenario)


def test_other_paths_and_plain_http_lead_nowhere(tenant) -> None:
    cookie = sign_in(make_user(tenant.pk, "auditor"))
    sent: list[dict] = []

    async def send(message: dict) -> None:
        sent.append(message)

    async def scenario() -> None:
        assert await socket(cookie, path="/elsewhere/").open() == DENIED
        await application({"type": "http", "path": "/live/", "headers": []}, None, send)

    run(scenario)
    assert sent[0]["status"] == 404
