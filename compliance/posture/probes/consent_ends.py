"""Consent: a purpose that rests on it releases nobody's record who has not agreed, or does not agree any more."""

from typing import Final
from uuid import UUID, uuid4

from django.utils import timezone

from access.models import LawfulBasis
from access.services.authorize import Decision, authorize
from compliance.consents.people import Identifier
from compliance.consents.purposes import Terms, create_purpose
from compliance.consents.record import Given, record_consent
from compliance.consents.withdraw import withdraw_consent
from compliance.posture.outcome import Outcome, Untried, judged
from compliance.posture.sandbox import actor, probe_dataset, sandbox
from datasets.models import Dataset
from datasets.selectors import resource_of
from datasets.services.consent import KIND, gate_of
from datasets.services.consent_links import Declared, declare_consent_link
from datasets.tree.record import TreeRecord, canonical_record
from vaultsite.kernel.tenancy.principal import Principal

#: Of nobody: addresses that are set aside for examples.
_AGREES: Final = "canary.who.agrees@example.com"
_OTHER: Final = "canary.who.was.not.asked@example.com"
_TYPE: Final = "EMAIL_ADDRESS"
#: Letters alone: a name by chance must not look like somebody's number.
_LETTERS: Final = str.maketrans("0123456789", "ghijklmnop")


def probe(tenant_id: UUID) -> Outcome:
    officer, steward = actor(tenant_id, "privacy_officer"), actor(tenant_id, "data_steward")
    purpose, breaches = f"probe-{uuid4().hex.translate(_LETTERS)}", list[str]()
    with sandbox(tenant_id, officer):
        dataset = probe_dataset(steward)
        declare_consent_link(officer, dataset_id=dataset.pk, declared=Declared("/data/who", _TYPE))
        create_purpose(officer, code=purpose, terms=Terms(lawful_basis=LawfulBasis.CONSENT))
        given = Given((Identifier(_TYPE, _AGREES),), timezone.now(), "probe")
        consent = record_consent(officer, purpose=purpose, given=given).consent
        decision = _decided(steward, dataset, purpose)
        if not decision.asked(KIND):
            breaches.append("a decision to release did not ask for the consent that its purpose rests on")
        if not _released(decision, dataset, _AGREES):
            raise Untried("the record of somebody who agreed was not released")
        if _released(decision, dataset, _OTHER):
            breaches.append("the record of somebody who was not asked was released")
        withdraw_consent(officer, consent_id=consent.pk, channel="probe")
        if _released(_decided(steward, dataset, purpose), dataset, _AGREES):
            breaches.append("the record of somebody who withdrew was released")
    return judged(breaches, attempts=4)


def _decided(steward: Principal, dataset: Dataset, purpose: str) -> Decision:
    """The decision of a read for the purpose, as any read begins. Raises AccessDenied."""
    return authorize(steward, "record.read", resource_of(dataset), purpose=purpose)


def _released(decision: Decision, dataset: Dataset, person: str) -> bool:
    """Whether a read under the decision that begins now releases a record of the person."""
    gate = gate_of(decision, dataset)
    return gate is None or gate.admits(TreeRecord(_TYPE, b"", b"", canonical_record(_TYPE, {"who": person}, {})))
