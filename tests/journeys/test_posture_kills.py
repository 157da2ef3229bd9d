"""Runs of probes whose worker is killed: each probe has one result, and nothing that one had made is left."""

from datetime import timedelta

import pytest

from access.models import User
from compliance.models import Incident
from compliance.models.posture import ProbeResult, ProbeRun
from compliance.posture.catalog import PROBES
from compliance.posture.run import start_probes
from datasets.models import Dataset
from tests.compliance.posture.runs import guarded_tenant, officer_of
from tests.factories.access import acting
from tests.journeys.statements import dies_before
from tests.journeys.test_kills import worker
from tests.journeys.waiting import until
from vaultsite.celery import app
from vaultsite.kernel import jobs
from vaultsite.kernel.jobs import reap

pytestmark = pytest.mark.slow
DEATHS = {
    "a probe has made a dataset, and nothing is undone yet": (['INSERT INTO "access_lease"'], 2),
    "some results are kept, the next is not": (['INSERT INTO "compliance_probe_result"'], 20),
}


@pytest.mark.parametrize("death", DEATHS)
def test_a_run_killed_anywhere_ends_with_one_result_a_probe_and_no_residue(tmp_path, monkeypatch, death) -> None:
    monkeypatch.setattr(jobs, "QUEUED_LEASE", timedelta(seconds=4))
    app.control.purge()
    words, count = DEATHS[death]
    tenant = guarded_tenant()
    officer = officer_of(tenant)
    with acting(tenant, officer):
        run = start_probes(officer)
        people = User.objects.count()

    def look() -> ProbeRun | None:
        reap()
        with acting(tenant):
            row = ProbeRun.objects.get(pk=run.pk)
        return row if row.is_final else None

    with worker(tmp_path, environment=dies_before(tmp_path / "died", *words, count=count)):
        done = until(look, every=0.3)
    assert (tmp_path / "died").exists()
    assert (done.status, done.error) == ("succeeded", None)
    assert done.fence > 1
    with acting(tenant):
        results = dict(ProbeResult.objects.filter(run=run).values_list("probe", "state"))
        assert ProbeResult.objects.filter(run=run).count() == len(PROBES)
        assert (Dataset.objects.count(), Incident.objects.count(), User.objects.count()) == (0, 0, people)
    assert {name: state for name, state in results.items() if state != "passed"} == {}
