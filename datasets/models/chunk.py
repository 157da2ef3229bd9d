"""Where the tree's objects lie: logical digest to pack, offset and the secret that opens them."""

from django.db import models
from django.db.models.functions import Now

from datasets.models.blob import Blob
from datasets.models.dataset import Dataset
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel


class ObjectKind(models.TextChoices):
    CHUNK = "chunk", "run of records"
    NODE = "node", "inner node"


class Chunk(TenantModel):
    """One chunk or inner node of the record tree.

    ``digest`` commits to records only; place, key and secret are free to change. Deleting ``secret`` makes every copy
    of the object unreadable. What has ``damaged_at`` did not open or verify and is never served.
    """

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE)
    digest = models.BinaryField(max_length=32)
    kind = models.CharField(max_length=5, choices=ObjectKind.choices)
    blob = TenantForeignKey(Blob, on_delete=models.PROTECT)
    offset = models.PositiveIntegerField()
    length = models.PositiveIntegerField()
    sidecar_offset = models.PositiveIntegerField()
    sidecar_length = models.PositiveIntegerField()
    key_id = models.UUIDField()
    secret = models.BinaryField(max_length=32)
    record_count = models.BigIntegerField()
    canonical_bytes = models.BigIntegerField()
    touched_at = models.DateTimeField(db_default=Now())
    damaged_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="datasets_chunk_dataset_fk", field="dataset", to="datasets.Dataset"),
            CompositeForeignKey(name="datasets_chunk_blob_fk", field="blob", to="datasets.Blob"),
            models.UniqueConstraint(fields=["tenant", "dataset", "digest"], name="datasets_chunk_digest"),
        ]
        indexes = [
            models.Index(fields=["tenant", "blob"], name="datasets_chunk_blob"),
            models.Index(fields=["tenant", "dataset", "key_id"], name="datasets_chunk_key"),
        ]


class FindingsBlob(TenantModel):
    """What one set of detectors found in one chunk, sealed; no row means not scanned."""

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE)
    digest = models.BinaryField(max_length=32)
    detector = models.BinaryField(max_length=32)
    blob = TenantForeignKey(Blob, on_delete=models.PROTECT)
    offset = models.PositiveIntegerField()
    length = models.PositiveIntegerField()
    key_id = models.UUIDField()
    secret = models.BinaryField(max_length=32)
    damaged_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="datasets_findings_dataset_fk", field="dataset", to="datasets.Dataset"),
            CompositeForeignKey(name="datasets_findings_blob_fk", field="blob", to="datasets.Blob"),
            models.UniqueConstraint(fields=["tenant", "dataset", "digest", "detector"], name="datasets_findings_set"),
        ]
        indexes = [models.Index(fields=["tenant", "blob"], name="datasets_findings_blob")]


class SubjectIndexEntry(TenantModel):
    """Keyed hash of one identifier of a person -> the record that holds it."""

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE)
    key = models.BinaryField(max_length=32)
    record_id = models.CharField(max_length=128, db_collation="C")
    leaf = models.BinaryField(max_length=32)
    #: The job that wrote it, so that one that fails can take it back.
    job = models.UUIDField()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="datasets_subject_dataset_fk", field="dataset", to="datasets.Dataset"),
            models.UniqueConstraint(fields=["tenant", "key", "dataset", "leaf"], name="datasets_subject_unique"),
        ]
        indexes = [
            models.Index(fields=["tenant", "dataset", "record_id"], name="datasets_subject_record"),
            models.Index(fields=["tenant", "job"], name="datasets_subject_ingest"),
        ]
