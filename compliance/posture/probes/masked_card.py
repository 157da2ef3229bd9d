"""Masked card numbers: a grant shows of a record what it was given for, and a card number to few."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models.functions import Now

from access.models import HolderKind, Lease, Shown
from access.services.authorize import authorize
from access.services.policies_in_force import policies_in_force
from anonymization.services.anonymizer import build_anonymizer
from anonymization.services.detect import detect_records
from compliance.posture.outcome import Outcome, Untried, judged
from compliance.posture.sandbox import actor, probe_dataset, sandbox
from datasets.models import Dataset
from datasets.selectors import resource_of
from vaultsite.kernel.tenancy.principal import Principal

#: Of nobody: the number that is set aside for tests.
_CARD: Final = "4111 1111 1111 1111"
#: PCI DSS 3.4.1: at most the first six (or eight) and the last four digits; what is between them is the secret.
_BETWEEN: Final = "11 1111 1"
_RECORD: Final = {"data": {"text": f"She paid with the card {_CARD}, and left."}, "metadata": {}}


def probe(tenant_id: UUID) -> Outcome:
    steward, breaches = actor(tenant_id, "data_steward"), list[str]()
    with sandbox(tenant_id, steward):
        dataset = probe_dataset(steward)
        shown = {how: _shown(tenant_id, dataset, how) for how in Shown}
        if _CARD not in shown[Shown.RAW]:
            raise Untried("a grant of raw data does not show it")
        breaches += [
            f"a card number was shown to who sees records {how.label}"
            for how in (Shown.MASK, Shown.REDACT)
            if _CARD in shown[how] or _BETWEEN in shown[how]
        ]
    return judged(breaches, grants=len(shown))


def _shown(tenant_id: UUID, dataset: Dataset, how: Shown) -> str:
    """What somebody reads whose only right is a grant of this kind."""
    reader = actor(tenant_id)
    purpose = min(policies_in_force().purposes)
    _grant(reader, dataset, how, purpose)
    decision = authorize(reader, "record.read", resource_of(dataset), purpose=purpose)
    asked = [one for one in decision.obligations if one.type in ("anonymize", "mask")]
    anonymizer = build_anonymizer(asked, dataset_id=dataset.pk, purpose=purpose)
    record: dict[str, Any] = {name: dict(part) for name, part in _RECORD.items()}
    (findings,) = detect_records([(record["data"], record["metadata"])])
    return str(anonymizer.show_own(record, findings))


def _grant(reader: Principal, dataset: Dataset, how: Shown, purpose: str) -> None:
    Lease.objects.create(
        holder=reader.id,
        holder_kind=HolderKind.USER,
        dataset_id=dataset.pk,
        actions=["record.read", "dataset.read"],
        shown=how,
        purpose=purpose,
        granted_by=[],
        expires_at=Now() + timedelta(hours=1),
    )
