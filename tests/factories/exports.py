"""Exports as the services make them, and their files as a downloader gets them."""

from pathlib import Path
from typing import Any

from access.models import Tenant
from datasets.models import Dataset, Export, ExportCompression, ExportFormat
from datasets.query import parse_filter
from datasets.services.exports.options import ExportOptions
from datasets.services.exports.parts import StoredFile, read_file
from datasets.services.exports.request import create_export
from datasets.services.exports.run import run_export
from datasets.services.exports.selection import Sample, Split
from datasets.services.keys import load_keys
from tests.factories.access import acting, rooted
from tests.factories.datasets import someone
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope


def options_of(**given: Any) -> ExportOptions:
    """Options from plain values: ``filter`` as JSON or text, ``split`` and ``sample`` as their own members."""
    makers = {
        "format": ExportFormat,
        "compression": ExportCompression,
        "filter": parse_filter,
        "fields": tuple,
        "split": lambda value: Split(**value),
        "sample": lambda value: Sample(**value),
    }
    return ExportOptions(**{name: makers.get(name, lambda same: same)(value) for name, value in given.items()})


def queue_export(
    tenant: Tenant, dataset: Dataset, *, principal: Principal | None = None, role: str = "data_steward", **given: Any
) -> Export:
    """Ask for an export; it waits for a worker."""
    principal = principal or someone(tenant, role)
    version = given.pop("version", "main")
    rooted(tenant, principal)
    with tenant_scope(tenant.pk, principal):
        return create_export(principal, dataset_id=dataset.pk, version=version, options=options_of(**given))


def export(tenant: Tenant, dataset: Dataset, **given: Any) -> Export:
    """Ask for an export and do the worker's part here."""
    queued = queue_export(tenant, dataset, **given)
    run_export(tenant.pk, queued.pk)
    return reload_export(tenant, queued)


def reload_export(tenant: Tenant, export: Export) -> Export:
    with acting(tenant):
        return Export.objects.select_related("dataset", "version").get(pk=export.pk)


def contents(tenant: Tenant, export: Export) -> dict[str, bytes]:
    """The files of a finished export by name."""
    with acting(tenant):
        keys = load_keys(export.dataset_id)
    files = [StoredFile.of(stored) for stored in export.files]
    return {file.name: b"".join(read_file(keys, file)) for file in files}


def saved(folder: Path, files: dict[str, bytes]) -> tuple[Path, list[Path]]:
    """The passport and the other files on disk, as somebody keeps them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in files.items():
        (folder / name).write_bytes(body)
    return folder / "passport.json", sorted(folder / name for name in files if name != "passport.json")
