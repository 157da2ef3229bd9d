"""Anonymize as an action: begun by one run, done by a job of its own, and reported by the run that finds it done.

A dataset is asked for it again only when a version has come since that shows something.
"""

from typing import Final
from uuid import UUID

from django.db.models import Max
from django.db.models.functions import Now

from compliance.models import RetentionNotice
from datasets.models import Dataset, Masking
from datasets.services.masking.found import count_findings_since, is_scanned, state_of
from datasets.services.masking.start import begin_masking
from vaultsite.kernel.jobs import FINAL, JobStatus, new_lease
from vaultsite.kernel.tenancy.principal import SYSTEM_PRINCIPAL_ID

_DONE: Final = JobStatus.SUCCEEDED


def masking_of(notice: RetentionNotice) -> Masking | None:
    """What was begun for an announcement; None as long as nothing was, or the dataset is gone."""
    return Masking.objects.filter(pk=notice.masking).first() if notice.masking else None


def is_under_way(masking: Masking | None) -> bool:
    return masking is not None and masking.status not in FINAL


def is_done(masking: Masking | None) -> bool:
    return masking is not None and masking.status == _DONE


def begin(dataset: Dataset, notice: RetentionNotice) -> str:
    """Begin it, under the dataset's lock; returns why the try before this one failed, if one did.

    Raises DatasetHeld, DatasetKept, NotScanned.
    """
    before = masking_of(notice)
    masking = begin_masking(dataset, reason=f"retention policy {notice.policy_id}", by=SYSTEM_PRINCIPAL_ID)
    notice.masking = masking.pk
    notice.save(update_fields=["masking"])
    return before.error_code if before else ""


def is_needless(dataset: Dataset) -> bool:
    """Whether it was done before and nothing has come since that shows anything; written down where it is so."""
    upto = _done_upto(dataset.pk)
    if upto is None or not is_scanned(dataset) or count_findings_since(dataset, upto):
        return False
    Masking.objects.create(
        dataset=dataset,
        reason="nothing was found since",
        status=_DONE,
        upto=state_of(dataset.pk).upto,
        requested_by=SYSTEM_PRINCIPAL_ID,
        lease_until=new_lease(),
        finished_at=Now(),
    )
    return True


def _done_upto(dataset_id: UUID) -> int | None:
    done = Masking.objects.filter(dataset_id=dataset_id, status=_DONE)
    upto: int | None = done.aggregate(upto=Max("upto"))["upto"]
    return upto
