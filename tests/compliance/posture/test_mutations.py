"""With each defence switched off in turn exactly the controls mapped to its probe turn red."""

from collections.abc import Iterator

import pytest

from access.models import Tenant
from compliance.posture.catalog import PROBES
from compliance.posture.controls import all_controls
from compliance.posture.standing import ControlState
from tests.compliance.posture.defences import MORE, OFF, Defence
from tests.compliance.posture.runs import guarded_tenant, officer_of, run_all, standing_of
from vaultsite.kernel.tenancy.principal import Principal


@pytest.fixture(scope="module")
def guarded(vault_database: None, django_db_blocker: object) -> Iterator[tuple[Tenant, Principal]]:
    """One tenant for all of them: what is switched off is switched on again."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        tenant = guarded_tenant()
        yield tenant, officer_of(tenant)


def test_every_probe_has_a_defence_that_can_be_switched_off() -> None:
    assert set(OFF) == set(PROBES)


@pytest.mark.parametrize(("probe", "off"), [*((probe, OFF[probe]) for probe in PROBES), *MORE])
def test_without_its_defence_exactly_the_mapped_controls_turn_red(
    guarded, monkeypatch, probe: str, off: Defence
) -> None:
    tenant, officer = guarded
    with off(tenant, monkeypatch):
        run = run_all(tenant, officer)
    assert run.counts == {"passed": len(PROBES) - 1, "failed": 1, "error": 0}
    stands = standing_of(tenant).controls
    red = {one.control.id for one in stands.values() if one.state == ControlState.FAILED}
    assert red == {control.id for control in all_controls() if probe in control.probes}
    assert {one.state for one in stands.values() if one.control.is_probed} <= {
        ControlState.FAILED,
        ControlState.PROVEN,
    }


def test_switched_on_again_they_are_all_proven(guarded) -> None:
    tenant, officer = guarded
    run_all(tenant, officer)
    assert {one.state for one in standing_of(tenant).controls.values() if one.control.is_probed} == {
        ControlState.PROVEN
    }
