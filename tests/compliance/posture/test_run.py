"""Rules of running probes."""

from compliance.models.posture import ProbeResult
from tests.compliance.posture.runs import guarded_tenant, run_all, standing_of
from tests.factories.access import acting


def test_every_probe_passes_where_every_defence_stands() -> None:
    tenant = guarded_tenant()
    run = run_all(tenant)
    with acting(tenant):
        results = {one.probe: (one.state, one.facts) for one in ProbeResult.objects.filter(run=run)}
    assert {name: found for name, found in results.items() if found[0] != "passed"} == {}
    assert run.counts == {"passed": len(run.probes), "failed": 0, "error": 0}
    assert standing_of(tenant)
