"""What is kept from readers until somebody has looked at it: versions, and records that could not be scanned."""

from django.db import models
from django.db.models.functions import Now

from datasets.models.dataset import Dataset
from datasets.models.version import Version
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel


class QuarantineCause(models.TextChoices):
    REFUSED_DATA = "refused_data", "holds data that may not be stored"
    NOT_SCANNED = "not_scanned", "holds records that could not be scanned"
    BY_HAND = "by_hand", "placed by hand"
    VIOLATION = "violation", "a policy was violated"


class VersionQuarantine(TenantModel):
    """A version that nobody may read. It ends when somebody releases it, with a reason."""

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="quarantines")
    version = TenantForeignKey(Version, on_delete=models.CASCADE, related_name="quarantines")
    cause = models.CharField(max_length=12, choices=QuarantineCause.choices)
    reason = models.CharField(max_length=1000, blank=True, default="")
    placed_by = models.UUIDField()
    placed_at = models.DateTimeField(db_default=Now(), editable=False)
    released_by = models.UUIDField(null=True, default=None)
    released_at = models.DateTimeField(null=True, default=None)
    release_reason = models.CharField(max_length=1000, blank=True, default="")

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="datasets_quarantine_dataset_fk", field="dataset", to="datasets.Dataset"),
            CompositeForeignKey(name="datasets_quarantine_version_fk", field="version", to="datasets.Version"),
            models.UniqueConstraint(
                fields=["tenant", "version"],
                name="datasets_quarantine_open",
                condition=models.Q(released_at=None),
            ),
        ]
        indexes = [models.Index(fields=["tenant", "dataset", "placed_at"], name="datasets_quarantine_dataset")]


class RecordState(models.TextChoices):
    PENDING = "pending", "waits for review"
    RESTORED = "restored", "staged in a draft"
    DISCARDED = "discarded", "discarded"


class QuarantinedRecord(TenantModel):
    """A record of an upload that no detector could scan to its end, sealed under the dataset's key.

    ``ingest`` is the upload's id, whose row may go before; a record shows once that has succeeded (``is_kept``).
    ``body`` and ``secret`` are gone when it was restored, discarded or erased.
    """

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="quarantined_records")
    ingest = models.UUIDField()
    branch = models.CharField(max_length=100, db_collation="C")
    line = models.BigIntegerField()
    record_id = models.CharField(max_length=128, db_collation="C")
    code = models.CharField(max_length=20)
    detail = models.CharField(max_length=300, blank=True, default="")
    body = models.BinaryField(null=True)
    secret = models.BinaryField(max_length=32, null=True)
    is_kept = models.BooleanField(default=False)
    state = models.CharField(max_length=9, choices=RecordState.choices, default=RecordState.PENDING)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    decided_by = models.UUIDField(null=True, default=None)
    decided_at = models.DateTimeField(null=True, default=None)
    reason = models.CharField(max_length=1000, blank=True, default="")

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="datasets_quarantinedrecord_dataset_fk", field="dataset", to="datasets.Dataset"),
            models.UniqueConstraint(fields=["tenant", "ingest", "line"], name="datasets_quarantinedrecord_line"),
        ]
        indexes = [
            models.Index(fields=["tenant", "dataset", "state", "id"], name="datasets_quarantined_state"),
            models.Index(fields=["tenant", "dataset", "record_id"], name="datasets_quarantined_id"),
        ]
