"""What happened to held data stays provable as long as the hold: its events outlive their retention."""

import pytest

from audit.proofs.retention import drop_old_months
from tests.audit.proofs.logs import grow
from tests.audit.test_retention import TODAY, _retention, has_event, month, old_event  # noqa: F401 - fixtures
from tests.compliance.holds.cases import place, release, whole
from tests.factories.datasets import make_dataset


@pytest.mark.usefixtures("_retention")
def test_no_month_of_the_audit_goes_while_a_hold_is_in_force(tenant, month, old_event) -> None:  # noqa: F811
    hold = place(tenant, whole(make_dataset(tenant)))
    grow(tenant.pk)
    (kept,) = drop_old_months(keep=4, today=TODAY)
    assert (kept.month, kept.kept_because) == (month, "a legal hold keeps events of it")
    assert has_event(tenant, old_event)
    release(tenant, hold)
    (dropped,) = drop_old_months(keep=4, today=TODAY)
    assert (dropped.month, dropped.kept_because) == (month, "")
    assert not has_event(tenant, old_event)
