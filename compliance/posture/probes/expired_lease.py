"""Expired lease read: a lease opens a dataset for its purpose and its time, and nothing before, beside or after."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db.models.functions import Now

from access.errors import AccessDenied, UnknownPurpose
from access.models import HolderKind, Lease, Shown
from access.services.authorize import authorize
from access.services.policies_in_force import policies_in_force
from compliance.posture.outcome import Outcome, Untried, judged
from compliance.posture.sandbox import actor, probe_dataset, sandbox
from datasets.selectors import resource_of
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

_READ: Final = "record.read"


def probe(tenant_id: UUID) -> Outcome:
    steward, reader = actor(tenant_id, "data_steward"), actor(tenant_id)
    breaches: list[str] = []
    with sandbox(tenant_id):
        dataset = probe_dataset(steward)
        resource = resource_of(dataset)
        purpose, *others = sorted(policies_in_force().purposes)
        if _opens(reader, resource, purpose):
            breaches.append("a dataset was read without a lease")
        lease = _lease(reader, dataset.pk, purpose)
        rows = Lease.objects.filter(pk=lease.pk)
        if not _opens(reader, resource, purpose):
            raise Untried("a lease that should open the dataset does not")
        if others and _opens(reader, resource, others[0]):
            breaches.append("a lease opened for another purpose than its own")
        rows.update(expires_at=Now())
        if _opens(reader, resource, purpose):
            breaches.append("an expired lease was read under")
        rows.update(expires_at=Now() + timedelta(hours=1), revoked_at=Now())
        if _opens(reader, resource, purpose):
            breaches.append("a revoked lease was read under")
    return judged(breaches, attempts=5 if others else 4)


def _lease(reader: Principal, dataset_id: UUID, purpose: str) -> Lease:
    return Lease.objects.create(
        holder=reader.id,
        holder_kind=HolderKind.USER,
        dataset_id=dataset_id,
        actions=[_READ, "dataset.read"],
        shown=Shown.RAW,
        purpose=purpose,
        granted_by=[],
        expires_at=Now() + timedelta(hours=1),
    )


def _opens(reader: Principal, resource: ResourceRef, purpose: str) -> bool:
    try:
        authorize(reader, _READ, resource, purpose=purpose)
    except (AccessDenied, UnknownPurpose):
        return False
    return True
