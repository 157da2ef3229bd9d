"""An ingest: an upload on its way to becoming a version."""

from django.db import models

from datasets.models.dataset import Dataset
from datasets.models.version import Version
from vaultsite.kernel.jobs import LongRunning
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import tenant_constraints


class IngestFormat(models.TextChoices):
    JSONL = "jsonl", "JSON lines"
    CSV = "csv", "CSV"


class IngestMode(models.TextChoices):
    APPEND = "append", "append"
    REPLACE = "replace", "replace"


class OnError(models.TextChoices):
    ABORT = "abort", "refuse the whole file"
    REJECT = "reject", "report bad lines, keep the others"


class Ingest(LongRunning):
    """One upload: its sealed parts, how to read them, and how far the work has come.

    ``seed`` is the job's sealed random seed, from which the leaves' nonces come; it is gone once the job is final.
    """

    task_name = "datasets.run_ingest"

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="ingests")
    branch = models.CharField(max_length=100, default="main", db_collation="C")
    format = models.CharField(max_length=5, choices=IngestFormat.choices)
    mode = models.CharField(max_length=7, choices=IngestMode.choices)
    on_error = models.CharField(max_length=6, choices=OnError.choices, default=OnError.ABORT)
    id_field = models.CharField(max_length=200, blank=True, default="")
    envelope = models.BooleanField(default=False)
    message = models.CharField(max_length=1000, blank=True, default="")
    label = models.CharField(max_length=32, blank=True, default="", db_collation="C")
    seed = models.BinaryField(null=True)
    received_bytes = models.BigIntegerField(default=0)
    part_count = models.PositiveIntegerField(default=0)
    rejected_count = models.PositiveIntegerField(default=0)
    purpose = models.CharField(max_length=64, blank=True, default="")
    version = TenantForeignKey(Version, on_delete=models.SET_NULL, null=True)

    class Meta(LongRunning.Meta):
        constraints = [
            *tenant_constraints(system=("SELECT", "UPDATE")),
            CompositeForeignKey(name="datasets_ingest_dataset_fk", field="dataset", to="datasets.Dataset"),
            CompositeForeignKey(name="datasets_ingest_version_fk", field="version", to="datasets.Version"),
        ]
        indexes = [
            models.Index(fields=["tenant", "dataset", "created_at"], name="datasets_ingest_dataset"),
            models.Index(fields=["status", "lease_until"], name="datasets_ingest_lease"),
        ]

    def __str__(self) -> str:
        return f"{self.format} upload {self.id}"
