"""Idempotency keys: the same request sent twice is done once and answered twice.

The shape is that of draft-ietf-httpapi-idempotency-key-header: 409 while the first is in flight, 422 when the same key
comes with another request, else the stored answer, for 24 hours.
"""

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

import orjson
from django.db import DatabaseError
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from access.models import IdempotentRequest
from access.services.keyring import open_column, seal_column
from vaultsite.kernel.errors import FieldProblem, IdempotencyMismatch, InvalidInput, RequestInFlight, VaultError
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_scope, durable_effect, tenant_scope

LIFETIME: Final = timedelta(hours=24)
#: How long a request may go unanswered before a repetition is taken for the first; renewed by nobody.
CLAIM: Final = timedelta(minutes=10)
_LONGEST: Final = 255


@dataclass(frozen=True)
class Attempt:
    """One request under a key. ``answer`` is what the first one was answered, None when this is the first.

    ``claimed_until`` tells this claim of the key from a later one: a request that outlived its claim stores nothing.
    """

    id: UUID
    claimed_until: datetime
    fingerprint: bytes | None
    answer: dict[str, Any] | None

    @property
    def is_repetition(self) -> bool:
        return self.answer is not None

    def require_same(self, fingerprint: bytes) -> None:
        """Raises IdempotencyMismatch unless this request is the first one again."""
        if self.fingerprint is not None and not hmac.compare_digest(self.fingerprint, fingerprint):
            raise IdempotencyMismatch


def fingerprint_of(*parts: bytes) -> bytes:
    """What two equal requests share: SHA-256 over the length-prefixed parts."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


def begin_attempt(principal: Principal, *, route: str, key: str) -> Attempt:
    """Claim ``key`` for this request, in the open scope but committed at once, so that no other can.

    The key is free again when the scope fails. Raises InvalidInput for a key that is none, RequestInFlight while the
    first request is worked on.
    """
    if not 0 < len(key) <= _LONGEST or not key.isprintable():
        raise InvalidInput(errors=[FieldProblem("Idempotency-Key", f"1 to {_LONGEST} printable characters")])
    facts = {"principal": principal.id, "route": route, "key_hash": hashlib.sha256(key.encode()).digest()}
    with durable_effect():
        IdempotentRequest.objects.filter(expires_at__lt=Now()).delete()
        attempt = _claim(facts)
    if not attempt.is_repetition:
        current_scope().if_undone(partial(forget_attempt, attempt))
    return attempt


def _claim(facts: dict[str, Any]) -> Attempt:
    now = timezone.now()
    mine = IdempotentRequest(**facts, claimed_until=now + CLAIM, expires_at=now + LIFETIME)
    IdempotentRequest.objects.bulk_create([mine], ignore_conflicts=True)
    row = IdempotentRequest.objects.select_for_update().filter(**facts).first()
    if row is None:  # the first request failed and freed the key just now
        raise RequestInFlight
    if row.answer is None and row.pk != mine.pk:
        if row.claimed_until > now:
            raise RequestInFlight
        row.claimed_until = mine.claimed_until
        row.save(update_fields=["claimed_until"])
    return _attempt(row)


def _attempt(row: IdempotentRequest) -> Attempt:
    answer = None
    if row.answer is not None:
        answer = orjson.loads(open_column("idempotent-answer", row.id.bytes, bytes(row.answer)))
    fingerprint = bytes(row.fingerprint) if row.fingerprint is not None else None
    return Attempt(id=row.pk, claimed_until=row.claimed_until, fingerprint=fingerprint, answer=answer)


def store_answer(attempt: Attempt, *, fingerprint: bytes, answer: dict[str, Any]) -> None:
    """Keep the answer, in the open scope: it is there when, and only if, what it tells of is.

    Raises RequestInFlight when this request took so long that a repetition was taken for the first.
    """
    sealed = seal_column("idempotent-answer", attempt.id.bytes, orjson.dumps(answer, default=str))
    if not _unanswered(attempt).update(fingerprint=fingerprint, answer=sealed):
        raise RequestInFlight


def forget_attempt(attempt: Attempt) -> None:
    """After a failure: the key is free again, in the open scope."""
    _unanswered(attempt).delete()


@contextmanager
def freed_on_failure(principal: Principal, attempt: Attempt | None) -> Iterator[None]:
    """Work outside any scope for an attempt, whose key is free again whatever ends it early, an interrupt too."""
    try:
        yield
    except BaseException:
        if attempt is not None:
            with suppress(VaultError, DatabaseError), tenant_scope(principal.tenant_id, principal):
                forget_attempt(attempt)
        raise


def _unanswered(attempt: Attempt) -> QuerySet[IdempotentRequest]:
    return IdempotentRequest.objects.filter(pk=attempt.id, answer=None, claimed_until=attempt.claimed_until)
