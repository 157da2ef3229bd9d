"""Erasures, collections and scrubs as the services make them, and what can still be opened in a dataset."""

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from access.models import Tenant
from datasets.models import Branch, Chunk, Dataset, Erasure, FindingsBlob, GarbageCollection, Ingest, Scrub, Version
from datasets.services.erasure.receipt import open_receipt
from datasets.services.erasure.request import request_erasure
from datasets.services.erasure.work import run_erasure
from datasets.services.keys import load_keys
from datasets.services.places import FAULTS, open_findings, open_place, places_of
from datasets.services.upkeep.jobs import run_collection, run_scrub, start_collection, start_scrub
from datasets.tree.chunk import ChunkCodec
from tests.factories.access import acting, principal_with
from tests.factories.datasets import someone
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.blobs.filesystem import AtomicFileSystemStorage
from vaultsite.kernel.tenancy.scope import tenant_scope


def queue_erasure(tenant: Tenant, dataset: Dataset, ids: Sequence[str], reason: str = "asked for") -> Erasure:
    officer = someone(tenant, "privacy_officer")
    with tenant_scope(tenant.pk, officer):
        return request_erasure(officer, dataset_id=dataset.pk, record_ids=ids, reason=reason)


def erase(tenant: Tenant, dataset: Dataset, ids: Sequence[str]) -> Erasure:
    """Ask for an erasure and do the worker's part here."""
    erasure = queue_erasure(tenant, dataset, ids)
    run_erasure(tenant.pk, erasure.pk)
    return again(tenant, erasure)


def again(tenant: Tenant, job: Any) -> Any:
    """The row as it is now."""
    with acting(tenant):
        return type(job).objects.get(pk=job.pk)


def receipt_of(tenant: Tenant, erasure: Erasure) -> dict[str, Any]:
    with acting(tenant):
        receipt = open_receipt(Erasure.objects.get(pk=erasure.pk))
    assert receipt is not None
    return receipt


def collect(tenant: Tenant, dataset: Dataset) -> GarbageCollection:
    admin = principal_with(tenant, "tenant_admin")
    with tenant_scope(tenant.pk, admin):
        collection = start_collection(admin, dataset_id=dataset.pk)
    run_collection(tenant.pk, collection.pk)
    return again(tenant, collection)


def scrub(tenant: Tenant, dataset: Dataset) -> Scrub:
    admin = principal_with(tenant, "tenant_admin")
    with tenant_scope(tenant.pk, admin):
        job = start_scrub(admin, dataset_id=dataset.pk)
    run_scrub(tenant.pk, job.pk)
    return again(tenant, job)


def readable_bytes(tenant: Tenant, dataset: Dataset) -> bytes:
    """Every chunk, node, sidecar and set of findings that opens with what the tables say now, decompressed.

    Not only what versions reach: leftovers and the packs of unfinished jobs too.
    """
    blobs, codec, parts = BlobStore.default(), ChunkCodec(), []
    with acting(tenant):
        keys = load_keys(dataset.pk)
        places = places_of(Chunk.objects.filter(dataset=dataset))
        findings = list(FindingsBlob.objects.filter(dataset=dataset).select_related("blob"))
        for place in places:
            try:
                stored = open_place(keys, blobs, place)
            except FAULTS:
                continue
            parts += [stored.body, stored.sidecar]
            if place.kind == "chunk":
                parts += codec.decode(stored.body).lines
        for row in findings:
            try:
                parts.append(open_findings(keys, blobs, row))
            except FAULTS:
                continue
    return b"\n".join(parts)


def drop_head(tenant: Tenant, dataset: Dataset) -> None:
    """Take the newest version away from its branch, as a purge does: what only it reached is garbage."""
    with acting(tenant):
        branch = Branch.objects.select_related("head__parent").get(dataset=dataset, name="main")
        assert branch.head is not None
        newest = branch.head
        Ingest.objects.filter(version=newest).update(version=None)
        Branch.objects.filter(pk=branch.pk).update(head=newest.parent)
        Version.objects.filter(pk=newest.pk).delete()


@contextmanager
def full_disk(settings: Any) -> Iterator[None]:
    """No object can be stored inside."""
    before = settings.STORAGES
    inner = AtomicFileSystemStorage(**before["vault"]["OPTIONS"])
    faulty = {"inner": inner, "error": errno.ENOSPC, "only": frozenset({"save"})}
    settings.STORAGES = before | {"vault": {"BACKEND": "tests.faults.FaultyStorage", "OPTIONS": faulty}}
    yield
    settings.STORAGES = before


def file_of(name: str) -> Path:
    """The file a blob lies in."""
    return Path(settings.STORAGES["vault"]["OPTIONS"]["location"]) / name
