"""An export: a version on its way out as files."""

from django.db import models

from datasets.models.dataset import Dataset
from datasets.models.version import Version
from vaultsite.kernel.jobs import JobStatus, LongRunning
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import tenant_constraints


class ExportFormat(models.TextChoices):
    JSONL = "jsonl", "JSON lines"
    CSV = "csv", "CSV"
    PARQUET = "parquet", "Parquet"


class ExportCompression(models.TextChoices):
    NONE = "", "none"
    GZIP = "gzip", "gzip"
    ZSTD = "zstd", "zstd"


class Export(LongRunning):
    """What was asked for, what was decided, how far the work has come, and which files came of it.

    ``recipient`` is the party of the register that gets the files, where they leave the organization or the region.
    ``options`` are what may be read in the clear; the filter, which holds values, is sealed in ``filter``, and so is
    what a first pass over the rows found, in ``survey``. ``operator`` is how records were anonymized (empty: raw),
    ``view_hash`` what the anonymizing depended on beside records and keys, ``epoch`` the dataset's erasure epoch when
    it was decided. ``seed`` is the job's sealed random seed, from which
    fresh ids, their order and the salt of the row trees come; it is gone once the job is final. ``removed_at`` is set
    when the files went, by age, by hand or by erasure.
    """

    task_name = "datasets.run_export"

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="exports")
    version = TenantForeignKey(Version, on_delete=models.CASCADE, related_name="exports")
    format = models.CharField(max_length=7, choices=ExportFormat.choices)
    compression = models.CharField(max_length=4, choices=ExportCompression.choices, blank=True, default="")
    options = models.JSONField(default=dict)
    filter = models.BinaryField(null=True)
    survey = models.BinaryField(null=True)
    seed = models.BinaryField(null=True)
    purpose = models.CharField(max_length=64)
    recipient = models.UUIDField(null=True, default=None)
    operator = models.CharField(max_length=16, blank=True, default="")
    view_hash = models.BinaryField(max_length=32, null=True)
    policies = models.JSONField(default=list)
    obligations = models.JSONField(default=list)
    epoch = models.PositiveIntegerField()
    files = models.JSONField(default=list)
    record_count = models.BigIntegerField(default=0)
    size = models.BigIntegerField(default=0)
    expires_at = models.DateTimeField(null=True, default=None)
    removed_at = models.DateTimeField(null=True, default=None)

    class Meta(LongRunning.Meta):
        constraints = [
            *tenant_constraints(system=("SELECT", "UPDATE")),
            CompositeForeignKey(name="datasets_export_dataset_fk", field="dataset", to="datasets.Dataset"),
            CompositeForeignKey(name="datasets_export_version_fk", field="version", to="datasets.Version"),
        ]
        indexes = [
            models.Index(fields=["tenant", "dataset", "requested_by"], name="datasets_export_dataset"),
            models.Index(fields=["tenant", "version"], name="datasets_export_version"),
            models.Index(fields=["status", "lease_until"], name="datasets_export_lease"),
            models.Index(fields=["expires_at"], name="datasets_export_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.format} export {self.id}"

    @property
    def has_files(self) -> bool:
        return self.status == JobStatus.SUCCEEDED and self.removed_at is None

    @property
    def is_raw(self) -> bool:
        return not self.operator
