"""A policy engine elsewhere, asked over HTTP beside the vault's own policies: it narrows what they allow, never widens.

The contract is the one the vault serves itself at ``/api/v1/policy/evaluate``. No answer, a late one and one that
cannot be understood are denials.
"""

import hashlib
import http.client
import json
import socket
import ssl
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import Lock, Timer
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured

from access.policy.cedar.compiled import UNGOVERNED, CompiledPolicies
from access.policy.cedar.evaluation import Answer
from access.policy.decision import Obligation
from access.policy.engine import CedarEngine, PolicyEngine
from access.policy.errors import InvalidAnnotation, PolicyEngineUnavailable
from access.policy.obligations import read_annotations
from access.policy.question import Question

_BIGGEST: Final = 64 * 1024
_LONGEST_TTL: Final = 3600
_KEPT: Final = 10_000
_ALLOWED: Final = frozenset({"ALLOW", "ALLOW_WITH_CONDITIONS"})
#: The remote engine as decisions name it.
POLICY_ID: Final = "engine:remote"


@dataclass(frozen=True)
class _Kept:
    answer: Answer
    until: float


class CircuitBreaker:
    """Stops asking after ``failures`` in a row, for ``seconds``; then lets one question through to see."""

    def __init__(self, *, failures: int, seconds: float) -> None:
        self._limit, self._seconds = failures, seconds
        self._failed, self._open_until = 0, 0.0
        self._lock = Lock()

    def admits(self) -> bool:
        """Whether to ask now."""
        with self._lock:
            now = time.monotonic()
            if self._failed < self._limit:
                return True
            if now < self._open_until:
                return False
            self._open_until = now + self._seconds  # the others go on waiting for this one
            return True

    def note(self, *, is_success: bool) -> None:
        with self._lock:
            self._failed = 0 if is_success else self._failed + 1
            if self._failed >= self._limit:
                self._open_until = time.monotonic() + self._seconds


class RemoteEngine(PolicyEngine):
    """Asks ``url`` about what the vault's own policies allow.

    ``actions`` are what it is asked about, by what stands before the dot (``record`` for ``record.read``). ``timeout``
    is in seconds, for the whole exchange. ``token`` goes along as a bearer token.
    """

    def __init__(
        self,
        *,
        url: str,
        token: str = "",
        timeout: float = 1.0,
        actions: Sequence[str] = ("dataset", "record", "version", "export", "analytics", "statistics"),
        failures: int = 5,
        recovery_seconds: float = 10.0,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            msg = "the remote policy engine needs an http or https URL"
            raise ImproperlyConfigured(msg)
        self._parts, self._token, self._timeout = parts, token, timeout
        self._actions = frozenset(actions)
        self._breaker = CircuitBreaker(failures=failures, seconds=recovery_seconds)
        self._kept: OrderedDict[tuple[UUID, UUID, bytes], _Kept] = OrderedDict()
        self._lock = Lock()
        self._own = CedarEngine()

    def decide(self, question: Question, policies: CompiledPolicies, *, tenant_id: UUID, stamp: UUID) -> Answer:
        own = self._own.decide(question, policies, tenant_id=tenant_id, stamp=stamp)
        if not own.is_allowed or not self._is_asked(question.action):
            return own
        return _both(own, self._remote(question, tenant_id, stamp))

    def _is_asked(self, action: str) -> bool:
        return action.partition(".")[0] in self._actions and action not in UNGOVERNED

    def _remote(self, question: Question, tenant_id: UUID, stamp: UUID) -> Answer:
        body = question_body(question)
        key = cache_key(tenant_id, stamp, body)
        kept = self._find(key)
        if kept is not None:
            return kept
        if not self._breaker.admits():
            raise PolicyEngineUnavailable("The policy engine failed lately and is not asked for a while")
        try:
            answer, ttl = read_answer(self._post(body))
        except (OSError, http.client.HTTPException, ValueError) as failure:
            self._breaker.note(is_success=False)
            raise PolicyEngineUnavailable from failure
        self._breaker.note(is_success=True)
        if ttl:
            self._keep(key, _Kept(answer, time.monotonic() + ttl))
        return answer

    def _find(self, key: tuple[UUID, UUID, bytes]) -> Answer | None:
        with self._lock:
            kept = self._kept.get(key)
            return kept.answer if kept is not None and kept.until > time.monotonic() else None

    def _keep(self, key: tuple[UUID, UUID, bytes], kept: _Kept) -> None:
        with self._lock:
            self._kept[key] = kept
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)

    def _post(self, body: Mapping[str, Any]) -> bytes:
        """The answer's body, within the timeout. Raises OSError, HTTPException, ValueError."""
        connection = self._connection()
        connection.connect()
        # A peer that drips is cut off: the timeout of a socket starts anew with every byte.
        late = Timer(self._timeout, _cut, [connection.sock])
        late.start()
        try:
            headers = {"Content-Type": "application/json", "Accept": "application/json"}
            if self._token:
                headers["Authorization"] = f"Bearer {self._token}"
            connection.request("POST", self._parts.path or "/", body=json.dumps(body).encode(), headers=headers)
            response = connection.getresponse()
            content = response.read(_BIGGEST + 1)
            if response.status != http.client.OK or len(content) > _BIGGEST:
                msg = "the engine answered with an error, or with too much"
                raise ValueError(msg)
            return content
        finally:
            late.cancel()
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        host, port = str(self._parts.hostname), self._parts.port
        if self._parts.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=self._timeout, context=context)
        return http.client.HTTPConnection(host, port, timeout=self._timeout)


