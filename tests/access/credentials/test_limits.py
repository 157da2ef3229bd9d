"""Limits of requests: the buckets, the script in Redis, what answers say, and what happens when Redis is away."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from django.conf import settings
from django.test import Client

from access.limits import gate, rules
from access.limits.bucket import Bucket, Level, refilled
from access.limits.limiter import PAUSE, Limiter, LocalBuckets
from access.limits.rules import Caller, buckets_of, route_class
from access.models import Tenant
from access.services.api_keys import KeyLimits
from tests.factories.access import make_api_key, make_user, principal_with
from vaultsite.kernel.events.event import EventType, Recorded
from vaultsite.kernel.identifiers import uuid7

Ask = Callable[..., Any]


class Clock:
    """A clock that is set by hand, given to what asks for one."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def bucket(quota: int, policy: str = "principal") -> Bucket:
    return Bucket(policy, str(uuid7()), quota)


def code_of(answer: Any) -> str:
    return f"{answer.status_code} {answer.json()['code']}"


def limited_key(tenant: Tenant, quota: int, *roles: str) -> str:
    return make_api_key(tenant, *roles, limits=KeyLimits(requests_per_minute=quota))[1]


def test_a_bucket_fills_evenly_and_never_over() -> None:
    assert refilled(0, 30, 1000) == 500
    assert refilled(900, 60, 1000) == 1000
    assert refilled(5, -10, 1000) == 5


def test_what_is_left_is_told_in_whole_requests_and_seconds() -> None:
    level = Level(Bucket("key", "k", 60), tokens=0.25, is_short=True)
    assert (level.remaining, level.wait_seconds, level.reset_seconds) == (0, 1, 60)
    assert Level(Bucket("key", "k", 6), tokens=0.0, is_short=True).wait_seconds == 10


