"""Looking at the log with suspicion: runs of the verification, and months whose events were dropped on purpose."""

from django.db import models

from vaultsite.kernel.jobs import LongRunning
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class AuditVerification(LongRunning):
    """One recomputation of an organization's whole log from the stored bytes.

    ``target`` is the number of leaves when it began, ``verified`` how many were looked at, ``checkpoints`` how many
    signed checkpoints were compared. ``witnesses`` says of each witness what came of asking it. ``findings`` are the
    first damages in order of their sequence number; ``first_bad_seq`` and ``damage`` repeat the first of them. A run
    that found damage has succeeded: it failed when it could not look.
    """

    task_name = "audit.run_verification"

    target = models.BigIntegerField(default=0)
    verified = models.BigIntegerField(default=0)
    checkpoints = models.BigIntegerField(default=0)
    witnesses = models.JSONField(default=list)
    findings = models.JSONField(default=list)
    first_bad_seq = models.BigIntegerField(null=True, default=None)
    damage = models.TextField(blank=True, default="")

    class Meta(LongRunning.Meta):
        db_table = "audit_verification"
        verbose_name = "verification of the audit"
        verbose_name_plural = "verifications of the audit"
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE"), system=("SELECT", "INSERT", "UPDATE")),
        ]
        indexes = [
            models.Index(fields=["tenant", "-created_at"], name="audit_verification_by_time"),
            models.Index(fields=["status", "lease_until"], name="audit_verification_lease"),
        ]

    @property
    def is_witnessed(self) -> bool:
        """Whether a witness confirmed the log: without one, who holds database and key may have rewritten both."""
        return any(one["state"] == ("agrees" if self.target else "none") for one in self.witnesses)

    def __str__(self) -> str:
        return f"verification of {self.created_at:%Y-%m-%d %H:%M}"


class AuditMonthDrop(TenantModel):
    """A month whose events were dropped by retention: the leaves with these numbers have no event any more.

    Written by maintenance as the owner; the application reads. ``witness`` held the checkpoint of ``checkpoint_size``,
    which covers every event of the month. ``event_id`` is the event that told of the drop: without it in the log the
    row excuses nothing.
    """

    month = models.DateField()
    events = models.BigIntegerField()
    first_seq = models.BigIntegerField()
    last_seq = models.BigIntegerField()
    checkpoint_size = models.BigIntegerField()
    witness = models.TextField()
    event_id = models.UUIDField()
    dropped_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        db_table = "audit_month_drop"
        verbose_name = "dropped month"
        ordering = ["-month"]
        constraints = [
            *tenant_constraints(grants=("SELECT",)),
            models.UniqueConstraint(fields=["tenant", "month"], name="audit_month_drop_once"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"
