"""Consent: a purpose that rests on it releases nobody's record who has not agreed, or does not agree any more."""

from typing import Final
from uuid import UUID, uuid4

from django.utils import timezone

from access.models import LawfulBasis
from compliance.consents.people import Identifier
from compliance.consents.purposes import Terms, create_purpose
from compliance.consents.record import Given, record_consent
from compliance.consents.withdraw import withdraw_consent
from compliance.posture.outcome import Outcome, Untried, judged
from compliance.posture.sandbox import actor, probe_dataset, sandbox
from datasets.query.ast import parse_path
from datasets.services.consent import ConsentGate, Link
from datasets.services.keys import DatasetKeys, load_keys
from datasets.tree.record import TreeRecord, canonical_record

#: Of nobody: addresses that are set aside for examples.
_AGREES: Final = "canary.who.agrees@example.com"
_OTHER: Final = "canary.who.was.not.asked@example.com"
_TYPE: Final = "EMAIL_ADDRESS"
#: Letters alone: a name by chance must not look like somebody's number.
_LETTERS: Final = str.maketrans("0123456789", "ghijklmnop")


def probe(tenant_id: UUID) -> Outcome:
    officer, breaches = actor(tenant_id, "privacy_officer"), list[str]()
    purpose = f"probe-{uuid4().hex.translate(_LETTERS)}"
    with sandbox(tenant_id, officer):
        keys = load_keys(probe_dataset(actor(tenant_id, "data_steward")).pk)
        create_purpose(officer, code=purpose, terms=Terms(lawful_basis=LawfulBasis.CONSENT))
        given = Given((Identifier(_TYPE, _AGREES),), timezone.now(), "probe")
        consent = record_consent(officer, purpose=purpose, given=given).consent
        if not _released(purpose, keys, _AGREES):
            raise Untried("the record of somebody who agreed was not released")
        if _released(purpose, keys, _OTHER):
            breaches.append("the record of somebody who was not asked was released")
        withdraw_consent(officer, consent_id=consent.pk, channel="probe")
        if _released(purpose, keys, _AGREES):
            breaches.append("the record of somebody who withdrew was released")
    return judged(breaches, attempts=3)


def _released(purpose: str, keys: DatasetKeys, person: str) -> bool:
    """Whether a read that begins now releases a record of the person."""
    record = TreeRecord(_TYPE, b"", b"", canonical_record(_TYPE, {"who": person}, {}))
    return ConsentGate((purpose,), keys, Link(parse_path("data.who"), _TYPE)).admits(record)
