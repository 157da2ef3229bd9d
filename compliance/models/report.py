"""A report: what was asked for, and the sealed file that came of it."""

from django.db import models

from vaultsite.kernel.jobs import JobStatus, LongRunning
from vaultsite.kernel.tenancy.models import tenant_constraints


class ReportFormat(models.TextChoices):
    PDF = "pdf", "PDF"
    CSV = "csv", "CSV"
    JSON = "json", "JSON"


class Report(LongRunning):
    """``kind`` names what is reported (``compliance/reports/kinds``), over the time from ``since`` until ``until``.

    ``scope`` restricts: {"datasets": [ids], "users": [ids]}, an empty list to nothing in particular. ``parts`` are
    [name of the blob, bytes of plaintext] in order. ``checkpoint_size`` and ``checkpoint_root`` (hex) name the
    audit's newest checkpoint when it was written; ``rows_sha256`` is over the rows alone, whatever the format.
    ``summary`` is sealed: the figures (compliance/reports/summary.py).
    """

    task_name = "compliance.run_report"

    kind = models.CharField(max_length=20)
    format = models.CharField(max_length=4, choices=ReportFormat.choices)
    since = models.DateTimeField()
    until = models.DateTimeField()
    scope = models.JSONField(default=dict)
    parts = models.JSONField(default=list)
    row_count = models.BigIntegerField(default=0)
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    summary = models.BinaryField(null=True, default=None)
    rows_sha256 = models.CharField(max_length=64, blank=True, default="")
    checkpoint_size = models.BigIntegerField(null=True, default=None)
    checkpoint_root = models.CharField(max_length=64, blank=True, default="")
    expires_at = models.DateTimeField(null=True, default=None)
    removed_at = models.DateTimeField(null=True, default=None)

    class Meta(LongRunning.Meta):
        constraints = tenant_constraints(system=("SELECT", "UPDATE"))
        indexes = [
            models.Index(fields=["tenant", "requested_by"], name="compliance_report_by_requester"),
            models.Index(fields=["status", "lease_until"], name="compliance_report_lease"),
            models.Index(fields=["expires_at"], name="compliance_report_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} report"

    @property
    def has_file(self) -> bool:
        return self.status == JobStatus.SUCCEEDED and self.removed_at is None
