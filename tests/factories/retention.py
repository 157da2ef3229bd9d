"""Retention policies, and time that passes."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from access.models import Tenant
from compliance.models import RetentionNotice, RetentionPolicy, RetentionRun
from compliance.retention.plan import start_run
from compliance.retention.policies import PolicyTerms, create_policy
from compliance.retention.run import run_retention
from datasets.models import Dataset, Version
from tests.factories.access import acting, principal_with
from vaultsite.kernel.tenancy.principal import Principal

_LETTERS = str.maketrans("0123456789", "ghijklmnop")


def officer(tenant: Tenant) -> Principal:
    return principal_with(tenant, "privacy_officer")


def make_policy(tenant: Tenant, **terms: Any) -> RetentionPolicy:
    """Delete a year after creation, announced at the run before, unless ``terms`` say otherwise."""
    name = f"policy-{uuid4().hex[:8].translate(_LETTERS)}"
    usual: dict[str, Any] = {"name": name, "legal_basis": "Storage limitation (GDPR, article 5)", "starts": "created"}
    if "minimum_days" not in terms or "action" in terms:
        usual |= {"duration_days": 365, "action": "delete", "grace_days": 0}
    with acting(tenant, officer(tenant)) as scope:
        return create_policy(scope.principal, terms=PolicyTerms(**(usual | terms)))


def made_ago(dataset: Dataset, days: int) -> Dataset:
    """The dataset and its versions, as if made so many days ago."""
    then = timezone.now() - timedelta(days=days)
    Dataset.objects.using("owner").filter(pk=dataset.pk).update(created_at=then)
    Version.objects.using("owner").filter(dataset_id=dataset.pk).update(created_at=then)
    return dataset


def run_now(tenant: Tenant) -> RetentionRun:
    """A run, its worker's part included."""
    with acting(tenant, officer(tenant)) as scope:
        run = start_run(scope.principal)
    run_retention(tenant.pk, run.pk)
    with acting(tenant):
        return RetentionRun.objects.get(pk=run.pk)


def let_grace_pass(dataset: Dataset) -> None:
    past = timezone.now() - timedelta(seconds=1)
    RetentionNotice.objects.using("owner").filter(dataset_id=dataset.pk).update(acts_after=past)
