"""What access keeps for a while only goes when its time is over, and not before."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from access.models import (
    AccessRequest,
    BulkEvaluation,
    Lease,
    PolicyReplay,
    RefreshToken,
    RequestVerdict,
    Tenant,
    TokenFamily,
)
from access.services import policies, replays
from access.services.bulk_evaluations import start_evaluation
from access.services.inquiries import Asked
from access.services.upkeep import EVALUATIONS_KEPT, FAMILIES_KEPT, REPLAYS_KEPT, REQUESTS_KEPT, purge_what_is_over
from access.tasks import purge_expired
from tests.factories.access import acting, make_user, principal_with
from tests.factories.datasets import make_dataset
from tests.factories.leases import approve, ask, person

HOUR = timedelta(hours=1)


def set_back(row: Any, **moments: timedelta | None) -> None:
    changed = {name: None if by is None else timezone.now() - by for name, by in moments.items()}
    assert type(row)._base_manager.using("owner").filter(pk=row.pk).update(**changed) == 1


def there(tenant: Tenant, row: Any) -> bool:
    with acting(tenant):
        return bool(type(row)._base_manager.filter(pk=row.pk).exists())


def family(tenant: Tenant) -> TokenFamily:
    user = make_user(tenant, "viewer")
    with acting(tenant):
        ends = timezone.now() + HOUR
        made = TokenFamily.objects.create(
            user=user, method="password", authenticated_at=timezone.now(), expires_at=ends
        )
        RefreshToken.objects.create(family=made, secret_hash=b"x" * 32, expires_at=ends)
        return made


def replay(tenant: Tenant) -> PolicyReplay:
    admin = principal_with(tenant, "tenant_admin")
    text = 'forbid(principal, action == Action::"export.create", resource);'
    with acting(tenant, admin):
        drafted = policies.draft_policy(admin, name="tried", text=text)
        return replays.start_replay(admin, policy_id=drafted.policy_id, number=1, days=1)


def evaluation(tenant: Tenant) -> BulkEvaluation:
    officer = principal_with(tenant, "security_officer")
    with acting(tenant, officer):
        return start_evaluation(officer, asked=[Asked("x", "read")])


def decided(tenant: Tenant) -> AccessRequest:
    request = ask(tenant, make_dataset(tenant), person(tenant, "viewer"))
    return approve(tenant, request, person(tenant, "data_steward"))


CASES: dict[str, tuple[Callable[[Tenant], Any], str, timedelta]] = {
    "expired family": (family, "expires_at", timedelta(0)),
    "ended family": (family, "revoked_at", FAMILIES_KEPT),
    "replay": (replay, "finished_at", REPLAYS_KEPT),
    "evaluation": (evaluation, "finished_at", EVALUATIONS_KEPT),
    "request": (decided, "closed_at", REQUESTS_KEPT),
}


@pytest.mark.parametrize("case", CASES)
def test_it_goes_once_its_time_is_over(tenant: Tenant, case: str) -> None:
    make, column, kept = CASES[case]
    row = make(tenant)
    set_back(row, **{column: kept - HOUR})
    purge_expired()
    assert there(tenant, row)
    set_back(row, **{column: kept + HOUR})
    purge_expired()
    assert not there(tenant, row)


def test_a_request_nobody_decided_on_goes_long_after_it_lapsed(tenant: Tenant) -> None:
    request = ask(tenant, make_dataset(tenant), person(tenant, "viewer"))
    set_back(request, decide_by=REQUESTS_KEPT + HOUR)
    assert purge_what_is_over()["requests"] >= 1
    assert not there(tenant, request)


def test_what_belongs_to_it_goes_with_it_and_the_lease_it_gave_stays(tenant: Tenant) -> None:
    request = decided(tenant)
    token = family(tenant)
    set_back(request, closed_at=REQUESTS_KEPT + HOUR)
    set_back(token, expires_at=HOUR)
    purge_what_is_over()
    with acting(tenant):
        assert not RequestVerdict.objects.filter(request_id=request.pk).exists()
        assert not RefreshToken.objects.filter(family_id=token.pk).exists()
        assert Lease.objects.filter(pk=request.lease_id).exists()
