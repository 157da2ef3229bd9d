"""Idempotency keys: the same request sent twice is done once and answered twice.

The shape is that of draft-ietf-httpapi-idempotency-key-header: 409 while the first is in flight, 422 when the same key
comes with another request, else the stored answer, for 24 hours.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import orjson
from django.db.models.functions import Now
from django.utils import timezone

from access.models import IdempotentRequest
from access.services.keyring import open_column, seal_column
from vaultsite.kernel.errors import FieldProblem, IdempotencyMismatch, InvalidInput, RequestInFlight
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import durable_effect

LIFETIME: Final = timedelta(hours=24)
#: How long a request may go unanswered before a repetition is taken for the first; renewed by nobody.
CLAIM: Final = timedelta(minutes=10)
_LONGEST: Final = 255


@dataclass(frozen=True)
class Attempt:
    """One request under a key. ``answer`` is what the first one was answered, None when this is the first."""

    id: UUID
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

    Raises InvalidInput for a key that is none, RequestInFlight while the first request is worked on.
    """
    if not 0 < len(key) <= _LONGEST or not key.isprintable():
        raise InvalidInput(errors=[FieldProblem("Idempotency-Key", f"1 to {_LONGEST} printable characters")])
    facts = {"principal": principal.id, "route": route, "key_hash": hashlib.sha256(key.encode()).digest()}
    with durable_effect():
        IdempotentRequest.objects.filter(expires_at__lt=Now()).delete()
        now = timezone.now()
        mine = IdempotentRequest(**facts, claimed_until=now + CLAIM, expires_at=now + LIFETIME)
        IdempotentRequest.objects.bulk_create([mine], ignore_conflicts=True)
        row = IdempotentRequest.objects.select_for_update().get(**facts)
        if row.answer is None and row.pk != mine.pk:
            if row.claimed_until > now:
                raise RequestInFlight
            IdempotentRequest.objects.filter(pk=row.pk).update(claimed_until=mine.claimed_until)
    return _attempt(row)


def _attempt(row: IdempotentRequest) -> Attempt:
    answer = None
    if row.answer is not None:
        answer = orjson.loads(open_column("idempotent-answer", row.id.bytes, bytes(row.answer)))
    return Attempt(row.pk, bytes(row.fingerprint) if row.fingerprint is not None else None, answer)


def store_answer(attempt: Attempt, *, fingerprint: bytes, answer: dict[str, Any]) -> None:
    """Keep the answer, in the open scope: it is there when, and only if, what it tells of is."""
    sealed = seal_column("idempotent-answer", attempt.id.bytes, orjson.dumps(answer, default=str))
    IdempotentRequest.objects.filter(pk=attempt.id).update(fingerprint=fingerprint, answer=sealed)


def forget_attempt(attempt: Attempt) -> None:
    """After a failure: the key is free again at once, whatever becomes of the open scope."""
    with durable_effect():
        IdempotentRequest.objects.filter(pk=attempt.id, answer=None).delete()
