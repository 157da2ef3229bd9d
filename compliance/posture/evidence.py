"""Evidence for controls outside of the software: a person attests them by a document, until it expires."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from django.db.models.functions import Now
from django.utils import timezone

from access.services.authorize import authorize
from access.services.keyring import open_column, seal_column
from compliance.errors.posture import ControlIsProbed, EvidenceNotFound, EvidenceWithdrawn
from compliance.models.posture import ControlEvidence
from compliance.posture.controls import Control, find_control, name_in_audit
from datasets.services.descriptions import refuse_personal_data
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal

READ: Final = "posture.read"
ATTEST: Final = "posture.attest"
#: Bytes of a document; it is sealed in its row.
MOST_BYTES: Final = 1_500_000
#: Evidence is looked at anew after this long at the latest.
LONGEST: Final = timedelta(days=400)
#: What a document may be. Nothing of it is ever shown by the vault: it is downloaded.
MEDIA_TYPES: Final = ("application/pdf", "image/jpeg", "image/png", "text/csv", "text/markdown", "text/plain")
LONGEST_TITLE: Final = 200
LONGEST_STATEMENT: Final = 1000
_KIND: Final = "control-evidence"
_LISTED: Final = 100


@dataclass(frozen=True)
class Attestation:
    """What somebody says of a control: a title, what the document shows, and until when that holds."""

    title: str
    statement: str
    media_type: str
    expires_on: date


def attest_control(
    principal: Principal, *, control_id: str, attestation: Attestation, document: bytes
) -> ControlEvidence:
    """Attach a document to a control outside of the software.

    Raises AccessDenied, ControlNotFound, ControlIsProbed, InvalidInput, PersonalDataInText.
    """
    authorize(principal, ATTEST, ResourceRef("control", name_in_audit(control_id)))
    control = find_control(control_id)
    if control.is_probed:
        raise ControlIsProbed
    if problems := list(_problems(attestation, document)):
        raise InvalidInput(errors=problems)
    refuse_personal_data(title=attestation.title, statement=attestation.statement)
    evidence_id = uuid7()
    evidence = ControlEvidence.objects.create(
        id=evidence_id,
        framework=control.framework,
        control=control.id,
        title=attestation.title,
        statement=attestation.statement,
        media_type=attestation.media_type,
        size=len(document),
        sha256=hashlib.sha256(document).hexdigest(),
        sealed=seal_column(_KIND, evidence_id.bytes, document),
        expires_on=attestation.expires_on,
        attested_by=principal.id,
    )
    evidence.refresh_from_db()
    _tell(evidence, "attested")
    return evidence


def _problems(attestation: Attestation, document: bytes) -> Sequence[FieldProblem]:
    today, found = timezone.now().date(), list[FieldProblem]()
    for name, text, longest in (
        ("title", attestation.title, LONGEST_TITLE),
        ("statement", attestation.statement, LONGEST_STATEMENT),
    ):
        if not (0 < len(text) <= longest and all(line.isprintable() for line in text.splitlines())):
            found.append(FieldProblem(f"/{name}", f"1 to {longest:,} printable characters"))
    if not today < attestation.expires_on <= today + LONGEST:
        found.append(FieldProblem("/expires_on", f"A day from tomorrow on, within {LONGEST.days} days"))
    if attestation.media_type not in MEDIA_TYPES:
        found.append(FieldProblem("/media_type", f"One of {', '.join(MEDIA_TYPES)}"))
    if not 0 < len(document) <= MOST_BYTES:
        found.append(FieldProblem("/document", f"1 to {MOST_BYTES:,} bytes"))
    return found


def withdraw_evidence(principal: Principal, *, evidence_id: UUID) -> None:
    """Say that evidence counts no more; its document goes for good. Again changes nothing.

    Raises AccessDenied, EvidenceNotFound.
    """
    authorize(principal, ATTEST, _resource(evidence_id))
    evidence = _find(evidence_id)
    rows = ControlEvidence.objects.filter(pk=evidence_id, withdrawn_at=None)
    if rows.update(withdrawn_at=Now(), withdrawn_by=principal.id, sealed=None):
        _tell(evidence, "withdrawn")


def get_evidence(principal: Principal, *, evidence_id: UUID) -> ControlEvidence:
    """Raises AccessDenied, EvidenceNotFound."""
    authorize(principal, READ, _resource(evidence_id))
    return _find(evidence_id)


def open_document(principal: Principal, *, evidence_id: UUID) -> tuple[ControlEvidence, bytes]:
    """The evidence and its document. Raises AccessDenied, EvidenceNotFound, EvidenceWithdrawn, IntegrityFailure."""
    authorize(principal, READ, _resource(evidence_id), facts={"document": True})
    evidence = _find(evidence_id)
    if evidence.sealed is None:
        raise EvidenceWithdrawn
    return evidence, open_column(_KIND, evidence.pk.bytes, bytes(evidence.sealed))


def list_evidence(control: Control) -> list[ControlEvidence]:
    """All there is and was of a control, the newest first, without the documents."""
    return list(ControlEvidence.objects.filter(control=control.id).defer("sealed").order_by("-id")[:_LISTED])


def _find(evidence_id: UUID) -> ControlEvidence:
    found = ControlEvidence.objects.filter(pk=evidence_id).first()
    if found is None:
        raise EvidenceNotFound
    return found


def _resource(evidence_id: UUID) -> ResourceRef:
    return ResourceRef("evidence", str(evidence_id))


def _tell(evidence: ControlEvidence, act: str) -> None:
    facts = {
        "act": act,
        "control": evidence.control,
        "sha256": evidence.sha256,
        "expires_on": evidence.expires_on.isoformat(),
    }
    emit(Event(EventType.EVIDENCE_CHANGED, "update", _resource(evidence.pk), metadata=facts))
