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
    PARQUET = "parquet", "Parquet"
    AUTO = "auto", "told by the file"


class IngestMode(models.TextChoices):
    APPEND = "append", "append"
    REPLACE = "replace", "replace"
    UPSERT = "upsert", "upsert"


class OnError(models.TextChoices):
    ABORT = "abort", "refuse the whole file"
    REJECT = "reject", "report bad lines, keep the others"


class IdMode(models.TextChoices):
    PLAIN = "plain", "as in the file"
    HASH = "hash", "a keyed hash of it"


class RecordShape(models.TextChoices):
    """What records of an upload must look like; the names are those of ``datasets.formats.shapes``."""

    ANY = "any", "any"
    AUTO = "auto", "told by the first records"
    OPENAI_CHAT = "openai-chat", "chat messages (OpenAI)"
    PROMPT_COMPLETION = "prompt-completion", "prompt and completion"
    INSTRUCTION = "instruction", "instruction, input, output (Alpaca)"
    PREFERENCE = "preference", "preference pairs"
    SHAREGPT = "sharegpt", "conversations (ShareGPT)"


class Ingest(LongRunning):
    """One upload: its sealed parts, how to read them, and how far the work has come.

    ``key`` lists the fields whose values make a record's id, by comma. ``recognized_format`` and ``recognized_shape``
    are what was found where ``auto`` was asked for, else what was asked for; empty before the file was opened.
    ``seed`` is the job's sealed random seed, from which the leaves' nonces come; it is gone once the job is final.
    """

    task_name = "datasets.run_ingest"

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="ingests")
    branch = models.CharField(max_length=100, default="main", db_collation="C")
    format = models.CharField(max_length=7, choices=IngestFormat.choices)
    mode = models.CharField(max_length=7, choices=IngestMode.choices)
    on_error = models.CharField(max_length=6, choices=OnError.choices, default=OnError.ABORT)
    id_field = models.CharField(max_length=200, blank=True, default="")
    id_mode = models.CharField(max_length=5, choices=IdMode.choices, default=IdMode.PLAIN)
    key = models.CharField(max_length=500, blank=True, default="")
    envelope = models.BooleanField(default=False)
    shape = models.CharField(max_length=17, choices=RecordShape.choices, default=RecordShape.ANY)
    recognized_format = models.CharField(max_length=7, blank=True, default="")
    recognized_shape = models.CharField(max_length=17, blank=True, default="")
    message = models.CharField(max_length=1000, blank=True, default="")
    label = models.CharField(max_length=32, blank=True, default="", db_collation="C")
    seed = models.BinaryField(null=True)
    received_bytes = models.BigIntegerField(default=0)
    part_count = models.PositiveIntegerField(default=0)
    rejected_count = models.PositiveIntegerField(default=0)
    quarantined_count = models.PositiveIntegerField(default=0)
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
