"""Retention runs whose worker is killed: every dataset goes once, and the report is whole."""

from datetime import timedelta

import pytest

from audit.models import AuditEvent
from compliance.models import LegalHold, RetentionRun, RetentionStep
from compliance.retention.plan import start_run
from datasets.models import Dataset, Purge
from tests.compliance.holds.cases import place, whole
from tests.factories.access import acting
from tests.factories.datasets import make_dataset
from tests.factories.retention import made_ago, make_policy, officer, run_now
from tests.journeys.statements import dies_before
from tests.journeys.test_kills import worker
from tests.journeys.waiting import until
from vaultsite.celery import app
from vaultsite.kernel import jobs
from vaultsite.kernel.jobs import reap

pytestmark = pytest.mark.slow
DEATHS = {
    "one is deleted, the next not yet recorded": (['INSERT INTO "compliance_retentionstep"'], 2),
    "all are deleted": (['UPDATE "compliance_retentionrun"', "'stage': 'done'"], 1),
}


@pytest.mark.parametrize("death", DEATHS)
def test_a_run_killed_anywhere_does_everything_once(tenant, tmp_path, monkeypatch, death) -> None:
    monkeypatch.setattr(jobs, "QUEUED_LEASE", timedelta(seconds=4))
    app.control.purge()
    words, count = DEATHS[death]
    make_policy(tenant)
    datasets = {made_ago(make_dataset(tenant), 400).pk for _ in range(3)}
    run_now(tenant)
    with acting(tenant, officer(tenant)) as scope:
        run = start_run(scope.principal)

    def look() -> RetentionRun | None:
        reap()
        with acting(tenant):
            row = RetentionRun.objects.get(pk=run.pk)
        return row if row.is_final else None

    with worker(tmp_path, environment=dies_before(tmp_path / "died", *words, count=count)):
        done = until(look, every=0.3)
    assert (tmp_path / "died").exists()
    assert (done.status, done.error, done.counts) == ("succeeded", None, {"applied:delete": 3})
    assert done.fence > 1
    with acting(tenant):
        assert set(RetentionStep.objects.filter(run=run).values_list("dataset_id", flat=True)) == datasets
        assert Dataset.objects.filter(pk__in=datasets, deleted_at__isnull=False).count() == 3
        assert Purge.objects.filter(dataset_id__in=datasets).count() == 3
        assert AuditEvent.objects.filter(type="data.retention.applied").count() == 3


def test_a_hold_that_comes_while_no_worker_lives_is_obeyed_by_the_next(tenant, tmp_path, monkeypatch) -> None:
    """T73: one dataset went, the worker died over the second; what is held then is refused, the rest goes."""
    monkeypatch.setattr(jobs, "QUEUED_LEASE", timedelta(seconds=4))
    app.control.purge()
    make_policy(tenant)
    datasets = [made_ago(make_dataset(tenant), 400) for _ in range(3)]
    run_now(tenant)
    with acting(tenant, officer(tenant)) as scope:
        run = start_run(scope.principal)
    died = tmp_path / "died"
    words = ['INSERT INTO "compliance_retentionstep"']

    def hold_once_dead() -> RetentionRun | None:
        if died.exists() and not held:
            held.append(place(tenant, whole(datasets[-1])))
        if held:
            reap()
        with acting(tenant):
            row = RetentionRun.objects.get(pk=run.pk)
        return row if row.is_final else None

    held: list[LegalHold] = []
    with worker(tmp_path, environment=dies_before(died, *words, count=2)):
        done = until(hold_once_dead, every=0.3)
    assert (done.status, done.counts) == ("succeeded", {"applied:delete": 2, "refused": 1})
    with acting(tenant):
        (left,) = Dataset.objects.filter(deleted_at=None, pk__in=[one.pk for one in datasets])
        assert (left.pk, left.legal_hold) == (datasets[-1].pk, True)
        refused = RetentionStep.objects.get(run=run, dataset_id=left.pk)
    assert refused.error_code == "VAULT_DATA_4006"
