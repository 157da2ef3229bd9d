"""The upkeep of what is stored: garbage collections and scrubs."""

from django.db import models

from datasets.models.dataset import Dataset
from vaultsite.kernel.jobs import LongRunning
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import tenant_constraints


class GarbageCollection(LongRunning):
    """Removes the chunks and nodes that no version reaches, and packs those that are left closer.

    ``freed_bytes`` are those of the packs that died of it; ``moved_bytes`` those that were copied into new packs.
    """

    task_name = "datasets.run_garbage_collection"

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="garbage_collections")
    swept_count = models.PositiveIntegerField(default=0)
    dead_pack_count = models.PositiveIntegerField(default=0)
    moved_bytes = models.BigIntegerField(default=0)
    freed_bytes = models.BigIntegerField(default=0)

    class Meta(LongRunning.Meta):
        constraints = [
            *tenant_constraints(system=("SELECT", "UPDATE")),
            CompositeForeignKey(name="datasets_gc_dataset_fk", field="dataset", to="datasets.Dataset"),
        ]
        indexes = [
            models.Index(fields=["tenant", "dataset", "created_at"], name="datasets_gc_dataset"),
            models.Index(fields=["status", "lease_until"], name="datasets_gc_lease"),
        ]

    def __str__(self) -> str:
        return f"garbage collection {self.id}"


class Scrub(LongRunning):
    """Reads every stored object of a dataset and checks that it is what it was.

    ``damaged_count`` counts the objects that did not open or verify, ``healed_count`` those that do again.
    """

    task_name = "datasets.run_scrub"

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="scrubs")
    object_count = models.PositiveIntegerField(default=0)
    damaged_count = models.PositiveIntegerField(default=0)
    healed_count = models.PositiveIntegerField(default=0)

    class Meta(LongRunning.Meta):
        constraints = [
            *tenant_constraints(system=("SELECT", "UPDATE")),
            CompositeForeignKey(name="datasets_scrub_dataset_fk", field="dataset", to="datasets.Dataset"),
        ]
        indexes = [
            models.Index(fields=["tenant", "dataset", "created_at"], name="datasets_scrub_dataset"),
            models.Index(fields=["status", "lease_until"], name="datasets_scrub_lease"),
        ]

    def __str__(self) -> str:
        return f"scrub {self.id}"
