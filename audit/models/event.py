"""One row an event: insert-only, partitioned by month, its exact bytes beside the columns it is found by."""

from django.db import models

from vaultsite.kernel.tenancy.models import TenantModel
from vaultsite.kernel.tenancy.rls import RowLevelSecurity
from vaultsite.kernel.tenancy.scope import current_tenant_id


class AuditEvent(TenantModel):
    """What happened, as it was written down once.

    ``body`` is the event as RFC 8785 JSON and alone counts as evidence; the other columns repeat members of it for
    searching. The table is partitioned by ``time``, so its key in the database is (tenant, id, time). The application
    may insert and read; a trigger refuses every change, whoever asks.
    """

    # No key to the tenant's row: the record outlives its tenant, and every event would lock that one row.
    tenant = models.ForeignKey(
        "access.Tenant",
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
        default=current_tenant_id,
        editable=False,
    )
    time = models.DateTimeField()
    type = models.TextField()
    status = models.TextField()
    severity = models.TextField()
    operation = models.TextField()
    actor_id = models.UUIDField()
    actor_kind = models.TextField()
    resource_type = models.TextField()
    resource_id = models.TextField()
    dataset_id = models.UUIDField(null=True)
    classification = models.TextField()
    version = models.TextField()
    purpose = models.TextField()
    policy = models.TextField()
    request_id = models.TextField()
    failure_reason = models.TextField()
    #: What the event says of its size: records and bytes that went in or out, and how long it took.
    records = models.BigIntegerField(db_default=0)
    bytes = models.BigIntegerField(db_default=0)
    duration_ms = models.BigIntegerField(db_default=0)
    body = models.BinaryField()

    class Meta(TenantModel.Meta):
        db_table = "audit_event"
        verbose_name = "audit event"
        ordering = ["-time", "-id"]
        constraints = [RowLevelSecurity(name="audit_event_rls", grants=("SELECT", "INSERT"), system=("SELECT",))]
        indexes = [
            models.Index(fields=["tenant", "-time", "-id"], name="audit_event_by_time"),
            models.Index(
                fields=["tenant", "dataset_id", "-time"],
                name="audit_event_by_dataset",
                condition=models.Q(dataset_id__isnull=False),
            ),
            models.Index(fields=["tenant", "actor_id", "-time"], name="audit_event_by_actor"),
            models.Index(fields=["tenant", "type", "-time"], name="audit_event_by_type"),
            models.Index(
                fields=["tenant", "status", "-time"],
                name="audit_event_by_outcome",
                condition=~models.Q(status="success"),
            ),
            models.Index(
                fields=["tenant", "severity", "-time"],
                name="audit_event_by_severity",
                condition=~models.Q(severity="info"),
            ),
            models.Index(
                fields=["tenant", "classification", "-time"],
                name="audit_event_by_class",
                condition=~models.Q(classification=""),
            ),
            models.Index(
                fields=["tenant", "purpose", "-time"], name="audit_event_by_purpose", condition=~models.Q(purpose="")
            ),
            models.Index(
                fields=["tenant", "request_id"], name="audit_event_by_request", condition=~models.Q(request_id="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.time:%Y-%m-%d %H:%M:%S} {self.type} {self.status}"
