"""Months of events that lie in the blob store instead of the database."""

from django.db import models
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class AuditArchivePart(TenantModel):
    """One sealed object with events of one month, in order of their leaves.

    It holds ``events`` events with numbers from ``first_seq`` to ``last_seq``, the earliest and the latest of them at
    ``first_time`` and ``last_time``; ``name`` is its blob, of ``size`` bytes as stored (0: being written), with
    ``sha256`` over them. ``moved_at`` is set when the month left the database (null: it was written, its events still
    lie there), ``removed_at`` when retention deleted the object. Written by maintenance as the owner; the application
    reads. Nothing is believed of the row: what an object holds is compared with the leaves.
    """

    month = models.DateField()
    number = models.IntegerField()
    first_seq = models.BigIntegerField()
    last_seq = models.BigIntegerField()
    first_time = models.DateTimeField()
    last_time = models.DateTimeField()
    events = models.IntegerField()
    name = models.TextField()
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    written_at = models.DateTimeField(db_default=Now())
    moved_at = models.DateTimeField(null=True, default=None)
    removed_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        db_table = "audit_archive_part"
        verbose_name = "part of the audit's archive"
        verbose_name_plural = "parts of the audit's archive"
        ordering = ["month", "number"]
        constraints = [
            *tenant_constraints(grants=("SELECT",), system=("SELECT",)),
            models.UniqueConstraint(fields=["tenant", "month", "number"], name="audit_archive_part_once"),
        ]

    def __str__(self) -> str:
        return f"archive of {self.month:%Y-%m}, part {self.number}"
