"""Withdraw: from the next request on nothing of the person is released for the purpose."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef

from access.services.authorize import authorize
from compliance.consents.people import Identifier, keys_of, problems_of
from compliance.consents.record import hold_purpose
from compliance.errors.consent import ConsentNotFound, ConsentWithdrawn
from compliance.models import Consent, ConsentKey, ConsentTask, ConsentWithdrawal, PurposeTerms, WithdrawalEffect
from datasets.models import SubjectIndexEntry
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

_CHANNEL: Final = re.compile(r"[a-z][a-z0-9_.-]{0,62}")


@dataclass(frozen=True)
class Withdrawn:
    """How many consents ended, how many datasets the subject index finds the person in, and the task, if one came."""

    consents: int
    datasets: int
    task_id: UUID | None


def withdraw_consent(
    principal: Principal, *, consent_id: UUID, channel: str, effect: WithdrawalEffect | None = None
) -> Withdrawn:
    """End one person's consent to the purpose of the given one. ``effect`` None: what the purpose says follows.

    Raises AccessDenied, InvalidInput, ConsentNotFound, ConsentWithdrawn.
    """
    authorize(principal, "consent.manage", ResourceRef("consent", str(consent_id)))
    _require_channel(channel)
    consent = Consent.objects.select_related("purpose").filter(pk=consent_id).first()
    if consent is None:
        raise ConsentNotFound
    hold_purpose(consent.purpose.code)
    if ConsentWithdrawal.objects.filter(consent=consent).exists():
        raise ConsentWithdrawn
    keys = {bytes(key) for key in ConsentKey.objects.filter(consent=consent).values_list("key", flat=True)}
    return _end(principal, consent.purpose.code, keys, channel, effect)


def withdraw_of_person(
    principal: Principal,
    *,
    purpose: str,
    identifiers: Sequence[Identifier],
    channel: str,
    effect: WithdrawalEffect | None = None,
) -> Withdrawn:
    """End every consent of a person to a purpose, whichever of their identifiers it was given under.

    ``effect`` None: what the purpose says follows.

    Raises AccessDenied, InvalidInput, PurposeNotFound, ConsentNotFound where there is none to end.
    """
    authorize(principal, "consent.manage", ResourceRef("purpose", purpose))
    _require_channel(channel)
    if problems := problems_of(identifiers):
        raise InvalidInput(errors=problems)
    hold_purpose(purpose)
    return _end(principal, purpose, set(keys_of(identifiers)), channel, effect)


def _require_channel(channel: str) -> None:
    if not _CHANNEL.fullmatch(channel):
        raise InvalidInput(errors=[FieldProblem("/channel", "a code of letters, digits, dots and hyphens, at most 63")])


def _end(
    principal: Principal, purpose: str, keys: set[bytes], channel: str, effect: WithdrawalEffect | None
) -> Withdrawn:
    consents, keys = _all_of_person(purpose, keys)
    if not consents:
        raise ConsentNotFound
    ended = [ConsentWithdrawal(consent=one, channel=channel, recorded_by=principal.id) for one in consents]
    ConsentWithdrawal.objects.bulk_create(ended)
    datasets = SubjectIndexEntry.objects.filter(key__in=keys).values("dataset_id").distinct().count()
    is_erased = _leads_to_erasure(purpose) if effect is None else effect == WithdrawalEffect.ERASE
    task = ConsentTask.objects.create(withdrawal=ended[0]) if is_erased else None
    withdrawn = Withdrawn(len(consents), datasets, task.pk if task else None)
    emit(_event(purpose, consents[0], withdrawn))
    return withdrawn


def _all_of_person(purpose: str, keys: set[bytes]) -> tuple[list[Consent], set[bytes]]:
    """What stands for the purpose under these keys, and under every other that one of those consents ties to them."""
    while True:
        mine = ConsentKey.objects.filter(consent=OuterRef("pk"), key__in=keys)
        found = Consent.objects.filter(Exists(mine), purpose__code=purpose, withdrawals=None).order_by("pk")
        consents = list(found)
        tied = {bytes(key) for key in ConsentKey.objects.filter(consent__in=consents).values_list("key", flat=True)}
        if tied <= keys:
            return consents, keys
        keys = keys | tied


def _leads_to_erasure(purpose: str) -> bool:
    return PurposeTerms.objects.filter(purpose__code=purpose, on_withdrawal=WithdrawalEffect.ERASE).exists()


def _event(purpose: str, consent: Consent, withdrawn: Withdrawn) -> Event:
    return Event(
        type=EventType.CONSENT_WITHDRAWN,
        operation="update",
        resource=ResourceRef("consent", str(consent.pk)),
        purpose=purpose,
        severity="warning",
        metadata={
            "consents": withdrawn.consents,
            "datasets": withdrawn.datasets,
            "effect": str(WithdrawalEffect.ERASE if withdrawn.task_id else WithdrawalEffect.RESTRICT),
            "task": str(withdrawn.task_id or ""),
        },
    )
