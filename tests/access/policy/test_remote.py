"""A remote policy engine: a real HTTP server of the test, asked and not answering in every way there is."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from access.policy.builtin import READ_MASKED, READ_RAW
from access.policy.cedar.compiled import CompiledPolicies
from access.policy.decision import Obligation
from access.policy.engine import CedarEngine, PolicyEngine
from access.policy.errors import PolicyEngineUnavailable
from access.policy.remote import POLICY_ID, RemoteEngine, cache_key
from tests.access.policy.questions import question

TENANT, STAMP = uuid4(), uuid4()
NONE = CompiledPolicies()


class Engine(ThreadingHTTPServer):
    """Answers as it is told and remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, Any]] = []
        self.tokens: list[str] = []
        self.answer: Callable[[_Handler], None] = lambda handler: handler.say({"decision": "ALLOW", "obligations": []})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/evaluate"


class _Handler(BaseHTTPRequestHandler):
    server: Engine

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(json.loads(body))
        self.server.tokens.append(self.headers.get("Authorization", ""))
        self.server.answer(self)

    def say(self, body: Any, status: int = 200) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def engine() -> Iterator[Engine]:
    with serving() as server:
        yield server


@contextmanager
def serving() -> Iterator[Engine]:
    server = Engine()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def remote(engine: Engine, **changed: Any) -> RemoteEngine:
    """Asked without haste: how long it may take is the subject of few tests."""
    return RemoteEngine(url=engine.url, **({"timeout": 30} | changed))


def decide(provider: PolicyEngine, asked: Any, *, tenant: UUID = TENANT, stamp: UUID = STAMP) -> Any:
    return provider.decide(asked, NONE, tenant_id=tenant, stamp=stamp)


def test_every_provider_denies_what_nothing_permits_and_names_what_decided(engine: Engine) -> None:
    for provider in (CedarEngine(), remote(engine)):
        assert not decide(provider, question()).is_allowed
        allowed = decide(provider, question(permissions=(READ_MASKED,)))
        assert allowed.is_allowed
        assert allowed.decided_by[0] == "builtin:record.read"
        assert Obligation("anonymize", "mask") in allowed.obligations


def test_it_is_asked_in_the_contract_s_words_with_its_token(engine: Engine) -> None:
    asked = question(permissions=(READ_RAW,), tags=("gdpr",), ip_address="1.2.3.4")
    assert decide(remote(engine, token="t0ken"), asked).is_allowed
    (body,) = engine.asked
    assert body["principal"] == {"id": asked.subject.id, "roles": [], "attributes": {}}
    assert body["resource"]["dataset_id"] == str(asked.resource.dataset_id)
    assert (body["resource"]["classification"], body["resource"]["tags"]) == ("pii", ["gdpr"])
    assert (body["action"], body["context"]) == ("record.read", {"purpose": "analytics", "ip_address": "1.2.3.4"})
    assert engine.tokens == ["Bearer t0ken"]


def test_it_narrows_and_never_widens(engine: Engine) -> None:
    provider = remote(engine)
    assert not decide(provider, question()).is_allowed
    assert engine.asked == []
    engine.answer = lambda handler: handler.say({"decision": "DENY"})
    refused = decide(provider, question(permissions=(READ_RAW,)))
    assert (refused.is_allowed, refused.is_forbidden, refused.decided_by) == (False, True, (POLICY_ID,))


def test_its_obligations_are_added(engine: Engine) -> None:
    told = [{"type": "anonymize", "fields": ["email", "ssn"]}, {"type": "audit_log", "level": "detailed"}]
    engine.answer = lambda handler: handler.say({"decision": "ALLOW_WITH_CONDITIONS", "obligations": told, "ttl": 0})
    answer = decide(remote(engine), question(permissions=(READ_RAW,)))
    assert answer.obligations == (
        Obligation("mask", fields=("email", "ssn")),
        Obligation("audit_level", value="detailed"),
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b'{"decision": "PERHAPS"}',
        b'{"decision": "allow"}',
        b'{"decision": "ALLOW", "ttl": -1}',
        b'{"decision": "ALLOW", "ttl": "300"}',
        b'{"decision": "ALLOW", "ttl": true}',
        b'{"decision": "ALLOW", "obligations": {}}',
        b'{"decision": "ALLOW_WITH_CONDITIONS", "obligations": []}',
        b'{"decision": "ALLOW", "obligations": [{"type": "shred"}]}',
        b'{"decision": "ALLOW", "obligations": ["anonymize"]}',
        b'{"decision": "ALLOW", "padding": "' + b"x" * 100_000 + b'"}',
    ],
)
def test_an_answer_that_cannot_be_understood_is_a_denial(engine: Engine, body: bytes) -> None:
    engine.answer = lambda handler: handler.say(body)
    with pytest.raises(PolicyEngineUnavailable):
        decide(remote(engine), question(permissions=(READ_RAW,)))


