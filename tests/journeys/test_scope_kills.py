"""Scopes of incidents whose worker is killed: what it found before is kept, and counted once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from compliance.incidents.facts import IncidentFacts
from compliance.incidents.open import open_incident
from compliance.incidents.scope_request import request_scope
from compliance.incidents.scope_work import compute_scope
from compliance.models import IncidentEntry, IncidentScope
from datasets.services.read import open_release, read_records
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, rows_of, someone, upload
from tests.journeys.statements import dies_before
from tests.journeys.test_kills import worker
from tests.journeys.waiting import until
from vaultsite.celery import app
from vaultsite.kernel import jobs
from vaultsite.kernel.jobs import reap

pytestmark = pytest.mark.slow
READS, ROWS = 5, 12
DEATHS = {
    "on the second page of events": (['UPDATE "compliance_incidentscope"', "'stage': 'events'"], 2),
    "with everything found": (['UPDATE "compliance_incidentscope"', "'stage': 'done'"], 1),
}


@pytest.mark.parametrize("death", DEATHS)
def test_a_scope_killed_anywhere_finds_what_one_at_ease_finds(tenant, tmp_path, monkeypatch, death) -> None:
    monkeypatch.setattr(jobs, "QUEUED_LEASE", timedelta(seconds=4))
    app.control.purge()
    words, count = DEATHS[death]
    dataset, reader, officer = make_dataset(tenant), someone(tenant, "data_steward"), someone(tenant, "privacy_officer")
    upload(tenant, dataset, jsonl(rows_of(ROWS)))
    for _ in range(READS):
        with acting(tenant, reader):
            release = open_release(reader, dataset_id=dataset.pk, version="main", purpose="evaluation")
            assert len(list(read_records(release, limit=ROWS))) == ROWS
    until_now = timezone.now()
    with acting(tenant, officer):
        facts = IncidentFacts(title="Too much was read", principals=(reader.id,), datasets=(dataset.pk,))
        incident = open_incident(officer, facts=facts)
        since = until_now - timedelta(hours=1)
        first = request_scope(officer, incident_id=incident.pk, since=since, until=until_now)
    compute_scope(tenant.pk, first.pk)
    app.control.purge()
    with acting(tenant, officer):
        scope = request_scope(officer, incident_id=incident.pk, since=since, until=until_now)

    def look() -> IncidentScope | None:
        reap()
        with acting(tenant):
            row = IncidentScope.objects.get(pk=scope.pk)
        return row if row.is_final else None

    with worker(tmp_path, environment=dies_before(tmp_path / "died", *words, count=count)):
        done = until(look, every=0.3)
    with acting(tenant):
        whole = IncidentScope.objects.get(pk=first.pk).result
        found = IncidentEntry.objects.filter(incident=incident, kind="scope.found", facts__scope=str(scope.pk)).count()
    assert (tmp_path / "died").exists()
    assert (done.status, done.error) == ("succeeded", None)
    assert done.fence > 1
    assert whole["accesses"][0]["events"] == READS
    assert done.result == whole
    assert found == 1
