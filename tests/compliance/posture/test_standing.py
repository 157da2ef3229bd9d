"""Rules of how controls stand: proven by what is fresh and signed, and by nothing else."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from audit.models import Alert, AuditEvent
from compliance.models.posture import ProbeResult, ProbeRun
from compliance.posture import catalog, controls
from compliance.posture.catalog import PROBES
from compliance.posture.controls import BadFramework, all_controls, frameworks, read_framework, require_use
from compliance.posture.outcome import Untried
from compliance.posture.run import plan_probes, run_probes, start_probes
from compliance.posture.standing import FRESH, ControlState, standing
from tests.compliance.posture.defences import OFF
from tests.compliance.posture.runs import guarded_tenant, officer_of, run_all, standing_of
from tests.factories.access import acting

CONTROL = {"number": "1", "title": "a", "subject": "a"}


def states_of(tenant: Any, probe: str) -> set[ControlState]:
    mapped = {one.id for one in all_controls() if probe in one.probes}
    return {one.state for one in standing_of(tenant).controls.values() if one.control.id in mapped}


def test_at_least_three_fifths_of_the_controls_of_each_framework_are_probed() -> None:
    found = all_controls()
    for controls_of in (found, *(one.controls for one in frameworks().values())):
        assert sum(one.is_probed for one in controls_of) >= 0.6 * len(controls_of)
    assert all(bool(one.outside) == bool(one.evidence) != one.is_probed for one in found)


def test_every_requirement_that_was_promised_is_there() -> None:
    numbers = {one.number for one in frameworks()["gdpr"].controls}
    assert {number.split(".")[0] for number in numbers} == {"5", "17", "25", "30", "32", "33", "44"}
    assert {one.number[:7] for one in frameworks()["hipaa"].controls} == {"164.308", "164.310", "164.312"}
    promised = {f"CC6.{number}" for number in range(1, 9)} | {f"CC7.{number}" for number in range(1, 6)}
    assert {one.number for one in frameworks()["soc2"].controls} == promised
    assert {one.number.split(".")[0] for one in frameworks()["pci_dss"].controls} == {"3", "4", "7", "8", "10", "12"}


@pytest.mark.parametrize(
    "row",
    [
        {"probes": ["none"]},
        {},
        {"probes": ["key_age"], "outside": "a", "evidence": "a"},
        {"outside": "a"},
        {"probes": ["key_age"], "more": "a"},
    ],
)
def test_a_control_maps_to_probes_that_exist_or_names_its_evidence(row) -> None:
    with pytest.raises(BadFramework):
        read_framework("a", {"title": "a", "source": "a", "control": [CONTROL | row]})


def test_a_number_stands_once_and_a_probe_is_mapped_somewhere() -> None:
    row = CONTROL | {"probes": ["key_age"]}
    with pytest.raises(BadFramework, match="twice"):
        read_framework("a", {"title": "a", "source": "a", "control": [row, row]})
    with pytest.raises(BadFramework, match="nowhere"):
        require_use([read_framework("a", {"title": "a", "source": "a", "control": [row]})])
    assert controls.frameworks() is frameworks()


@pytest.fixture(scope="module")
def proven(vault_database: None, django_db_blocker: object) -> Any:
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        tenant = guarded_tenant()
        run_all(tenant)
        yield tenant


def test_what_was_proven_is_not_any_more_once_it_is_old(proven) -> None:
    assert states_of(proven, "key_age") == {ControlState.PROVEN}
    with acting(proven):
        later = standing(timezone.now() + FRESH + timedelta(minutes=5))
    probed = [one for one in later.controls.values() if one.control.is_probed]
    assert {one.state for one in probed} == {ControlState.NOT_PROVEN}
    assert all("too old" in one.why for one in probed)


@pytest.mark.parametrize(
    "forgery",
    [
        "signature = decode(repeat('00', 64), 'hex')",
        "signed_by = decode(repeat('11', 32), 'hex')",
        "statement = statement || ' '::bytea",
        "ended_at = ended_at + interval '1 second'",
    ],
)
def test_a_result_that_was_changed_proves_nothing(proven, forgery) -> None:
    """As only the owner of the database can: the application may add results and change none."""
    with connections["owner"].cursor() as cursor:
        where = "WHERE tenant_id = %s AND probe = 'held_delete'"
        cursor.execute(f"CREATE TEMP TABLE kept AS SELECT * FROM compliance_probe_result {where}", [proven.pk])
        cursor.execute(f"UPDATE compliance_probe_result SET {forgery} {where}", [proven.pk])
        try:
            assert states_of(proven, "held_delete") == {ControlState.NOT_PROVEN}
            assert states_of(proven, "private_webhook") <= {ControlState.PROVEN}
        finally:
            cursor.execute(
                "UPDATE compliance_probe_result r SET signature = k.signature, signed_by = k.signed_by, "
                "statement = k.statement, ended_at = k.ended_at FROM kept k WHERE k.id = r.id"
            )
            cursor.execute("DROP TABLE kept")
    assert states_of(proven, "held_delete") == {ControlState.PROVEN}


def test_a_failed_result_that_is_made_to_say_passed_proves_nothing(monkeypatch) -> None:
    tenant = guarded_tenant()
    with OFF["held_delete"](tenant, monkeypatch):
        run_all(tenant)
    ProbeResult._base_manager.using("owner").filter(tenant_id=tenant.pk, probe="held_delete").update(state="passed")
    assert states_of(tenant, "held_delete") == {ControlState.NOT_PROVEN}


@pytest.mark.parametrize("fault", [Untried("the probe could not begin"), RuntimeError("canary-value")])
def test_a_probe_that_could_not_be_tried_proves_nothing_and_tells_no_failure(monkeypatch, fault) -> None:
    tenant = guarded_tenant()

    def broken(_: Any) -> Any:
        raise fault

    probe = catalog.Probe("Key age", "It is broken", broken)
    with monkeypatch.context() as inner:
        inner.setattr("compliance.posture.run.PROBES", {"key_age": probe})
        run = run_all(tenant)
    assert run.counts == {"passed": 0, "failed": 0, "error": 1}
    assert states_of(tenant, "key_age") == {ControlState.NOT_PROVEN}
    with acting(tenant):
        assert "canary-value" not in str(ProbeResult.objects.get().facts)
        assert not Alert.objects.exists()


def test_a_control_that_turns_red_is_told_once_and_again_when_it_recovers(monkeypatch) -> None:
    tenant = guarded_tenant()
    officer = officer_of(tenant)
    mapped = sorted(one.id for one in all_controls() if "held_delete" in one.probes)

    def told(kind: str) -> list[str]:
        with acting(tenant):
            return sorted(AuditEvent.objects.filter(type=kind).values_list("resource_id", flat=True))

    with OFF["held_delete"](tenant, monkeypatch):
        run_all(tenant, officer)
        run_all(tenant, officer)
    assert told("compliance.control.failed") == mapped
    with acting(tenant):
        alert = Alert.objects.get(kind="posture.failed")
    assert (alert.cause, alert.severity, alert.count, sorted(alert.facts["controls"])) == (
        "held_delete", "critical", 2, mapped,
    )  # fmt: skip
    run_all(tenant, officer)
    assert told("compliance.control.recovered") == mapped
    with acting(tenant):
        alert.refresh_from_db()
        assert (alert.state, alert.verdict) == ("resolved", "ended")
        assert AuditEvent.objects.filter(type="compliance.probes.run").count() == 3


def test_a_run_that_was_broken_off_goes_on_where_it_was(monkeypatch) -> None:
    tenant = guarded_tenant()
    officer = officer_of(tenant)
    with acting(tenant, officer):
        run = start_probes(officer)

    def killed(_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as inner:
        dead = dict(PROBES) | {"two_people": catalog.Probe("Dies", "Dies", killed)}
        inner.setattr("compliance.posture.run.PROBES", dead)
        with pytest.raises(KeyboardInterrupt):
            run_probes(tenant.pk, run.pk)
    with acting(tenant):
        kept = set(ProbeResult.objects.values_list("pk", flat=True))
        assert 0 < len(kept) < len(PROBES)
        ProbeRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    run_probes(tenant.pk, run.pk)
    with acting(tenant):
        assert ProbeRun.objects.get().status == "succeeded"
        assert kept < set(ProbeResult.objects.values_list("pk", flat=True))
        assert sorted(ProbeResult.objects.values_list("probe", flat=True)) == sorted(PROBES)


def test_probes_are_planned_once_a_day_for_every_tenant(tenant) -> None:
    plan_probes()
    assert plan_probes() == 0
    with acting(tenant):
        run = ProbeRun.objects.get()
        assert (run.trigger, run.status, len(run.probes)) == ("schedule", "queued", len(catalog.PROBES))
        ProbeRun.objects.update(status="succeeded", created_at=timezone.now() - timedelta(days=2))
    assert plan_probes() == 1


def test_a_result_from_the_future_proves_nothing(proven) -> None:
    with acting(proven):
        earlier = standing(timezone.now() - timedelta(hours=1))
    assert earlier.latest == {}
    probed = [one for one in earlier.controls.values() if one.control.is_probed]
    assert {one.state for one in probed} == {ControlState.NOT_PROVEN}


def test_a_run_from_the_future_does_not_keep_the_probes_of_today_away(tenant) -> None:
    plan_probes()
    with acting(tenant):
        ProbeRun.objects.update(status="succeeded", created_at=timezone.now() + timedelta(days=300))
    plan_probes()
    with acting(tenant):
        assert ProbeRun.objects.filter(status="queued").count() == 1
