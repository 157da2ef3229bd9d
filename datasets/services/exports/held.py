"""Which files of exports a legal hold keeps: what was handed out is evidence, as the data is.

A hold on a version keeps the files made of it, any other hold those of the whole dataset: whether the records of one
person are in a file is known by reading it alone.
"""

from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from datasets.errors import DatasetHeld
from datasets.models import Dataset, HoldKind, HoldMark
from datasets.services.preconditions import held_by


def kept_files(alias: str = "default") -> Exists:
    """Of rows of exports, those whose files a hold keeps."""
    keeps = ~Q(kind=HoldKind.VERSION) | Q(version_id=OuterRef("version_id"))
    marks = HoldMark.objects.using(alias).filter(dataset_id=OuterRef("dataset_id"), tenant_id=OuterRef("tenant_id"))
    return Exists(marks.filter(keeps))


def lock_held(dataset_id: UUID, version_id: UUID) -> Dataset | None:
    """The dataset if a hold keeps the files made of that version; until the open scope ends none comes that would."""
    dataset = Dataset.objects.select_for_update(no_key=True).filter(pk=dataset_id).first()
    if dataset is None or not dataset.legal_hold:
        return None
    marks = HoldMark.objects.filter(dataset=dataset)
    is_kept = marks.filter(~Q(kind=HoldKind.VERSION) | Q(version_id=version_id)).exists() or not marks.exists()
    return dataset if is_kept else None


def refuse_held_files(dataset_id: UUID, version_id: UUID) -> None:
    """Raises DatasetHeld while a hold keeps the files made of that version."""
    dataset = lock_held(dataset_id, version_id)
    if dataset is not None:
        raise DatasetHeld("A legal hold keeps the files of this export", **held_by(dataset))
