"""Versions, and the branches and tags that point at them."""

from typing import Final

from django.db import models
from django.db.models.functions import Now

from datasets.models.dataset import Dataset
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints

#: Every dataset has this branch, from before its first version on.
DEFAULT_BRANCH: Final = "main"


class VersionKind(models.TextChoices):
    """What made a version."""

    INGEST = "ingest", "upload"
    PUBLISH = "publish", "published draft"
    PATCH = "patch", "change of records"
    MERGE = "merge", "merge"
    ROLLBACK = "rollback", "rollback"
    MASK = "mask", "anonymized"


class Version(TenantModel):
    """An immutable state of a dataset: a root of the record tree, its parents, and who made it when.

    ``parent`` is what the branch pointed at before, ``merge_parent`` the version merged into it. ``digest`` is the
    version id of the tree format. ``profile`` is the sealed count of findings by field and type,
    ``contributors`` the ids of all who had a hand in it beside the author.
    """

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="versions")
    digest = models.BinaryField(max_length=32)
    root = models.BinaryField(max_length=32)
    parent = TenantForeignKey("self", on_delete=models.PROTECT, null=True)
    merge_parent = TenantForeignKey("self", on_delete=models.PROTECT, null=True)
    kind = models.CharField(max_length=8, choices=VersionKind.choices, default=VersionKind.INGEST)
    sequence = models.PositiveIntegerField()
    label = models.CharField(max_length=32, db_collation="C")
    author = models.UUIDField()
    contributors = models.JSONField(default=list)
    message = models.CharField(max_length=1000, blank=True, default="")
    message_nonce = models.BinaryField(max_length=16)
    record_count = models.BigIntegerField()
    canonical_bytes = models.BigIntegerField()
    chunk_count = models.PositiveIntegerField()
    new_chunk_count = models.PositiveIntegerField()
    new_sealed_bytes = models.BigIntegerField()
    profile = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "DELETE")),
            CompositeForeignKey(name="datasets_version_dataset_fk", field="dataset", to="datasets.Dataset"),
            CompositeForeignKey(name="datasets_version_parent_fk", field="parent", to="datasets.Version"),
            CompositeForeignKey(name="datasets_version_merge_parent_fk", field="merge_parent", to="datasets.Version"),
            models.UniqueConstraint(fields=["tenant", "dataset", "sequence"], name="datasets_version_sequence"),
            models.UniqueConstraint(fields=["tenant", "dataset", "label"], name="datasets_version_label"),
            models.UniqueConstraint(fields=["tenant", "dataset", "digest"], name="datasets_version_digest"),
        ]

    def __str__(self) -> str:
        return self.label


class Branch(TenantModel):
    """A name that moves from version to version by compare-and-swap.

    A protected branch moves only by merges that somebody else has reviewed.
    """

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="branches")
    name = models.CharField(max_length=100, db_collation="C")
    head = TenantForeignKey(Version, on_delete=models.PROTECT, null=True)
    is_protected = models.BooleanField(default=False)
    created_by = models.UUIDField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    moved_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="datasets_branch_dataset_fk", field="dataset", to="datasets.Dataset"),
            CompositeForeignKey(name="datasets_branch_head_fk", field="head", to="datasets.Version"),
            models.UniqueConstraint(fields=["tenant", "dataset", "name"], name="datasets_branch_name"),
        ]

    def __str__(self) -> str:
        return self.name


class VersionTag(TenantModel):
    """A second name of one version, which never moves."""

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="version_tags")
    name = models.CharField(max_length=100, db_collation="C")
    version = TenantForeignKey(Version, on_delete=models.PROTECT, related_name="tags")
    message = models.CharField(max_length=1000, blank=True, default="")
    created_by = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="datasets_versiontag_dataset_fk", field="dataset", to="datasets.Dataset"),
            CompositeForeignKey(name="datasets_versiontag_version_fk", field="version", to="datasets.Version"),
            models.UniqueConstraint(fields=["tenant", "dataset", "name"], name="datasets_versiontag_name"),
        ]
        indexes = [models.Index(fields=["tenant", "version"], name="datasets_versiontag_version")]

    def __str__(self) -> str:
        return self.name
