"""An export of the audit: events on their way out as one file."""

from django.db import models

from vaultsite.kernel.jobs import JobStatus, LongRunning
from vaultsite.kernel.tenancy.models import tenant_constraints


class AuditExportFormat(models.TextChoices):
    CSV = "csv", "CSV"
    JSONL = "jsonl", "JSON lines"
    OCSF = "ocsf", "OCSF 1.6 (JSON lines)"
    CEF = "cef", "CEF"
    BUNDLE = "bundle", "Signed bundle (ZIP)"


class AuditExport(LongRunning):
    """What was asked for, how far the work has come, and the sealed parts of the file.

    ``criteria`` are the filters as JSON. Events of the sequence numbers below ``until_seq`` are looked at: what was
    sealed when it was asked for, so a file does not depend on how often its job was interrupted. ``parts`` are
    [name of the blob, bytes of plaintext] in order. ``removed_at`` is set when the file went, by age or by hand.
    """

    task_name = "audit.run_export"

    format = models.CharField(max_length=6, choices=AuditExportFormat.choices)
    criteria = models.JSONField(default=dict)
    until_seq = models.BigIntegerField()
    parts = models.JSONField(default=list)
    record_count = models.BigIntegerField(default=0)
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    expires_at = models.DateTimeField(null=True, default=None)
    removed_at = models.DateTimeField(null=True, default=None)

    class Meta(LongRunning.Meta):
        db_table = "audit_export"
        verbose_name = "audit export"
        constraints = tenant_constraints(system=("SELECT", "UPDATE"))
        indexes = [
            models.Index(fields=["tenant", "requested_by"], name="audit_export_by_requester"),
            models.Index(fields=["status", "lease_until"], name="audit_export_lease"),
            models.Index(fields=["expires_at"], name="audit_export_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.format} export of the audit"

    @property
    def has_file(self) -> bool:
        return self.status == JobStatus.SUCCEEDED and self.removed_at is None
