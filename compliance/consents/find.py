"""Look up consents: by person, by purpose; and what a withdrawal leaves to be done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from access.services.authorize import authorize
from access.services.keyring import KeyPurpose, current_key
from compliance.consents.people import Identifier, keys_of, problems_of
from compliance.consents.record import evidence_of
from compliance.errors.consent import ConsentNotFound
from compliance.models import Consent, ConsentKey
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

#: Consents that one person's look-up shows.
MOST: Final = 500
#: Hexadecimal digits of a pseudonym: among a million people no two share one (the odds are 1 to 30 million).
_PSEUDONYM: Final = 16


@dataclass(frozen=True)
class ShownConsent:
    """A consent as those see it who may; nothing of it names the person. ``state``: given, expired or withdrawn.

    ``pseudonym`` is the same for consents under the same identifiers, and means nothing outside the tenant.
    """

    id: UUID
    purpose: str
    pseudonym: str
    state: str
    given_at: datetime
    expires_at: datetime | None
    withdrawn_at: datetime | None
    channel: str
    source: str
    evidence: str
    identifiers: int
    recorded_at: datetime
    recorded_by: UUID

    def as_json(self) -> dict[str, Any]:
        return {name: str(value) if isinstance(value, UUID) else value for name, value in vars(self).items()}


def consents_of(principal: Principal, *, identifiers: Sequence[Identifier]) -> list[ShownConsent]:
    """Every consent of one person with its history, newest first. Raises AccessDenied, InvalidInput."""
    authorize(principal, "consent.read", ResourceRef("consent"))
    if problems := problems_of(identifiers):
        raise InvalidInput(errors=problems)
    mine = ConsentKey.objects.filter(consent=OuterRef("pk"), key__in=keys_of(identifiers))
    return _shown(Consent.objects.filter(Exists(mine)).order_by("-given_at", "-pk")[:MOST])


def find_consent(principal: Principal, consent_id: UUID) -> ShownConsent:
    """Raises AccessDenied, ConsentNotFound."""
    authorize(principal, "consent.read", ResourceRef("consent", str(consent_id)))
    return shown_consent(consent_id)


def shown_consent(consent_id: UUID) -> ShownConsent:
    """For who has decided already. Raises ConsentNotFound."""
    found = _shown(Consent.objects.filter(pk=consent_id))
    if not found:
        raise ConsentNotFound
    return found[0]


def list_consents(principal: Principal, *, after: UUID | None, limit: int, purpose: str = "") -> list[ShownConsent]:
    """At most ``limit`` consents, those recorded last first. Raises AccessDenied."""
    authorize(principal, "consent.read", ResourceRef("consent"))
    rows = Consent.objects.order_by("-pk")
    rows = rows.filter(pk__lt=after) if after else rows
    return _shown((rows.filter(purpose__code=purpose) if purpose else rows)[:limit])


def _shown(rows: Any) -> list[ShownConsent]:
    found = list(rows.select_related("purpose").prefetch_related("keys", "withdrawals").annotate(now=Now()))
    key = current_key(KeyPurpose.PSEUDONYM).key.derive(b"consent-person") if found else None
    return [_one(row, key) for row in found] if key else []


def _one(row: Any, key: SecretKey) -> ShownConsent:
    named = [bytes(one.key) for one in row.keys.all()]
    ended = next(iter(row.withdrawals.all()), None)
    has_lapsed = row.expires_at is not None and row.expires_at <= row.now
    return ShownConsent(
        id=row.pk,
        purpose=row.purpose.code,
        pseudonym=key.mac(b"".join(sorted(named))).hex()[:_PSEUDONYM],
        state="withdrawn" if ended else "expired" if has_lapsed else "given",
        given_at=row.given_at,
        expires_at=row.expires_at,
        withdrawn_at=ended.withdrawn_at if ended else None,
        channel=ended.channel if ended else "",
        source=row.source,
        evidence=evidence_of(row),
        identifiers=len(named),
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
    )