@pytest.fixture(params=["redis", "process"])
def take(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """The two that count, by one contract."""
    if request.param == "process":
        return LocalBuckets(Clock()).take
    limiter = Limiter(settings.REDIS_URL)
    return limiter.take


def test_a_bucket_gives_its_quota_and_then_refuses(take: Callable[..., Any]) -> None:
    mine = bucket(3)
    assert [take([mine]).short is None for _ in range(5)] == [True, True, True, False, False]


def test_all_buckets_give_or_none(take: Callable[..., Any]) -> None:
    wide, narrow = bucket(10), bucket(1, "write")
    take([wide, narrow])
    for _ in range(3):
        verdict = take([wide, narrow])
        assert verdict.short.bucket == narrow
    assert take([wide]).levels[0].remaining == 8


def test_the_first_refusal_of_a_minute_is_told_apart(take: Callable[..., Any]) -> None:
    mine = bucket(1)
    assert [take([mine]).is_first for _ in range(4)] == [False, True, False, False]


def test_tokens_come_back_with_time() -> None:
    clock = Clock()
    take, mine = LocalBuckets(clock).take, bucket(60)
    for _ in range(60):
        take([mine])
    assert take([mine]).short is not None
    clock.now += 2
    assert [take([mine]).short is None for _ in range(3)] == [True, True, False]


def test_parallel_requests_never_get_one_more_than_the_quota() -> None:
    """One script: reading and taking cannot be interleaved. A token a minute comes back meanwhile at most."""
    limiter, mine = Limiter(settings.REDIS_URL), bucket(100)
    with ThreadPoolExecutor(16) as pool:
        given = sum(verdict.short is None for verdict in pool.map(lambda _: limiter.take([mine]), range(200)))
    assert 100 <= given <= 160
    few = bucket(1)
    with ThreadPoolExecutor(16) as pool:
        assert sum(verdict.short is None for verdict in pool.map(lambda _: limiter.take([few]), range(50))) == 1


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_who_picks_addresses_from_one_network_has_one_bucket(first: str, second: str, is_one: bool) -> None:
    """T31: an IPv6 host has 2**64 addresses to ask from."""
    assert (rules.address_buckets(first) == rules.address_buckets(second)) is is_one


def test_buckets_of_tenants_are_not_shared(tenant: Tenant, rival: Tenant) -> None:
    """T13: the same principal id in two tenants."""
    shared = uuid7()
    keys = [
        {(one.policy, one.key) for one in buckets_of(Caller(who), method="POST", path="/api/v1/datasets", address="")}
        for who in (principal_with(tenant, "viewer", id=shared), principal_with(rival, "viewer", id=shared))
    ]
    assert keys[0]
    assert not keys[0] & keys[1]


@pytest.mark.parametrize(
    ("method", "path", "group"),
    [
        ("GET", "/api/v1/datasets", "read"),
        ("HEAD", "/api/v1/datasets/1", "read"),
        ("POST", "/api/v1/datasets", "write"),
        ("DELETE", "/api/v1/datasets/1", "write"),
        ("GET", "/api/v1/datasets/1/data", "bulk"),
        ("POST", "/api/v1/datasets/1/data", "bulk"),
        ("GET", "/api/v1/datasets/1/versions/main/records", "bulk"),
        ("POST", "/api/v1/datasets/1/query", "bulk"),
        ("POST", "/api/v1/exports/1/download-url", "write"),
        ("GET", "/api/v1/exports/1/files/0/download", "bulk"),
    ],
)
def test_requests_are_classed_by_what_they_do(method: str, path: str, group: str) -> None:
    assert route_class(method, path) == group


def test_every_answer_tells_its_limits(tenant: Tenant, ask: Ask) -> None:
    key = limited_key(tenant, 77)
    answers = [
        ask("GET", "/me", X_API_Key=key),
        ask("GET", f"/datasets/{uuid7()}", X_API_Key=key),
        ask("POST", "/datasets", {}, X_API_Key=key),
        ask("GET", "/no/such/path"),
        ask("GET", "/me"),
        ask("GET", "/me", X_API_Key="wrong"),
        ask("POST", "/auth/token", {}),
        ask("GET", "/schema"),
    ]
    for answer in answers:
        assert {"RateLimit", "RateLimit-Policy"} <= set(answer.headers)
        left = int(answer["X-RateLimit-Remaining"])
        assert 0 <= left < int(answer["X-RateLimit-Limit"])
        assert int(answer["X-RateLimit-Reset"]) > 1_700_000_000
    assert '"key";q=77;w=60' in answers[0]["RateLimit-Policy"]
    assert '"key";r=76;t=' in answers[0]["RateLimit"]
    assert answers[0]["X-RateLimit-Limit"] == "77"
    assert '"write"' in answers[2]["RateLimit-Policy"]


def test_what_is_no_api_says_nothing_of_limits() -> None:
    assert "RateLimit" not in Client().get("/health/live").headers


def test_over_the_limit_is_429_with_when_to_come_back(tenant: Tenant, ask: Ask, events: list[Recorded]) -> None:
    key = limited_key(tenant, 2)
    answers = [ask("GET", "/me", X_API_Key=key) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429, 429]
    refused = answers[-1]
    assert refused["Content-Type"] == "application/problem+json"
    assert (code_of(refused), refused.json()["policy"]) == ("429 VAULT_AUTH_1260", "key")
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert refused["X-RateLimit-Remaining"] == "0"
    told = [stored for stored in events if stored.event.type == EventType.RATE_EXCEEDED]
    assert [(stored.tenant_id, stored.event.metadata["policy"]) for stored in told] == [(tenant.pk, "key")]


def test_a_wide_key_is_not_held_to_the_usual_limit(tenant: Tenant, ask: Ask) -> None:
    wide = ask("GET", "/me", X_API_Key=limited_key(tenant, 5000))
    assert '"principal";q=5000' in wide["RateLimit-Policy"]
    usual = ask("GET", "/me", X_API_Key=make_api_key(tenant)[1])
    assert '"key";q=1000;w=60' in usual["RateLimit-Policy"]


def test_a_browser_s_request_is_counted_too(tenant: Tenant) -> None:
    from tests.factories.access import sign_in

    browser = Client()
    browser.cookies["vault_session"] = sign_in(tenant, make_user(tenant))
    assert '"principal";q=1000' in browser.get("/api/v1/me")["RateLimit-Policy"]


def test_the_ways_of_identity_providers_are_limited_by_address(
    address: str, plain_static: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything that was sent is parsed: whoever comes there is unknown."""
    monkeypatch.setattr(rules, "SIGN_IN_QUOTA", 2)
    client = Client(REMOTE_ADDR=address)
    answers = [client.post("/auth/saml/none/none/consume/", {"SAMLResponse": "<"}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [404, 404, 429, 429]
    assert '"sign_in";q=2' in answers[0]["RateLimit-Policy"]
    assert int(answers[-1]["Retry-After"]) > 0
    assert client.get("/auth/none/none/begin/").status_code == 429
    assert Client(REMOTE_ADDR="198.51.100.77").get("/auth/none/none/begin/").status_code == 404


def test_a_provider_that_ends_many_sessions_at_once_is_held_up_by_no_quota_of_sign_in(
    address: str, plain_static: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A logout that was refused leaves a session open; the limit of the address itself stands."""
    monkeypatch.setattr(rules, "SIGN_IN_QUOTA", 2)
    monkeypatch.setattr(settings, "RATE_ADDRESS", 5)
    client = Client(REMOTE_ADDR=address)
    answers = [client.post("/auth/none/none/back-channel-logout/", {"logout_token": "x"}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [400] * 5 + [429]


def test_guessing_from_one_address_is_limited(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """T31: by address, whatever is guessed; a right key from there is not held up by it."""
    monkeypatch.setattr(rules, "REFUSED_QUOTA", 3)
    answers = [ask("GET", "/me", X_API_Key=f"ldv_{number}") for number in range(5)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]


def test_who_guesses_does_not_lock_out_who_knows(tenant: Tenant, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "REFUSED_QUOTA", 1)
    _, text = make_api_key(tenant)
    assert [ask("GET", "/me", X_API_Key="wrong").status_code for _ in range(2)] == [401, 429]
    assert ask("GET", "/me", X_API_Key=text).status_code == 200


def test_the_token_endpoints_have_a_limit_of_their_own(
    tenant: Tenant, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "TOKEN_QUOTA", 2)
    answers = [ask("POST", "/auth/token", {"grant_type": "none"}).status_code for _ in range(4)]
    assert answers == [400, 400, 429, 429]
    assert ask("GET", "/me").status_code == 401
    assert tenant


@pytest.fixture
def no_redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process whose Redis is gone: nobody listens where it looks."""
    monkeypatch.setattr(settings, "REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setattr("access.limits.limiter.PAUSE", 600.0)
    gate.limiter.cache_clear()
    yield
    gate.limiter.cache_clear()


@pytest.mark.usefixtures("no_redis")
def test_without_redis_each_process_limits_by_itself(
    tenant: Tenant, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    key = limited_key(tenant, 2)
    answers = [ask("GET", "/me", X_API_Key=key) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert '"key";r=0' in answers[1]["RateLimit"]
    assert caplog.text.count("Redis does not answer") == 1


def test_redis_is_asked_again_after_a_pause() -> None:
    clock = Clock()
    limiter, mine = Limiter("redis://127.0.0.1:1/0", clock=clock), bucket(5)
    limiter.take([mine])
    assert limiter._asks_again_at == clock.now + PAUSE
    limiter._script = Limiter(settings.REDIS_URL)._script
    limiter.take([mine])
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        assert not client.exists(f"vault:rate:{mine.policy}:{mine.key}")
        clock.now += PAUSE
        limiter.take([mine])
        assert client.exists(f"vault:rate:{mine.policy}:{mine.key}")


def test_buckets_of_one_process_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from access.limits import limiter

    monkeypatch.setattr(limiter, "MAX_LOCAL", 5)
    local = LocalBuckets(Clock())
    for _ in range(50):
        local.take([bucket(1)])
    assert len(local._held) == 5


def test_buckets_leave_redis_by_themselves() -> None:
    mine = bucket(5)
    Limiter(settings.REDIS_URL).take([mine])
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        assert 0 < client.pttl(f"vault:rate:{mine.policy}:{mine.key}") <= 60_000


def test_threads_share_one_process_s_buckets() -> None:
    local, mine, given = LocalBuckets(Clock()), bucket(50), []
    threads = [
        threading.Thread(target=lambda: given.extend(local.take([mine]).short is None for _ in range(20)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(given) == 50
