"""Datasets, uploads and reads as the services make them."""

import json
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import uuid4

import orjson

from access.models import Tenant
from datasets.models import Dataset, Ingest, IngestFormat, IngestMode, OnError
from datasets.services.datasets import DatasetFacts, create_dataset
from datasets.services.lifecycle import purge_dataset
from datasets.services.purge import run_purge
from datasets.services.read import ReadRecord, open_release, read_records
from datasets.services.write import UploadOptions, begin_ingest, finish_receiving, run_ingest
from tests.factories.access import principal_with
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

PURPOSE = "evaluation"
#: A name by chance must not look like somebody's number.
_LETTERS = str.maketrans("0123456789", "ghijklmnop")


def someone(tenant: Tenant, role: str) -> Principal:
    return principal_with(tenant, role, purpose=PURPOSE)


def make_dataset(tenant: Tenant, steward: Principal | None = None, **facts: Any) -> Dataset:
    steward = steward or someone(tenant, "data_steward")
    facts = {"name": f"dataset-{uuid4().hex[:12].translate(_LETTERS)}"} | facts
    with tenant_scope(tenant.pk, steward):
        return create_dataset(steward, facts=DatasetFacts(**facts))


def jsonl(rows: Iterable[Any]) -> bytes:
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def rows_of(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Chat-like rows with an e-mail address in every tenth."""
    return [
        {
            "prompt": f"Question {index} of set {seed}: what is {index} times {seed + 3}?",
            "response": f"It is {index * (seed + 3)}." + (f" Ask ada.{index}@example.com." if index % 10 == 0 else ""),
        }
        for index in range(count)
    ]


def blocks(body: bytes, size: int = 64 * 1024) -> Iterator[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))


def queue_upload(
    tenant: Tenant, dataset: Dataset, body: bytes, steward: Principal | None = None, **options: Any
) -> Ingest:
    """Send a file; its ingest waits for a worker."""
    steward = steward or someone(tenant, "data_steward")
    kinds = {"format": IngestFormat, "mode": IngestMode, "on_error": OnError}
    chosen = {name: kinds[name](value) if name in kinds else value for name, value in options.items()}
    with tenant_scope(tenant.pk, steward):
        begun = begin_ingest(steward, dataset_id=dataset.pk, options=UploadOptions(**chosen))
    return finish_receiving(steward, begun, blocks(body))


def upload(tenant: Tenant, dataset: Dataset, body: bytes, **options: Any) -> Ingest:
    """Send a file and do the worker's part here."""
    ingest = queue_upload(tenant, dataset, body, **options)
    run_ingest(tenant.pk, ingest.pk)
    return reload(tenant, ingest)


def reload(tenant: Tenant, ingest: Ingest) -> Ingest:
    with tenant_scope(tenant.pk, Principal.system(tenant.pk)):
        return Ingest.objects.select_related("version", "version__parent", "dataset").get(pk=ingest.pk)


def purge(tenant: Tenant, dataset: Dataset, steward: Principal | None = None) -> None:
    """Remove a dataset for good, the worker's part included."""
    steward = steward or someone(tenant, "data_steward")
    with tenant_scope(tenant.pk, steward):
        begun = purge_dataset(steward, dataset_id=dataset.pk)
    run_purge(tenant.pk, begun.pk)


def read_all(tenant: Tenant, dataset: Dataset, role: str = "data_steward", version: str = "main") -> list[ReadRecord]:
    reader = someone(tenant, role)
    with tenant_scope(tenant.pk, reader):
        release = open_release(reader, dataset_id=dataset.pk, version=version)
    return list(read_records(release))


def sorted_rows(rows: Iterable[Any]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True) for row in rows)
