"""The receipt of an erasure: what was erased, from where, and what is left of it."""

import hashlib
from typing import Any, Final

import orjson
from django.conf import settings
from django.utils import timezone

from access.services.keyring import open_column, seal_column
from datasets.models import ErasedRecord, Erasure
from datasets.services.erasure.suppress import split_cells
from datasets.tree.digests import DIGEST_BYTES

_KIND: Final = "erasure-receipt"
KEPT: Final = (
    "Of each record its id, leaf digest and size stay, so that the proofs of other records still hold. "
    "Counts of findings in older versions stay as they were."
)
BACKUPS: Final = (
    "Backups of the database made before the erasure, and write-ahead logs archived with them, hold the secrets that "
    "open the old bytes until they expire. Files of the database server hold them until its tables are written anew."
)


def make_receipt(erasure: Erasure, *, versions: int, unreadable: list[bytes]) -> dict[str, Any]:
    """In an open scope, once nothing can bring the records back."""
    rows = list(ErasedRecord.objects.filter(erasure=erasure).order_by("record_id"))
    found = [row for row in rows if row.leaves]
    return {
        "erasure": str(erasure.pk),
        "dataset": str(erasure.dataset_id),
        "reason": erasure.reason,
        "requested_by": str(erasure.requested_by),
        "requested_at": erasure.created_at.isoformat(),
        "erased_at": rows[0].erased_at.isoformat(),
        "sealed_at": timezone.now().isoformat(),
        "epoch": erasure.epoch,
        "records": [{"id": row.record_id, "leaves": _leaves(row)} for row in found],
        "not_found": [row.record_id for row in rows if not row.leaves],
        "chunks_rewritten": erasure.chunk_count,
        "versions_affected": versions,
        "unreadable": sorted(digest.hex() for digest in unreadable),
        "kept": KEPT,
        "backups": {"days": settings.BACKUP_DAYS, "statement": BACKUPS},
    }


def _leaves(row: ErasedRecord) -> list[str]:
    return [leaf.hex() for leaf in split_cells(bytes(row.leaves), DIGEST_BYTES)]


def seal_receipt(erasure: Erasure, receipt: dict[str, Any]) -> tuple[bytes, str]:
    """The sealed receipt, and the SHA-256 of its JSON (sorted keys) in hex, which the audit keeps."""
    encoded = orjson.dumps(receipt, option=orjson.OPT_SORT_KEYS)
    return seal_column(_KIND, erasure.pk.bytes, encoded), hashlib.sha256(encoded).hexdigest()


def open_receipt(erasure: Erasure) -> dict[str, Any] | None:
    """The receipt, in an open scope; None before the erasure has ended."""
    if erasure.receipt is None:
        return None
    receipt: dict[str, Any] = orjson.loads(open_column(_KIND, erasure.pk.bytes, bytes(erasure.receipt)))
    return receipt
