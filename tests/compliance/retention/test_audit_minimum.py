"""Events of the audit stay as long as the data that a policy asks to be kept."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from audit.proofs.retention import drop_old_months
from compliance.retention.audit import kept_until, why_kept
from compliance.retention.fixed import fixed_periods
from compliance.retention.policies import end_policy
from tests.audit.proofs.logs import grow
from tests.audit.test_retention import TODAY, _retention, has_event, month, old_event  # noqa: F401 - fixtures
from tests.factories.access import acting
from tests.factories.retention import make_policy, officer

SIX_YEARS = 2191
CENTURY = 36_500


@pytest.mark.usefixtures("_retention")
def test_a_month_stays_as_long_as_the_longest_minimum(tenant, month, old_event) -> None:  # noqa: F811
    for days, tag in ((30, "young"), (CENTURY, "hipaa")):
        policy = make_policy(tenant, minimum_days=days, tags=(tag,))
    grow(tenant.pk)
    (kept,) = drop_old_months(keep=4, today=TODAY)
    assert (kept.month, f"{CENTURY} days" in kept.kept_because) == (month, True)
    assert has_event(tenant, old_event)
    with acting(tenant, officer(tenant)) as scope:
        end_policy(scope.principal, policy_id=policy.pk)
    (dropped,) = drop_old_months(keep=4, today=TODAY)
    assert (dropped.month, dropped.kept_because) == (month, "")
    assert not has_event(tenant, old_event)


def test_a_minimum_ends_with_the_last_event_of_its_month(tenant) -> None:
    make_policy(tenant, minimum_days=SIX_YEARS)
    first = (timezone.now() - timedelta(days=SIX_YEARS - 70)).date().replace(day=1)
    long_ago = (timezone.now() - timedelta(days=SIX_YEARS + 70)).date().replace(day=1)
    assert ("2191 days" in why_kept(tenant.pk, first), why_kept(tenant.pk, long_ago)) == (True, "")


def test_the_page_says_how_long_the_minimum_keeps_the_audit(tenant, settings) -> None:
    settings.VAULT = settings.VAULT | {"AUDIT_RETENTION_MONTHS": 12}
    make_policy(tenant, minimum_days=SIX_YEARS)
    with acting(tenant):
        audit = next(one for one in fixed_periods() if one.title == "Events of the audit")
        began = AuditEvent.objects.order_by("time").first().time
    assert "2191 days" in audit.kept
    assert audit.next == kept_until(began.date(), SIX_YEARS)
