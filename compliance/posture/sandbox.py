"""Where probes try: a scope of the tenant in which everything is undone at the end, events included."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from access.policy.builtin import ROLES
from access.services.keyring import drop_tenant
from datasets.models import Dataset
from datasets.services.datasets import DatasetFacts, create_dataset
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import Scope, tenant_scope

#: Letters alone: a name by chance must not look like somebody's number.
_LETTERS = str.maketrans("0123456789", "ghijklmnop")


@contextmanager
def sandbox(tenant_id: UUID, principal: Principal | None = None) -> Iterator[Scope]:
    """A scope whose writes, durable ones too, and events are rolled back, whatever happens. No scope may be open.

    ``principal`` acts in it; the vault itself where there is none.
    """
    try:
        with tenant_scope(tenant_id, principal or Principal.system(tenant_id)) as scope:
            scope.keeps_nothing = True
            try:
                with transaction.atomic():
                    yield scope
                    transaction.set_rollback(True)
            finally:
                scope.events.primary = None
                scope.events.lasting.clear()
    finally:
        drop_tenant(tenant_id)  # keys that were made in it never were


def actor(tenant_id: UUID, *roles: str, proved_at: datetime | None = None) -> Principal:
    """Somebody who is nobody's user and holds built-in roles, as a session with a second factor proves them."""
    return Principal(
        id=uuid4(),
        kind="user",
        tenant_id=tenant_id,
        name="probe",
        roles=frozenset(roles),
        permissions=frozenset[str]().union(*(ROLES[role].permissions for role in roles)),
        credential="session",
        mfa=True,
        authenticated_at=proved_at or timezone.now(),
    )


def probe_dataset(steward: Principal, *, region: str | None = None) -> Dataset:
    """A dataset that lives as long as the open sandbox, in the region or the default one. Raises as create_dataset."""
    name = f"probe {uuid4().hex.translate(_LETTERS)}"
    return create_dataset(steward, facts=DatasetFacts(name=name, region=region))
