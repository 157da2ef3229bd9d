"""Erasures, and the list of what was erased that every later build consults."""

from django.db import models

from datasets.models.dataset import Dataset
from vaultsite.kernel.jobs import LongRunning
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class Erasure(LongRunning):
    """The erasure of records from every version of a dataset.

    ``epoch`` is the dataset's erasure epoch that the request raised it to. The counts are of records found, chunks
    rewritten and versions that held any of them. ``receipt`` is sealed; there is none before the end. One that
    ``spares`` takes content that was there before, and neither what its records spare nor what else comes under their
    ids.
    """

    task_name = "datasets.run_erasure"

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="erasures")
    reason = models.CharField(max_length=1000)
    purpose = models.CharField(max_length=64, blank=True, default="")
    epoch = models.PositiveIntegerField()
    id_count = models.PositiveIntegerField()
    record_count = models.PositiveIntegerField(default=0)
    chunk_count = models.PositiveIntegerField(default=0)
    version_count = models.PositiveIntegerField(default=0)
    receipt = models.BinaryField(null=True)
    spares = models.BooleanField(default=False, db_default=False)

    class Meta(LongRunning.Meta):
        constraints = [
            *tenant_constraints(system=("SELECT", "UPDATE")),
            CompositeForeignKey(name="datasets_erasure_dataset_fk", field="dataset", to="datasets.Dataset"),
        ]
        indexes = [
            models.Index(fields=["tenant", "dataset", "created_at"], name="datasets_erasure_dataset"),
            models.Index(fields=["status", "lease_until"], name="datasets_erasure_lease"),
        ]

    def __str__(self) -> str:
        return f"erasure {self.id}"


class ErasedRecord(TenantModel):
    """One record that was asked to be erased: what no upload from before may bring back.

    ``content_keys`` (16 bytes each) and ``leaves`` (32 bytes each) are of the records that were found under the id, one
    behind the other. ``erased_at`` is when the erasure was asked for, later when it ended. ``spared`` are the leaves
    under the id that stay.
    """

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE)
    erasure = TenantForeignKey(Erasure, on_delete=models.CASCADE, related_name="records")
    record_id = models.CharField(max_length=128, db_collation="C")
    content_keys = models.BinaryField(default=bytes)
    leaves = models.BinaryField(default=bytes)
    spared = models.BinaryField(default=bytes, db_default=b"")
    erased_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="datasets_erased_dataset_fk", field="dataset", to="datasets.Dataset"),
            CompositeForeignKey(name="datasets_erased_erasure_fk", field="erasure", to="datasets.Erasure"),
            models.UniqueConstraint(fields=["tenant", "erasure", "record_id"], name="datasets_erased_record"),
        ]
        indexes = [models.Index(fields=["tenant", "dataset", "erased_at"], name="datasets_erased_since")]
