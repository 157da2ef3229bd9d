"""A dataset that is anonymized while workers are killed: every head once, the past erased once, all of it reported."""

from datetime import timedelta

import pytest

from compliance.models import RetentionStep
from datasets.models import Erasure, Masking, Version, VersionKind
from tests.datasets.services.test_masking import PEOPLE, rows, texts
from tests.factories.access import acting
from tests.factories.datasets import make_dataset, upload
from tests.factories.retention import made_ago, make_policy, run_now
from tests.journeys.statements import dies_before
from tests.journeys.test_kills import worker
from tests.journeys.waiting import until
from vaultsite.celery import app
from vaultsite.kernel import jobs
from vaultsite.kernel.jobs import reap

pytestmark = pytest.mark.slow
DEATHS = {
    "the new head is built and not committed": ['INSERT INTO "datasets_version"'],
    "the erasure is not yet asked for": ['INSERT INTO "datasets_erasedrecord"'],
    "the erasure has ended": ['UPDATE "datasets_masking"', "'stage': 'done'"],
}


@pytest.mark.parametrize("death", DEATHS)
def test_a_masking_killed_anywhere_does_everything_once(tenant, tmp_path, monkeypatch, death) -> None:
    monkeypatch.setattr(jobs, "QUEUED_LEASE", timedelta(seconds=4))
    app.control.purge()
    make_policy(tenant, action="anonymize")
    dataset = make_dataset(tenant)
    ada, grace, mary = PEOPLE
    upload(tenant, dataset, rows(f"Write to {ada}", f"Ask {grace}"))
    upload(tenant, dataset, rows("Write to us", f"Ask {mary}"))
    made_ago(dataset, 400)
    run_now(tenant)
    run_now(tenant)

    def look() -> Masking | None:
        reap()
        with acting(tenant):
            row = Masking.objects.get(dataset=dataset)
        return row if row.is_final else None

    with worker(tmp_path, environment=dies_before(tmp_path / "died", *DEATHS[death])):
        done = until(look, every=0.3)
    assert (tmp_path / "died").exists()
    assert (done.status, done.error, done.masked_count, done.erased_count) == ("succeeded", None, 1, 2)
    with acting(tenant):
        assert Version.objects.filter(dataset=dataset, kind=VersionKind.MASK).count() == done.version_count == 1
        assert Erasure.objects.filter(dataset=dataset).count() == 1
    assert not [person for person in PEOPLE if person in repr(texts(tenant, dataset))]
    run = run_now(tenant)
    with acting(tenant):
        assert RetentionStep.objects.get(run=run).outcome == "applied"
