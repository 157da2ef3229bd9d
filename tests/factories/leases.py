"""People with rows of their own, and leases they hold."""

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils import timezone

from access.leases.terms import Terms
from access.models import AccessRequest, Lease, Shown, Tenant
from access.selectors import user_principal
from access.services.access_requests import approve_request, request_access
from datasets.models import Dataset
from datasets.services.read import Release, open_release
from tests.factories.access import acting, make_user
from vaultsite.kernel.tenancy.principal import Principal

PURPOSE = "evaluation"
WHY = "The evaluation of the next model needs them"
HOUR = 3600


def person(tenant: Tenant, *roles: str, purpose: str | None = PURPOSE) -> Principal:
    """A user who holds these roles, as a session proves them."""
    user = make_user(tenant, *roles)
    with acting(tenant):
        return replace(user_principal(user, purpose=purpose), mfa=True, authenticated_at=timezone.now())


def terms(**changed: Any) -> Terms:
    facts: dict[str, Any] = {"level": "read", "shown": Shown.RAW, "purpose": PURPOSE, "seconds": HOUR}
    return Terms(**(facts | changed))


def ask(tenant: Tenant, dataset: Dataset | UUID, asker: Principal, **changed: Any) -> AccessRequest:
    dataset_id = dataset if isinstance(dataset, UUID) else dataset.pk
    with acting(tenant, asker):
        return request_access(asker, dataset_id=dataset_id, terms=terms(**changed), justification=WHY)


def approve(tenant: Tenant, request: AccessRequest, approver: Principal) -> AccessRequest:
    with acting(tenant, approver):
        return approve_request(approver, request_id=request.pk, reason="They do")


def lease_for(tenant: Tenant, dataset: Dataset, holder: Principal, **changed: Any) -> Lease:
    """A lease that was asked for, and approved by as many people as it takes."""
    request = ask(tenant, dataset, holder, **changed)
    while request.lease_id is None:
        request = approve(tenant, request, person(tenant, "data_steward"))
    with acting(tenant):
        return Lease.objects.get(pk=request.lease_id)


def fresh(tenant: Tenant, lease: Lease) -> Lease:
    with acting(tenant):
        return Lease.objects.get(pk=lease.pk)


def open_as(tenant: Tenant, dataset: Dataset, reader: Principal, **facts: Any) -> Release:
    with acting(tenant, reader):
        return open_release(reader, dataset_id=dataset.pk, version="main", counts_rows=True, **facts)


def epsilon(text: str) -> Decimal:
    return Decimal(text)
