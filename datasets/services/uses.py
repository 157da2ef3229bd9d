"""Note when, and for which purpose, records of a dataset are read."""

from datetime import timedelta
from typing import Final

from django.db.models.functions import Now

from datasets.models import Dataset, DatasetUse

#: How exact the last access is kept: a busy dataset is not written to with every read.
RESOLUTION: Final = timedelta(minutes=1)


def note_use(dataset: Dataset, purpose: str) -> None:
    """Note in the open scope that records of the dataset are read for ``purpose``."""
    uses = DatasetUse.objects.filter(dataset=dataset, purpose=purpose)
    if uses.filter(last_read_at__lt=Now() - RESOLUTION).update(last_read_at=Now()) or uses.exists():
        return
    DatasetUse.objects.bulk_create([DatasetUse(dataset=dataset, purpose=purpose)], ignore_conflicts=True)
