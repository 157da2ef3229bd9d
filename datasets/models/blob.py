"""Every object in the blob store has its row first: what has no row is an orphan, what is dead can be found."""

from django.db import models
from django.db.models.functions import Now

from vaultsite.kernel.regions import DEFAULT_STORE
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class BlobKind(models.TextChoices):
    PACK = "pack", "pack of sealed chunks and nodes"
    PART = "part", "sealed part of an upload"
    RUN = "run", "sealed sorted run of an ingest"
    REPORT = "report", "sealed report of rejected lines"
    EXPORT = "export", "sealed part of an export"


class BlobState(models.TextChoices):
    WRITING = "writing", "writing"
    SEALED = "sealed", "sealed"
    DEAD = "dead", "to be removed"


class Blob(TenantModel):
    """One object of the store.

    ``secret`` and ``key_id`` open a part, run or report; the objects inside a pack carry their own. ``job`` names the
    ingest that owns a temporary object or a pack it has not committed yet.
    """

    #: Not a foreign key: a dataset's objects are removed after its row.
    dataset_id = models.UUIDField()
    #: The alias in STORAGES it lies at: that of its dataset's region.
    store = models.CharField(max_length=64, default=DEFAULT_STORE, db_default=DEFAULT_STORE)
    name = models.CharField(max_length=120, db_collation="C")
    kind = models.CharField(max_length=6, choices=BlobKind.choices)
    state = models.CharField(max_length=7, choices=BlobState.choices, default=BlobState.WRITING)
    size = models.BigIntegerField(default=0)
    job = models.UUIDField(null=True)
    sequence = models.PositiveIntegerField(default=0)
    key_id = models.UUIDField(null=True)
    secret = models.BinaryField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(system=("SELECT", "UPDATE", "DELETE")),
            models.UniqueConstraint(fields=["tenant", "name"], name="datasets_blob_name"),
        ]
        indexes = [
            models.Index(fields=["tenant", "job", "kind", "sequence"], name="datasets_blob_job"),
            models.Index(fields=["tenant", "dataset_id", "kind"], name="datasets_blob_dataset"),
            models.Index(fields=["tenant", "state", "created_at"], name="datasets_blob_state"),
        ]
