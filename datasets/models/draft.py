"""Drafts: changes staged over a version until they are published as the next one, or dropped."""

from django.db import models
from django.db.models.functions import Now

from datasets.models.dataset import Dataset
from datasets.models.version import Version, VersionKind
from vaultsite.kernel.jobs import LongRunning
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints
from vaultsite.kernel.tenancy.rls import RowLevelSecurity


class DraftStatus(models.TextChoices):
    DRAFT = "draft", "draft"
    PUBLISHING = "publishing", "publishing"
    PUBLISHED = "published", "published"


class Draft(TenantModel):
    """A version in the making: what will change ``parent``, for the head of ``branch``.

    ``label`` is the one the version is to have (empty: the next free one), ``description`` its message. ``expires_at``
    moves on with every staged change; ``warned_at`` says that its owner was told. A published draft names its version
    and has no staged records any more. ``contributors`` are the ids of all who staged something.
    """

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="drafts")
    branch = models.CharField(max_length=100, default="main", db_collation="C")
    parent = TenantForeignKey(Version, on_delete=models.PROTECT, null=True)
    label = models.CharField(max_length=32, blank=True, default="", db_collation="C")
    description = models.CharField(max_length=1000, blank=True, default="")
    status = models.CharField(max_length=10, choices=DraftStatus.choices, default=DraftStatus.DRAFT)
    version = TenantForeignKey(Version, on_delete=models.SET_NULL, null=True)
    opened_by = models.UUIDField()
    contributors = models.JSONField(default=list)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    warned_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(system=("SELECT",)),
            CompositeForeignKey(name="datasets_draft_dataset_fk", field="dataset", to="datasets.Dataset"),
            CompositeForeignKey(name="datasets_draft_parent_fk", field="parent", to="datasets.Version"),
            CompositeForeignKey(name="datasets_draft_version_fk", field="version", to="datasets.Version"),
            models.UniqueConstraint(
                fields=["tenant", "dataset", "label"],
                name="datasets_draft_label",
                condition=~models.Q(label="") & ~models.Q(status="published"),
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "dataset", "id"], name="datasets_draft_dataset"),
            models.Index(fields=["status", "expires_at"], name="datasets_draft_expiry"),
        ]

    def __str__(self) -> str:
        return self.label or str(self.pk)


class StagedKind(models.TextChoices):
    """What a staged record does to the draft's parent."""

    ADDED = "added", "added"
    UPDATED = "updated", "updated"
    DELETED = "deleted", "deleted"


class StagedRecord(TenantModel):
    """One record as a draft has it, or that it leaves out.

    ``body`` is the record with its content key, findings and index keys, sealed under the dataset's data key and the
    row's own ``secret`` for this draft and record id; a deletion has none. ``detector`` is the set that scanned it. The
    table has 16 partitions by hash of the dataset; its key there is (tenant, draft, record id, dataset).
    """

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE)
    draft = TenantForeignKey(Draft, on_delete=models.CASCADE)
    record_id = models.TextField(db_collation="C")
    kind = models.CharField(max_length=7, choices=StagedKind.choices)
    body = models.BinaryField(null=True)
    key_id = models.UUIDField(null=True)
    secret = models.BinaryField(null=True)
    detector = models.BinaryField(null=True)
    size = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta(TenantModel.Meta):
        db_table = "records"
        constraints = [
            RowLevelSecurity(name="datasets_stagedrecord_rls"),
            CompositeForeignKey(name="records_dataset_fk", field="dataset", to="datasets.Dataset"),
            CompositeForeignKey(name="records_draft_fk", field="draft", to="datasets.Draft"),
            models.UniqueConstraint(fields=["tenant", "dataset", "draft", "record_id"], name="records_unique"),
        ]
        indexes = [models.Index(fields=["tenant", "id"], name="records_by_id")]

    def __str__(self) -> str:
        return f"{self.kind} {self.record_id}"


class Publication(LongRunning):
    """A draft on its way to becoming a version of its branch.

    ``seed`` gives the nonces of its new records; it is gone once the job is final. With ``rebase`` the staged changes
    are put on whatever the branch has become, as long as nobody else changed the same records.
    """

    task_name = "datasets.run_publication"

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE)
    draft = TenantForeignKey(Draft, on_delete=models.SET_NULL, null=True)
    kind = models.CharField(max_length=8, choices=VersionKind.choices, default=VersionKind.PUBLISH)
    branch = models.CharField(max_length=100, db_collation="C")
    rebase = models.BooleanField(default=False)
    label = models.CharField(max_length=32, blank=True, default="", db_collation="C")
    message = models.CharField(max_length=1000, blank=True, default="")
    seed = models.BinaryField(null=True)
    staged_count = models.PositiveIntegerField(default=0)
    purpose = models.CharField(max_length=64, blank=True, default="")
    version = TenantForeignKey(Version, on_delete=models.SET_NULL, null=True)

    class Meta(LongRunning.Meta):
        constraints = [
            *tenant_constraints(system=("SELECT", "UPDATE")),
            CompositeForeignKey(name="datasets_publication_dataset_fk", field="dataset", to="datasets.Dataset"),
            CompositeForeignKey(name="datasets_publication_draft_fk", field="draft", to="datasets.Draft"),
            CompositeForeignKey(name="datasets_publication_version_fk", field="version", to="datasets.Version"),
        ]
        indexes = [
            models.Index(fields=["tenant", "draft", "created_at"], name="datasets_publication_draft"),
            models.Index(fields=["status", "lease_until"], name="datasets_publication_lease"),
        ]

    def __str__(self) -> str:
        return f"publication {self.id}"
