"""Reports on keys and on what is encrypted under them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Sum
from django.utils import timezone

from access.models import EncryptionKey
from compliance.reports.events import Names
from compliance.reports.kind import Ask, Measure, ReportKind, Row
from datasets.models import Chunk, Dataset

#: Rows read in one transaction.
_PAGE: Final = 1_000
_KEY_COLUMNS: Final = (
    *("key_id", "purpose", "dataset_id", "dataset", "version", "state", "created", "due", "is_overdue"),
    *("wrapped_by", "kms_provider", "kms_key", "kms_key_version"),
)
_SEALED_COLUMNS: Final = (
    *("dataset_id", "dataset", "classification", "algorithm", "sealed_objects", "sealed_bytes"),
    *("under_active_key", "under_older_keys", "key_version", "key_state", "key_created"),
)
#: How every object of a dataset is sealed (docs/explanation/record-tree.md).
ALGORITHM: Final = "AES-256-GCM, key-committing, 16 KiB segments"


def _keys(ask: Ask) -> Iterator[Row]:
    names, after, now = Names(), None, timezone.now()
    while True:
        with ask.scope():
            keys = EncryptionKey.objects.filter(created_at__lt=ask.until).order_by("id")
            if ask.datasets:
                keys = keys.filter(scope_id__in=ask.datasets)
            page = list((keys.filter(id__gt=after) if after else keys)[:_PAGE])
            names.learn(set(), {key.scope_id for key in page})
        yield from (_key(key, names, now) for key in page)
        if len(page) < _PAGE:
            return
        after = page[-1].pk


def _key(key: EncryptionKey, names: Names, now: datetime) -> Row:
    is_late = key.state == "active" and key.expires_at is not None and key.expires_at < now
    return (
        *(str(key.pk), key.purpose, str(key.scope_id), names.dataset(key.scope_id), key.version, key.state),
        *(key.created_at, key.expires_at, "yes" if is_late else "no"),
        *(str(key.wrapped_by_id or "the KMS"), key.kms_provider, key.kms_key_id, key.kms_key_version),
    )


def _sealed(ask: Ask) -> Iterator[Row]:
    after: UUID | None = None
    while True:
        with ask.scope():
            datasets = Dataset.objects.visible_to(ask.asker).filter(created_at__lt=ask.until).order_by("id")
            if ask.datasets:
                datasets = datasets.filter(pk__in=ask.datasets)
            page = list((datasets.filter(id__gt=after) if after else datasets)[:100])
            rows = [_dataset(one) for one in page]
        yield from rows
        if len(page) < 100:  # noqa: PLR2004 - a page of datasets
            return
        after = page[-1].pk


def _dataset(dataset: Dataset) -> Row:
    key = EncryptionKey.objects.filter(purpose="dataset", scope_id=dataset.pk).order_by("-version").first()
    under = Chunk.objects.filter(dataset=dataset).values_list("key_id")
    counted: dict[Any, tuple[int, int]] = {
        key_id: (number, size or 0) for key_id, number, size in under.annotate(Count("pk"), Sum("length"))
    }
    objects, size = sum(one for one, _ in counted.values()), sum(one for _, one in counted.values())
    current = counted.get(key.pk, (0, 0))[0] if key else 0
    return (
        *(str(dataset.pk), dataset.name, dataset.classification, ALGORITHM, objects, size, current, objects - current),
        *((key.version, key.state, key.created_at) if key else (0, "", None)),
    )


KINDS: Final = (
    ReportKind(
        code="soc2_keys",
        title="Encryption keys",
        about=(
            "Every key of the organization: what it is for, how old it is, what wraps it, and whether a "
            "successor is due."
        ),
        maps_to=("SOC 2 CC6.1", "PCI DSS 3.6", "PCI DSS 3.7", "HIPAA 164.312(a)(2)(iv)"),
        columns=_KEY_COLUMNS,
        rows=_keys,
        breakdowns=("purpose", "state", "kms_provider"),
        measures=(
            Measure("Active", "state", frozenset({"active"})),
            Measure("Overdue for rotation", "is_overdue", frozenset({"yes"})),
            Measure("Destroyed", "state", frozenset({"destroyed"}), "type=data.key.destroyed"),
        ),
        query="type=data.key.*",
    ),
    ReportKind(
        code="hipaa_encryption",
        title="Encryption at rest",
        about=(
            "For each dataset how many objects are sealed, how, and under which key. Records are stored in no "
            "other way."
        ),
        maps_to=("HIPAA 164.312(a)(2)(iv)", "HIPAA 164.312(e)(2)(ii)", "GDPR Art. 32", "SOC 2 CC6.7"),
        columns=_SEALED_COLUMNS,
        rows=_sealed,
        breakdowns=("classification", "key_state"),
        measures=(Measure("Under a destroyed key", "key_state", frozenset({"destroyed"}), "type=data.key.destroyed"),),
        query="type=data.key.*",
    ),
)
