"""A tenant to measure in, and the write and read paths as a client calls them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID

from access.models import Tenant
from datasets.models import Dataset, Ingest, Version
from datasets.services.datasets import DatasetFacts, create_dataset
from datasets.services.lifecycle import purge_dataset
from datasets.services.purge import run_purge
from datasets.services.write import UploadOptions, run_ingest
from vaultsite.demo.credentials import Login
from vaultsite.demo.people import ensure_tenant, ensure_users, principal_named
from vaultsite.demo.uploads import send_file
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope


def steward() -> Principal:
    """The steward of the benchmarks' tenant, made at the first use."""
    tenant: Tenant = ensure_tenant("benchmarks", "Benchmarks")
    ensure_users(tenant, [Login.generate("benchmarks", "data_steward")], new=())
    return principal_named(tenant, "data-steward", purpose="evaluation")


@contextmanager
def new_dataset(principal: Principal) -> Iterator[Dataset]:
    """A dataset for one measurement; nothing of it stays."""
    with tenant_scope(principal.tenant_id, principal):
        dataset = create_dataset(principal, facts=DatasetFacts(name=f"b-{uuid7().hex[-12:]}"))
    try:
        yield dataset
    finally:
        with tenant_scope(principal.tenant_id, principal):
            purge = purge_dataset(principal, dataset_id=dataset.pk)
        run_purge(principal.tenant_id, purge.pk)


def queue(principal: Principal, dataset: Dataset, blocks: Iterable[bytes]) -> Ingest:
    """Receive a file."""
    return send_file(principal, dataset.pk, iter(blocks), UploadOptions())


def ingest(principal: Principal, dataset: Dataset, blocks: Iterable[bytes]) -> Version:
    """Receive a file and do the worker's part here."""
    queued = queue(principal, dataset, blocks)
    run_ingest(principal.tenant_id, queued.pk)
    return version_of(principal.tenant_id, queued.pk)


def version_of(tenant_id: UUID, ingest_id: UUID) -> Version:
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        found = Ingest.objects.select_related("version").get(pk=ingest_id)
    assert found.version is not None, found.error
    return found.version
