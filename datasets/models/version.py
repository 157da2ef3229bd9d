"""Versions and the branches that point at them."""

from django.db import models

from datasets.models.dataset import Dataset
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class Version(TenantModel):
    """An immutable state of a dataset: a root of the record tree, its parent, and who made it when.

    ``digest`` is the version id of the tree format. ``profile`` is the sealed count of findings by field and type.
    """

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="versions")
    digest = models.BinaryField(max_length=32)
    root = models.BinaryField(max_length=32)
    parent = TenantForeignKey("self", on_delete=models.PROTECT, null=True)
    sequence = models.PositiveIntegerField()
    label = models.CharField(max_length=32, db_collation="C")
    author = models.UUIDField()
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
            models.UniqueConstraint(fields=["tenant", "dataset", "sequence"], name="datasets_version_sequence"),
            models.UniqueConstraint(fields=["tenant", "dataset", "label"], name="datasets_version_label"),
            models.UniqueConstraint(fields=["tenant", "dataset", "digest"], name="datasets_version_digest"),
        ]

    def __str__(self) -> str:
        return self.label


class Branch(TenantModel):
    """A name that moves from version to version by compare-and-swap."""

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="branches")
    name = models.CharField(max_length=100, db_collation="C")
    head = TenantForeignKey(Version, on_delete=models.PROTECT, null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="datasets_branch_dataset_fk", field="dataset", to="datasets.Dataset"),
            CompositeForeignKey(name="datasets_branch_head_fk", field="head", to="datasets.Version"),
            models.UniqueConstraint(fields=["tenant", "dataset", "name"], name="datasets_branch_name"),
        ]
