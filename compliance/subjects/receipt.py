"""The receipt of a person's erasure: what was done where, what stays, and a signature that is checked offline.

The receipt is one line of JSON, signed as a C2SP signed note under the name and with the keys of the organization's
audit log; it carries the newest checkpoint of that log.
"""

import hashlib
from collections import Counter
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import orjson
from django.conf import settings
from django.utils import timezone

from access.services.keyring import open_column, seal_column
from anonymization.services.detect import detector_hash
from audit.log.checkpoints import latest_checkpoint
from audit.log.keys import create_keys, origin_of
from audit.log.note import sign_note
from compliance.errors.subjects import ReceiptNotReady
from compliance.models import PartState, RecipientTask, SubjectErasure, SubjectErasurePart
from datasets.models import Erasure
from datasets.services.erasure.receipt import open_receipt as open_record_receipt
from vaultsite.kernel.tenancy.scope import current_tenant_id

FORMAT: Final = "llm-data-vault/subject-erasure@v1"
_RECEIPT: Final = "compliance.subject-receipt"
_MANIFEST: Final = "compliance.training-manifest"
#: Months of the audit that could not be read: who took exports in them nobody can tell.
UNKNOWN: Final = "recipients_unknown"
METHOD: Final = (
    "Records are cut out of every version, branch and unfinished build; the chunk that held one is sealed anew without "
    "it and the secret of its old bytes is deleted, so that no copy of them opens. Tombstones keep leaf digests, so "
    "that old roots and the proofs of other records still verify. Tokens, drafts, quarantine, feedback, reports of "
    "rejected lines and every export of the datasets are removed, and words about the person are taken out of files of "
    "requests that are done with. The identifiers are suppressed by keyed hash."
)
BACKUPS: Final = (
    "Backups made before, and write-ahead logs archived with them, hold sealed bytes and the secrets that open them "
    "until they expire. They are beyond use: in a vault that is restored from one this erasure is done again before it "
    "opens, from the journal that is written beside the backups. Logs must not be kept longer than backups."
)
NOT_COVERED: Final = (
    "Files of the database server: they keep bytes of removed rows until its tables are written anew.",
    "The ids of erased records, their leaf digests and sizes stay in the tree.",
    "Counts of findings in older versions, and statistics released under differential privacy, stay as they were.",
    "Events of the audit name records by id and hold no value of them.",
    "Sealed answers kept for repeated requests go within 24 hours.",
    "Copies that recipients took out of the vault: they are told, one task each, as far as the audit knows them.",
    "Who took copies in months past the audit's retention, or in those of recipients_unknown: nobody knows any more.",
    "Models that were trained on the data: the training exclusion manifest names them.",
    "The files of the person's own requests stay as proof of what was asked and done (GDPR Art. 5(2) and 17(3)(e)).",
    "Words about the person in files of requests that others have open stay until those are answered.",
    "What nobody could know to be the person's: other names, pictures, audio.",
)


def make_receipt(erasure: SubjectErasure) -> dict[str, Any]:
    """In the open scope, once nothing more is erased."""
    search, now = erasure.search, timezone.now()
    checkpoint = latest_checkpoint(current_tenant_id())
    parts = list(SubjectErasurePart.objects.filter(erasure=erasure).order_by("dataset_id", "number"))
    told = [_part(part) for part in parts]
    return {
        "format": FORMAT,
        "tenant": str(erasure.tenant_id),
        "erasure": str(erasure.pk),
        "search": str(search.pk),
        "case": str(erasure.case) if erasure.case else None,
        "legal_basis": erasure.legal_basis,
        "requested_by": str(erasure.requested_by),
        "requested_at": erasure.created_at.isoformat(),
        "finished_at": now.isoformat(),
        "scope": {
            "identifier_types": sorted(Counter(search.identifier_types).items()),
            "searched_at": search.finished_at.isoformat() if search.finished_at else None,
            "datasets_searched": search.dataset_count,
            "bytes_searched": search.swept,
            "unreadable": search.unreadable,
        },
        "method": METHOD,
        "detectors": detector_hash().hex(),
        "datasets": told,
        "counts": erasure.counts,
        "conflicts": [_conflict(part) for part in parts if part.state == PartState.REFUSED],
        "remaining": erasure.remaining,
        "recipients": RecipientTask.objects.filter(erasure=erasure).count(),
        UNKNOWN: erasure.checkpoint.get(UNKNOWN, []),
        "backups": {
            "beyond_use_until": (now + timedelta(days=settings.BACKUP_DAYS)).date().isoformat(),
            "statement": BACKUPS,
        },
        "not_covered": list(NOT_COVERED),
        "checkpoint": checkpoint.note if checkpoint else None,
    }


def _part(part: SubjectErasurePart) -> dict[str, Any]:
    receipt = record_receipt(part)
    return {
        "dataset": str(part.dataset_id),
        "state": part.state,
        "records": len(part.record_ids),
        "record_erasure": str(part.record_erasure) if part.record_erasure else None,
        "tombstones": receipt["records"] if receipt else [],
        "versions_affected": receipt["versions_affected"] if receipt else 0,
        "chunks_rewritten": receipt["chunks_rewritten"] if receipt else 0,
        "unreadable": len(receipt["unreadable"]) if receipt else 0,
    }


def _conflict(part: SubjectErasurePart) -> dict[str, Any]:
    return {
        "dataset": str(part.dataset_id),
        "records": len(part.record_ids),
        "code": part.conflict,
        "basis": part.basis,
    }


def record_receipt(part: SubjectErasurePart) -> dict[str, Any] | None:
    """What the erasure in the dataset says of itself, in the open scope; None where there was none."""
    row = Erasure.objects.filter(pk=part.record_erasure).first() if part.record_erasure else None
    return open_record_receipt(row) if row is not None else None


def signed(receipt: dict[str, Any]) -> str:
    """The receipt as a signed note of the open scope's tenant. Raises SigningKeyUnavailable."""
    text = orjson.dumps(receipt, option=orjson.OPT_SORT_KEYS).decode()
    return sign_note(f"{text}\n", origin_of(current_tenant_id()), create_keys().signing)


def digest_of(note: str) -> str:
    """SHA-256 of the signed note, in hex: what the audit keeps."""
    return hashlib.sha256(note.encode()).hexdigest()


def seal_note(erasure_id: UUID, note: str) -> bytes:
    return seal_column(_RECEIPT, erasure_id.bytes, note.encode())


def seal_manifest(erasure_id: UUID, manifest: dict[str, Any]) -> bytes:
    return seal_column(_MANIFEST, erasure_id.bytes, orjson.dumps(manifest))


def open_note(erasure: SubjectErasure) -> str:
    """The signed receipt, in the open scope. Raises ReceiptNotReady."""
    if erasure.receipt is None:
        raise ReceiptNotReady(status_of_erasure=erasure.status)
    return open_column(_RECEIPT, erasure.pk.bytes, bytes(erasure.receipt)).decode()


def read_receipt(erasure: SubjectErasure) -> dict[str, Any]:
    """What the receipt says, without its signature. Raises ReceiptNotReady."""
    receipt: dict[str, Any] = orjson.loads(open_note(erasure).partition("\n")[0])
    return receipt


def open_manifest(erasure: SubjectErasure) -> dict[str, Any]:
    """The training exclusion manifest, in the open scope. Raises ReceiptNotReady."""
    if erasure.manifest is None:
        raise ReceiptNotReady(status_of_erasure=erasure.status)
    manifest: dict[str, Any] = orjson.loads(open_column(_MANIFEST, erasure.pk.bytes, bytes(erasure.manifest)))
    return manifest
