"""Record that somebody has agreed to a purpose."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import orjson
from django.db.models import Max
from django.utils import timezone

from access.models import Purpose
from access.services.authorize import authorize
from access.services.keyring import KeyHandle, KeyPurpose, column_key, current_key, open_column, seal_column
from compliance.consents.people import Identifier, keys_under, problems_of
from compliance.errors.consent import ConsentWithdrawn, PurposeNotFound
from compliance.models import Consent, ConsentKey
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal

MAX_EVIDENCE: Final = 2000
#: How far clocks of those who ask for consent may be ahead of ours.
_AHEAD: Final = timedelta(minutes=5)
_EARLIEST: Final = 2000
_SOURCE: Final = re.compile(r"[a-z][a-z0-9_.-]{0,62}")
_COLUMN: Final = "consent-evidence"
#: Consents that are looked up and inserted together.
_AT_ONCE: Final = 1000


@dataclass(frozen=True)
class Given:
    """A consent as it was given. ``evidence`` refers to what proves it; ``source`` is a code for where it was asked."""

    identifiers: tuple[Identifier, ...]
    given_at: datetime
    source: str
    expires_at: datetime | None = None
    evidence: str = ""


@dataclass(frozen=True)
class Recorded:
    """``is_new`` is False where the same had been recorded before."""

    consent: Consent
    is_new: bool


def record_consent(principal: Principal, *, purpose: str, given: Given) -> Recorded:
    """Record one consent; the same again changes nothing.

    Raises AccessDenied, PurposeNotFound, InvalidInput, ConsentWithdrawn (given before the person withdrew).
    """
    authorize(principal, "consent.manage", ResourceRef("purpose", purpose))
    row = hold_purpose(purpose)
    if problems := problems_with(given):
        raise InvalidInput(errors=problems)
    (recorded,) = save_all(principal.id, row, [given])
    if recorded is None:
        raise ConsentWithdrawn
    if recorded.is_new:
        announce(purpose, recorded=1, known=0)
    return recorded


def hold_purpose(code: str) -> Purpose:
    """The purpose, held until the open scope ends: nobody records and withdraws for it at once.

    Raises PurposeNotFound.
    """
    row = Purpose.objects.select_for_update(no_key=True).filter(code=code[:63], is_active=True).first()
    if row is None:
        raise PurposeNotFound
    return row


def problems_with(given: Given) -> list[FieldProblem]:
    """Why this can be no consent; never quotes an identifier."""
    problems = problems_of(given.identifiers)
    times = {"/given_at": given.given_at, "/expires_at": given.expires_at}
    problems += [
        FieldProblem(name, "a time with its zone, after 1999")
        for name, at in times.items()
        if at is not None and (at.tzinfo is None or at.year < _EARLIEST)
    ]
    if problems:
        return problems
    if given.given_at > timezone.now() + _AHEAD:
        problems.append(FieldProblem("/given_at", "a time that has come"))
    if given.expires_at is not None and given.expires_at <= given.given_at:
        problems.append(FieldProblem("/expires_at", "later than it was given"))
    if not _SOURCE.fullmatch(given.source):
        problems.append(FieldProblem("/source", "a code of letters, digits, dots and hyphens, at most 63"))
    if len(given.evidence) > MAX_EVIDENCE:
        problems.append(FieldProblem("/evidence", f"at most {MAX_EVIDENCE} characters"))
    return problems


def save_all(by: UUID, purpose: Purpose, given: Sequence[Given]) -> list[Recorded | None]:
    """Insert what was decided on and holds no problem, under a held purpose; None in place of what cannot be recorded.

    That is what was given before the same person withdrew. Four queries for each thousand.
    """
    found: list[Recorded | None] = []
    for start in range(0, len(given), _AT_ONCE):
        found += _save(by, purpose, given[start : start + _AT_ONCE])
    return found


def _save(by: UUID, purpose: Purpose, given: Sequence[Given]) -> list[Recorded | None]:
    index, pseudonym = current_key(KeyPurpose.INDEX).key, current_key(KeyPurpose.PSEUDONYM).key.derive(b"consent")
    keys = [keys_under(index, one.identifiers) for one in given]
    digests = [_digest(pseudonym, purpose, one, named) for one, named in zip(given, keys, strict=True)]
    known = {bytes(row.digest): row for row in Consent.objects.filter(digest__in=digests)}
    sealing = column_key()
    ended = _ended(purpose, frozenset[bytes]().union(*keys))
    made: dict[bytes, tuple[Consent, frozenset[bytes]]] = {}
    found: list[Recorded | None] = []
    for one, named, digest in zip(given, keys, digests, strict=True):
        if digest in known or digest in made:
            found.append(Recorded(known[digest] if digest in known else made[digest][0], is_new=False))
        elif any(one.given_at <= ended[key] for key in named if key in ended):
            found.append(None)
        else:
            made[digest] = (_row(by, purpose, one, digest, sealing), named)
            found.append(Recorded(made[digest][0], is_new=True))
    Consent.objects.bulk_create([row for row, _ in made.values()])
    ConsentKey.objects.bulk_create(ConsentKey(consent=row, key=key) for row, named in made.values() for key in named)
    return found


def _ended(purpose: Purpose, keys: frozenset[bytes]) -> dict[bytes, datetime]:
    """When those who withdrew did so last."""
    rows = ConsentKey.objects.filter(key__in=keys, consent__purpose=purpose, consent__withdrawals__isnull=False)
    last = rows.values("key").annotate(last=Max("consent__withdrawals__withdrawn_at"))
    return {bytes(key): at for key, at in last.values_list("key", "last")}


def _row(by: UUID, purpose: Purpose, given: Given, digest: bytes, sealing: KeyHandle) -> Consent:
    pk = uuid7()
    return Consent(
        id=pk,
        purpose=purpose,
        given_at=given.given_at,
        expires_at=given.expires_at,
        evidence=seal_column(_COLUMN, pk.bytes, given.evidence.encode(), sealing) if given.evidence else None,
        source=given.source,
        digest=digest,
        recorded_by=by,
    )


def evidence_of(consent: Consent) -> str:
    """What proves the consent, as it was recorded; empty where nothing was."""
    if consent.evidence is None:
        return ""
    return open_column(_COLUMN, consent.pk.bytes, bytes(consent.evidence)).decode()


def _digest(key: SecretKey, purpose: Purpose, given: Given, keys: frozenset[bytes]) -> bytes:
    said = [
        str(purpose.pk),
        given.given_at.timestamp(),
        given.expires_at.timestamp() if given.expires_at else None,
        given.source,
        given.evidence,
        [one.hex() for one in sorted(keys)],
    ]
    return key.mac(orjson.dumps(said))


def announce(purpose: str, *, recorded: int, known: int) -> None:
    """Tell how many consents one file brought; who they are of is told to nobody."""
    emit(
        Event(
            type=EventType.CONSENT_RECORDED,
            operation="write",
            resource=ResourceRef("purpose", purpose),
            purpose=purpose,
            metadata={"recorded": recorded, "known": known},
        )
    )
