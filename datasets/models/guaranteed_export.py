"""Exports under a guarantee, and the schedules that ask for them again and again."""

from django.db import models
from django.db.models.functions import Now

from datasets.models.dataset import Dataset
from datasets.models.export import ExportFormat
from datasets.models.version import Version
from vaultsite.kernel.jobs import JobStatus, LongRunning
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class GuaranteedExport(LongRunning):
    """A version on its way to a recipient as a table that keeps a promise.

    ``guarantee`` is what was promised, ``method`` how rows are generalized, ``attained`` what the released rows have.
    What was asked for in full (columns, filter, hierarchies: values) is sealed in ``request``, the job's random seed in
    ``seed``; both are gone once the job is final, except that a schedule keeps its own. ``obligations`` are those of
    the asker's own view, on which the filter is judged; ``is_bound`` says that the dataset's release rules bound it,
    because it does not read raw; ``view_hash`` is what that view did to records, so that a table made under another
    view than today's is not handed out. ``delete_by`` is when the recipient must have deleted its copy,
    ``deleted_at`` when it said it did; ``release_id`` is the entry in the release ledger, where the release stays until
    somebody else attests that the copy is gone. ``expires_at`` is when our own files go.
    """

    task_name = "datasets.run_guaranteed_export"

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="guaranteed_exports")
    version = TenantForeignKey(Version, on_delete=models.CASCADE, related_name="guaranteed_exports")
    schedule_id = models.UUIDField(null=True, default=None)
    purpose = models.CharField(max_length=64)
    target = models.CharField(max_length=100, blank=True, default="")
    format = models.CharField(max_length=7, choices=ExportFormat.choices)
    method = models.CharField(max_length=6)
    guarantee = models.JSONField(default=dict)
    columns = models.JSONField(default=list)
    request = models.BinaryField(null=True)
    seed = models.BinaryField(null=True)
    view_hash = models.BinaryField(max_length=32, null=True)
    policies = models.JSONField(default=list)
    obligations = models.JSONField(default=list)
    epoch = models.PositiveIntegerField()
    is_bound = models.BooleanField(default=True)
    attained = models.JSONField(default=dict)
    utility = models.JSONField(default=dict)
    risk = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    files = models.JSONField(default=list)
    record_count = models.BigIntegerField(default=0)
    size = models.BigIntegerField(default=0)
    release_id = models.UUIDField(null=True, default=None)
    retention_days = models.PositiveIntegerField()
    delete_by = models.DateTimeField(null=True, default=None)
    deleted_at = models.DateTimeField(null=True, default=None)
    expires_at = models.DateTimeField(null=True, default=None)
    removed_at = models.DateTimeField(null=True, default=None)

    class Meta(LongRunning.Meta):
        constraints = [
            *tenant_constraints(system=("SELECT", "UPDATE")),
            CompositeForeignKey(name="guaranteed_export_dataset_fk", field="dataset", to="datasets.Dataset"),
            CompositeForeignKey(name="guaranteed_export_version_fk", field="version", to="datasets.Version"),
        ]
        indexes = [
            models.Index(fields=["tenant", "dataset", "requested_by"], name="guaranteed_export_dataset"),
            models.Index(fields=["status", "lease_until"], name="guaranteed_export_lease"),
            models.Index(fields=["expires_at"], name="guaranteed_export_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.format} export {self.id} under k={self.guarantee.get('k')}"

    @property
    def has_files(self) -> bool:
        return self.status == JobStatus.SUCCEEDED and self.removed_at is None


class ExportSchedule(TenantModel):
    """Asks for the same export again every ``interval_hours``, as ``owner``, as long as the owner may.

    ``request`` is sealed. ``failure`` is the code of the error that the last attempt to ask ended with.
    """

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="export_schedules")
    owner = models.UUIDField()
    owner_kind = models.CharField(max_length=7)
    purpose = models.CharField(max_length=64)
    interval_hours = models.PositiveIntegerField()
    request = models.BinaryField()
    next_at = models.DateTimeField()
    last_export = models.UUIDField(null=True, default=None)
    failure = models.CharField(max_length=20, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(system=("SELECT",)),
            CompositeForeignKey(name="export_schedule_dataset_fk", field="dataset", to="datasets.Dataset"),
        ]
        indexes = [
            models.Index(fields=["tenant", "dataset", "owner"], name="export_schedule_dataset"),
            models.Index(fields=["next_at"], name="export_schedule_next"),
        ]
