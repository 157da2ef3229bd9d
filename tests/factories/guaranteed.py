"""Exports under a guarantee as the services make them, and their files as their recipients read them."""

from typing import Any

import numpy as np

from access.models import Tenant
from anonymization.guarantees.guarantee import Guarantee
from datasets.models import Dataset, ExportFormat, GuaranteedExport
from datasets.services.exports.parts import PASSPORT, StoredFile, read_file
from datasets.services.guaranteed.options import Column, GuaranteedOptions, Role
from datasets.services.guaranteed.read_back import rows_of
from datasets.services.guaranteed.request import create_guaranteed_export
from datasets.services.guaranteed.run import run_guaranteed_export
from datasets.services.guaranteed.spool import analytics_keys
from datasets.services.release_rules import DeclaredRules, NewRules, declare_release_rules
from tests.factories.access import acting, rooted
from tests.factories.datasets import someone
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

JOBS = ("clerk", "nurse", "pilot", "baker")
COLUMNS = (
    Column("person", Role.SUBJECT),
    Column("age", Role.QUASI),
    Column("job", Role.QUASI),
    Column("spent", Role.SENSITIVE, is_ordered=True),
)


def people(count: int, *, seed: int = 7, each: int = 1) -> list[dict[str, Any]]:
    """Rows of ``count`` people, ``each`` of them several times."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        age, job = int(random.integers(20, 70)), JOBS[int(random.integers(len(JOBS)))]
        rows += [
            {
                "id": f"r{number:05d}x{turn}",
                "person": f"P{number:05d}",
                "age": age,
                "job": job,
                "spent": int(random.integers(5)),
                "at": f"2026-03-{1 + number % 28:02d}T10:17:03+00:00",
                "note": f"asked by ada{number}@example.com",
            }
            for turn in range(each)
        ]
    return rows


def options_of(**given: Any) -> GuaranteedOptions:
    values = {"columns": COLUMNS, "guarantee": Guarantee(3), "format": ExportFormat.JSONL} | given
    return GuaranteedOptions(**values)


def queue_guaranteed(
    tenant: Tenant, dataset: Dataset, *, principal: Principal | None = None, role: str = "data_steward", **given: Any
) -> GuaranteedExport:
    """Ask for an export; it waits for a worker."""
    principal = principal or someone(tenant, role)
    version = given.pop("version", "main")
    rooted(tenant, principal)
    with tenant_scope(tenant.pk, principal):
        return create_guaranteed_export(principal, dataset_id=dataset.pk, version=version, options=options_of(**given))


def guaranteed(tenant: Tenant, dataset: Dataset, **given: Any) -> GuaranteedExport:
    """Ask for an export and do the worker's part here."""
    queued = queue_guaranteed(tenant, dataset, **given)
    run_guaranteed_export(tenant.pk, queued.pk)
    return reload_guaranteed(tenant, queued)


def reload_guaranteed(tenant: Tenant, export: GuaranteedExport) -> GuaranteedExport:
    with acting(tenant):
        return GuaranteedExport.objects.select_related("dataset", "version").get(pk=export.pk)


def contents(tenant: Tenant, export: GuaranteedExport) -> dict[str, bytes]:
    """The files of a finished export by name."""
    with acting(tenant):
        keys = analytics_keys(export.dataset_id)
    files = [StoredFile.of(stored) for stored in export.files]
    return {file.name: b"".join(read_file(keys, file)) for file in files}


def table(tenant: Tenant, export: GuaranteedExport) -> list[dict[str, Any]]:
    """The released rows."""
    files = contents(tenant, export)
    return [
        row for name, body in files.items() if name != PASSPORT for row in rows_of(body, ExportFormat(export.format))
    ]


def declare_rules(
    tenant: Tenant, dataset: Dataset, *, subject: str = "person", principal: Principal | None = None, **given: Any
) -> DeclaredRules:
    """What a steward says of the dataset's people, before who reads no raw record may ask about them."""
    principal = principal or someone(tenant, "data_steward")
    new = NewRules(subject, **({"sensitive": ("spent",), "minimum_k": 2} | given))
    with tenant_scope(tenant.pk, principal):
        return declare_release_rules(principal, dataset_id=dataset.pk, new=new)
