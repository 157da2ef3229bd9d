"""Retention: what is past its period is due, what a minimum keeps is not, and nobody deletes it before."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Now

from compliance.models import RetentionAction, RetentionPolicy, RetentionStart
from compliance.posture.outcome import Outcome, Untried, judged
from compliance.posture.sandbox import actor, probe_dataset, sandbox
from compliance.retention.evaluate import judged as judged_by
from datasets.errors.lifecycle import DatasetKept
from datasets.models import Dataset
from datasets.services.lifecycle import delete_dataset
from vaultsite.kernel.tenancy.principal import Principal


def probe(tenant_id: UUID) -> Outcome:
    """Policies are asked and never saved: one that is in force would concern every dataset."""
    steward, breaches = actor(tenant_id, "data_steward"), list[str]()
    with sandbox(tenant_id, steward):
        rows = Dataset.objects.filter(pk=probe_dataset(steward).pk)
        rows.update(created_at=Now() - timedelta(days=100))
        period = _policy(tenant_id, duration_days=30, action=RetentionAction.DELETE)
        if not _is_due(rows, period):
            breaches.append("a dataset past its period is not due")
        if _is_due(rows, period, _policy(tenant_id, minimum_days=200)):
            breaches.append("a dataset is due before its minimum is over")
        rows.update(keep_until=Now() + timedelta(days=1))
        if not _is_kept(steward, rows.get()):
            breaches.append("a dataset was deleted before its minimum was over")
        else:
            rows.update(keep_until=None)
            if _is_kept(steward, rows.get()):
                raise Untried("a dataset that nothing keeps could not be deleted")
    return judged(breaches, attempts=3)


def _policy(tenant_id: UUID, **terms: Any) -> RetentionPolicy:
    return RetentionPolicy(tenant_id=tenant_id, name="probe", starts=RetentionStart.CREATED, **terms)


def _is_due(rows: "QuerySet[Dataset]", *policies: RetentionPolicy) -> bool:
    due = judged_by(policies).filter(pk__in=rows.values("pk"), acts_at__lte=Now(), acts_as=RetentionAction.DELETE)
    return bool(due.exists())


def _is_kept(steward: Principal, dataset: Dataset) -> bool:
    try:
        delete_dataset(steward, dataset_id=dataset.pk)
    except DatasetKept:
        return True
    return False