def _cut(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def question_body(question: Question) -> dict[str, Any]:
    """The question in the members of the contract. The time is not sent: it would keep answers from being kept."""
    who, what = question.subject, question.resource
    context: dict[str, Any] = {"purpose": question.purpose or ""}
    if question.ip_address:
        context["ip_address"] = question.ip_address
    return {
        "principal": {"id": who.id, "roles": sorted(who.roles), "attributes": dict(who.attributes)},
        "resource": {
            "dataset_id": question.dataset_id,
            "type": what.type,
            "id": what.id,
            "classification": what.classification,
            "tags": sorted(what.tags or ()),
        },
        "action": question.action,
        "context": context,
    }


def cache_key(tenant_id: UUID, stamp: UUID, body: Mapping[str, Any]) -> tuple[UUID, UUID, bytes]:
    """What an answer is kept under: nothing of another tenant, nor of other policies, has the same."""
    content = json.dumps(body, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()
    return tenant_id, stamp, hashlib.sha256(content).digest()


def read_answer(content: bytes) -> tuple[Answer, int]:
    """An answer and for how many seconds it may be kept. Raises ValueError for one that cannot be understood."""
    body = json.loads(content)
    if not isinstance(body, dict) or body.get("decision") not in {*_ALLOWED, "DENY"}:
        msg = "no decision"
        raise ValueError(msg)
    ttl = body.get("ttl", 0)
    if isinstance(ttl, bool) or not isinstance(ttl, int) or ttl < 0:
        msg = "no ttl"
        raise ValueError(msg)
    if body["decision"] == "DENY":
        return Answer(is_allowed=False, decided_by=(POLICY_ID,), is_forbidden=True), min(ttl, _LONGEST_TTL)
    obligations = tuple(_obligation(one) for one in _listed(body.get("obligations", [])))
    if body["decision"] == "ALLOW_WITH_CONDITIONS" and not obligations:
        msg = "conditions that are not told"
        raise ValueError(msg)
    return Answer(is_allowed=True, decided_by=(POLICY_ID,), obligations=obligations), min(ttl, _LONGEST_TTL)


def _listed(obligations: Any) -> list[Mapping[str, Any]]:
    if not isinstance(obligations, list) or not all(isinstance(one, dict) for one in obligations):
        msg = "no list of obligations"
        raise ValueError(msg)
    return obligations


def _obligation(told: Mapping[str, Any]) -> Obligation:
    """One obligation of the contract. Raises ValueError for one that the vault does not know."""
    kind, fields = str(told.get("type", "")), told.get("fields")
    value = told.get("operator") or told.get("policy") or told.get("value") or told.get("level") or ""
    if kind == "audit_log":
        kind = "audit_level"
    if isinstance(fields, list) and fields and not value:
        value = ",".join(map(str, fields))
    try:
        (obligation,) = read_annotations({kind: str(value)})
    except InvalidAnnotation as unknown:
        msg = "an obligation the vault does not know"
        raise ValueError(msg) from unknown
    return obligation


def _both(own: Answer, remote: Answer) -> Answer:
    """What both allow, under the obligations of both."""
    if not remote.is_allowed:
        return remote
    obligations = tuple(dict.fromkeys((*own.obligations, *remote.obligations)))
    return replace(own, decided_by=(*own.decided_by, POLICY_ID), obligations=obligations)
