"""What legal holds keep: marks that everything which deletes looks at. Who holds what and why is the case file's."""

from django.db import models
from django.db.models.functions import Now

from datasets.models.dataset import Dataset
from datasets.models.version import Version
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class HoldKind(models.TextChoices):
    """How much of a dataset one mark keeps."""

    DATASET = "dataset", "the whole dataset"
    VERSION = "version", "one version"
    SUBJECT = "subject", "the records of a person"
    QUERY = "query", "the records that meet a filter"


class HoldMark(TenantModel):
    """One scope of one legal hold on one dataset; as long as there is any, ``Dataset.legal_hold`` is true.

    ``matter`` is the reference that refusals name to who may read holds. ``subject_keys`` are keys of the subject
    index (32 bytes each), one behind the other. ``query`` is the sealed filter; its records were looked for in every
    version up to the sequence ``found_upto``, and until that is the newest the whole dataset counts as held.
    """

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="hold_marks")
    hold_id = models.UUIDField(editable=False)
    matter = models.CharField(max_length=100, editable=False)
    kind = models.CharField(max_length=8, choices=HoldKind.choices, editable=False)
    version = TenantForeignKey(Version, on_delete=models.CASCADE, null=True, related_name="hold_marks")
    subject_keys = models.BinaryField(default=bytes, editable=False)
    query = models.BinaryField(null=True, editable=False)
    found_upto = models.PositiveIntegerField(default=0, editable=False)
    placed_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(system=("SELECT",)),
            CompositeForeignKey(name="datasets_holdmark_dataset_fk", field="dataset", to="datasets.Dataset"),
            CompositeForeignKey(name="datasets_holdmark_version_fk", field="version", to="datasets.Version"),
            models.CheckConstraint(
                condition=models.Q(kind="version", version__isnull=False)
                | (~models.Q(kind="version") & models.Q(version__isnull=True)),
                name="datasets_holdmark_names_version",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="query", query__isnull=False)
                | (~models.Q(kind="query") & models.Q(query__isnull=True)),
                name="datasets_holdmark_has_query",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "dataset"], name="datasets_holdmark_dataset"),
            models.Index(fields=["tenant", "hold_id"], name="datasets_holdmark_hold"),
        ]

    def __str__(self) -> str:
        return f"{self.matter}: {self.get_kind_display()}"


class HeldRecord(TenantModel):
    """One record that a mark keeps, by its id."""

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE)
    mark = TenantForeignKey(HoldMark, on_delete=models.CASCADE, related_name="records")
    record_id = models.CharField(max_length=128, db_collation="C")

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "DELETE")),
            CompositeForeignKey(name="datasets_heldrecord_dataset_fk", field="dataset", to="datasets.Dataset"),
            CompositeForeignKey(name="datasets_heldrecord_mark_fk", field="mark", to="datasets.HoldMark"),
            models.UniqueConstraint(fields=["tenant", "mark", "record_id"], name="datasets_heldrecord_once"),
        ]
        indexes = [models.Index(fields=["tenant", "dataset", "record_id"], name="datasets_heldrecord_record")]
