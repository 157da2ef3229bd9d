"""Rules of running probes."""

from compliance.models.posture import ProbeResult, ProbeRun
from compliance.posture.run import run_probes, start_probes
from tests.compliance.posture.runs import guarded_tenant, officer_of, run_all, standing_of
from tests.factories.access import acting
from tests.factories.regions import declare_regions, serve_only
from tests.factories.upkeep import again


def test_every_probe_passes_where_every_defence_stands() -> None:
    tenant = guarded_tenant()
    run = run_all(tenant)
    with acting(tenant):
        results = {one.probe: (one.state, one.facts) for one in ProbeResult.objects.filter(run=run)}
    assert {name: found for name, found in results.items() if found[0] != "passed"} == {}
    assert run.counts == {"passed": len(run.probes), "failed": 0, "error": 0}
    assert standing_of(tenant)


def test_a_probe_that_may_not_be_tried_here_waits_for_a_worker_of_its_zone(tenant, settings, tmp_path) -> None:
    declare_regions(settings, tmp_path)
    officer = officer_of(tenant)
    with acting(tenant, officer):
        run = start_probes(officer)
        ProbeRun.objects.filter(pk=run.pk).update(probes=["cipher_vectors", "tampered_chunk"])
    serve_only(settings, "us")
    run_probes(tenant.pk, run.pk)
    assert again(tenant, run).status == "queued"
    with acting(tenant):
        assert list(ProbeResult.objects.values_list("probe", "state")) == [("cipher_vectors", "passed")]
    serve_only(settings, "eu")
    run_probes(tenant.pk, run.pk)
    ended = again(tenant, run)
    assert (ended.status, ended.counts) == ("succeeded", {"passed": 2, "failed": 0, "error": 0})