@pytest.mark.parametrize("status", [201, 301, 400, 401, 403, 429, 500, 503])
def test_any_other_status_is_a_denial(engine: Engine, status: int) -> None:
    engine.answer = lambda handler: handler.say({"decision": "ALLOW"}, status)
    with pytest.raises(PolicyEngineUnavailable):
        decide(remote(engine), question(permissions=(READ_RAW,)))


def drip(handler: _Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(600):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.1)


@pytest.mark.parametrize("slow", [lambda _: time.sleep(60), drip], ids=["silent", "dripping"])
def test_an_engine_that_takes_too_long_is_a_denial_in_time(engine: Engine, slow: Callable[[_Handler], None]) -> None:
    """T22: silent for seconds, or a byte now and then."""
    engine.answer = slow
    started = time.monotonic()
    with pytest.raises(PolicyEngineUnavailable):
        decide(remote(engine, timeout=0.3), question(permissions=(READ_RAW,)))
    assert time.monotonic() - started < 10


def test_an_engine_that_is_down_is_a_denial_and_not_asked_for_a_while(engine: Engine) -> None:
    engine.answer = lambda handler: handler.say({}, 500)
    provider = remote(engine, failures=3, recovery_seconds=600)
    for _ in range(10):
        with pytest.raises(PolicyEngineUnavailable):
            decide(provider, question(permissions=(READ_RAW,)))
    assert len(engine.asked) == 3
    engine.answer = lambda handler: handler.say({"decision": "ALLOW"})
    provider._breaker._open_until = 0.0
    assert decide(provider, question(permissions=(READ_RAW,))).is_allowed
    assert decide(provider, question(permissions=(READ_RAW,))).is_allowed


def test_nobody_listening_is_a_denial() -> None:
    with serving() as server:
        url = server.url
    with pytest.raises(PolicyEngineUnavailable):
        decide(RemoteEngine(url=url), question(permissions=(READ_RAW,)))


def test_an_answer_is_kept_for_its_ttl_for_the_same_tenant_policies_and_question(engine: Engine) -> None:
    engine.answer = lambda handler: handler.say({"decision": "ALLOW", "ttl": 300})
    provider, asked = remote(engine), question(permissions=(READ_RAW,))
    for _ in range(3):
        decide(provider, asked)
    assert len(engine.asked) == 1
    decide(provider, asked, stamp=uuid4())
    decide(provider, asked, tenant=uuid4())
    decide(provider, question(permissions=(READ_RAW,), purpose="debugging"))
    assert len(engine.asked) == 4


def test_without_a_ttl_nothing_is_kept(engine: Engine) -> None:
    provider, asked = remote(engine), question(permissions=(READ_RAW,))
    decide(provider, asked)
    decide(provider, asked)
    assert len(engine.asked) == 2


@given(
    st.uuids(),
    st.uuids(),
    st.uuids(),
    st.uuids(),
    st.dictionaries(st.text("abc", max_size=3), st.text("abc", max_size=3), max_size=3),
)
def test_keys_of_kept_answers_meet_only_for_one_tenant_and_one_set_of_policies(
    tenant: UUID, other: UUID, stamp: UUID, later: UUID, body: dict[str, str]
) -> None:
    """T13: whatever the question, another tenant or another epoch has another key."""
    key = cache_key(tenant, stamp, body)
    assert (key == cache_key(other, stamp, body)) is (tenant == other)
    assert (key == cache_key(tenant, later, body)) is (stamp == later)
    assert key != cache_key(tenant, stamp, {**body, "one more": ""}) or "one more" in body


@pytest.mark.parametrize("url", ["", "ftp://engine", "engine:80", "http://"])
def test_it_needs_a_url(url: str) -> None:
    with pytest.raises(ImproperlyConfigured):
        RemoteEngine(url=url)
