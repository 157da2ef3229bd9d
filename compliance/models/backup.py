"""What was backed up and which backups were tried: each organization sees its own part of both."""

from django.db import models

from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class BackupStatus(models.TextChoices):
    SUCCEEDED = "succeeded", "succeeded"
    INCOMPLETE = "incomplete", "objects were missing"
    FAILED = "failed", "failed"


class BackupRun(TenantModel):
    """One backup of the vault, as it concerns one organization; written when it has ended.

    The counts are of the organization's own objects: ``new_object_count`` were copied by this backup, the others lay in
    the repository already, ``missing_count`` were not in the store any more,
    ``elsewhere_count`` lie in other regions and were refused. ``has_keys``: the keys that the operator
    keeps apart were sealed into it.
    """

    backup_id = models.CharField(max_length=32, blank=True, default="")
    status = models.CharField(max_length=10, choices=BackupStatus.choices)
    snapshot_at = models.DateTimeField(null=True, default=None)
    finished_at = models.DateTimeField()
    dataset_count = models.PositiveIntegerField(default=0)
    object_count = models.PositiveIntegerField(default=0)
    new_object_count = models.PositiveIntegerField(default=0)
    object_bytes = models.BigIntegerField(default=0)
    missing_count = models.PositiveIntegerField(default=0)
    elsewhere_count = models.PositiveIntegerField(default=0, db_default=0)
    has_keys = models.BooleanField(default=False)
    error_code = models.CharField(max_length=20, blank=True, default="")
    #: When it was removed from the repository again.
    expired_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [*tenant_constraints(grants=("SELECT", "INSERT", "UPDATE"))]
        indexes = [models.Index(fields=["tenant", "-finished_at"], name="compliance_backup_newest")]

    def __str__(self) -> str:
        return f"backup {self.backup_id} ({self.status})"


class DrillStatus(models.TextChoices):
    PASSED = "passed", "passed"
    FAILED = "failed", "failed"


class RestoreDrill(TenantModel):
    """A backup restored into an empty second vault, and what of the organization was compared there.

    ``mismatch_count`` counts datasets whose versions differ from those of the snapshot, and records that could not be
    read or did not verify. ``rto_seconds`` is how long the whole restore took, ``rpo_seconds`` how old the state was
    that it brought back.
    """

    backup_id = models.CharField(max_length=32)
    status = models.CharField(max_length=6, choices=DrillStatus.choices)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    dataset_count = models.PositiveIntegerField(default=0)
    version_count = models.PositiveIntegerField(default=0)
    record_count = models.PositiveIntegerField(default=0)
    mismatch_count = models.PositiveIntegerField(default=0)
    replayed_count = models.PositiveIntegerField(default=0)
    rto_seconds = models.PositiveIntegerField(default=0)
    rpo_seconds = models.PositiveIntegerField(default=0)
    error_code = models.CharField(max_length=20, blank=True, default="")

    class Meta(TenantModel.Meta):
        constraints = [*tenant_constraints(grants=("SELECT", "INSERT"))]
        indexes = [models.Index(fields=["tenant", "-finished_at"], name="compliance_drill_newest")]

    def __str__(self) -> str:
        return f"drill of {self.backup_id} ({self.status})"
