"""Reports on keys and on what is encrypted under them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from access.models import EncryptionKey
from compliance.reports.events import Names
from compliance.reports.kind import Ask, Measure, ReportKind, Row
from compliance.reports.pages import in_pages
from datasets.models import Chunk, Dataset

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
    def found() -> "QuerySet[EncryptionKey]":
        keys = EncryptionKey.objects.filter(created_at__lt=ask.until)
        return keys.filter(scope_id__in=ask.datasets) if ask.datasets else keys

    names, now = Names(), timezone.now()

    def shown(page: list[EncryptionKey]) -> list[Row]:
        names.learn(set(), {key.scope_id for key in page})
        return [_key(key, names, now) for key in page]

    return in_pages(ask, found, shown)


def _key(key: EncryptionKey, names: Names, now: datetime) -> Row:
    is_late = key.state == "active" and key.expires_at is not None and key.expires_at < now
    return (
        *(str(key.pk), key.purpose, str(key.scope_id), names.dataset(key.scope_id), key.version, key.state),
        *(key.created_at, key.expires_at, "yes" if is_late else "no"),
        *(str(key.wrapped_by_id or "the KMS"), key.kms_provider, key.kms_key_id, key.kms_key_version),
    )


def _sealed(ask: Ask) -> Iterator[Row]:
    def found() -> "QuerySet[Dataset]":
        datasets = Dataset.objects.visible_to(ask.asker).filter(created_at__lt=ask.until)
        return datasets.filter(pk__in=ask.datasets) if ask.datasets else datasets

    return in_pages(ask, found, lambda page: [_dataset(one) for one in page])


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
        needs=("key.read",),
        scopes=("datasets",),
        page_columns=(
            *("purpose", "dataset", "version", "state", "created", "due", "is_overdue", "kms_provider", "kms_key"),
            "kms_key_version",
        ),
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
        scopes=("datasets",),
        page_columns=_SEALED_COLUMNS[1:],
    ),
)
